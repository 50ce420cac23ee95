"""The ground all contracts stand on: frozen models, localized text, canonical bytes, masking, identity numbers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

LANGUAGES = ("zh-CN", "zh-TW", "en")
CITY_TIME = dt.timezone(dt.timedelta(hours=8), "UTC+8")
"""China keeps one time. What citizens read is in it, whatever the machine's own clock is set to."""


class Language(StrEnum):
    ZH_CN = "zh-CN"
    ZH_TW = "zh-TW"
    EN = "en"


class Contract(BaseModel):
    """A frozen value of the shared language. Unknown keys are refused; strings stay out of the parser's cache."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, cache_strings="none", ser_json_bytes="base64",
        val_json_bytes="base64",
    )  # fmt: skip


class Collected(Contract):
    """A value the server collects from terminals of any version: unknown keys are kept, not refused."""

    model_config = ConfigDict(extra="allow")


class LocalizedText(Contract):
    """One sentence in the three languages; all must be present."""

    zh_cn: str = Field(alias="zh-CN", min_length=1)
    zh_tw: str = Field(alias="zh-TW", min_length=1)
    en: str = Field(min_length=1)

    def in_language(self, language: Language) -> str:
        match language:
            case Language.ZH_CN:
                return self.zh_cn
            case Language.ZH_TW:
                return self.zh_tw
            case Language.EN:
                return self.en

    def format(self, **values: object) -> LocalizedText:
        """The same sentence with `{name}` places filled in, in all languages."""
        return LocalizedText(
            zh_cn=self.zh_cn.format(**values), zh_tw=self.zh_tw.format(**values), en=self.en.format(**values)
        )


def plain(text: str) -> LocalizedText:
    """A text that reads the same in every language: a number, a name."""
    return LocalizedText(zh_cn=text, zh_tw=text, en=text)


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 in the part we use: sorted keys, no spaces, UTF-8, no floats. What is hashed and signed."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True)
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("canonical bytes hold no floats: use integers with a unit, or text")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- identity numbers and masking (GB 11643, domain.md 1.10; 6.6: first 3 and last 2 at most) -----------------------

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def is_identity_number(number: str, today: dt.date) -> bool:
    """True when the check character (ISO 7064 MOD 11-2) holds and the birth date exists and is not to come."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return False
    if (
        _CHECKS[sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True)) % 11]
        != number[17]
    ):
        return False
    try:
        return dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14])) <= today
    except ValueError:
        return False


def masked_number(number: str) -> str:
    """First three and last two characters stay: 350*************17."""
    if len(number) <= 5:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def masked_name(name: str) -> str:
    """The family name stays: 林**. One character is all that stays of any name."""
    return name[:1] + "*" * max(len(name) - 1, 1) if name else ""


def masked_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-2:] if len(phone) >= 7 else "*" * len(phone)
