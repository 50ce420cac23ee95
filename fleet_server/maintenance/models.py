"""Alerts as staff see them, and who has taken which one on."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now


class AlertKind(StrEnum):
    DEVICE_FAULT = "device_fault"
    SILENT = "silent"
    FORK = "fork"
    BUNDLE_REFUSED = "bundle_refused"
    CLOCK = "clock"
    JOURNAL_BEHIND = "journal_behind"


class AlertTaken(SQLModel, table=True):
    """Somebody is on it. Named by what the alert is about, so it fits again when the same fault lasts."""

    __tablename__ = "alert_taken"

    key: str = Field(primary_key=True, max_length=160)
    taken_by: str = Field(max_length=40)
    taken_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)
    note: str = Field(default="", max_length=300)


class Alert(BaseModel):
    """Something that is wrong now. `action` says who must act: wait, clear, configuration, maintenance, look."""

    key: str
    kind: AlertKind
    terminal: str
    site: str
    subject: str
    action: str
    detail: str
    since: dt.datetime | None
    taken_by: str | None = None


class AlertTake(BaseModel):
    key: str
    note: str = ""
