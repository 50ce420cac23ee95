"""Slips and what came for them. Nothing here can be read without the token, which is stored nowhere."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, String
from sqlmodel import Field, SQLModel

from fleet_server.database import UtcDateTime


class HandoverSlip(SQLModel, table=True):
    """`phone` is the hash of the key of the one phone that opened it; empty until then."""

    __tablename__ = "handover_slip"

    id: str = Field(primary_key=True, max_length=32)
    terminal: str = Field(max_length=64, index=True)
    transaction_number: str = Field(max_length=40)
    step: str = Field(max_length=96)
    material: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    photos: int
    text: int
    phone: str = Field(default="", max_length=64)
    seen_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)
    uploads: int = 0
    expires_at: dt.datetime = Field(sa_type=UtcDateTime, index=True)


class HandoverPiece(SQLModel, table=True):
    """One photo or the text, sealed under the token's key (kiosk/contracts/handover.py)."""

    __tablename__ = "handover_piece"

    slip: str = Field(
        sa_column=Column(String(32), ForeignKey("handover_slip.id", ondelete="CASCADE"), primary_key=True)
    )
    place: int = Field(primary_key=True)
    kind: str = Field(max_length=8)
    sealed: bytes
