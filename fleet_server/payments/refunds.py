"""Money that goes back: written down first, never more than arrived, the same one never twice. Nothing here commits."""

from __future__ import annotations

import datetime as dt
import hashlib

from sqlmodel import Session, col, select

from fleet_server.database import now
from fleet_server.payments.models import PaymentArrived, PaymentOrder, PaymentRefund
from fleet_server.payments.providers.protocol import Given, Paid
from fleet_server.problems import ProblemError
from kiosk.contracts.payments import RefundRequest

CENTRE = "centre."
"""Begins the id of every refund the centre makes by itself; a terminal's never does."""
BY_HAND = "by_hand"
"""The reason of a refund that people gave back another way (closings.py): the provider's file does not know it."""
PAUSES_SECONDS = (1, 5, 30, 120, 600, 3600)


def number_of(order_number: str, refund_id: str) -> str:
    """Ours towards the provider."""
    return hashlib.sha256(f"{order_number}\n{refund_id}".encode()).hexdigest()[:32]


def ask(session: Session, order: PaymentOrder, refund_id: str, wanted: RefundRequest) -> PaymentRefund:
    """A terminal's refund. Raises 409 `duplicate_refund`, `not_paid`; 422 `too_much`, `unknown_line`, `line_sum`."""
    known = session.get(PaymentRefund, number_of(order.number, refund_id))
    if known is not None:
        if (known.amount_fen, tuple(known.lines)) != (wanted.amount_fen, wanted.lines):
            raise ProblemError(409, "duplicate_refund", "this refund id was used for something else")
        return known
    if refund_id.startswith(CENTRE):
        raise ProblemError(422, "not_valid", f"refund ids that begin with {CENTRE} are the centre's own")
    if order.state != "paid":
        raise ProblemError(409, "not_paid", "there is no payment of this order to give back")
    if wanted.lines and _sum_of_lines(session, order, wanted.lines) != wanted.amount_fen:
        raise ProblemError(422, "line_sum", "amount_fen is not the sum of these lines")
    if wanted.amount_fen > left_fen(session, order):
        raise ProblemError(422, "too_much", "this is more than is left of the payment")
    return _write(session, order, refund_id, wanted.amount_fen, wanted.reason or "退款", lines=wanted.lines)


def left_fen(session: Session, order: PaymentOrder) -> int:
    """What is left of the payment that belongs to the order."""
    given = session.exec(
        select(PaymentRefund.amount_fen).where(
            PaymentRefund.order_number == order.number, PaymentRefund.reference == order.paid_reference,
            PaymentRefund.state != "failed",
        )
    ).all()  # fmt: skip
    return order.amount_fen - sum(given)


def left_beside(session: Session, refund: PaymentRefund) -> int:
    """What is left of the payment this refund belongs to, were it not for this refund."""
    given = session.exec(
        select(PaymentRefund.amount_fen).where(
            PaymentRefund.order_number == refund.order_number, PaymentRefund.reference == refund.reference,
            PaymentRefund.state != "failed", PaymentRefund.number != refund.number,
        )
    ).all()  # fmt: skip
    return refund.total_fen - sum(given)


def settle_by_hand(refund: PaymentRefund) -> None:
    refund.state, refund.reason, refund.look_at, refund.done_at = "succeeded", BY_HAND, None, now()


def give_back_surplus(session: Session, order: PaymentOrder, paid: Paid) -> None:
    """A payment that does not belong, the whole of it."""
    if paid.amount_fen:
        mark = hashlib.sha256(paid.reference.encode()).hexdigest()[:16]
        _write(session, order, f"{CENTRE}surplus.{mark}", paid.amount_fen, "多付或迟到款项退回", paid=paid)


def give_back_lines(session: Session, order: PaymentOrder, lines: tuple[str, ...]) -> None:
    """Raises 422 `unknown_line` for a line that is not there or went back before."""
    amount_fen = min(_sum_of_lines(session, order, lines), left_fen(session, order))
    if amount_fen:
        _write(session, order, f"{CENTRE}undelivered", amount_fen, "部分未能办成，退款", lines=lines)


def give_back_rest(session: Session, order: PaymentOrder, refund_id: str, why: str) -> None:
    amount_fen = left_fen(session, order)
    if amount_fen:
        _write(session, order, refund_id, amount_fen, why)


def record(refund: PaymentRefund, given: Given) -> None:
    """What the provider says of it. `succeeded` stays; `failed` needs a person and shows on the page of money."""
    if refund.state == "succeeded":
        return
    match given.state:
        case "succeeded" | "failed":
            refund.state, refund.reason, refund.look_at, refund.done_at = given.state, given.reason, None, now()
        case "pending" | "unknown":
            refund.state, refund.reason = "pending", given.reason
            try_again(refund)


def try_again(refund: PaymentRefund) -> None:
    pause = PAUSES_SECONDS[min(refund.tries, len(PAUSES_SECONDS) - 1)]
    refund.tries, refund.look_at = refund.tries + 1, now() + dt.timedelta(seconds=pause)


def _write(
    session: Session, order: PaymentOrder, refund_id: str, amount_fen: int, why: str, *,
    lines: tuple[str, ...] = (), paid: Paid | None = None,
) -> PaymentRefund:  # fmt: skip
    """To be asked for at once. The same refund is not written twice."""
    number = number_of(order.number, refund_id)
    known = session.get(PaymentRefund, number)
    if known is not None:
        return known
    made = PaymentRefund(
        number=number, order_number=order.number, refund_id=refund_id,
        reference=paid.reference if paid else order.paid_reference, amount_fen=amount_fen,
        total_fen=paid.amount_fen if paid else order.amount_fen, currency=paid.currency if paid else order.currency,
        why=why[:80], lines=list(lines), by_centre=refund_id.startswith(CENTRE), created_at=now(), look_at=now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def _sum_of_lines(session: Session, order: PaymentOrder, lines: tuple[str, ...]) -> int:
    amounts = {str(line["id"]): int(line["amount_fen"]) for line in order.lines}
    rows = session.exec(
        select(PaymentRefund.lines).where(
            PaymentRefund.order_number == order.number, col(PaymentRefund.state) != "failed"
        )
    ).all()
    gone = {line for row in rows for line in row}
    if len(set(lines)) != len(lines) or any(line not in amounts or line in gone for line in lines):
        raise ProblemError(422, "unknown_line", "a line is not of this order, or went back before")
    return sum(amounts[line] for line in lines)


def of_order(session: Session, number: str) -> list[str]:
    """Numbers of this order's refunds that have not ended."""
    statement = select(PaymentRefund.number).where(
        PaymentRefund.order_number == number, PaymentRefund.state == "pending"
    )
    return list(session.exec(statement).all())


def arrived(session: Session, number: str) -> list[PaymentArrived]:
    return list(session.exec(select(PaymentArrived).where(PaymentArrived.order_number == number)).all())
