"""Money between a terminal and the centre: `/terminal/v1/payments`, signed like every other request (fleet.py).

Bodies are JSON, money is integer fen, every call may be repeated with the same effect. The terminal chooses the order's
id and has it on disk before the first call.

| call                                    | body → answer                                                        |
|---|---|
| PUT  orders/{order_id}                  | OrderRequest → Order; 409 `duplicate_order`: the id has other content |
| GET  orders/{order_id}[?verify=true]    | – → Order; with `verify` the provider was asked for this answer; 404  |
| POST orders/{order_id}/close            | – → Order: closed, or paid if quicker; an unknown id is closed for good |
| POST orders/{order_id}/card             | CardReport → Order: the card device's word; 409 `settled_otherwise`   |
| PUT  orders/{order_id}/refunds/{id}     | RefundRequest → Refund; 409 `duplicate_refund`; 422 `too_much`        |
| POST orders/{order_id}/extend           | DeliveryExtension → Order; 409 `given_back`, `not_paid`               |
| POST orders/{order_id}/delivered        | DeliveryReport → Order; 409 `given_back`, `not_paid`, `delivery_settled` |
| GET  orders?state=open                  | – → OpenOrders: neither paid nor closed                               |
| GET  orders?state=undelivered           | – → OpenOrders: paid, and nothing said of the delivery                |
| GET  status                             | – → PaymentStatus                                                     |

A terminal sees its own orders alone. 401, 403: this terminal may not. 404: unknown. 5xx and silence: ask again.

Bank cards. An order of channel `bank_card` is opened here before the machine's own card device is asked, so that money
taken there is never unknown here. Nobody is asked by the centre: the device's word comes by `card`, again and again
until it is answered. Such an order has no window: what is not delivered the machine reverses on its device, and says
so.

Delivery. `paid` opens a window (`deliver_by`). What is not reported delivered by then, the centre gives back by itself,
once. Before an act that cannot be undone the terminal extends the window far enough to be sure that its report arrives
(up to MAXIMUM_DELIVERY_SECONDS) and acts only when the extension was answered; afterwards it reports, again and again
until it is answered. `given_back` means: the money is gone back, do not deliver.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from drivers.messages import PaymentMethod
from kiosk.contracts.value import Contract

PAYMENTS_PATH = "/terminal/v1/payments"
CURRENCY = "CNY"
ORDER_ID = r"^[A-Za-z0-9._-]{8,64}$"
REASON = r"^[a-z0-9_]{0,48}$"
DELIVERY_SECONDS = 900
"""The window a paid order has when its request names none."""
MAXIMUM_DELIVERY_SECONDS = 72 * 3600
MAXIMUM_LINES = 40

CentreChannel = Literal["alipay", "wechat", "non_tax", "bank_card"]
"""`bank_card`: taken by the machine's own card device; all others the centre collects itself."""

OrderState = Literal["open", "paying", "paid", "closed", "refused"]
Delivery = Literal["none", "waiting", "delivered", "not_delivered", "overdue"]
"""`none` until paid; `overdue`: the window passed, the centre gives the money back."""
RefundState = Literal["pending", "succeeded", "failed"]

Fen = Annotated[int, Field(ge=0, le=10**12, strict=True)]
OrderId = Annotated[str, Field(pattern=ORDER_ID)]
Reason = Annotated[str, Field(pattern=REASON)]


class OrderLine(Contract):
    """A part of the sum that can be given back alone. `part`: the member matter of a package it pays for."""

    id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    label: str = Field(min_length=1, max_length=80, description="zh-CN, no personal value")
    amount_fen: Fen
    part: str = Field(default="", max_length=48)


class OrderRequest(Contract):
    """What is to be paid. `payer_code`: of a scanned code only, passed on and never kept. `channel` may be left out
    with a scanned code (its first digits say whose it is). `bill`: the payment code of channel `non_tax`."""

    amount_fen: int = Field(gt=0, le=10**10, strict=True)
    currency: str = Field(default=CURRENCY, pattern=r"^[A-Z]{3}$")
    method: Literal[PaymentMethod.QR_SHOWN, PaymentMethod.QR_SCANNED, PaymentMethod.CARD] = PaymentMethod.QR_SHOWN
    channel: CentreChannel | None = None
    subject: str = Field(min_length=1, max_length=120, description="zh-CN, no personal value")
    payee: str = Field(default="", max_length=80, description="who gets the money, zh-CN, as the matter says")
    expires_at: dt.datetime
    payer_code: str = Field(default="", max_length=64, pattern=r"^[0-9]*$", repr=False)
    bill: str = Field(default="", max_length=40, pattern=r"^[0-9A-Za-z]*$")
    lines: tuple[OrderLine, ...] = Field(default=(), max_length=MAXIMUM_LINES)
    matter: str = Field(default="", max_length=48)
    transaction_number: str = Field(default="", max_length=64)
    delivery_seconds: int = Field(default=DELIVERY_SECONDS, ge=1, le=MAXIMUM_DELIVERY_SECONDS)

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.expires_at.tzinfo is None:
            raise ValueError("expires_at needs a time zone")
        if self.lines and sum(line.amount_fen for line in self.lines) != self.amount_fen:
            raise ValueError("the lines do not add up to amount_fen")
        if len({line.id for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have one id")
        if (self.channel == "non_tax") != bool(self.bill):
            raise ValueError("bill is for channel non_tax, and non_tax needs one")
        if (self.method == PaymentMethod.QR_SCANNED) != bool(self.payer_code):
            raise ValueError("payer_code is for scanned codes, and they need one")
        if (self.method == PaymentMethod.CARD) != (self.channel == "bank_card"):
            raise ValueError("method card is for channel bank_card, and bank_card needs it")
        return self


class Arrived(Contract):
    """Money that came in under an order, late and double too. `reference` is the provider's own number."""

    reference: str = Field(min_length=1, max_length=64)
    amount_fen: Fen
    currency: str


class RefundRequest(Contract):
    """`lines`: ids of the order's lines this gives back; then `amount_fen` is their sum. A line goes back once."""

    amount_fen: int = Field(gt=0, le=10**10, strict=True)
    reason: str = Field(default="", max_length=80)
    lines: tuple[str, ...] = Field(default=(), max_length=MAXIMUM_LINES)


class Refund(Contract):
    """`pending` ends by itself. `by_centre`: the centre gave back what did not belong or was not delivered."""

    refund_id: str
    order_id: str
    amount_fen: Fen
    state: RefundState
    reason: Reason = ""
    lines: tuple[str, ...] = ()
    by_centre: bool = False


class Order(Contract):
    """`verified`: the provider was asked for this very answer. `payments`: all money that arrived. `refunded_fen`: has
    gone back or is durably on its way back (`refunds` says which). `reference`, `paid_at`: of the payment that belongs.

    Reasons: `amount_mismatch`, `currency_mismatch`, `declined`, `expired`, `provider_refused`, `bill_unknown`,
    `bill_paid`, `not_offered`. With a reason of money that arrived and did not belong, the money goes back by itself.
    """

    order_id: str
    amount_fen: Fen
    currency: str
    state: OrderState
    verified: bool = False
    qr: str = Field(default="", max_length=1024, repr=False)
    payments: tuple[Arrived, ...] = ()
    refunded_fen: Fen = 0
    reason: Reason = ""
    channel: str = ""
    payee: str = ""
    method: str = ""
    reference: str = ""
    paid_at: dt.datetime | None = None
    delivery: Delivery = "none"
    deliver_by: dt.datetime | None = None
    refunds: tuple[Refund, ...] = ()


class DeliveryReport(Contract):
    """How it ended. `undelivered_lines`: with `delivered`, lines that were not, given back by the centre itself; with
    `not_delivered` everything goes back. The first report counts; the same one again is answered the same."""

    outcome: Literal["delivered", "not_delivered"] = "delivered"
    undelivered_lines: tuple[str, ...] = Field(default=(), max_length=MAXIMUM_LINES)


class CardReport(Contract):
    """What the card device's ledger says of an order for good. The same word again is answered the same.

    paid: the card was charged; it belongs when it is exactly the order's amount. unpaid: no money was taken. returned:
    what was taken was reversed on the device. owed: the device cannot reverse it, a person gives it back.
    `amount_fen`: what was taken, 0 with unpaid. `reference`: the device's own number of the payment.
    """

    state: Literal["paid", "unpaid", "returned", "owed"]
    amount_fen: Fen = 0
    currency: str = Field(default=CURRENCY, pattern=r"^[A-Z]{3}$")
    reference: str = Field(default="", max_length=64, pattern=r"^[0-9A-Za-z._-]*$")
    reason: Reason = ""

    @model_validator(mode="after")
    def _names_its_payment(self) -> Self:
        if (self.state == "unpaid") == bool(self.amount_fen or self.reference):
            raise ValueError("what was charged has an amount and a reference, and nothing else has")
        if self.state != "unpaid" and not (self.amount_fen and self.reference):
            raise ValueError("a payment needs both its amount and its reference")
        return self


class DeliveryExtension(Contract):
    """The window from now. It never grows shorter and never beyond MAXIMUM_DELIVERY_SECONDS after the payment."""

    seconds: int = Field(ge=1, le=MAXIMUM_DELIVERY_SECONDS)


class OpenOrders(Contract):
    orders: tuple[str, ...]


class PaymentStatus(Contract):
    """`signed_out`: no channel works now. `methods` as the driver knows them; `channels` that can be paid by."""

    acquirer: Literal["signed_in", "signed_out"]
    methods: tuple[str, ...]
    channels: tuple[str, ...] = ()
