"""What people read and write: texts in three languages, kinds of entries, masked values (domain.md 6.6).

Stands on nothing but Python: the screen is painted before anything else is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

LANGUAGES = ("zh-CN", "zh-TW", "en")


class Language(StrEnum):
    ZH_CN = "zh-CN"
    ZH_TW = "zh-TW"
    EN = "en"


class FieldKind(StrEnum):
    """How a citizen writes a value."""

    TEXT = "text"
    CHOICE = "choice"
    PHONE = "phone"
    DATE = "date"
    IDENTITY_NUMBER = "identity_number"
    PLATE = "plate"
    CREDIT_CODE = "credit_code"
    MONEY = "money"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """One sentence in the three languages; all must be present. In a contract: an object with their three codes."""

    zh_cn: str
    zh_tw: str
    en: str

    def __post_init__(self) -> None:
        if not (self.zh_cn and self.zh_tw and self.en):
            raise ValueError("a text is missing in one of the languages zh-CN, zh-TW, en")

    @staticmethod
    def of(texts: Mapping[str, str]) -> LocalizedText:
        """From `{"zh-CN": …, "zh-TW": …, "en": …}`. Raises `ValueError` when one is missing."""
        return LocalizedText(*(texts.get(language, "") for language in LANGUAGES))

    def by_language(self) -> dict[str, str]:
        """`{"zh-CN": …, "zh-TW": …, "en": …}`"""
        return dict(zip(LANGUAGES, (self.zh_cn, self.zh_tw, self.en), strict=True))

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

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        from pydantic_core import core_schema  # noqa: PLC0415 (only contracts need it, and they have it)

        def of_language(name: str, language: str) -> core_schema.DataclassField:
            text = core_schema.str_schema(min_length=1)
            return core_schema.dataclass_field(
                name, text, kw_only=True, validation_alias=language, serialization_alias=language
            )

        names = ["zh_cn", "zh_tw", "en"]
        fields = [of_language(*pair) for pair in zip(names, LANGUAGES, strict=True)]
        return core_schema.dataclass_schema(
            cls,
            core_schema.dataclass_args_schema(cls.__name__, fields, extra_behavior="forbid"),
            names,
            ref=f"{cls.__module__}.{cls.__qualname__}:{id(cls)}",
            slots=True,
            frozen=True,
            config=core_schema.CoreConfig(
                validate_by_alias=True, validate_by_name=True, cache_strings="none", title=cls.__name__
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "additionalProperties": False}


def plain(text: str) -> LocalizedText:
    """A text that reads the same in every language: a number, a name."""
    return LocalizedText(zh_cn=text, zh_tw=text, en=text)


MOST_STARS = 3


def masked_number(number: str) -> str:
    """First three and last two characters stay: 350*************17."""
    if len(number) <= 5:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 5) + number[-2:]


def masked_name(name: str) -> str:
    """The family name stays: 林**. One character is all that stays of any name; a long one does not say how long."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), MOST_STARS) if name else ""


def masked_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-2:] if len(phone) >= 7 else "*" * len(phone)
