"""Tables of the journal: heads, segments of exact bytes, searchable facts, and what was set aside."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, Column, LargeBinary
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime


class JournalHead(SQLModel, table=True):
    """How far one journal is stored: everything from 1 to `head_sequence`, without a gap."""

    __tablename__ = "journal_head"

    journal_id: str = Field(primary_key=True, max_length=64)
    terminal: str = Field(index=True, max_length=48)
    head_sequence: int
    head_hash: str = Field(max_length=64)
    stored_at: dt.datetime = Field(sa_type=UtcDateTime)
    opened_at: dt.datetime = Field(sa_type=UtcDateTime)


class JournalSegment(SQLModel, table=True):
    """One batch as it was received: these bytes, this encoding, these signature headers.

    `first_sequence` to `last_sequence` is what this batch added; `batch_first` is where the batch itself begins.
    """

    __tablename__ = "journal_segment"

    journal_id: str = Field(primary_key=True, foreign_key="journal_head.journal_id", max_length=64)
    last_sequence: int = Field(primary_key=True)
    first_sequence: int
    batch_first: int
    head_hash: str = Field(max_length=64)
    encoding: str = Field(default="", max_length=16)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    evidence: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    received_at: dt.datetime = Field(sa_type=UtcDateTime)


class Transaction(SQLModel, table=True):
    """The searchable facts of one citizen's run of one matter. Nothing here is personal in clear."""

    __tablename__ = "journal_transaction"

    journal_id: str = Field(primary_key=True, max_length=64)
    number: str = Field(primary_key=True, max_length=40, index=True)
    terminal: str = Field(index=True, max_length=48)
    matter: str = Field(default="", max_length=48, index=True)
    version: int | None = None
    bundle: str = Field(default="", max_length=64)
    begun_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    ended_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_sequence: int
    last_sequence: int
    disposition: str | None = Field(default=None, max_length=16, index=True)
    fault: str | None = Field(default=None, max_length=16)
    holder: str | None = Field(default=None, max_length=40)
    case_number: str | None = Field(default=None, max_length=80)
    rating: int | None = Field(default=None, index=True)
    rated_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    rating_reasons: list[str] = Field(default=[], sa_column=Column(JSON, nullable=False, server_default="[]"))
    printed: list[str] = Field(default=[], sa_column=Column(JSON, nullable=False))


class Poison(SQLModel, table=True):
    """An entry whose facts could not be read. It is stored and acknowledged with its segment like any other."""

    __tablename__ = "journal_poison"

    journal_id: str = Field(primary_key=True, max_length=64)
    sequence: int = Field(primary_key=True)
    reason: str = Field(max_length=200)
    noticed_at: dt.datetime = Field(sa_type=UtcDateTime)


class Quarantine(SQLModel, table=True):
    """A batch that contradicts what is stored, or that does not hold together: kept whole, alarmed, never merged."""

    __tablename__ = "journal_quarantine"

    id: int | None = Field(default=None, primary_key=True)
    journal_id: str = Field(index=True, max_length=64)
    terminal: str = Field(index=True, max_length=48)
    kind: str = Field(max_length=32)
    sequence: int
    stored_hash: str = Field(default="", max_length=64)
    received_hash: str = Field(default="", max_length=64)
    content_sha256: str = Field(max_length=64, index=True)
    encoding: str = Field(default="", max_length=16)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    evidence: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    received_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)
    settled_by: str | None = Field(default=None, max_length=40)
    settled_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)


class TransactionPublic(BaseModel):
    journal_id: str
    number: str
    terminal: str
    matter: str
    version: int | None
    bundle: str
    begun_at: dt.datetime | None
    ended_at: dt.datetime | None
    disposition: str | None
    fault: str | None
    holder: str | None
    case_number: str | None
    rating: int | None
    printed: list[str]


class TimelineEntry(BaseModel):
    """One journal entry of a transaction as staff see it. `sentence` comes from the event catalogue."""

    sequence: int
    occurred_at: str
    event: str
    severity: str
    sentence: str
    data: dict[str, Any]
    hash: str


class ChainProof(BaseModel):
    """That these entries stand in the journal where they say: each link recomputed from the stored bytes just now."""

    journal_id: str
    terminal: str
    first_sequence: int
    last_sequence: int
    hashes: list[str]
    previous_hash: str
    head_sequence: int
    head_hash: str
    stored_at: dt.datetime
    checkpoint_signature: str
    is_whole: bool
    broken_at: int | None


class Lag(BaseModel):
    """What a terminal has written and the server has not stored: heard in the heartbeat minus acknowledged."""

    terminal: str
    journal_id: str
    heard_sequence: int
    acknowledged_sequence: int
    missing: int
    heard_at: dt.datetime
