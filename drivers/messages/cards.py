"""Chip cards read and written, and cards printed anew (device-classes C.2; domain.md section 3)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self

from pydantic import ConfigDict, Field

from drivers.messages.common import ActResult, Message


class CardInterface(StrEnum):
    CONTACT = "contact"
    CONTACTLESS = "contactless"


class ChipCard(Message):
    """A card whose chip answers. `atr` in hexadecimal."""

    interface: CardInterface
    atr: str


class SocialSecurityCard(Message):
    """EF05 and EF06 of a social-security card (LD/T 32-2015; domain.md 3.2). What the chip does not give is None."""

    specification: str = Field(description="EF05 record 3: 1.00, 2.00 or 3.00; it decides the record plan")
    identification_code: str = Field(repr=False, description="EF05 record 1, hexadecimal")
    area_code: str = Field(description="issuing area, the first three bytes of the identification code")
    card_class: str | None = None
    issued_on: dt.date | None = None
    expires_on: dt.date | None = None
    card_number: str | None = Field(default=None, repr=False)
    social_security_number: str | None = Field(default=None, repr=False)
    name: str | None = Field(default=None, repr=False)
    sex: str | None = Field(default=None, repr=False, description="GB/T 2261.1")
    nation_code: str | None = Field(default=None, repr=False)
    birth_place: str | None = Field(default=None, repr=False)
    birth_date: dt.date | None = Field(default=None, repr=False)


class BankCard(Message):
    """What the bank's application of a chip card shows freely (JR/T 0025). Kept nowhere, not logged, not journalled."""

    number: str = Field(repr=False, pattern=r"^[0-9]{13,19}$", description="its check digit is right")
    expires_on: dt.date | None = Field(default=None, description="the last day it is good")

    @property
    def last_digits(self) -> str:
        """The only part of the number that may be shown or written anywhere."""
        return f"****{self.number[-4:]}"


class PinResult(Message):
    """`tries_left` None when the card does not say. A blocked card is never tried again."""

    accepted: bool
    tries_left: int | None = None
    blocked: bool = False


class WriteOutcome(StrEnum):
    WRITTEN = "written"  # and read back
    FAILED = "failed"  # the card holds what it held before
    UNCERTAIN = "uncertain"  # pulled in the write: the next insert of the same card must be read first


class RecordWrite(Message):
    """One record. `write_id` is the caller's, kept on disk: the same id is never written twice."""

    write_id: str
    file: str = Field(pattern=r"^EF[0-9A-F]{2}$")
    record: int = Field(ge=1, le=254)
    value: bytes = Field(repr=False)
    expected_before: bytes | None = Field(default=None, repr=False, description="refused when the card holds another")
    identification_code: str | None = Field(
        default=None, repr=False, description="of the card it is meant for, from its profile: another card is refused"
    )

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class WriteResult(ActResult):
    write_id: str
    outcome: WriteOutcome
    reason: str = ""

    @classmethod
    def uncertain(cls, arguments: Mapping[str, Any], reason: str) -> Self:
        return cls(write_id=arguments["write"].write_id, outcome=WriteOutcome.UNCERTAIN, reason=reason)


# --- cards written and printed anew (domain.md 3.4) ----------------------------------------------------------------


class Endorsement(Message):
    """One endorsement of a permit, for example one journey within six months."""

    kind: str = Field(max_length=8)
    valid_from: dt.date
    valid_until: dt.date
    journeys: int = Field(default=1, ge=0, le=255, description="0 = any number")


class RewritableCard(Message):
    """What the chip of a re-writable card holds."""

    card_number: str = Field(repr=False)
    holder: str = Field(default="", repr=False)
    endorsements: tuple[Endorsement, ...] = ()
    last_job_id: str = Field(default="", description="job of the last endorsement written, kept on the chip")
    print_pending: bool = Field(default=False, description="the last endorsement is written and not yet printed")


class RewriteJob(Message):
    """One endorsement to write and print. `card_number` must be the card's own; `token` authorises the write."""

    job_id: str
    card_number: str = Field(repr=False)
    endorsement: Endorsement
    print_lines: tuple[str, ...] = Field(repr=False, max_length=8)
    token: bytes = Field(default=b"", repr=False)

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class RewriteOutcome(StrEnum):
    COMPLETED = "completed"  # chip written and read back, print erased and made anew
    PRINT_PENDING = "print_pending"  # chip written: print again, never write again
    FAILED = "failed"  # the chip holds what it held before
    UNCERTAIN = "uncertain"  # read the chip before anything else


class RewriteResult(ActResult):
    job_id: str
    outcome: RewriteOutcome
    reason: str = ""

    @classmethod
    def uncertain(cls, arguments: Mapping[str, Any], reason: str) -> Self:
        return cls(job_id=arguments["job"].job_id, outcome=RewriteOutcome.UNCERTAIN, reason=reason)
