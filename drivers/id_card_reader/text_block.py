"""The 256 bytes of text on a card, in its four layouts (domain.md 1.7): UTF-16LE, padded with blanks.

Every layout keeps the number at 122, its two dates at 188 and 204 and its type at 248; the type decides everything
else and is looked at first.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from drivers.errors import MediaError
from drivers.id_card_reader.citizen_number import parse_date, problem_of
from drivers.messages import CardType, IdCard

BLOCK_BYTES: Final = 256
ADDRESS_BYTES: Final = 70
WITHOUT_END: Final = "长期"
UNKNOWN_NATION: Final = "unknown"


class Place(NamedTuple):
    """Where a field lies: offset and size in bytes."""

    offset: int
    size: int


TYPE: Final = Place(248, 2)
BIRTH_AND_VALIDITY: Final = ("birth_date", "valid_from", "valid_until")

_COMMON: Final = {
    "name": Place(0, 30),
    "sex": Place(30, 2),
    "birth_date": Place(36, 16),
    "id_number": Place(122, 36),
    "valid_from": Place(188, 16),
    "valid_until": Place(204, 16),
}
_RESIDENT: Final = _COMMON | {"nation_code": Place(32, 4), "address": Place(52, 70), "issuer": Place(158, 30)}
_HMT_RESIDENCE: Final = _COMMON | {
    "address": Place(52, 70),
    "issuer": Place(158, 30),
    "permit_number": Place(220, 18),
    "issue_count": Place(238, 4),
}
_FOREIGN_2017: Final = {
    "name_latin": Place(0, 120),
    "sex": Place(120, 2),
    "permit_number": Place(122, 30),
    "country": Place(152, 6),
    "name": Place(158, 30),
    "valid_from": Place(188, 16),
    "valid_until": Place(204, 16),
    "birth_date": Place(220, 16),
}
_FOREIGN_2023: Final = _COMMON | {
    "issue_count": Place(32, 4),
    "name_latin": Place(52, 70),
    "name_latin_rest": Place(220, 22),
    "country": Place(242, 6),
}

LAYOUTS: Final = {
    CardType.RESIDENT: _RESIDENT,
    CardType.HMT_RESIDENCE: _HMT_RESIDENCE,
    CardType.FOREIGN_PERMANENT_2017: _FOREIGN_2017,
    CardType.FOREIGN_PERMANENT_2023: _FOREIGN_2023,
}
TYPE_LETTERS: Final = {
    "": CardType.RESIDENT,
    "J": CardType.HMT_RESIDENCE,
    "I": CardType.FOREIGN_PERMANENT_2017,
    "Y": CardType.FOREIGN_PERMANENT_2023,
}
_NUMBERED_BY_GB_11643: Final = (CardType.RESIDENT, CardType.HMT_RESIDENCE)

# GB/T 3304: two digits of code, then the name.
_GB_3304: Final = (
    "01汉 02蒙古 03回 04藏 05维吾尔 06苗 07彝 08壮 09布依 10朝鲜 11满 12侗 13瑶 14白 15土家 16哈尼 "
    "17哈萨克 18傣 19黎 20傈僳 21佤 22畲 23高山 24拉祜 25水 26东乡 27纳西 28景颇 29柯尔克孜 30土 31达斡尔 "
    "32仫佬 33羌 34布朗 35撒拉 36毛南 37仡佬 38锡伯 39阿昌 40普米 41塔吉克 42怒 43乌孜别克 44俄罗斯 "
    "45鄂温克 46德昂 47保安 48裕固 49京 50塔塔尔 51独龙 52鄂伦春 53赫哲 54门巴 55珞巴 56基诺 97其他 "
    "98外国血统中国籍人士"
)
NATIONS: Final = {entry[:2]: entry[2:] for entry in _GB_3304.split()}


def decode_text_block(block: bytes) -> IdCard:
    """The card's fields, without photo, SAM id and new address.

    Raises `MediaError`: `wrong_card_type` for a type nobody knows, `decode_failed` for a block that is cut, is no text
    or contradicts itself. Its message names the field and never its value.
    """
    if len(block) != BLOCK_BYTES:
        raise _undecodable(f"the text has {len(block)} bytes instead of {BLOCK_BYTES}")
    card_type = TYPE_LETTERS.get(_text(block, TYPE, "type"))
    if card_type is None:
        raise MediaError("the card is of a type this driver does not know", "wrong_card_type")
    fields = {field: _raw(block, place, field) for field, place in LAYOUTS[card_type].items()}
    fields["name_latin"] = fields.get("name_latin", "") + fields.pop("name_latin_rest", "")
    texts = {field: text.strip() or None for field, text in fields.items() if field not in BIRTH_AND_VALIDITY}
    card = IdCard(
        card_type=card_type,
        birth_date=_date(fields["birth_date"], "birth date"),
        valid_from=_date(fields["valid_from"], "first day of validity"),
        valid_until=_end_of_validity(fields["valid_until"]),
        nation=_nation(texts.get("nation_code")),
        **texts,
    )
    _check_number(card)
    return card


def decode_new_address(data: bytes) -> str | None:
    """The address of a 30 03 answer, or None when there is none. Raises `MediaError` (`decode_failed`)."""
    return _text(data, Place(0, ADDRESS_BYTES), "new address") or None


def encode_text_block(card: IdCard) -> bytes:
    """The 256 bytes a card with these fields holds. Raises `ValueError` for a field that does not fit its place."""
    layout = LAYOUTS.get(card.card_type)
    if layout is None:
        raise ValueError(f"no chip of this kind holds a {card.card_type}")
    block = bytearray(_padded("", Place(0, BLOCK_BYTES)))
    for field, place in layout.items():
        block[place.offset : place.offset + place.size] = _padded(_written(card, field, layout), place)
    letter = next(letter for letter, card_type in TYPE_LETTERS.items() if card_type is card.card_type)
    block[TYPE.offset : TYPE.offset + TYPE.size] = _padded(letter, TYPE)
    return bytes(block)


def encode_new_address(address: str) -> bytes:
    """The 70 bytes of a 30 03 answer. Raises `ValueError` when the address is too long."""
    return _padded(address, Place(0, ADDRESS_BYTES))


def _raw(block: bytes, place: Place, field: str) -> str:
    """The field as it lies there; some readers pad with NUL instead of blanks."""
    try:
        return block[place.offset : place.offset + place.size].decode("utf-16-le").replace("\0", " ")
    except UnicodeDecodeError as error:
        # No cause is chained: its text would quote the bytes.
        raise _undecodable(f"the {field.replace('_', ' ')} is not UTF-16 ({error.reason})") from None


def _text(block: bytes, place: Place, field: str) -> str:
    return _raw(block, place, field).strip()


def _date(text: str, field: str) -> dt.date:
    date = parse_date(text.strip())
    if date is None:
        raise _undecodable(f"the {field} is not a date")
    return date


def _end_of_validity(text: str) -> dt.date | None:
    return None if text.strip() == WITHOUT_END else _date(text, "last day of validity")


def _nation(code: str | None) -> str | None:
    return None if code is None else NATIONS.get(code, UNKNOWN_NATION)


def _check_number(card: IdCard) -> None:
    if card.card_type not in _NUMBERED_BY_GB_11643:
        return
    problem = problem_of(card.id_number or "", birth_date=card.birth_date, sex=card.sex)
    if problem:
        raise _undecodable(problem)


def _undecodable(why: str) -> MediaError:
    return MediaError(f"the card was read but makes no sense: {why}", "decode_failed")


def _written(card: IdCard, field: str, layout: dict[str, Place]) -> str:
    if field.startswith("name_latin"):
        latin = card.name_latin or ""
        first = layout["name_latin"].size // 2
        return latin[first:] if field == "name_latin_rest" else latin[: first if "name_latin_rest" in layout else None]
    value = getattr(card, field)
    if isinstance(value, dt.date):
        return f"{value:%Y%m%d}"
    return WITHOUT_END if field == "valid_until" and value is None else value or ""


def _padded(text: str, place: Place) -> bytes:
    encoded = text.encode("utf-16-le")
    if len(encoded) > place.size:
        raise ValueError(f"{len(encoded)} bytes do not fit the {place.size} of their place")
    return encoded + " ".encode("utf-16-le") * ((place.size - len(encoded)) // 2)
