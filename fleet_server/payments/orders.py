"""The rules of an order, each one transaction's work. Nothing here asks a provider, and nothing here commits.

Money that arrives is written down once, whoever tells of it and how often. It belongs to the order when the order still
waits for it and amount and currency are the order's; all other money becomes a refund in the same transaction.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from typing import Any

from sqlmodel import Session, col, select

from fleet_server.database import now
from fleet_server.payments import refunds
from fleet_server.payments.models import PaymentArrived, PaymentOrder, PaymentRefund
from fleet_server.payments.providers.protocol import Paid, Standing
from fleet_server.problems import ProblemError
from kiosk.contracts.payments import Arrived, Order, OrderRequest, Refund

LOOK_SECONDS = 60.0
"""How often the centre asks about an open order by itself, should no notice come."""
LONGEST_OPEN = dt.timedelta(days=1)
WAITING = ("open", "paying")
BANK_CARD = "bank_card"
"""Taken by the machine's own device: the centre asks nobody, sets no window, and waits for the device's word."""

log = logging.getLogger(__name__)


def number_of(terminal: str, order_id: str) -> str:
    """Ours towards the provider. Two terminals that choose one id have two orders."""
    return hashlib.sha256(f"{terminal}\n{order_id}".encode()).hexdigest()[:32]


def locked(session: Session, number: str) -> PaymentOrder | None:
    """The order, for this transaction alone."""
    statement = select(PaymentOrder).where(PaymentOrder.number == number).with_for_update()
    return session.exec(statement, execution_options={"populate_existing": True}).first()


def place(
    session: Session, terminal: str, order_id: str, asked: OrderRequest, *, channel: str, account: str, notify_url: str
) -> tuple[PaymentOrder, bool]:
    """The order of this id and whether it is new. Raises 409 `duplicate_order` when its content is another."""
    known = locked(session, number_of(terminal, order_id))
    content: dict[str, Any] = {
        "channel": channel, "method": asked.method.value, "amount_fen": asked.amount_fen, "currency": asked.currency,
        "subject": asked.subject, "payee": asked.payee, "bill": asked.bill, "matter": asked.matter,
        "lines": [line.model_dump() for line in asked.lines], "transaction_number": asked.transaction_number,
    }  # fmt: skip
    if known is not None:
        if not known.is_barred and any(getattr(known, name) != value for name, value in content.items()):
            raise ProblemError(409, "duplicate_order", "this order id was used for something else")
        return known, False
    moment = now()
    if asked.expires_at <= moment:
        raise ProblemError(422, "expired", "expires_at has passed")
    if asked.expires_at > moment + LONGEST_OPEN:
        raise ProblemError(422, "expires_late", "an order waits for its money for a day at most")
    look_at = None if channel == BANK_CARD else min(asked.expires_at, moment + dt.timedelta(seconds=LOOK_SECONDS))
    made = PaymentOrder(
        number=number_of(terminal, order_id), terminal=terminal, order_id=order_id, account=account,
        created_at=moment, expires_at=asked.expires_at, delivery_seconds=asked.delivery_seconds,
        notify_url=notify_url, look_at=look_at, **content,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made, True


def bar(session: Session, terminal: str, order_id: str) -> PaymentOrder:
    """An id nobody asked for yet, closed for good."""
    moment = now()
    made = PaymentOrder(
        number=number_of(terminal, order_id), terminal=terminal, order_id=order_id, state="closed", is_barred=True,
        created_at=moment, expires_at=moment,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def record_standing(session: Session, order: PaymentOrder, standing: Standing, *, heard_by: str) -> None:
    """What the provider says of an order. Nothing it says takes back a payment that was recorded."""
    if standing.payment is not None:
        record_payment(session, order, standing.payment, heard_by=heard_by)
        return
    if order.state not in WAITING:
        return
    match standing.state:
        case "paying":
            order.state = "paying"
        case "closed":
            end(order, "closed", order.reason or ("" if order.closing else "expired"))
        case "refused":
            end(order, "refused", standing.reason)
        case "waiting" | "unknown" | "paid":
            pass


def record_payment(session: Session, order: PaymentOrder, paid: Paid, *, heard_by: str) -> bool:
    """True when this payment was not known. It belongs, or it becomes a refund."""
    known = session.get(PaymentArrived, (order.channel, order.account, paid.reference))
    if known is not None:
        if known.order_number != order.number:
            log.error("%s names one payment under two orders", order.channel)
        return False
    reason = _why_not(order, paid)
    session.add(
        PaymentArrived(
            channel=order.channel, account=order.account, reference=paid.reference, order_number=order.number,
            amount_fen=paid.amount_fen, currency=paid.currency, belongs=not reason, heard_by=heard_by,
            paid_at=paid.paid_at, arrived_at=now(),
        )
    )  # fmt: skip
    session.flush()
    if not reason:
        _paid(order, paid)
        return True
    if order.state in WAITING:
        end(order, "refused", reason)
    refunds.give_back_surplus(session, order, paid)
    return True


def end(order: PaymentOrder, state: str, reason: str = "") -> None:
    order.state, order.reason, order.qr, order.look_at = state, reason, "", None


def extend(order: PaymentOrder, seconds: int, longest_seconds: int) -> None:
    """Raises 409 `not_paid`, `given_back`, `delivery_settled`."""
    _must_wait_for_delivery(order)
    if order.channel == BANK_CARD:
        return
    assert order.paid_at is not None
    assert order.deliver_by is not None
    latest = order.paid_at + dt.timedelta(seconds=longest_seconds)
    order.deliver_by = max(order.deliver_by, min(now() + dt.timedelta(seconds=seconds), latest))
    order.look_at = order.deliver_by


def report_delivered(session: Session, order: PaymentOrder, undelivered: tuple[str, ...]) -> None:
    """Raises 409 `not_paid`, `given_back`, `delivery_settled`; 422 `unknown_line`."""
    if order.delivery == "delivered" and list(undelivered) == order.undelivered:
        return
    _must_wait_for_delivery(order)
    _settle(order, "delivered")
    if undelivered:
        order.undelivered = list(undelivered)
        refunds.give_back_lines(session, order, undelivered)


def contest(order: PaymentOrder) -> bool:
    """Reported delivered when the money had gone back: kept, and shown to staff. True when it is so."""
    if order.delivery not in ("not_delivered", "overdue"):
        return False
    order.contested_at = order.contested_at or now()
    return True


def report_not_delivered(session: Session, order: PaymentOrder) -> None:
    """Everything that is left goes back. An order given back already is answered the same."""
    if order.delivery in ("not_delivered", "overdue"):
        return
    _must_wait_for_delivery(order)
    _settle(order, "not_delivered")
    refunds.give_back_rest(session, order, "centre.not_delivered", "未能办成，退款")


def pass_deadline(session: Session, order: PaymentOrder, moment: dt.datetime) -> bool:
    """True when the window has passed without a word: what is left goes back."""
    if order.delivery != "waiting" or order.deliver_by is None or order.deliver_by > moment:
        return False
    _settle(order, "overdue")
    refunds.give_back_rest(session, order, "centre.overdue", "未收到办成结果，退款")
    return True


def view(session: Session, order: PaymentOrder, *, verified: bool = False) -> Order:
    arrived = session.exec(
        select(PaymentArrived)
        .where(PaymentArrived.order_number == order.number)
        .order_by(col(PaymentArrived.belongs).desc(), col(PaymentArrived.arrived_at))
    ).all()
    given = session.exec(
        select(PaymentRefund).where(PaymentRefund.order_number == order.number).order_by(col(PaymentRefund.created_at))
    ).all()
    return Order(
        order_id=order.order_id, amount_fen=order.amount_fen, currency=order.currency, state=order.state,
        verified=verified, qr=order.qr if order.state == "open" and not order.closing else "",
        payments=tuple(
            Arrived(reference=row.reference, amount_fen=row.amount_fen, currency=row.currency) for row in arrived
        ),
        refunded_fen=sum(row.amount_fen for row in given if row.state != "failed"), reason=order.reason,
        channel=order.channel, payee=order.payee, method=order.method, reference=order.paid_reference,
        paid_at=order.paid_at, delivery=order.delivery, deliver_by=order.deliver_by,
        refunds=tuple(refund_view(order, row) for row in given),
    )  # fmt: skip


def refund_view(order: PaymentOrder, row: PaymentRefund) -> Refund:
    return Refund(
        refund_id=row.refund_id, order_id=order.order_id, amount_fen=row.amount_fen, state=row.state,
        reason=row.reason, lines=tuple(row.lines), by_centre=row.by_centre,
    )  # fmt: skip


def _why_not(order: PaymentOrder, paid: Paid) -> str:
    """Why this payment does not belong to the order; empty when it does."""
    if order.state not in WAITING:
        return "paid_twice" if order.state == "paid" else "paid_after_close"
    if paid.currency != order.currency:
        return "currency_mismatch"
    return "" if paid.amount_fen == order.amount_fen else "amount_mismatch"


def _paid(order: PaymentOrder, paid: Paid) -> None:
    end(order, "paid")
    order.paid_reference, order.paid_at = paid.reference, now()
    order.delivery = "waiting"
    if order.channel == BANK_CARD:
        return
    order.deliver_by = order.look_at = order.paid_at + dt.timedelta(seconds=order.delivery_seconds)


def _settle(order: PaymentOrder, delivery: str) -> None:
    order.delivery, order.settled_at, order.look_at = delivery, now(), None


def _must_wait_for_delivery(order: PaymentOrder) -> None:
    if order.state != "paid":
        raise ProblemError(409, "not_paid", "this order is not paid")
    if order.delivery in ("not_delivered", "overdue"):
        raise ProblemError(409, "given_back", "the money of this order has gone back: do not deliver")
    if order.delivery != "waiting":
        raise ProblemError(409, "delivery_settled", "this order was reported otherwise before")
