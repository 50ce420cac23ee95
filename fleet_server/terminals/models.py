"""Tables of sites, terminals, groups, enrolment codes, assignments and what terminals last said."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from pydantic import Field as Checked
from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now

NAME = r"^[a-z0-9][a-z0-9-]{1,47}$"


class Scope(StrEnum):
    """Whom an assignment is for; the narrowest one that fits a terminal wins."""

    ALL = "all"
    RING = "ring"
    GROUP = "group"
    TERMINAL = "terminal"


class Site(SQLModel, table=True):
    __tablename__ = "site"

    id: str = Field(primary_key=True, max_length=48)
    name: str = Field(max_length=120)
    address: str = Field(default="", max_length=200)


class Terminal(SQLModel, table=True):
    """One machine in the field. `moved_generation` grows when it changes ring or group (see desired.py)."""

    __tablename__ = "terminal"

    id: str = Field(primary_key=True, max_length=48)
    site: str = Field(foreign_key="site.id", index=True, max_length=48)
    group: str | None = Field(default=None, index=True, max_length=48)
    ring: str | None = Field(default=None, index=True, max_length=48)
    machine: str = Field(default="", max_length=80)
    moved_generation: int = 0
    created_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)


class EnrolmentCode(SQLModel, table=True):
    """A one-time code, by its hash. Reading it deletes it."""

    __tablename__ = "enrolment_code"

    code_hash: str = Field(primary_key=True, max_length=64)
    terminal: str = Field(foreign_key="terminal.id", index=True, max_length=48)
    expires_at: dt.datetime = Field(sa_type=UtcDateTime)
    created_by: str = Field(max_length=40)


class GenerationCounter(SQLModel, table=True):
    """One row. Taking a number locks it until the commit, so generations become visible in order."""

    __tablename__ = "generation_counter"

    id: int = Field(default=1, primary_key=True)
    value: int = 0


class Assignment(SQLModel, table=True):
    """From this generation on, the scope runs the bundle; with `bundle` None the wider scope counts again."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_scope", "scope", "scope_id", "generation"),)

    generation: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    scope: str = Field(max_length=16)
    scope_id: str = Field(default="", max_length=48)
    bundle: str | None = Field(default=None, max_length=64)
    reason: str = Field(default="", max_length=200)
    created_by: str = Field(max_length=40)
    created_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)


class TerminalStatus(SQLModel, table=True):
    """The newest heartbeat of a terminal, written a second or two after it was heard."""

    __tablename__ = "terminal_status"

    terminal: str = Field(primary_key=True, max_length=48)
    heard_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)
    heartbeat: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    reported_since: dt.datetime = Field(sa_type=UtcDateTime)


class TerminalCreate(BaseModel):
    id: str = Checked(pattern=NAME)
    site: str = Checked(pattern=NAME)
    group: str | None = Checked(default=None, pattern=NAME)
    ring: str | None = Checked(default=None, pattern=NAME)


class SiteCreate(BaseModel):
    id: str = Checked(pattern=NAME)
    name: str = Checked(min_length=1, max_length=120)
    address: str = Checked(default="", max_length=200)


class EnrolmentCodePublic(BaseModel):
    """Shown once: the server keeps only its hash."""

    terminal: str
    code: str
    expires_at: dt.datetime


class TerminalPublic(BaseModel):
    """A terminal as staff see it. `is_converged`: what it runs is, by its own signed word, what it should run."""

    id: str
    site: str
    group: str | None
    ring: str | None
    enrolled_at: dt.datetime | None
    revoked_at: dt.datetime | None
    heard_at: dt.datetime | None
    stage: str | None
    version: str | None
    desired_generation: int | None
    desired_bundle: str | None
    reported_bundle: str | None
    reported_result: str | None
    refused_reason: str | None
    refused_detail: str | None
    is_converged: bool
