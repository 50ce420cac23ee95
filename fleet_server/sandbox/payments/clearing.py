"""What the stand-in providers remember: trades, payments, refunds, and how they were told to behave."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fleet_server.sandbox.payments.bills import amount_of

Channel = Literal["alipay", "wechat", "non_tax"]
CALLS = ("refuse", "slow", "down", "garbage", "bad_signature")
"""Behaviour of the provider towards the centre."""
PAYMENTS = (
    "paid", "late", "twice", "wrong_amount", "wrong_currency", "never", "refused", "silent", "lie", "forged",
    "other_merchant",
)  # fmt: skip
"""Behaviour of the citizen and of the notices about the payment."""


class PaymentBehaviour(BaseModel):
    """How a channel (or `*`) behaves from now on, the newest first; `times` uses it up.

    As a standing order a behaviour of a citizen makes every shown code be paid that way by itself after `seconds`:
    `paid`; `late`: only once the order is closed; `twice`; `wrong_amount`, `wrong_currency`; `never`; `refused`: the
    payer's side says no; `silent`: paid, and no notice comes. Notices: `lie` says paid when nobody paid; `forged` is
    signed by a stranger; `other_merchant` names another merchant. Towards the centre: `refuse`, `slow`, `down`,
    `garbage`, `bad_signature`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Literal["*", "alipay", "wechat", "non_tax"] = "*"
    behave: Literal[
        "refuse", "slow", "down", "garbage", "bad_signature", "paid", "late", "twice", "wrong_amount", "wrong_currency",
        "never", "refused", "silent", "lie", "forged", "other_merchant",
    ]  # fmt: skip
    seconds: float = Field(default=0.5, ge=0, le=120)
    times: int | None = Field(default=None, ge=1, le=1000)


@dataclass
class Payment:
    reference: str
    amount_fen: int
    currency: str
    paid_at: dt.datetime


@dataclass
class Refund:
    number: str
    reference: str
    amount_fen: int
    at: dt.datetime
    id: str


@dataclass
class Trade:
    channel: Channel
    number: str
    amount_fen: int
    currency: str
    subject: str
    notify_url: str
    qr: str
    bill: str = ""
    state: Literal["waiting", "paying", "paid", "closed"] = "waiting"
    pays_when_closed: bool = False
    payments: list[Payment] = field(default_factory=list)
    refunds: dict[str, Refund] = field(default_factory=dict)


@dataclass
class ClearingHouse:
    """The memory of all three providers. Its methods are short and hold the lock."""

    clock: Callable[[], dt.datetime]
    trades: dict[tuple[Channel, str], Trade] = field(default_factory=dict)
    behaviours: list[tuple[PaymentBehaviour, int | None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def behave(self, behaviour: PaymentBehaviour) -> None:
        with self.lock:
            self.behaviours.insert(0, (behaviour, behaviour.times))

    def take(self, channel: Channel, among: Iterable[str]) -> PaymentBehaviour | None:
        with self.lock:
            for index, (behaviour, left) in enumerate(self.behaviours):
                if behaviour.channel not in ("*", channel) or behaviour.behave not in among:
                    continue
                if left is not None:
                    self.behaviours[index] = (behaviour, left - 1)
                    if left <= 1:
                        del self.behaviours[index]
                return behaviour
        return None

    def create(
        self, channel: Channel, number: str, amount_fen: int, subject: str, notify_url: str, *, bill: str = ""
    ) -> Trade:
        """The trade of this number; the first to come makes it."""
        with self.lock:
            qr = {
                "alipay": "https://qr.alipay.com/bax", "wechat": "weixin://wxpay/bizpayurl?pr=",
                "non_tax": "https://nontax.example/pay/",
            }[channel] + secrets.token_hex(8)  # fmt: skip
            made = Trade(channel, number, amount_fen, "CNY", subject, notify_url, qr, bill)
            return self.trades.setdefault((channel, number), made)

    def find(self, channel: Channel, number: str) -> Trade | None:
        return self.trades.get((channel, number))

    def by_reference(self, channel: Channel, reference: str) -> tuple[Trade, Payment] | None:
        with self.lock:
            for trade in self.trades.values():
                for payment in trade.payments:
                    if (trade.channel, payment.reference) == (channel, reference):
                        return trade, payment
        return None

    def shown(self, text: str) -> Trade | None:
        """The trade whose QR or number this is."""
        return next((trade for trade in self.trades.values() if text in (trade.qr, trade.number)), None)

    def receive(self, trade: Trade, amount_fen: int, currency: str = "CNY") -> Payment:
        """Money has come in, whatever the state was."""
        with self.lock:
            moment = self.clock()
            serial = f"{moment:%Y%m%d}{secrets.randbelow(10**18):018d}"
            reference = {"alipay": "22", "wechat": "4200", "non_tax": "NT"}[trade.channel] + serial
            payment = Payment(reference[:28], amount_fen, currency, moment)
            trade.payments.append(payment)
            trade.state = "paid"
            return payment

    def close(self, trade: Trade) -> bool:
        """False when it is paid."""
        with self.lock:
            if trade.payments:
                return False
            trade.state = "closed"
            return True

    def give_back(self, trade: Trade, payment: Payment, number: str, amount_fen: int) -> Refund | None:
        """The refund of this number, made once; None when it is more than is left of the payment."""
        with self.lock:
            if number in trade.refunds:
                known = trade.refunds[number]
                return known if (known.amount_fen, known.reference) == (amount_fen, payment.reference) else None
            back = sum(each.amount_fen for each in trade.refunds.values() if each.reference == payment.reference)
            if amount_fen <= 0 or back + amount_fen > payment.amount_fen:
                return None
            made = Refund(number, payment.reference, amount_fen, self.clock(), f"50{secrets.randbelow(10**20):020d}")
            trade.refunds[number] = made
            return made

    def left_of(self, trade: Trade) -> int:
        """Money of this trade that was not given back."""
        given = sum(refund.amount_fen for refund in trade.refunds.values())
        return sum(payment.amount_fen for payment in trade.payments) - given

    def bill_state(self, code: str) -> tuple[int, bool] | None:
        """Amount of the bill in fen and whether it is paid; None for a code nobody gave."""
        amount_fen = amount_of(code)
        if amount_fen is None:
            return None
        with self.lock:
            paid = any(trade.bill == code and self.left_of(trade) >= amount_fen for trade in self.trades.values())
        return amount_fen, paid
