"""Money at the machine, integer fen (device-classes C.10). Success only from the acquirer's own word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import Field

from drivers.messages.common import ActResult, Message


class PaymentMethod(StrEnum):
    QR_SHOWN = "qr_shown"  # the citizen scans our code
    QR_SCANNED = "qr_scanned"  # we scan the citizen's code
    CARD = "card"  # tapped, inserted or swiped


class PaymentState(StrEnum):
    PENDING = "pending"
    PAYING = "paying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"
    UNCERTAIN = "uncertain"


class PaymentOrder(Message):
    """`order_id` is the caller's, kept on disk before anything is sent: the same id is never charged twice."""

    order_id: str = Field(min_length=1, max_length=64)
    amount_fen: int = Field(gt=0)
    currency: str = Field(default="CNY", pattern=r"^[A-Z]{3}$")
    subject: str = Field(max_length=128)
    method: PaymentMethod
    payer_code: str = Field(default="", repr=False)
    expires_at: dt.datetime


class PaymentResult(ActResult):
    """`succeeded` only with the acquirer's verified answer for this order, amount and currency. `qr` while it is to be
    shown.

    `to_refund_fen` above zero: so much of the citizen's money has arrived and does not belong there (another amount,
    paid twice, paid after the order was closed). Whoever asked hands back exactly that with `refund`, under a refund id
    of its own, whatever the state says.
    """

    order_id: str
    state: PaymentState
    amount_fen: int = 0
    to_refund_fen: int = Field(default=0, ge=0)
    qr: str = Field(default="", repr=False)
    reason: str = ""
    reference: str = Field(default="", description="the acquirer's own number of the payment")

    @classmethod
    def uncertain(cls, arguments: Mapping[str, Any], reason: str) -> Self:
        order = arguments.get("order")
        order_id = order.order_id if order is not None else str(arguments["order_id"])
        return cls(order_id=order_id, state=PaymentState.UNCERTAIN, reason=reason)


class RefundResult(ActResult):
    order_id: str
    refund_id: str
    state: PaymentState
    amount_fen: int = 0
    reason: str = ""

    @classmethod
    def uncertain(cls, arguments: Mapping[str, Any], reason: str) -> Self:
        return cls(
            order_id=str(arguments["order_id"]),
            refund_id=str(arguments["refund_id"]),
            state=PaymentState.UNCERTAIN,
            reason=reason,
        )
