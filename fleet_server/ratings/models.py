"""What became of a bad rating. That there is one is read off the journal's facts; only the answer is stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel
from pydantic import Field as Bounded
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now


class FollowUpOutcome(StrEnum):
    CORRECTED = "corrected"  # something was wrong, and is mended
    EXPLAINED = "explained"  # nothing was wrong, and the citizen knows why
    NOT_REACHED = "not_reached"  # nobody to ask: no number to call, or nobody answers


class RatingAnswer(SQLModel, table=True):
    """One answer to one bad rating, written once."""

    __tablename__ = "rating_answer"

    journal_id: str = Field(primary_key=True, max_length=64)
    number: str = Field(primary_key=True, max_length=40)
    outcome: str = Field(max_length=16)
    note: str = Field(max_length=500)
    answered_by: str = Field(max_length=40)
    answered_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Answer(BaseModel):
    """What a person writes: never a citizen's name, number or phone."""

    outcome: FollowUpOutcome
    note: str = Bounded(min_length=4, max_length=500)


@dataclass(frozen=True)
class FollowUp:
    """A bad rating with its deadline. `answer` is None while it is open."""

    journal_id: str
    number: str
    terminal: str
    matter: str
    grade: int
    reasons: tuple[str, ...]
    rated_at: dt.datetime
    due_at: dt.datetime
    answer: RatingAnswer | None

    def is_late(self, moment: dt.datetime) -> bool:
        return self.answer is None and moment > self.due_at
