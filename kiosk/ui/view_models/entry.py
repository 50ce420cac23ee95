"""How an entry is written on the screen: its keyboard, what it takes, what is legible of it, what is wrong with it."""

from __future__ import annotations

import datetime as dt

from kiosk.contracts.entries import (
    CITY_TIME,
    CREDIT_CODE_CHARACTERS,
    PLATE_ENDINGS,
    PLATE_LETTERS,
    PLATE_PROVINCES,
    entry_mistake,
)
from kiosk.contracts.text import FieldKind, LocalizedText, masked_number, masked_phone
from kiosk.flow.screens import FormItem

IDENTITY_LENGTH = 18
PHONE_LENGTH = 11
DATE_DIGITS = 8
CREDIT_CODE_LENGTH = 18
LONGEST_PLATE = 8
YUAN_DIGITS = 9

_DIGITS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "0")
KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "province": (
        ("闽", "粤", "浙", "赣", "沪", "京", "津", "渝"),
        ("苏", "皖", "鲁", "鄂", "湘", "豫", "冀", "晋"),
        ("桂", "琼", "川", "贵", "云", "陕", "甘", "青"),
        ("宁", "新", "藏", "蒙", "辽", "吉", "黑", "backspace"),
    ),
    "plate": (
        _DIGITS,
        ("Q", "W", "E", "R", "T", "Y", "U", "P", "学", "警"),
        ("A", "S", "D", "F", "G", "H", "J", "K", "L", "港"),
        ("Z", "X", "C", "V", "B", "N", "M", "挂", "澳", "backspace"),
    ),
    "credit_code": (
        _DIGITS,
        ("Q", "W", "E", "R", "T", "Y", "U", "P"),
        ("A", "D", "F", "G", "H", "J", "K", "L"),
        ("X", "C", "B", "N", "M", "backspace"),
    ),
}
"""Keyboards for numbers that have letters: only what such a number holds. The home province's row comes first."""


def pad_of(item: FormItem) -> str:
    match item.kind:
        case FieldKind.CHOICE:
            return ""
        case FieldKind.IDENTITY_NUMBER:
            return "identity"
        case FieldKind.PHONE | FieldKind.DATE | FieldKind.NUMBER | "code" | "pin":
            return "number"
        case FieldKind.MONEY:
            return "money"
        case FieldKind.PLATE | FieldKind.CREDIT_CODE:
            return "keys"
        case FieldKind.TEXT:
            return "text"


def keys_of(item: FormItem, value: str) -> tuple[tuple[str, ...], ...]:
    """The keys of a number with letters; a plate begins with its province."""
    if item.kind is FieldKind.PLATE:
        return KEYS["plate" if value else "province"]
    return KEYS["credit_code"] if item.kind is FieldKind.CREDIT_CODE else ()


def written(item: FormItem, value: str, text: str) -> str:
    """The value after `text` was typed: only what the kind allows, never longer than it may be."""
    match item.kind:
        case FieldKind.IDENTITY_NUMBER:
            allowed = "".join(each for each in text.upper() if each.isdecimal() or each == "X")
            new = (value + allowed)[:IDENTITY_LENGTH]
        case FieldKind.PHONE:
            new = _digits(value + text)[:PHONE_LENGTH]
        case FieldKind.DATE:
            new = _dashed(_digits(value + text)[:DATE_DIGITS])
        case "code" | "pin" | FieldKind.NUMBER:
            new = _digits(value + text)[: item.max_length]
        case FieldKind.MONEY:
            new = _yuan(value + text)
        case FieldKind.PLATE:
            new = _plate(value + text.upper())
        case FieldKind.CREDIT_CODE:
            allowed = "".join(each for each in text.upper() if each in CREDIT_CODE_CHARACTERS)
            new = (value + allowed)[:CREDIT_CODE_LENGTH]
        case _:
            new = (value + text)[: item.max_length]
    return new


def erased(item: FormItem, value: str) -> str:
    return _dashed(_digits(value)[:-1]) if item.kind is FieldKind.DATE else value[:-1]


def shown(item: FormItem, value: str, is_current: bool) -> str:
    """Numbers of a person are legible only while they are typed, a PIN never."""
    if item.kind == "pin":
        return "•" * len(value)
    if is_current or not value:
        return value
    match item.kind:
        case FieldKind.IDENTITY_NUMBER:
            return masked_number(value)
        case FieldKind.PHONE:
            return masked_phone(value)
        case "code":
            return "•" * len(value)
        case _:
            return value


def error_of(item: FormItem, value: str, is_current: bool) -> LocalizedText | None:
    """What the flow found wrong, until it is changed; else what shows to be wrong once a field was left."""
    if value == item.value and item.error is not None:
        return item.error
    if is_current or not value or item.kind == "code" or item.kind == "pin":  # noqa: PLR1714 (it narrows the type)
        return None
    choices = {each.id for each in item.choices}
    today = dt.datetime.now(CITY_TIME).date()
    return entry_mistake(item.kind, value.strip(), today=today, longest=item.max_length, choices=choices)


def _yuan(text: str) -> str:
    """As much of it as is an amount: digits, one point, two digits after it."""
    whole, point, rest = text.partition(".")
    yuan = _digits(whole)[:YUAN_DIGITS].lstrip("0") or ("0" if whole else "")
    return yuan + (point and "." + _digits(rest)[:2])


def _plate(text: str) -> str:
    """As much of it as a plate may hold: a province, then letters and digits."""
    written = ""
    for each in text:
        allowed = PLATE_PROVINCES if not written else PLATE_LETTERS + "0123456789" + PLATE_ENDINGS
        written += each if each in allowed else ""
    return written[:LONGEST_PLATE]


def _digits(text: str) -> str:
    return "".join(each for each in text if "0" <= each <= "9")


def _dashed(digits: str) -> str:
    """Year, month and day with dashes between, as far as they have been typed."""
    return "-".join(part for part in (digits[:4], digits[4:6], digits[6:8]) if part)
