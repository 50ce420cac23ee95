"""Orders taken by a machine's own card device: its ledger is the provider's word. Nothing here commits."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Session, col, select

from fleet_server.database import now
from fleet_server.payments import orders, refunds
from fleet_server.payments.models import PaymentArrived, PaymentOrder, PaymentRefund
from fleet_server.payments.providers.protocol import Given, Paid
from fleet_server.problems import ProblemError
from kiosk.contracts.payments import CardReport

UNHEARD = dt.timedelta(hours=1)
"""A card order open for longer past its time: its machine is off, or its device cannot say. A person looks."""
MARK = 16


def record(session: Session, order: PaymentOrder, said: CardReport) -> None:
    """Raises 409 `settled_otherwise` where the device now says what its earlier word excludes; 422 `not_card`."""
    if order.channel != orders.BANK_CARD and not order.is_barred:
        raise ProblemError(422, "not_card", "this order is not taken by a card device")
    if said.state == "unpaid":
        _unpaid(order, said.reason)
        return
    if order.is_barred:
        raise ProblemError(409, "settled_otherwise", "this order was closed before it was ever asked for")
    reference = _own_reference(session, order, said.reference)
    if order.state == "paid" and order.paid_reference != reference:
        raise ProblemError(409, "settled_otherwise", "this order was paid by another payment")
    paid_at = min(now(), order.expires_at)
    paid = Paid(reference, said.amount_fen, said.currency, paid_at)
    orders.record_payment(session, order, paid, heard_by="device")
    if said.state == "paid":
        return
    if order.state == "paid":
        orders.report_not_delivered(session, order)
    given = Given("succeeded") if said.state == "returned" else Given("failed", said.reason or "not_reversed")
    for refund in session.exec(select(PaymentRefund).where(PaymentRefund.order_number == order.number)):
        refunds.record(refund, given)


def unheard(session: Session, moment: dt.datetime, *, limit: int = 50) -> list[PaymentOrder]:
    """Card orders nobody knows the end of, oldest first."""
    statement = select(PaymentOrder).where(
        PaymentOrder.channel == orders.BANK_CARD,
        (col(PaymentOrder.state).in_(orders.WAITING)) | (PaymentOrder.delivery == "waiting"),
        col(PaymentOrder.expires_at) < moment - UNHEARD,
    )
    return list(session.exec(statement.order_by(col(PaymentOrder.created_at)).limit(limit)).all())


def _own_reference(session: Session, order: PaymentOrder, stated: str) -> str:
    """Devices count for themselves: two machines, or one after a reset, may give one number to two payments.

    The later one bears its order's mark, so that no money is taken for known; the acquirer's file shows the difference.
    """
    known = session.get(PaymentArrived, (order.channel, order.account, stated))
    if known is None or known.order_number == order.number:
        return stated
    return f"{stated[: 63 - MARK]}.{order.number[:MARK]}"


def _unpaid(order: PaymentOrder, reason: str) -> None:
    if order.state == "paid":
        raise ProblemError(409, "settled_otherwise", "this order was reported paid")
    if order.state in orders.WAITING:
        orders.end(order, "closed", reason)
