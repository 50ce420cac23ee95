"""Is a journal whole? Reads any copy without changing a byte of it, and names the first sequence that does not hold."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from kiosk.contracts.errors import JournalBroken
from kiosk.contracts.events import GENESIS
from kiosk.contracts.value import canonical_bytes, sha256_hex

COLUMNS = ("journal_id", "sequence", "occurred_at", "monotonic_ms", "event", "transaction_number", "data",
           "previous_hash", "hash")  # fmt: skip
WHOLE, BROKEN, UNREADABLE = 0, 1, 2
MOST_MISSING_BYTES = 1 << 34


class NotAJournal(JournalBroken):
    """The file cannot be read, or is no journal."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 0)


@dataclass(frozen=True)
class VerifyReport:
    """`first`…`last` are the sequences found (0 when empty); `broken_sequence` is None when every one holds.

    A journal whose oldest entries were acknowledged and dropped begins after 1: `first` says so.
    """

    journal_id: str
    terminal: str
    first: int
    last: int
    count: int
    head_hash: str
    broken_sequence: int | None
    reason: str

    @property
    def is_whole(self) -> bool:
        return self.broken_sequence is None

    def sentence(self) -> str:
        """One line for staff."""
        if self.broken_sequence is not None:
            return f"broken at sequence {self.broken_sequence}: {self.reason}"
        span = f"sequence {self.first} to {self.last}" if self.count else "empty"
        return f"whole: {self.count} entries, {span}, head {self.head_hash}"


def verify_journal(path: Path) -> VerifyReport:
    """Check every entry against the chain and the head. Raises `NotAJournal` when there is nothing to check."""
    if not path.is_file():
        raise NotAJournal(f"{path}: {'is no file' if path.exists() else 'there is no such file'}")
    try:
        with _opened(path) as connection:
            return _verify(connection, path)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise NotAJournal(f"{path}: cannot be read as a journal ({type(error).__name__})") from error


def run_verify(path: Path) -> tuple[int, str]:
    """What the command prints and its exit code: 0 whole, 1 broken, 2 nothing that could be verified."""
    try:
        report = verify_journal(path)
    except NotAJournal as error:
        return UNREADABLE, str(error)
    return (WHOLE if report.is_whole else BROKEN), report.sentence()


class _Head(NamedTuple):
    journal_id: str
    terminal: str
    sequence: int
    hash: str
    base_sequence: int
    base_hash: str


def _verify(connection: sqlite3.Connection, path: Path) -> VerifyReport:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"entries", "head"} <= tables:
        raise NotAJournal(f"{path}: a database, but no journal")
    head = _head(connection)
    journal_id, terminal, head_sequence, head_hash, base_sequence, base_hash = head or _beginning(connection)

    def report(first: int, last: int, count: int, broken: int | None = None, reason: str = "") -> VerifyReport:
        return VerifyReport(journal_id, terminal, first, last, count, head_hash, broken, reason)

    if base_sequence == 0 and base_hash != GENESIS:
        return report(0, 0, 0, 1, "the journal does not start from the beginning of all journals")
    acknowledged, hash_there = _acknowledged(connection)
    first, count, expected, previous = 0, 0, base_sequence + 1, base_hash
    for row in _rows(connection):
        count += 1
        first = first or (row[1] if isinstance(row[1], int) else 0)
        reason = _fault(row, journal_id, expected, previous)
        if not reason and expected == acknowledged and row[8] != hash_there:
            reason = "not what the centre has received under this number"
        if reason:
            return report(first, expected - 1, count, expected, reason)
        expected, previous = expected + 1, row[8]
    last = expected - 1
    if head is None:
        return report(first, last, count, expected, "missing: the head, which says where the journal ends")
    if last < max(head_sequence, acknowledged):
        holder = "head says" if last < head_sequence else "centre has received"
        return report(first, last, count, expected, f"missing: the {holder} {max(head_sequence, acknowledged)} entries")
    if (last, previous) != (head_sequence, head_hash):
        return report(first, last, count, last, f"not the head, which is {head_sequence} with hash {head_hash}")
    return report(first, last, count)


def _head(connection: sqlite3.Connection) -> _Head | None:
    """None when it is missing or damaged."""
    try:
        rows = connection.execute(f"SELECT {', '.join(_Head._fields)} FROM head").fetchall()
    except sqlite3.DatabaseError:
        return None
    return (
        _Head(*rows[0]) if [[type(item) for item in row] for row in rows] == [[str, str, int, str, int, str]] else None
    )


def _beginning(connection: sqlite3.Connection) -> _Head:
    """Where a journal without head begins by its own oldest entry."""
    row = dict(zip(COLUMNS, next(_rows(connection), (None,) * len(COLUMNS)), strict=True))
    sequence = row["sequence"] if isinstance(row["sequence"], int) else 1
    previous = str(row["previous_hash"]) if sequence > 1 else GENESIS
    return _Head(str(row["journal_id"]), "", 0, "", max(sequence, 1) - 1, previous)


def _acknowledged(connection: sqlite3.Connection) -> tuple[int, str]:
    """What the centre last said it holds; (0, "") when that cannot be read."""
    try:
        kept = connection.execute("SELECT value FROM state WHERE key = 'acknowledged'").fetchone()
        said: dict[str, Any] = json.loads(kept[0]) if kept else {"sequence": 0, "hash": ""}
        return int(said["sequence"]), str(said["hash"])
    except (sqlite3.DatabaseError, ValueError, TypeError, KeyError, RecursionError):
        return 0, ""


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """In the order of the sequence; a damaged page ends the reading as one more broken row would."""
    try:
        yield from connection.execute(f"SELECT {', '.join(COLUMNS)} FROM entries NOT INDEXED ORDER BY sequence")
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        yield (None,) * len(COLUMNS)


def _fault(row: tuple[Any, ...], journal_id: str, expected: int, previous: str) -> str:
    """What is wrong with this entry, in words; empty when it holds."""
    entry = dict(zip(COLUMNS, row, strict=True))
    sequence = entry["sequence"]
    if not isinstance(sequence, int) or not isinstance(entry["hash"], str):
        return "cannot be read: the file is damaged here"
    if sequence != expected:
        return f"missing: the next entry is {sequence}" if sequence > expected else f"{sequence} stands in its place"
    if entry["journal_id"] != journal_id:
        return "belongs to another journal"
    if entry["previous_hash"] != previous:
        return "does not follow the entry before it"
    return "" if _hash_fits(entry) else "its content was changed: the hash does not fit"


def _hash_fits(entry: dict[str, Any]) -> bool:
    try:
        data = json.loads(entry["data"])
        content = {key: entry[key] for key in COLUMNS[:-1]} | {"data": data}
        same_text = canonical_bytes(data) == str(entry["data"]).encode()
        return same_text and sha256_hex(canonical_bytes(content)) == entry["hash"]
    except (ValueError, TypeError, RecursionError):
        return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Read-only, leaving no trace. A copy without write-ahead log is read as it stands; with one, from a private copy.

    The log's index cannot be rebuilt in a folder that may not be written, hence the copy. A journal its program has
    open has that index already, and is read as of one moment.
    """
    log = path.with_name(path.name + "-wal")
    has_log, missing_bytes = log.is_file() and log.stat().st_size > 0, _missing_bytes(path)
    if not has_log and not missing_bytes:
        with contextlib.closing(_connect(path, "mode=ro&immutable=1")) as connection:
            yield connection
        return
    if has_log and _is_in_use(path):
        with contextlib.closing(_connect(path, "mode=ro")) as connection:
            connection.execute("BEGIN")
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="journal-") as folder:
        copy = Path(folder, "journal.sqlite")
        shutil.copyfile(path, copy)
        os.truncate(copy, copy.stat().st_size + missing_bytes)
        if has_log:
            shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        with contextlib.closing(_connect(copy, "mode=rw")) as connection:
            yield connection


def _missing_bytes(path: Path) -> int:
    """What was cut off the file's end, by its own header (sqlite.org/fileformat2, 1.3). SQLite refuses such a file;
    with nothing in their place the pages that are left can be read."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        return 0
    page_bytes, pages = int.from_bytes(header[16:18]), int.from_bytes(header[28:32])
    missing = (page_bytes if page_bytes > 1 else 65536) * pages - path.stat().st_size
    return missing if 0 < missing <= MOST_MISSING_BYTES else 0


def _is_in_use(path: Path) -> bool:
    """True while a program holds the writer's lock (journal.store)."""
    try:
        with path.with_name(path.name + "-lock").open("rb") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{how}", uri=True, isolation_level=None)
    connection.text_factory = lambda held: held.decode("utf-8", "backslashreplace")
    return connection
