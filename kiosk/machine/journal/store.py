"""The file under the journal: schema, the one writer's lock, how rows read."""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import sqlite3
import uuid
from pathlib import Path
from typing import IO, Any

from kiosk.contracts.errors import JournalBroken, JournalFull, KioskError
from kiosk.contracts.events import GENESIS, JournalEntry
from kiosk.contracts.value import canonical_text

PAGE_BYTES = 2048
"""An append writes two pages, the entry's and the head's, and an entry takes half a kilobyte."""

SCHEMA = (
    """CREATE TABLE entries (journal_id TEXT NOT NULL, sequence INTEGER PRIMARY KEY, occurred_at TEXT NOT NULL,
    monotonic_ms INTEGER NOT NULL, event TEXT NOT NULL, transaction_number TEXT, data TEXT NOT NULL,
    previous_hash TEXT NOT NULL, hash TEXT NOT NULL) STRICT""",
    """CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), journal_id TEXT NOT NULL, terminal TEXT NOT NULL,
    opened_at TEXT NOT NULL, sequence INTEGER NOT NULL, hash TEXT NOT NULL, base_sequence INTEGER NOT NULL,
    base_hash TEXT NOT NULL) STRICT""",
    """CREATE TABLE effects (effect_id TEXT PRIMARY KEY, event TEXT NOT NULL, sequence INTEGER NOT NULL,
    transaction_number TEXT, data TEXT NOT NULL, state TEXT NOT NULL) STRICT""",
    """CREATE TABLE transactions (transaction_number TEXT PRIMARY KEY, sequence INTEGER NOT NULL,
    data TEXT NOT NULL) STRICT""",
    "CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "PRAGMA user_version = 1",
)
SECOND = (
    """CREATE TRIGGER entry_moves_head AFTER INSERT ON entries BEGIN
    UPDATE head SET sequence = new.sequence, hash = new.hash; END""",
    "PRAGMA user_version = 2",
)
"""Since version 2 the head moves by itself; a journal begun before is brought there when it is opened."""
INSERT_ENTRY = """INSERT INTO entries (journal_id, sequence, occurred_at, monotonic_ms, event, transaction_number,
    previous_hash, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
"""The head moves with it, in the same statement: there is no entry without it and no head without its entry."""


def open_store(
    path: Path, *, terminal: str, now: dt.datetime, maximum_pages: int | None
) -> tuple[sqlite3.Connection, IO[bytes]]:
    """The database with its writer's lock. Raises `JournalFull`, `JournalBroken`, or `KioskError` when in use."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock_file = _locked(path)
    connection: sqlite3.Connection | None = None
    try:
        if path.exists() and (other := _terminal_of(path)) not in (None, terminal):
            _set_aside(path, str(other), now)
        connection = _connect(path, maximum_pages)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            _begin(connection, terminal, now)
        if version < 2:
            for statement in ("BEGIN IMMEDIATE", *SECOND, "COMMIT"):
                connection.execute(statement)
    except BaseException as error:
        if connection is not None:
            connection.close()
        lock_file.close()
        if isinstance(error, sqlite3.DatabaseError):
            if is_full(error):
                raise JournalFull(f"{path}: no space for the record") from error
            raise JournalBroken(f"{path}: cannot be read as a journal", 0) from error
        raise
    return connection, lock_file


def entry_of(row: tuple[Any, ...]) -> JournalEntry:
    """A row of `entries` as the entry it holds."""
    return JournalEntry(
        journal_id=row[0], sequence=row[1], occurred_at=row[2], monotonic_ms=row[3], event=row[4],
        transaction_number=row[5], data=json.loads(row[6]), previous_hash=row[7], hash=row[8],
    )  # fmt: skip


Row = tuple[str, int, str, int, str, str | None, str, str]
"""journal_id, sequence, occurred_at, monotonic_ms, event, transaction_number, previous_hash, data as canonical text."""


def hashed_bytes(row: Row) -> bytes:
    """The canonical bytes of an entry without its hash, as `JournalEntry.computed_hash` makes them."""
    journal_id, sequence, occurred_at, monotonic_ms, event, transaction_number, previous_hash, data = row
    number = canonical_text(transaction_number)
    return (
        f'{{"data":{data},"event":"{event}","journal_id":"{journal_id}","monotonic_ms":{monotonic_ms},'
        f'"occurred_at":"{occurred_at}","previous_hash":"{previous_hash}","sequence":{sequence},'
        f'"transaction_number":{number}}}'
    ).encode()


def moment_text(moment: dt.datetime) -> str:
    """The one spelling of a moment that is hashed: ISO 8601, UTC, Z."""
    return moment.astimezone(dt.UTC).isoformat().removesuffix("+00:00") + "Z"


def is_full(error: sqlite3.DatabaseError) -> bool:
    """A write that found no room; the system reports some of them as input/output errors."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def _locked(path: Path) -> IO[bytes]:
    lock_file = path.with_name(path.name + "-lock").open("wb")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock_file.close()
        raise KioskError(f"{path}: another program writes this journal: end it first") from error
    return lock_file


def _connect(path: Path, maximum_pages: int | None) -> sqlite3.Connection:
    if not path.exists():
        path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 2000")
    if maximum_pages is not None:
        connection.execute(f"PRAGMA max_page_count = {int(maximum_pages)}")
    return connection


def _begin(connection: sqlite3.Connection, terminal: str, now: dt.datetime) -> None:
    head = (uuid.uuid4().hex, terminal, moment_text(now), GENESIS, GENESIS)
    connection.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO head VALUES (1, ?, ?, ?, 0, ?, 0, ?)", head)
    connection.execute("COMMIT")


def _terminal_of(path: Path) -> str | None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT terminal FROM head").fetchone()
        except sqlite3.OperationalError:
            return None
    return str(row[0]) if row else None


def _set_aside(path: Path, terminal: str, now: dt.datetime) -> None:
    stamp = now.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%S%f")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.stem}-{terminal}-{stamp}{path.suffix}{suffix}"))
