"""What lies on a social-security card, and how it is written (LD/T 32-2015; domain.md 3.2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from drivers.errors import MediaError
from drivers.messages import SocialSecurityCard

APPLICATION: Final = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
"""ASCII `sx1.sh.` and 社会保障 in GBK."""
ISSUER_FILE: Final = 0xEF05
HOLDER_FILE: Final = 0xEF06
REGISTERED_ISSUER: Final = bytes.fromhex("D156000005")
"""Follows the three bytes of the issuing area in the identification code."""
IDENTIFICATION_BYTES: Final = 16
PADDING: Final = b"\x00\x20\xff"
NO_DATES: Final = frozenset({"00000000", "99999999", "FFFFFFFF"})
FIRST_GENERATION: Final = "1"
GENERATIONS: Final = "123"


@dataclass(frozen=True)
class Item:
    """One record of a plan. Its tag says what it holds."""

    record: int
    tag: int
    value_bytes: int

    @property
    def expected(self) -> int:
        """Tag, length, value."""
        return self.value_bytes + 2


IDENTIFICATION: Final = Item(1, 0x01, IDENTIFICATION_BYTES)
SPECIFICATION: Final = Item(3, 0x03, 4)
ISSUER_PLAN: Final = (IDENTIFICATION, Item(2, 0x02, 1), SPECIFICATION, Item(5, 0x05, 4), Item(6, 0x06, 4),
                      Item(7, 0x07, 9))  # fmt: skip
"""Record 4, the body that initialised the card, says nothing anybody needs."""

_NUMBER, _NAME = Item(1, 0x08, 18), Item(2, 0x09, 30)
_SEX, _NATION, _PLACE, _BIRTH, _MORE_NAME = 0x0A, 0x0B, 0x0C, 0x0D, 0x4E
HOLDER_PLANS: Final = {
    "first": (_NUMBER, _NAME, Item(3, _SEX, 1), Item(4, _NATION, 1), Item(5, _PLACE, 3), Item(6, _BIRTH, 4)),
    "later": (
        _NUMBER, _NAME, Item(3, _MORE_NAME, 20), Item(4, _SEX, 1), Item(5, _NATION, 1), Item(6, _PLACE, 3),
        Item(7, _BIRTH, 4),
    ),
}  # fmt: skip
"""Record 3 is the sex on cards of the first generation, and the rest of a long name later."""

Values = dict[int, bytes]
"""Values by their tags."""


def holder_plan(specification: str) -> tuple[Item, ...]:
    return HOLDER_PLANS["first" if specification.startswith(FIRST_GENERATION) else "later"]


def split_record(data: bytes) -> tuple[int, bytes]:
    """Tag and value of a record; what follows the value is padding. Raises `MediaError` (`read_failed`)."""
    if len(data) < 2 or len(data) < 2 + data[1]:
        raise _damaged("a record is cut off")
    return data[0], data[2 : 2 + data[1]]


def join_record(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def specification_of(value: bytes) -> str:
    """`1.00`, `2.00` or `3.00`. Raises `MediaError` (`read_failed`)."""
    text = _text(value)
    if text is None or text[0] not in GENERATIONS:
        raise _damaged("its specification is none that is known")
    return text


def check_issuer(identification: bytes) -> None:
    """Raises `MediaError` (`wrong_issuer`): the application's name alone is no proof of what card this is."""
    if len(identification) != IDENTIFICATION_BYTES or identification[3:8] != REGISTERED_ISSUER:
        raise MediaError("this card was not issued as a social-security card", "wrong_issuer")
    _digits(identification[:3])


def decode_card(issuer: Values, holder: Values) -> SocialSecurityCard:
    """Raises `MediaError` (`read_failed`, `wrong_issuer`); never says a value."""
    identification = issuer[IDENTIFICATION.tag]
    check_issuer(identification)
    card_class = issuer.get(0x02)
    return SocialSecurityCard(
        specification=specification_of(issuer[SPECIFICATION.tag]),
        identification_code=identification.hex().upper(),
        area_code=_digits(identification[:3]),
        card_class=card_class.hex().upper() if card_class else None,
        issued_on=_date(issuer.get(0x05)),
        expires_on=_date(issuer.get(0x06)),
        card_number=_text(issuer.get(0x07)),
        social_security_number=_text(holder.get(_NUMBER.tag)),
        name=_name(holder.get(_NAME.tag), holder.get(_MORE_NAME)),
        sex=_digit(holder.get(_SEX)),
        nation_code=_code(holder.get(_NATION)),
        birth_place=_code(holder.get(_PLACE)),
        birth_date=_date(holder.get(_BIRTH)),
    )


def _name(first: bytes | None, more: bytes | None) -> str | None:
    """A long name goes on in its extension, at any byte: joined first, decoded then."""
    joined = (first or b"").rstrip(PADDING) + (more or b"").rstrip(PADDING)
    if not joined:
        return None
    try:
        return joined.decode("gb18030").strip() or None
    except UnicodeDecodeError:
        raise _damaged("its name is not GBK") from None


def _text(value: bytes | None) -> str | None:
    stripped = (value or b"").rstrip(PADDING)
    if not stripped:
        return None
    try:
        return stripped.decode("ascii").strip() or None
    except UnicodeDecodeError:
        raise _damaged("a text is not ASCII") from None


def _date(value: bytes | None) -> dt.date | None:
    """BCD yyyymmdd; zeros, nines or erased bytes say that there is none."""
    if not value or value.hex().upper() in NO_DATES:
        return None
    digits = _digits(value)
    try:
        return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        raise _damaged("a date is none") from None


def _code(value: bytes | None) -> str | None:
    return None if not value or not value.strip(b"\xff") else _digits(value)


def _digit(value: bytes | None) -> str | None:
    """A single digit, as a character or as BCD: both are seen."""
    if not value or value[0] in b"\x20\xff":
        return None
    return chr(value[0]) if 0x30 <= value[0] <= 0x39 else str(int(_digits(value[:1])))


def _digits(value: bytes) -> str:
    text = value.hex()
    if not text.isdecimal():
        raise _damaged("a number is not BCD")
    return text


def _damaged(what: str) -> MediaError:
    return MediaError(f"the chip's data cannot be used: {what}", "read_failed")
