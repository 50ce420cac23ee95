"""Is a journal whole? Reads any copy without changing a byte of it, and names the first sequence that does not hold."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kiosk.contracts.errors import JournalBroken
from kiosk.contracts.events import GENESIS
from kiosk.contracts.value import canonical_bytes, sha256_hex

COLUMNS = ("journal_id", "sequence", "occurred_at", "monotonic_ms", "event", "transaction_number", "data",
           "previous_hash", "hash")  # fmt: skip
WHOLE, BROKEN, UNREADABLE = 0, 1, 2


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
        raise NotAJournal(f"{path}: no such file")
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


def _verify(connection: sqlite3.Connection, path: Path) -> VerifyReport:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"entries", "head"} <= tables:
        raise NotAJournal(f"{path}: a database, but no journal")
    head = connection.execute(
        "SELECT journal_id, terminal, sequence, hash, base_sequence, base_hash FROM head"
    ).fetchall()
    if [[type(item) for item in row] for row in head] != [[str, str, int, str, int, str]]:
        raise NotAJournal(f"{path}: the journal has no readable head")
    journal_id, terminal, head_sequence, head_hash, base_sequence, base_hash = head[0]

    def report(first: int, last: int, count: int, broken: int | None = None, reason: str = "") -> VerifyReport:
        return VerifyReport(journal_id, terminal, first, last, count, head_hash, broken, reason)

    if base_sequence == 0 and base_hash != GENESIS:
        return report(0, 0, 0, 1, "the journal does not start from the beginning of all journals")
    first, count, expected, previous = 0, 0, base_sequence + 1, base_hash
    for row in _rows(connection):
        count += 1
        first = first or (row[1] if isinstance(row[1], int) else 0)
        reason = _fault(row, journal_id, expected, previous)
        if reason:
            return report(first, expected - 1, count, expected, reason)
        expected, previous = expected + 1, row[8]
    last = expected - 1
    if last < head_sequence:
        return report(first, last, count, expected, f"missing: the head says {head_sequence} entries")
    if (last, previous) != (head_sequence, head_hash):
        return report(first, last, count, last, f"not the head, which is {head_sequence} with hash {head_hash}")
    return report(first, last, count)


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """In the order of the sequence; a damaged page ends the reading as one more broken row would."""
    cursor = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM entries NOT INDEXED ORDER BY sequence")
    while True:
        try:
            row = cursor.fetchone()
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            yield (None,) * len(COLUMNS)
            return
        if row is None:
            return
        yield row


def _fault(row: tuple[Any, ...], journal_id: str, expected: int, previous: str) -> str:
    """What is wrong with this entry, in words; empty when it holds."""
    entry = dict(zip(COLUMNS, row, strict=True))
    sequence = entry["sequence"]
    if not isinstance(sequence, int):
        return "cannot be read: the file is damaged here"
    if sequence != expected:
        return f"missing: the next entry is {sequence}" if sequence > expected else f"{sequence} stands here twice"
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
    if not log.is_file() or log.stat().st_size == 0:
        with contextlib.closing(_connect(path, "mode=ro&immutable=1")) as connection:
            yield connection
        return
    if _is_in_use(path):
        with contextlib.closing(_connect(path, "mode=ro")) as connection:
            connection.execute("BEGIN")
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix="journal-") as folder:
        copy = Path(folder, "journal.sqlite")
        shutil.copyfile(path, copy)
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        with contextlib.closing(_connect(copy, "mode=rw")) as connection:
            yield connection


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
