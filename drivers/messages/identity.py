"""The resident identity card (domain.md 1.7, DESIGN 2.5; device-classes C.1)."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pydantic import ConfigDict, Field

from drivers.messages.common import Message


class CardType(StrEnum):
    RESIDENT = "resident"
    HMT_RESIDENCE = "hmt_residence"  # J: Hong Kong, Macao and Taiwan residents
    FOREIGN_PERMANENT_2017 = "foreign_permanent_2017"  # I
    FOREIGN_PERMANENT_2023 = "foreign_permanent_2023"  # Y
    TRAVEL_PERMIT = "travel_permit"  # machine-readable zone: residents of Hong Kong, Macao and Taiwan
    PASSPORT = "passport"  # machine-readable zone


class IdCard(Message):
    """What was read from an identity card. Absent items are None; `valid_until` None means 长期 (no end).

    `photo` holds the chip's 1,024 bytes as read (WLT, or a sample card's own form); it is None when not asked for.
    """

    card_type: CardType
    name: str | None = Field(default=None, repr=False)
    name_latin: str | None = Field(default=None, repr=False)
    sex: str | None = Field(default=None, description="GB/T 2261.1: 0, 1, 2 or 9", repr=False)
    nation_code: str | None = Field(default=None, repr=False)
    nation: str | None = Field(default=None, repr=False)
    birth_date: dt.date | None = Field(default=None, repr=False)
    address: str | None = Field(default=None, repr=False)
    id_number: str | None = Field(default=None, repr=False)
    issuer: str | None = Field(default=None, repr=False)
    valid_from: dt.date | None = Field(default=None, repr=False)
    valid_until: dt.date | None = Field(default=None, repr=False)
    permit_number: str | None = Field(default=None, repr=False)
    issue_count: str | None = Field(default=None, repr=False)
    country: str | None = Field(default=None, repr=False)
    sam_id: str | None = None
    new_address: str | None = Field(default=None, repr=False)
    photo: bytes | None = Field(default=None, repr=False)

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
