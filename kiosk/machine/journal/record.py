"""The machine's record: append-only, chained, durable before anything happens in the world (DESIGN 2.3).

One SQLite database in WAL with synchronous=FULL and one writer. State on disk (open effects, open transactions, the
applied bundle, what the server holds) changes in the same transaction as the entry that announces it.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from kiosk.contracts.errors import JournalBroken, JournalFull
from kiosk.contracts.events import EVENTS, GENESIS, Disposition, JournalEntry, Recorded
from kiosk.contracts.fleet import Checkpoint, JournalAcknowledgement
from kiosk.contracts.value import canonical_bytes, canonical_text, sha256_hex
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.journal.recordable import NotRecordable, recordable
from kiosk.machine.journal.store import INSERT_ENTRY, entry_of, hashed_bytes, is_full, moment_text, open_store

BEGUN, UNCERTAIN = "begun", "uncertain"
_CHANGE_STATE = frozenset({"transaction_begun", "transaction_ended", "bundle_installed"})
RESERVE_BYTES = 16 * 1024 * 1024
"""Below this much free space the machine counts as full: closing entries must still find room."""


class Head(NamedTuple):
    journal_id: str
    terminal: str
    sequence: int
    hash: str
    base_sequence: int
    base_hash: str


@dataclass(frozen=True)
class OpenEffect:
    """An intent without a certain outcome. `is_uncertain`: an outcome was written, and it was `uncertain`."""

    effect_id: str
    event: str
    sequence: int
    transaction_number: str | None
    data: dict[str, Any]
    is_uncertain: bool


@dataclass(frozen=True)
class OpenTransaction:
    transaction_number: str
    sequence: int
    data: dict[str, Any]


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Journal:
    """Thread-safe; each append is on the disk when it returns. Made by `Journal.open`.

    `append` and the effect calls raise `JournalFull` when there is no space, and `NotRecordable` for anything outside
    the catalogue or personal in clear. Floats are kept as text: canonical bytes hold none.
    """

    def __init__(
        self, connection: sqlite3.Connection, lock_file: IO[bytes], path: Path, clock: Callable[[], dt.datetime],
        retention: dt.timedelta,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._lock_file = lock_file
        self._path = path
        self._clock = clock
        self._retention = retention
        self._mutex = threading.RLock()
        self._refused_space = False
        self._listeners: list[Callable[[], None]] = []
        self._head = self._read_head()

    @classmethod
    def open(
        cls, path: Path, *, terminal: str, clock: Callable[[], dt.datetime] = _utc_now,
        retention: dt.timedelta = dt.timedelta(weeks=8), maximum_pages: int | None = None,
    ) -> Journal:  # fmt: skip
        """Open or begin the journal of `terminal`. Another terminal's journal is set aside whole, and a new one begun.

        Raises `JournalBroken` when the last entry does not fit the head, `JournalFull` without space to begin, and
        `KioskError` when another process writes here. `maximum_pages` bounds the database (2 KiB pages).
        """
        connection, lock_file = open_store(path, terminal=terminal, now=clock(), maximum_pages=maximum_pages)
        try:
            journal = cls(connection, lock_file, path, clock, retention)
            if journal.head().sequence == 0:
                journal.append("journal_opened", terminal=terminal, reason="new")
        except BaseException as error:
            connection.close()
            lock_file.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise JournalBroken(f"{path}: cannot be read as a journal", 0) from error
            raise
        return journal

    # --- writing ---------------------------------------------------------------------------------------------------

    def append(self, event: str, /, *, transaction_number: str | None = None, **data: Any) -> Recorded:
        """Write one entry. `transaction_begun`/`_ended` open and close a transaction, `bundle_installed` sets state."""
        return self._write(event, transaction_number, data, None)

    def begin_effect(
        self, effect_id: str, event: str, /, *, transaction_number: str | None = None, **data: Any
    ) -> Recorded:
        """Write the intent. The same id can never begin twice (`NotRecordable`): that is what keeps a page single."""
        if EVENTS.get(event) is None or EVENTS[event].kind != "begun":
            raise NotRecordable(f"{event} is not an intent")

        def change(sequence: int, text: str) -> None:
            if self._connection.execute("SELECT 1 FROM effects WHERE effect_id = ?", (effect_id,)).fetchone():
                raise NotRecordable(f"effect {effect_id} was begun before")
            self._connection.execute(
                "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?)",
                (effect_id, event, sequence, transaction_number, text, BEGUN),
            )

        return self._write(event, transaction_number, data, change)

    def end_effect(
        self, effect_id: str, event: str, /, *, disposition: Disposition, transaction_number: str | None = None,
        **data: Any,
    ) -> Recorded:  # fmt: skip
        """Write the outcome of a begun effect. After `uncertain` it stays in `open_effects()` until `settle_effect`."""
        return self._close(effect_id, event, BEGUN, disposition, data=data, transaction_number=transaction_number)

    def settle_effect(
        self, effect_id: str, event: str, /, *, disposition: Disposition, transaction_number: str | None = None,
        **data: Any,
    ) -> Recorded:  # fmt: skip
        """Write what became of an uncertain effect (`print_reconciled`); `uncertain` again leaves it open."""
        return self._close(effect_id, event, UNCERTAIN, disposition, data=data, transaction_number=transaction_number)

    def _close(
        self, effect_id: str, event: str, state: str, disposition: Disposition, *, data: dict[str, Any],
        transaction_number: str | None,
    ) -> Recorded:  # fmt: skip
        kind = "ended" if state == BEGUN else "fact"
        if EVENTS.get(event) is None or EVENTS[event].kind != kind:
            raise NotRecordable(f"{event} does not close an effect that is {state}")

        def change(_sequence: int, _text: str) -> None:
            query = "SELECT event, state FROM effects WHERE effect_id = ?"
            row = self._connection.execute(query, (effect_id,)).fetchone()
            if row is None or row[1] != state:
                raise NotRecordable(f"effect {effect_id} is not {state}")
            if kind == "ended" and EVENTS[row[0]].pair != EVENTS[event].pair:
                raise NotRecordable(f"effect {effect_id} was begun as {row[0]}")
            self._connection.execute("UPDATE effects SET state = ? WHERE effect_id = ?", (disposition.value, effect_id))

        return self._write(event, transaction_number, {**data, "disposition": disposition}, change)

    def _write(
        self, event: str, transaction_number: str | None, data: dict[str, Any],
        change: Callable[[int, str], None] | None,
    ) -> Recorded:  # fmt: skip
        text = canonical_text(recordable(event, transaction_number, data))
        with self._mutex:
            head = self._head
            sequence, moment = head.sequence + 1, self._clock()
            row = (
                head.journal_id, sequence, moment_text(moment), time.monotonic_ns() // 1_000_000, event,
                transaction_number, head.hash, text,
            )  # fmt: skip
            digest = sha256_hex(hashed_bytes(row))
            if change is None and event not in _CHANGE_STATE:
                self._insert((*row, digest))
            else:
                with self._transaction():
                    self._connection.execute(INSERT_ENTRY, (*row, digest))
                    self._change_state(event, transaction_number, text, sequence)
                    if change is not None:
                        change(sequence, text)
            self._head = Head(head.journal_id, head.terminal, sequence, digest, head.base_sequence, head.base_hash)
        for listener in self._listeners:
            listener()
        return Recorded(sequence, moment, digest)

    def _insert(self, row: tuple[object, ...]) -> None:
        """One statement: it needs no transaction of its own."""
        try:
            self._connection.execute(INSERT_ENTRY, row)
        except sqlite3.DatabaseError as error:
            raise self._named(error) from error
        self._refused_space = False

    def _change_state(self, event: str, transaction_number: str | None, text: str, sequence: int) -> None:
        run = self._connection.execute
        match event:
            case "transaction_begun":
                run("INSERT INTO transactions VALUES (?, ?, ?)", (transaction_number, sequence, text))
            case "transaction_ended":
                run("DELETE FROM transactions WHERE transaction_number = ?", (transaction_number,))
            case "bundle_installed":
                said = json.loads(text)
                self._put(
                    "applied",
                    {"bundle": said.get("bundle"), "generation": said.get("generation"), "sequence": sequence},
                )

    # --- reading ---------------------------------------------------------------------------------------------------

    def head(self) -> Head:
        return self._head

    @property
    def journal_id(self) -> str:
        return self._head.journal_id

    @property
    def is_full(self) -> bool:
        """No space now: nothing may be started that cannot be recorded."""
        stat = os.statvfs(self._path.parent)
        return self._refused_space or stat.f_bavail * stat.f_frsize < RESERVE_BYTES

    def entries(self, after: int = 0, limit: int = 500) -> list[JournalEntry]:
        """Entries with sequence > `after`, in order."""
        rows = self._rows("SELECT * FROM entries WHERE sequence > ? ORDER BY sequence LIMIT ?", after, limit)
        return [entry_of(row) for row in rows]

    def open_effects(self) -> list[OpenEffect]:
        rows = self._rows("SELECT * FROM effects WHERE state IN (?, ?) ORDER BY sequence", BEGUN, UNCERTAIN)
        return [OpenEffect(row[0], row[1], row[2], row[3], json.loads(row[4]), row[5] == UNCERTAIN) for row in rows]

    def open_transactions(self) -> list[OpenTransaction]:
        rows = self._rows("SELECT * FROM transactions ORDER BY sequence")
        return [OpenTransaction(row[0], row[1], json.loads(row[2])) for row in rows]

    def applied(self) -> tuple[str | None, int, int]:
        """Bundle, generation and the sequence of the entry that installed it; (None, 0, 0) before the first."""
        kept = self._get("applied") or {}
        return kept.get("bundle"), int(kept.get("generation") or 0), int(kept.get("sequence") or 0)

    def acknowledged(self) -> tuple[int, str]:
        """What the server last said it holds: sequence and hash."""
        kept = self._get("acknowledged") or {"sequence": 0, "hash": GENESIS}
        return int(kept["sequence"]), str(kept["hash"])

    def on_append(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every entry, on the thread that wrote it: it must be quick and raise nothing."""
        self._listeners.append(listener)

    # --- with the server ---------------------------------------------------------------------------------------------

    def checkpoint(self, key: MachineKey, sequence: int | None = None) -> Checkpoint:
        """This machine's signed word about its journal at `sequence` (the head when None)."""
        head = self._head
        if sequence is None or sequence == head.sequence:
            sequence, digest = head.sequence, head.hash
        else:
            digest = self._hash_at(sequence) or ""
        plain = Checkpoint(journal_id=head.journal_id, sequence=sequence, hash=digest)
        content = canonical_bytes(plain.model_dump(mode="json", exclude={"signature"}))
        return plain.model_copy(update={"signature": base64.b64encode(key.sign(content)).decode()})

    def acknowledge(self, word: JournalAcknowledgement) -> bool:
        """Keep what the server says it holds. False, and nothing kept, when it is not this journal's own content.

        The number may also go back: a server restored from an older backup gets the rest again.
        """
        with self._mutex:
            if word.journal_id != self._head.journal_id or word.acked_sequence > self._head.sequence:
                return False
            if word.acked_sequence > self._head.base_sequence or word.acked_sequence == 0:
                own = self._hash_at(word.acked_sequence)
            else:
                own = self._head.base_hash if word.acked_sequence == self._head.base_sequence else word.acked_hash
            if own != word.acked_hash:
                return False
            if self.acknowledged() != (word.acked_sequence, word.acked_hash):
                with self._transaction():
                    self._put("acknowledged", {"sequence": word.acked_sequence, "hash": word.acked_hash})
            return True

    def trim(self) -> int:
        """Delete acknowledged entries older than the retention, from the front; returns how many."""
        cutoff = moment_text(self._clock() - self._retention)
        with self._mutex:
            kept = self._rows("SELECT MIN(sequence) FROM entries WHERE occurred_at >= ?", cutoff)[0][0]
            last = min(self.acknowledged()[0], (kept or self._head.sequence) - 1)
            if last <= self._head.base_sequence:
                return 0
            base_hash = self._hash_at(last) or ""
            with self._transaction():
                gone = self._connection.execute("DELETE FROM entries WHERE sequence <= ?", (last,)).rowcount
                self._connection.execute(
                    "DELETE FROM effects WHERE sequence <= ? AND state NOT IN (?, ?)", (last, BEGUN, UNCERTAIN)
                )
                self._connection.execute("UPDATE head SET base_sequence = ?, base_hash = ?", (last, base_hash))
            self._head = self._read_head()
        return gone

    def close(self) -> None:
        """Idempotent. The write-ahead log is folded into the one file."""
        with self._mutex, contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._lock_file.close()

    # --- inside ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.DatabaseError):
                raise self._named(error) from error
            raise
        self._refused_space = False

    def _named(self, error: sqlite3.DatabaseError) -> Exception:
        """A write that finds no room is named for what it means."""
        if not is_full(error):
            return error
        self._refused_space = True
        return JournalFull("no space for the record: nothing may happen that cannot be recorded")

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._mutex:
            return self._connection.execute(query, values).fetchall()

    def _hash_at(self, sequence: int) -> str | None:
        if sequence == 0:
            return GENESIS
        rows = self._rows("SELECT hash FROM entries WHERE sequence = ?", sequence)
        return str(rows[0][0]) if rows else None

    def _get(self, key: str) -> dict[str, Any] | None:
        rows = self._rows("SELECT value FROM state WHERE key = ?", key)
        return dict(json.loads(rows[0][0])) if rows else None

    def _put(self, key: str, value: dict[str, Any]) -> None:
        self._connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, canonical_bytes(value).decode()))

    def _read_head(self) -> Head:
        row = self._connection.execute(
            "SELECT journal_id, terminal, sequence, hash, base_sequence, base_hash FROM head"
        ).fetchone()
        if row is None:
            raise JournalBroken(f"{self._path}: the journal has no head", 0)
        head = Head(*row)
        last = self._connection.execute("SELECT * FROM entries ORDER BY sequence DESC LIMIT 1").fetchone()
        found = (last[1], last[8]) if last else (head.base_sequence, head.base_hash)
        if found != (head.sequence, head.hash) or (last and entry_of(last).computed_hash() != head.hash):
            raise JournalBroken(f"{self._path}: the last entry does not fit the head", head.sequence)
        return head
