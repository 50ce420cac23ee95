"""The page of money: what needs a person, where a provider's file and our orders disagree, days, latest orders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from sqlmodel import Session, col, select

from fleet_server.dashboard.forms import Text, attempt, read_form
from fleet_server.dashboard.shell import Entry, back_to, page, roles, shell_of
from fleet_server.database import Reading, now
from fleet_server.payments import cards, closings
from fleet_server.payments.models import PaymentDay, PaymentDifference, PaymentOrder
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.staff.service import accounts

READERS = roles(Role.MAINTAINER, Role.ADMINISTRATOR, Role.AUDITOR)
CLOSERS = roles(Role.MAINTAINER, Role.ADMINISTRATOR)
SHOWN_ORDERS, SHOWN_DAYS, SHOWN_DIFFERENCES = 50, 31, 200

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Closer = Annotated[StaffIdentity, Depends(require(*CLOSERS))]


def install(app: FastAPI) -> None:
    entry = Entry("money", "/money", "money", READERS, 35)
    shell_of(app).open_room("payments", Path(__file__).parent / "templates", entry)


@router.get("/money")
def show_money(
    request: Request, session: Reading, staff: Reader, number: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    return page(request, staff, "payments/money.html", **_money(session, number.strip()))


@router.post("/money/refunds/write", response_model=None)
def write_closing(request: Request, staff: Closer, refund: Text = "", way: Text = "", note: Text = "") -> Response:
    """How an owed refund went back by hand: the first person's word."""

    def deed(session: Session) -> None:
        told = read_form(closings.Written, way=way, note=note.strip())
        closings.write(session, refund[:32], told, by=staff.account)

    return _done(request, staff, deed, "refund_closing_written")


@router.post("/money/refunds/confirm", response_model=None)
def confirm_closing(request: Request, staff: Closer, refund: Text = "") -> Response:
    def deed(session: Session) -> None:
        closings.confirm(session, refund[:32], by=staff.account)

    return _done(request, staff, deed, "refund_closed")


@router.post("/money/refunds/withdraw", response_model=None)
def withdraw_closing(request: Request, staff: Closer, refund: Text = "") -> Response:
    def deed(session: Session) -> None:
        closings.withdraw(session, refund[:32], by=staff.account)

    return _done(request, staff, deed, "refund_closing_withdrawn")


def _done(request: Request, staff: StaffIdentity, deed: Callable[[Session], None], word: str) -> Response:
    done = attempt(request, staff, deed)
    if not isinstance(done, ProblemError):
        return back_to("/money", word)
    with request.app.state.database.reading() as session:
        return page(request, staff, "payments/money.html", problem=done, **_money(session, ""))


def _money(session: Session, number: str) -> dict[str, Any]:
    latest = select(PaymentOrder).where(col(PaymentOrder.is_barred).is_(False))
    if number:
        latest = latest.where(
            (col(PaymentOrder.transaction_number) == number) | (col(PaymentOrder.order_id) == number)
            | (col(PaymentOrder.number) == number) | (col(PaymentOrder.paid_reference) == number)
        )  # fmt: skip
    contested = select(PaymentOrder).where(col(PaymentOrder.contested_at).is_not(None))
    differences = select(PaymentDifference).where(col(PaymentDifference.gone_at).is_(None))
    days = select(PaymentDay).order_by(col(PaymentDay.day).desc(), PaymentDay.channel)
    owed = closings.owed(session)
    return {
        "number": number,
        "owed": owed,
        "closings": closings.written(session, owed),
        "closed": closings.latest(session),
        "closers": CLOSERS,
        "ways": list(closings.Way),
        "names": {row.name: row.display_name for row in accounts(session)},
        "contested": session.exec(contested.order_by(col(PaymentOrder.contested_at).desc()).limit(SHOWN_ORDERS)).all(),
        "unheard": cards.unheard(session, now()),
        "differences": session.exec(
            differences.order_by(col(PaymentDifference.day).desc(), PaymentDifference.kind).limit(SHOWN_DIFFERENCES)
        ).all(),
        "days": session.exec(days.limit(SHOWN_DAYS)).all(),
        "latest": session.exec(latest.order_by(col(PaymentOrder.created_at).desc()).limit(SHOWN_ORDERS)).all(),
        "yuan": yuan,
    }


def yuan(fen: int | None) -> str:
    """¥1,234.56; an en dash for nothing."""
    return "–" if fen is None else f"¥{fen // 100:,}.{fen % 100:02d}"
