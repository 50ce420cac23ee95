"""Clerks of the shops, and what they vouched for. Nothing here names a citizen: holders are masked by the terminal."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, field_validator
from pydantic import Field as Checked
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now
from kiosk.contracts.confirmations import CLERK_NUMBER, PIN_DIGITS, Confirmation, ConfirmationState

ASCENDING = "01234567890"
DESCENDING = ASCENDING[::-1]


class Clerk(SQLModel, table=True):
    """One person behind one shop's counter. `account`: the staff account of the same person, where there is one."""

    __tablename__ = "clerk"

    number: str = Field(primary_key=True, max_length=8)
    site: str = Field(foreign_key="site.id", index=True, max_length=48)
    display_name: str = Field(max_length=80)
    account: str | None = Field(default=None, foreign_key="account.name", max_length=40)
    pin_hash: str = Field(max_length=200)
    failed_attempts: int = 0
    locked_until: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    disabled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)

    @property
    def is_locked(self) -> bool:
        return self.locked_until is not None and self.locked_until > now()


class ConfirmationRow(SQLModel, table=True):
    """A request and its end. `state` stays `waiting` in an expired row: whoever reads it compares the moment."""

    __tablename__ = "confirmation"

    id: str = Field(primary_key=True, max_length=32)
    terminal: str = Field(max_length=48, index=True)
    transaction_number: str = Field(max_length=40)
    matter: str = Field(max_length=48)
    holder: str = Field(max_length=60)
    first_clerk: str = Field(max_length=8)
    asked_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)
    expires_at: dt.datetime = Field(sa_type=UtcDateTime)
    state: str = Field(default="waiting", max_length=12)
    second: str = Field(default="", max_length=40)
    second_is: str = Field(default="", max_length=8)
    reason: str = Field(default="", max_length=24)
    decided_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def standing(self) -> ConfirmationState:
        if self.state == "waiting" and self.expires_at <= now():
            return "expired"
        state: ConfirmationState = self.state  # type: ignore[assignment]
        return state

    @property
    def answer(self) -> Confirmation:
        left = (self.expires_at - now()).total_seconds() if self.standing == "waiting" else 0.0
        return Confirmation.model_validate(
            {
                "confirmation_id": self.id, "state": self.standing, "seconds_left": max(0, round(left)),
                "expires_at": self.expires_at, "second": self.second, "second_is": self.second_is,
                "reason": self.reason,
            }
        )  # fmt: skip


class Pin(BaseModel):
    """Six digits that are not the first anybody would try."""

    pin: str = Checked(pattern=rf"^[0-9]{{{PIN_DIGITS}}}$")

    @field_validator("pin")
    @classmethod
    def _is_no_first_guess(cls, pin: str) -> str:
        if len(set(pin)) == 1 or pin in ASCENDING or pin in DESCENDING:
            raise ValueError("too easy to guess")
        return pin


class ClerkCreate(Pin):
    number: str = Checked(pattern=CLERK_NUMBER)
    site: str = Checked(max_length=48)
    display_name: str = Checked(min_length=1, max_length=80)
    account: str = Checked(default="", max_length=40)
