"""Owed refunds that people gave back by hand: one writes how, another confirms. Nothing here commits.

Until then the money is owed, and the centre goes on asking. From then on it counts as given back, so that nobody gives
it once more; should the provider's file show it too, that is a difference of the day.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel
from pydantic import Field as Checked
from sqlmodel import Session, col, select

from fleet_server.dashboard.forms import holds_personal_number
from fleet_server.database import now
from fleet_server.payments import refunds
from fleet_server.payments.models import PaymentRefund, RefundClosing
from fleet_server.problems import ProblemError
from fleet_server.staff.service import record

TRIES_BEFORE_OWED = 4


class Way(StrEnum):
    BACK_OFFICE = "back_office"  # in the provider's own back office
    TRANSFER = "transfer"
    CASH = "cash"


class Written(BaseModel):
    way: Way
    note: str = Checked(min_length=4, max_length=300)


def owed(session: Session) -> list[PaymentRefund]:
    """Refunds that need a person: refused for good, or tried often in vain; and the money has not gone back since."""
    statement = select(PaymentRefund).where(
        (col(PaymentRefund.state) == "failed")
        | ((col(PaymentRefund.state) == "pending") & (col(PaymentRefund.tries) > TRIES_BEFORE_OWED))
    )
    rows = session.exec(statement.order_by(col(PaymentRefund.created_at))).all()
    return [row for row in rows if row.amount_fen <= refunds.left_beside(session, row)]


def written(session: Session, rows: list[PaymentRefund]) -> dict[str, RefundClosing]:
    """What waits for the second person, by the refund's number."""
    numbers = [row.number for row in rows]
    found = session.exec(select(RefundClosing).where(col(RefundClosing.refund).in_(numbers)))
    return {row.refund: row for row in found}


def latest(session: Session, *, limit: int = 20) -> list[tuple[RefundClosing, PaymentRefund]]:
    """What was closed, the newest first."""
    statement = (
        select(RefundClosing, PaymentRefund)
        .join(PaymentRefund, col(PaymentRefund.number) == col(RefundClosing.refund))
        .where(col(RefundClosing.confirmed_at).is_not(None))
    )
    return list(session.exec(statement.order_by(col(RefundClosing.confirmed_at).desc()).limit(limit)))


def write(session: Session, number: str, told: Written, *, by: str) -> None:
    """The first person's word. Raises 404 `no_owed_refund`, 409 `closing_written`, 422 `personal_note`."""
    refund = _owed(session, number)
    if session.get(RefundClosing, number) is not None:
        raise ProblemError(409, "closing_written", "somebody has written how it went back: confirm or withdraw that")
    if holds_personal_number(told.note):
        raise ProblemError(422, "personal_note", "the note holds an identity or telephone number: leave it out")
    session.add(RefundClosing(refund=number, way=told.way.value, note=told.note, written_by=by))
    record(session, by, "refund_closing_written", number, way=told.way.value, amount_fen=refund.amount_fen)


def confirm(session: Session, number: str, *, by: str) -> None:
    """The second person's word: from now on this money has gone back. Raises 403 `one_person`, 404."""
    refund, closing = _owed(session, number), _waiting(session, number)
    if closing.written_by == by:
        raise ProblemError(403, "one_person", "the second person must be another than the first")
    closing.confirmed_by, closing.confirmed_at = by, now()
    refunds.settle_by_hand(refund)
    facts = {"way": closing.way, "amount_fen": refund.amount_fen, "written_by": closing.written_by}
    record(session, by, "refund_closed", number, **facts)


def withdraw(session: Session, number: str, *, by: str) -> None:
    """Either person takes the word back: nothing has gone back that way."""
    _owed(session, number)
    closing = _waiting(session, number)
    session.delete(closing)
    record(session, by, "refund_closing_withdrawn", number, way=closing.way, written_by=closing.written_by)


def _owed(session: Session, number: str) -> PaymentRefund:
    """Locked, so that neither the provider's word nor a third person comes between."""
    statement = select(PaymentRefund).where(PaymentRefund.number == number).with_for_update()
    refund = session.exec(statement, execution_options={"populate_existing": True}).first()
    if refund is None or refund not in owed(session):
        raise ProblemError(404, "no_owed_refund", "no such refund is owed: it may have gone back meanwhile")
    return refund


def _waiting(session: Session, number: str) -> RefundClosing:
    closing = session.get(RefundClosing, number)
    if closing is None or closing.confirmed_at is not None:
        raise ProblemError(404, "no_closing", "nobody has written how it went back")
    return closing
