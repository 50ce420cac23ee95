"""Open follow-ups by deadline, the answers to them, and the share of satisfied citizens."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlmodel import Session, col

from fleet_server.dashboard.forms import holds_personal_number
from fleet_server.journal.models import Transaction
from fleet_server.problems import ProblemError
from fleet_server.ratings.models import Answer, FollowUp, RatingAnswer
from fleet_server.staff.service import record
from kiosk.contracts.value import CITY_TIME

BAD = 2
"""不满意 and 非常不满意: this grade and the one below."""
WORKING_DAYS = 15
"""To put right and call back (domain.md 6.1). Public holidays are not known here: the deadline is never too late."""


def due_at(rated_at: dt.datetime) -> dt.datetime:
    """The end of the fifteenth working day after the rating, city time."""
    day, left = rated_at.astimezone(CITY_TIME).date(), WORKING_DAYS
    while left:
        day += dt.timedelta(days=1)
        left -= day.weekday() < 5
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), CITY_TIME).astimezone(dt.UTC)


def open_follow_ups(session: Session, *, limit: int = 200) -> list[FollowUp]:
    """Not answered yet, the nearest deadline first."""
    return [found for found in _follow_ups(session, answered=False, limit=limit) if found.answer is None]


def answered_follow_ups(session: Session, *, limit: int = 50) -> list[FollowUp]:
    """The latest answers first."""
    return _follow_ups(session, answered=True, limit=limit)


def grades(session: Session) -> dict[int, int]:
    """How many gave each grade, 5 to 1."""
    rows = session.execute(
        select(col(Transaction.rating), func.count())
        .where(col(Transaction.rating).between(1, 5))
        .group_by(col(Transaction.rating))
    )
    counted = {int(grade): int(count) for grade, count in rows}
    return {grade: counted.get(grade, 0) for grade in range(5, 0, -1)}


def answer(session: Session, journal_id: str, number: str, given: Answer, *, by: str) -> None:
    """Close a follow-up. Raises `ProblemError` 404 where there is none, 409 when it was answered, 422 for a number."""
    row = session.get(Transaction, (journal_id, number))
    if row is None or row.rating is None or not 1 <= row.rating <= BAD or row.rated_at is None:
        raise ProblemError(404, "no_follow_up", "there is no bad rating of that number")
    if session.get(RatingAnswer, (journal_id, number)) is not None:
        raise ProblemError(409, "answered_already", "somebody has answered this rating")
    if holds_personal_number(given.note):
        raise ProblemError(422, "personal_note", "the note holds an identity or telephone number: leave it out")
    session.add(
        RatingAnswer(journal_id=journal_id, number=number, outcome=given.outcome.value, note=given.note, answered_by=by)
    )
    record(session, by, "rating_answered", f"{number} {given.outcome}")


def _follow_ups(session: Session, *, answered: bool, limit: int) -> list[FollowUp]:
    match = (col(RatingAnswer.journal_id) == col(Transaction.journal_id)) & (
        col(RatingAnswer.number) == col(Transaction.number)
    )
    query = (
        select(Transaction, RatingAnswer)
        .outerjoin(RatingAnswer, match)
        .where(col(Transaction.rating).between(1, BAD), col(Transaction.rated_at).is_not(None))
        .where(col(RatingAnswer.number).is_not(None) if answered else col(RatingAnswer.number).is_(None))
        .order_by(col(RatingAnswer.answered_at).desc() if answered else col(Transaction.rated_at))
        .limit(limit)
    )
    return [_follow_up(row, given) for row, given in session.execute(query) if row.rated_at is not None]


def _follow_up(row: Transaction, given: RatingAnswer | None) -> FollowUp:
    assert row.rated_at is not None
    return FollowUp(
        journal_id=row.journal_id, number=row.number, terminal=row.terminal, matter=row.matter, grade=row.rating or 0,
        reasons=tuple(row.rating_reasons), rated_at=row.rated_at, due_at=due_at(row.rated_at), answer=given,
    )  # fmt: skip
