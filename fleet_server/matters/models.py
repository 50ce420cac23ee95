"""Tables of drafts, submissions, published versions and bundles."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel
from pydantic import Field as Checked
from sqlalchemy import JSON, Column, Text
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime, now
from fleet_server.terminals.models import Scope
from kiosk.contracts.bundle import MAXIMUM_MATTER_BYTES


class DraftState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"


class SubmissionState(StrEnum):
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    RETURNED = "returned"
    SUPERSEDED = "superseded"  # something else was published meanwhile: the author signs again


class Draft(SQLModel, table=True):
    """A matter as an author writes it: YAML that was valid when it was saved."""

    __tablename__ = "matter_draft"

    id: int | None = Field(default=None, primary_key=True)
    matter: str = Field(max_length=48, index=True)
    version: int
    department: str = Field(max_length=48)
    title: str = Field(max_length=200)
    text: str = Field(sa_column=Column(Text, nullable=False))
    author: str = Field(max_length=40, index=True)
    state: str = Field(default=DraftState.DRAFT, max_length=16, index=True)
    updated_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Submission(SQLModel, table=True):
    """Drafts handed in together. `metadata_signed`: the metadata per role, carrying the author's signature."""

    __tablename__ = "submission"

    id: int | None = Field(default=None, primary_key=True)
    state: str = Field(default=SubmissionState.SUBMITTED, max_length=16, index=True)
    drafts: list[int] = Field(sa_column=Column(JSON, nullable=False))
    references: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    metadata_signed: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    contents: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    bundle: str = Field(max_length=64)
    scope: str = Field(max_length=16)
    scope_id: str = Field(default="", max_length=48)
    author: str = Field(max_length=40)
    submitted_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)
    reviewer: str | None = Field(default=None, max_length=40)
    decided_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    comment: str = Field(default="", max_length=500)
    generation: int | None = None


class MatterVersion(SQLModel, table=True):
    """A published version. Never edited."""

    __tablename__ = "matter_version"

    matter: str = Field(primary_key=True, max_length=48)
    version: int = Field(primary_key=True)
    title: str = Field(max_length=200)
    reference: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    text: str = Field(sa_column=Column(Text, nullable=False))
    submission: int = Field(foreign_key="submission.id")
    author: str = Field(max_length=40)
    reviewer: str = Field(max_length=40)
    published_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)


class PublishedBundle(SQLModel, table=True):
    """A bundle that exists, by its hash."""

    __tablename__ = "published_bundle"

    hash: str = Field(primary_key=True, max_length=64)
    contract_version: int
    step_kinds: list[str] = Field(sa_column=Column(JSON, nullable=False))
    matters: list[str] = Field(sa_column=Column(JSON, nullable=False))
    submission: int = Field(foreign_key="submission.id")
    published_at: dt.datetime = Field(default_factory=now, sa_type=UtcDateTime)


class DraftWrite(BaseModel):
    text: str = Checked(min_length=10, max_length=MAXIMUM_MATTER_BYTES)


class DraftPublic(BaseModel):
    id: int
    matter: str
    version: int
    department: str
    title: str
    author: str
    state: DraftState
    updated_at: dt.datetime


class SubmissionWrite(BaseModel):
    """`password` opens the author's signing key once more, for this signature."""

    drafts: list[int] = Checked(min_length=1, max_length=500)
    password: str = Checked(max_length=200)
    scope: Scope = Scope.ALL
    scope_id: str = Checked(default="", max_length=48)


class ReviewWrite(BaseModel):
    """`publish` signs with the reviewer's key and rolls out; `return` gives the drafts back to the author."""

    decision: Literal["publish", "return"]
    password: str = Checked(default="", max_length=200)
    comment: str = Checked(default="", max_length=500)


class SubmissionPublic(BaseModel):
    id: int
    state: SubmissionState
    matters: list[str]
    bundle: str
    scope: Scope
    scope_id: str
    author: str
    submitted_at: dt.datetime
    reviewer: str | None
    decided_at: dt.datetime | None
    comment: str
    generation: int | None

    @classmethod
    def of(cls, row: Submission) -> SubmissionPublic:
        matters = [f"{reference['id']} {reference['version']}" for reference in row.references]
        return cls(matters=matters, **row.model_dump(include=set(cls.model_fields) - {"matters"}))


class VersionPublic(BaseModel):
    matter: str
    version: int
    title: str
    author: str
    reviewer: str
    published_at: dt.datetime


class RollBackWrite(BaseModel):
    bundle: str = Checked(pattern=r"^[0-9a-f]{64}$")
    scope: Scope = Scope.ALL
    scope_id: str = Checked(default="", max_length=48)
    reason: str = Checked(min_length=3, max_length=200)


class RolledOut(BaseModel):
    generation: int
    bundle: str
