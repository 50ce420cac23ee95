"""What became of every order id: in memory, and on disk where a folder was given (device-classes B.3).

An order is written down before anything is sent for it, and its end before the terminal is told that we know it.
Nothing about the citizen or the card is in here: ids, amounts, states, the terminal's own numbers.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from drivers.errors import HardwareFault, Unsupported
from drivers.messages import PaymentState

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS orders (order_id TEXT PRIMARY KEY, amount_fen INTEGER NOT NULL, currency TEXT NOT NULL,
 state TEXT NOT NULL, reason TEXT NOT NULL, paid_fen INTEGER NOT NULL, back_fen INTEGER NOT NULL,
 before_trace INTEGER NOT NULL, before_receipt INTEGER NOT NULL, trace INTEGER NOT NULL, receipt INTEGER NOT NULL,
 terminal_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refunds (refund_id TEXT PRIMARY KEY, order_id TEXT NOT NULL, amount_fen INTEGER NOT NULL,
 state TEXT NOT NULL, reason TEXT NOT NULL);
"""
NONE_YET: Final = -1
"""The terminal held no transaction."""


@dataclass(frozen=True)
class Entry:
    """One order. `before_…`: the terminal's last transaction when this one was begun; `NONE_YET` without one."""

    order_id: str
    amount_fen: int
    currency: str
    state: PaymentState = PaymentState.UNCERTAIN
    reason: str = "interrupted"
    paid_fen: int = 0
    back_fen: int = 0
    before_trace: int = NONE_YET
    before_receipt: int = NONE_YET
    trace: int = NONE_YET
    receipt: int = NONE_YET
    terminal_id: str = ""

    @property
    def is_open(self) -> bool:
        return self.state is PaymentState.UNCERTAIN


@dataclass(frozen=True)
class Refund:
    refund_id: str
    order_id: str
    amount_fen: int
    state: PaymentState = PaymentState.UNCERTAIN
    reason: str = "interrupted"


Row = TypeVar("Row", Entry, Refund)


class Ledger:
    """From any thread. `state_path` is a file, or a folder that is there already: then each port has its file in it."""

    def __init__(self, state_path: str, port: str) -> None:
        """Raises `Unsupported` (`state_path_unusable`) or `HardwareFault` (`state_damaged`)."""
        self._lock = threading.Lock()
        self.is_on_disk = bool(state_path)
        self._database = _open(state_path, port)
        try:
            self._orders = {row.order_id: row for row in self._rows(Entry, "orders")}
            self._refunds = {row.refund_id: row for row in self._rows(Refund, "refunds")}
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise HardwareFault(
                "the orders on disk cannot be read: no payment until an engineer has saved the file", "state_damaged"
            ) from error

    def order(self, order_id: str) -> Entry | None:
        return self._orders.get(order_id)

    def refund(self, refund_id: str) -> Refund | None:
        return self._refunds.get(refund_id)

    def refunds_of(self, order_id: str) -> list[Refund]:
        return [refund for refund in list(self._refunds.values()) if refund.order_id == order_id]

    def open_orders(self) -> list[Entry]:
        return [entry for entry in list(self._orders.values()) if entry.is_open]

    def save(self, entry: Entry) -> Entry:
        """On disk when it returns. Raises `HardwareFault` (`disk_full`): then nothing was changed."""
        self._write("orders", entry)
        self._orders[entry.order_id] = entry
        return entry

    def save_refund(self, refund: Refund) -> Refund:
        self._write("refunds", refund)
        self._refunds[refund.refund_id] = refund
        return refund

    def change(self, entry: Entry, **changes: Any) -> Entry:
        return self.save(replace(entry, **changes))

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _write(self, table: str, row: Entry | Refund) -> None:
        values = [getattr(row, field.name) for field in fields(row)]
        places = ",".join("?" * len(values))
        try:
            with self._lock, self._database:
                self._database.execute(f"INSERT OR REPLACE INTO {table} VALUES ({places})", values)
        except sqlite3.Error as error:
            raise HardwareFault(
                "an order cannot be written to disk: no payment goes out unrecorded", "disk_full"
            ) from error

    def _rows(self, kind: type[Row], table: str) -> list[Row]:
        names = [field.name for field in fields(kind)]
        rows = self._database.execute(f"SELECT {','.join(names)} FROM {table}").fetchall()
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return [kind(**(values | {"state": PaymentState(values["state"])})) for values in found]


def _open(state_path: str, port: str) -> sqlite3.Connection:
    try:
        if not state_path:
            database = sqlite3.connect(":memory:", check_same_thread=False)
        else:
            file = Path(state_path)
            if file.is_dir():
                file /= f"zvt-{hashlib.sha256(port.encode()).hexdigest()[:12]}.sqlite"
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            database = sqlite3.connect(file, check_same_thread=False)
            database.execute("PRAGMA synchronous=FULL")
            database.execute("PRAGMA locking_mode=EXCLUSIVE")  # what one process keeps in memory no other may change
            database.executescript("BEGIN EXCLUSIVE; COMMIT")
        database.executescript(SCHEMA)
    except (OSError, sqlite3.OperationalError) as error:
        raise Unsupported(f"state_path cannot be used: {error}", "state_path_unusable") from error
    except sqlite3.DatabaseError as error:
        raise HardwareFault(
            "the orders on disk cannot be read: no payment until an engineer has saved the file", "state_damaged"
        ) from error
    return database
