"""The number of a bank card, and nothing else (JR/T 0025, EMV Book 1 part III and Book 3 part II; domain.md 3.2).

No PIN is asked for, no cryptogram is made, no payment is begun. GET PROCESSING OPTIONS says where the records lie.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

from drivers.errors import MediaError
from drivers.messages import BankCard
from drivers.smart_card_reader import apdu

DIRECTORIES: Final = (b"1PAY.SYS.DDF01", b"2PAY.SYS.DDF01")
"""With contacts, and without."""
UNIONPAY: Final = bytes.fromhex("A000000333")
"""The registered provider: a card whose directory is silent is asked by this part of the name."""
APPLICATION_BLOCKED: Final = 0x6283
CARD_BLOCKED: Final = 0x6A81
TRANSACTION_QUALIFIERS: Final = 0x9F66
TEMPLATE, NUMBER, EXPIRY, TRACK_2, LOCATOR = 0x70, 0x5A, 0x5F24, 0x57, 0x94
MOST_RECORDS: Final = 32
SHORT_IDENTIFIERS: Final = range(1, 31)
DEEPEST: Final = 4

Exchange = Callable[[bytes], apdu.Answer]
Items = dict[int, list[bytes]]


def read(exchange: Exchange) -> BankCard:
    """Raises `MediaError`: `no_bank_application`, `bank_application_blocked`, `read_failed`; never says a value."""
    control = _select_application(exchange)
    found: Items = {}
    for sfi, record in _records(exchange, control, found):
        answer = exchange(apdu.read_record(record, sfi << 3 | 0x04, 0x00))
        if answer.is_done:
            _collect(answer.data, found)
        if NUMBER in found and EXPIRY in found:
            break
    return decode(found)


def decode(found: Items) -> BankCard:
    """Number and expiry out of a card's items. Raises `MediaError` (`read_failed`)."""
    number, expiry = _first(found, NUMBER).hex().rstrip("f"), _first(found, EXPIRY).hex()
    if not number:
        number, _, rest = _first(found, TRACK_2).hex().partition("d")
        expiry = expiry or f"{rest[:4]}28"
    if not (number.isdecimal() and 13 <= len(number) <= 19 and _checks(number)):
        raise _damaged("its number is none")
    return BankCard(number=number, expires_on=_date(expiry))


def _select_application(exchange: Exchange) -> Items:
    listed = _listed(exchange)
    names = [name for name in listed if name.startswith(UNIONPAY)] if listed else [UNIONPAY]
    is_blocked = False
    for name in names:
        answer = _selected(exchange, name)
        if answer.is_done:
            control: Items = {}
            _collect(answer.data, control)
            return control
        is_blocked = is_blocked or answer.status in (APPLICATION_BLOCKED, CARD_BLOCKED)
    if is_blocked:
        raise MediaError("the bank has blocked this card", "bank_application_blocked")
    raise MediaError("this card is no bank card of UnionPay", "no_bank_application")


def _listed(exchange: Exchange) -> list[bytes]:
    """The applications the card's directory lists, in its order; none where it has no directory."""
    for directory in DIRECTORIES:
        answer = _selected(exchange, directory)
        if not answer.is_done:
            continue
        items: Items = {}
        _collect(answer.data, items)
        sfi = _first(items, 0x88)
        for record in range(1, MOST_RECORDS) if len(sfi) == 1 and sfi[0] in SHORT_IDENTIFIERS else ():
            listing = exchange(apdu.read_record(record, sfi[0] << 3 | 0x04, 0x00))
            if not listing.is_done:
                break
            _collect(listing.data, items)
        return items.get(0x4F, [])
    return []


def _selected(exchange: Exchange, name: bytes) -> apdu.Answer:
    answer = exchange(apdu.select_name(name, expects_answer=False))
    return exchange(apdu.select_name(name, expects_answer=True)) if answer.status == apdu.WRONG_LENGTH else answer


def _records(exchange: Exchange, control: Items, found: Items) -> Iterator[tuple[int, int]]:
    """Where the records lie; what the answer itself carries goes into `found`."""
    answer = exchange(_options(_first(control, 0x9F38)))
    if not answer.is_done or not answer.data:
        raise _damaged("it does not say where its records lie")
    if answer.data[0] == 0x80:
        locator = (parse(answer.data)[0][1])[2:]
    else:
        _collect(answer.data, found)
        locator = _first(found, LOCATOR)
    places = [
        (locator[at] >> 3, record)
        for at in range(0, len(locator) - 3, 4)
        for record in range(locator[at + 1], locator[at + 2] + 1)
    ]
    yield from places[:MOST_RECORDS]


def _options(wanted: bytes) -> bytes:
    """GET PROCESSING OPTIONS; what the card wants to know of a payment is zero, for there is none."""
    data, at = b"", 0
    while at < len(wanted):
        tag, at = _tag(wanted, at)
        length = wanted[at] if at < len(wanted) else 0
        at += 1
        # qPBOC refuses a terminal that cannot do it (JR/T 0025.12): bit 6 of the first byte says that this one can.
        filled = b"\x20" if tag == TRANSACTION_QUALIFIERS else b""
        data += filled.ljust(length, b"\x00")[:length]
    if len(data) > 0x7F:
        raise _damaged("it asks for more than fits")
    return bytes((0x80, 0xA8, 0x00, 0x00, len(data) + 2, 0x83, len(data))) + data + b"\x00"


# --- BER-TLV (ISO/IEC 8825-1, as EMV Book 3 annex B uses it) ---------------------------------------------------------


def parse(data: bytes) -> list[tuple[int, bytes]]:
    """Tags and values of one level; padding between them is passed over. Raises `MediaError` (`read_failed`)."""
    items, at = [], 0
    while at < len(data):
        if data[at] in (0x00, 0xFF):
            at += 1
            continue
        tag, at = _tag(data, at)
        length, at = _length(data, at)
        if at + length > len(data):
            raise _damaged("a value is cut off")
        items.append((tag, data[at : at + length]))
        at += length
    return items


def _collect(data: bytes, items: Items, depth: int = 0) -> None:
    for tag, value in parse(data):
        if depth < DEEPEST and _is_constructed(tag):
            _collect(value, items, depth + 1)
        else:
            items.setdefault(tag, []).append(value)


def _is_constructed(tag: int) -> bool:
    return bool((tag >> 8 if tag > 0xFF else tag) & 0x20)


def _tag(data: bytes, at: int) -> tuple[int, int]:
    tag = data[at]
    if tag & 0x1F != 0x1F:
        return tag, at + 1
    if at + 1 >= len(data) or data[at + 1] & 0x80:
        raise _damaged("a tag is none")
    return tag << 8 | data[at + 1], at + 2


def _length(data: bytes, at: int) -> tuple[int, int]:
    if at < len(data) and data[at] < 0x80:
        return data[at], at + 1
    size = data[at] & 0x7F if at < len(data) else 0
    if size not in (1, 2) or at + size >= len(data):
        raise _damaged("a length is none")
    return int.from_bytes(data[at + 1 : at + 1 + size]), at + 1 + size


def _first(items: Items, tag: int) -> bytes:
    return items[tag][0] if items.get(tag) else b""


def _checks(number: str) -> bool:
    """The last digit is right (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def _date(expiry: str) -> dt.date | None:
    """BCD yymmdd; a day that is none is not known."""
    try:
        return dt.date(2000 + int(expiry[:2]), int(expiry[2:4]), int(expiry[4:6]))
    except ValueError:
        return None


def _damaged(what: str) -> MediaError:
    return MediaError(f"the bank card's chip cannot be read: {what}", "read_failed")
