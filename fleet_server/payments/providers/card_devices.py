"""Bank cards, taken by the machines' own devices: nothing is asked of anybody here but the acquirer's daily file.

The acquirer (or a job that fetches from it) puts one file for each day into a folder: `2026-11-22.csv`, UTF-8, header
`kind,reference,amount`, then a line for each `payment` and each `reversal` (yuan; the reference is the one the device
gave: terminal-receipt-trace), and last `rows,N,`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from fleet_server.payments.providers.accounts import CardAccount
from fleet_server.payments.providers.protocol import (
    Asked,
    BillRow,
    Given,
    Giving,
    Notice,
    Refused,
    Standing,
    Unreachable,
    Untrusted,
    fen_of,
)
from fleet_server.payments.providers.wire import Line

HEADER = ("kind", "reference", "amount")
KINDS = ("payment", "reversal")


class CardDevices:
    """Implements `Provider` as far as there is anybody to ask; what became of an order its machine says."""

    channel = "bank_card"

    def __init__(self, account: CardAccount) -> None:
        self.account = account.id
        self._folder = Path(account.files) if account.files else None
        self.line = Line("the card acquirer")

    @property
    def has_files(self) -> bool:
        return self._folder is not None

    async def open(self, asked: Asked) -> str:
        del asked
        return ""

    async def pay(self, asked: Asked) -> Standing:
        raise Refused("not_offered")

    async def query(self, number: str, reference: str = "") -> Standing:
        del number, reference
        return Standing("waiting")

    async def close(self, number: str, *, scanned: bool = False) -> Standing:
        del number, scanned
        return Standing("waiting")

    async def refund(self, giving: Giving) -> Given:
        raise Refused("at_device_only")

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        raise Untrusted("the card acquirer sends no notices")

    def thank(self) -> tuple[int, str, str]:
        return 200, "", "text/plain"

    async def daily_file(self, day: dt.date) -> tuple[bytes, tuple[BillRow, ...]]:
        if self._folder is None:
            raise Refused("not_ready")
        try:
            content = await run_in_threadpool((self._folder / f"{day.isoformat()}.csv").read_bytes)
        except FileNotFoundError as error:
            raise Refused("not_ready") from error
        except OSError as error:
            raise Unreachable("down", "the card acquirer's file cannot be read") from error
        return content, read_card_file(content)


def read_card_file(content: bytes) -> tuple[BillRow, ...]:
    """A reversal has no number of ours: it is named by the payment it takes back. Raises `Unreachable` `garbled`."""
    try:
        head, *table, last = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True) if row]
        rows = tuple(_row(row) for row in table)
        if tuple(head) != HEADER or last[0] != "rows" or int(last[1]) != len(rows):
            raise ValueError("not whole")  # noqa: TRY301
    except (ValueError, IndexError, csv.Error) as error:
        raise Unreachable("garbled", "the card acquirer's daily file cannot be read") from error
    return rows


def _row(fields: list[str]) -> BillRow:
    kind, reference, amount = fields
    if kind not in KINDS or not reference:
        raise ValueError(kind)
    return BillRow("", reference, abs(fen_of(amount)), reference if kind == "reversal" else "")
