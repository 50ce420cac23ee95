"""What may be recorded: events of the catalogue, their fields, and never a personal value in clear."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from functools import cache
from typing import Any

from kiosk.contracts.events import EVENTS, Sensitivity
from kiosk.contracts.value import is_identity_number

_DIGEST = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?:[0-9a-f]{8}|[0-9a-f]{32})?(?![0-9A-Za-z])")
_IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_LONG = re.compile(r"[0-9]{17}")
_CALLED = re.compile(r"1[3-9]\d(?:[- ]?\d{4}){2}")
"""Where neither of the two stands there is no such number: one look is enough for most texts."""
_PHONE = re.compile(r"(?<!\d)(?:86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")


class NotRecordable(ValueError):
    """The entry is not in the catalogue, or would hold a personal value in clear. The value is never repeated."""


def recordable(event: str, transaction_number: str | None, data: dict[str, Any]) -> dict[str, Any]:
    """The fields as plain JSON values; raises `NotRecordable`, naming event and field."""
    masked = _masked_fields(event)
    if not transaction_number and EVENTS[event].pair == "transaction":
        raise NotRecordable(f"event {event} needs its transaction number")
    kept: dict[str, Any] = {}
    texts = [transaction_number or ""]
    for name, value in data.items():
        must_be_masked = masked.get(name)
        if must_be_masked is None:
            raise NotRecordable(f"event {event} has no field {name}")
        if type(value) is str:
            said = [value]
        else:
            value = _plain(value, event, name)  # noqa: PLW2901 (from here on the plain one counts)
            said = _texts(value)
        for text in said if must_be_masked else ():
            if text and "*" not in text:
                raise NotRecordable(f"{event}.{name}: is not masked: only masked values are recorded")
        texts += said
        kept[name] = value
    if holds_personal_number("\n".join(texts)):
        _refuse_personal(transaction_number, f"{event}: transaction number")
        for name, value in kept.items():
            _refuse_personal(value, f"{event}.{name}")
        raise NotRecordable(f"{event}: holds an identity or telephone number in clear: mask it first")
    return kept


@cache
def _masked_fields(event: str) -> dict[str, bool]:
    """Field → whether only masked values may stand in it."""
    if event not in EVENTS:
        raise NotRecordable(f"event {event!r} is not in the catalogue")
    return {field.name: field.sensitivity is Sensitivity.MASKED for field in EVENTS[event].fields}


def _plain(value: Any, event: str, name: str) -> Any:
    """JSON's own types; enums as their word, floats as text (canonical bytes hold none), sets in order."""
    match value:
        case None | bool():
            return value
        case str() | int():
            return str.__str__(value) if isinstance(value, str) else int(value)
        case float():
            return f"{value:.6g}"
        case dict():
            return {str(key): _plain(item, event, name) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = [_plain(item, event, name) for item in value]
            return sorted(items, key=str) if isinstance(value, set | frozenset) else items
        case _:
            raise NotRecordable(f"{event}.{name}: {type(value).__name__} cannot be recorded")


def _refuse_personal(value: Any, where: str) -> None:
    for text in _texts(value):
        if holds_personal_number(text):
            raise NotRecordable(f"{where}: holds an identity or telephone number in clear: mask it first")


def holds_personal_number(text: str) -> bool:
    """True when an identity number that checks, or a mobile number, stands anywhere in the text in clear."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if _LONG.search(text) is None and _CALLED.search(text) is None:
        return False
    text = _DIGEST.sub(" ", text)
    latest = dt.date.max
    if any(is_identity_number(found.group().upper(), latest) for found in _IDENTITY.finditer(text)):
        return True
    return _PHONE.search(text) is not None


def _texts(value: Any) -> list[str]:
    if type(value) is str:
        return [value]
    match value:
        case None | bool():
            return []
        case dict():
            return [text for key, item in value.items() for text in (str(key), *_texts(item))]
        case list():
            return [text for item in value for text in _texts(item)]
        case _:
            return [str(value)]
