"""Calls for a remote helper. What was said is kept only while the call goes on; that it was, in the audit record."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now


class HelpCall(SQLModel, table=True):
    """`description` is a ScreenDescription (kiosk/contracts/assistance.py): it has no values. Gone once it is over."""

    __tablename__ = "help_call"

    id: str = Field(primary_key=True, max_length=32)
    terminal: str = Field(max_length=64, index=True)
    mode: str = Field(max_length=10)
    language: str = Field(max_length=8)
    description: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    asked_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)
    heard_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)
    heard: int = 0
    taken_by: str = Field(default="", max_length=40)
    taken_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    messages: int = 0
    ended_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    ending: str = Field(default="", max_length=16)


class HelpMessage(SQLModel, table=True):
    __tablename__ = "help_message"

    call: str = Field(primary_key=True, max_length=32)
    number: int = Field(primary_key=True)
    text: dict[str, str] | None = Field(default=None, sa_type=JSON)
    is_ready: bool = True
    point: str = Field(default="", max_length=100)
    screen: int = 0
    sent_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)
