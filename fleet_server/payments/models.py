"""What the centre keeps of money: orders, the payments that arrived, what was given back, and each day's comparison.

No payer and no scanned code is kept anywhere.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now


class PaymentOrder(SQLModel, table=True):
    """One order of a terminal. `number` is ours towards the provider: 32 hexadecimal digits of terminal and order id.

    `state`: open, paying, paid, closed, refused. `delivery`: none, waiting, delivered, not_delivered, overdue; once it
    is one of the last three it never changes. `closing`: somebody wants it closed. `look_at`: when the centre sees to
    it again by itself; nothing is left to do when it is empty. `is_barred`: closed before it was ever asked for.
    """

    __tablename__ = "payment_order"
    __table_args__ = (UniqueConstraint("terminal", "order_id"),)

    number: str = Field(primary_key=True, max_length=32)
    terminal: str = Field(max_length=64)
    order_id: str = Field(max_length=64)
    channel: str = Field(default="", max_length=16)
    account: str = Field(default="", max_length=40)
    method: str = Field(default="", max_length=16)
    amount_fen: int = Field(default=0, sa_type=BigInteger)
    currency: str = Field(default="CNY", max_length=3)
    subject: str = Field(default="", max_length=120)
    payee: str = Field(default="", max_length=80)
    bill: str = Field(default="", max_length=40)
    lines: list[dict[str, Any]] = Field(default_factory=list, sa_type=JSON)
    matter: str = Field(default="", max_length=48)
    transaction_number: str = Field(default="", max_length=64, index=True)
    notify_url: str = Field(default="", max_length=300)
    state: str = Field(default="open", max_length=16)
    reason: str = Field(default="", max_length=48)
    qr: str = Field(default="", max_length=1024)
    closing: bool = False
    is_barred: bool = False
    created_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)
    expires_at: dt.datetime = Field(sa_type=UtcDateTime)
    delivery_seconds: int = 0
    paid_reference: str = Field(default="", max_length=64)
    paid_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivery: str = Field(default="none", max_length=16)
    deliver_by: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    undelivered: list[str] = Field(default_factory=list, sa_type=JSON)
    settled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    contested_at: dt.datetime | None = Field(
        default=None, sa_type=UtcDateTime, description="reported delivered when the money had gone back"
    )
    look_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class PaymentArrived(SQLModel, table=True):
    """Money that came in under an order. `belongs`: it is the payment of the order; all other money goes back."""

    __tablename__ = "payment_arrived"

    channel: str = Field(primary_key=True, max_length=16)
    account: str = Field(primary_key=True, max_length=40)
    reference: str = Field(primary_key=True, max_length=64)
    order_number: str = Field(max_length=32, index=True)
    amount_fen: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    belongs: bool
    heard_by: str = Field(max_length=16, description="notice, query or daily_file")
    paid_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)
    arrived_at: dt.datetime = Field(sa_type=UtcDateTime)


class PaymentRefund(SQLModel, table=True):
    """Money that goes back, written down before the provider is asked. `state`: pending, succeeded, failed.

    `number`, ours towards the provider, follows from order and refund id: asking again cannot give twice.
    """

    __tablename__ = "payment_refund"
    __table_args__ = (UniqueConstraint("order_number", "refund_id"),)

    number: str = Field(primary_key=True, max_length=32)
    order_number: str = Field(max_length=32)
    refund_id: str = Field(max_length=64)
    reference: str = Field(max_length=64)
    amount_fen: int = Field(sa_type=BigInteger)
    total_fen: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    why: str = Field(default="", max_length=80)
    lines: list[str] = Field(default_factory=list, sa_type=JSON)
    by_centre: bool = False
    state: str = Field(default="pending", max_length=16)
    reason: str = Field(default="", max_length=48)
    tries: int = 0
    created_at: dt.datetime = Field(sa_type=UtcDateTime)
    done_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    look_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class RefundClosing(SQLModel, table=True):
    """A person's word that an owed refund went back another way; it counts once another person has confirmed it."""

    __tablename__ = "payment_refund_closing"

    refund: str = Field(primary_key=True, max_length=32)
    way: str = Field(max_length=16)
    note: str = Field(max_length=300)
    written_by: str = Field(max_length=40)
    written_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)
    confirmed_by: str | None = Field(default=None, max_length=40)
    confirmed_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)


class PaymentDay(SQLModel, table=True):
    """One account's day compared with the provider's file. `result`: agrees, differs or no_file."""

    __tablename__ = "payment_day"

    channel: str = Field(primary_key=True, max_length=16)
    account: str = Field(primary_key=True, max_length=40)
    day: dt.date = Field(primary_key=True)
    compared_at: dt.datetime = Field(sa_type=UtcDateTime)
    result: str = Field(max_length=16)
    file_sha256: str = Field(default="", max_length=64)
    payments: int = 0
    paid_fen: int = Field(default=0, sa_type=BigInteger)
    refunds: int = 0
    refunded_fen: int = Field(default=0, sa_type=BigInteger)


class PaymentDifference(SQLModel, table=True):
    """One thing on which the provider's file and our orders disagree. `gone_at`: a later comparison found it mended.

    `kind`: missing_here, missing_there, other_amount, refund_missing_here, refund_missing_there, refund_other_amount.
    """

    __tablename__ = "payment_difference"
    __table_args__ = (UniqueConstraint("channel", "account", "day", "kind", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str = Field(max_length=16)
    account: str = Field(max_length=40)
    day: dt.date = Field(index=True)
    kind: str = Field(max_length=32)
    subject: str = Field(max_length=64, description="the payment's reference or our refund number")
    order_number: str = Field(default="", max_length=64)
    ours_fen: int | None = Field(default=None, sa_type=BigInteger)
    theirs_fen: int | None = Field(default=None, sa_type=BigInteger)
    found_at: dt.datetime = Field(sa_type=UtcDateTime)
    gone_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
