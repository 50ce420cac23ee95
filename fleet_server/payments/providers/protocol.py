"""What the centre asks of whoever collects the money, in the centre's words.

Every call bears our own number, so asking again has the same effect. Answers and notices are believed only when their
signature verifies and they name our merchant and application. Of the payer nothing is read.

Every method raises `Unreachable`; where it says so, `Refused`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

StandingState = Literal["unknown", "waiting", "paying", "paid", "closed", "refused"]


class Unreachable(Exception):
    """`down`, `timeout`, `garbled` or `untrusted` (a signature that does not verify): nothing is known; ask again."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Refused(Exception):
    """The provider understood and said no. `reason`: a stable word of ours; `code`: the provider's own."""

    def __init__(self, reason: str, code: str = "") -> None:
        super().__init__(f"{reason} {code}".strip())
        self.reason = reason
        self.code = code


class Untrusted(Exception):
    """A notice that is not from the provider, or not for us. Its content decides nothing."""


@dataclass(frozen=True)
class Asked:
    """`number`: our merchant order number, 32 hexadecimal digits. `payer_code`: scanned, never kept."""

    number: str
    amount_fen: int
    currency: str
    subject: str
    expires_at: dt.datetime
    notify_url: str
    terminal: str
    bill: str = ""
    payer_code: str = ""


@dataclass(frozen=True)
class Paid:
    """Money that arrived. `reference`: the provider's own number of the transaction."""

    reference: str
    amount_fen: int
    currency: str
    paid_at: dt.datetime

    def __post_init__(self) -> None:
        if not 1 <= len(self.reference) <= 64 or not 0 <= self.amount_fen <= 10**12:
            raise ValueError("not a payment")
        if len(self.currency) != 3 or self.paid_at.tzinfo is None:
            raise ValueError("not a payment")


@dataclass(frozen=True)
class Standing:
    """How an order stands at the provider; with `paid` its payment."""

    state: StandingState
    payment: Paid | None = None
    reason: str = ""


@dataclass(frozen=True)
class Giving:
    """A refund to be made. `number`: ours; `reference`: the payment it is taken from; `total_fen`: that payment's."""

    number: str
    order_number: str
    reference: str
    amount_fen: int
    total_fen: int
    currency: str
    reason: str


@dataclass(frozen=True)
class Given:
    state: Literal["unknown", "pending", "succeeded", "failed"]
    reason: str = ""


@dataclass(frozen=True)
class Notice:
    """A verified notice. Of a payment: `payment`; of a refund: `refund_number` and how it ended."""

    number: str
    payment: Paid | None = None
    refund_number: str = ""
    given: Given | None = None


@dataclass(frozen=True)
class BillRow:
    """One line of a daily file: a payment, or with `refund_number` a refund."""

    number: str
    reference: str
    amount_fen: int
    refund_number: str = ""


class Provider(Protocol):
    """One merchant account at one provider."""

    channel: str
    account: str

    async def open(self, asked: Asked) -> str:
        """The text of the code the citizen scans. Raises `Refused`."""

    async def pay(self, asked: Asked) -> Standing:
        """Charge the scanned code. `refused` with a reason when the payer's side said no. Raises `Refused`."""

    async def query(self, number: str, reference: str = "") -> Standing:
        """By our number, or one payment by the provider's; `unknown` when the provider has none."""

    async def close(self, number: str, *, scanned: bool = False) -> Standing:
        """Nobody can pay from now on: `closed`; or `paid`, `paying` when that was quicker."""

    async def refund(self, giving: Giving) -> Given:
        """Ask for it, or ask how it is going. Raises `Refused` when it can never be."""

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """A notice that was verified; None when it tells nothing new. Raises `Untrusted`."""

    def thank(self) -> tuple[int, str, str]:
        """What the provider wants to hear for a notice: status, body, media type."""

    async def daily_file(self, day: dt.date) -> tuple[bytes, tuple[BillRow, ...]]:
        """The provider's file of that day, raw and read. Raises `Refused` `not_ready` while there is none."""


def fen_of(text: str) -> int:
    """Yuan with at most two decimals as fen: "20.00" → 2000. Raises `ValueError` for anything else."""
    whole, _, cents = text.strip().partition(".")
    sign = -1 if whole.startswith("-") else 1
    whole = whole.removeprefix("-")
    if not (text.isascii() and whole.isdigit()) or len(cents) > 2 or (cents and not cents.isdigit()):
        raise ValueError("not an amount in yuan")
    return sign * (int(whole) * 100 + int(cents.ljust(2, "0")))


def yuan_of(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
