"""The ground all contracts stand on: frozen models, canonical bytes."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict

from kiosk.contracts.entries import CITY_TIME, is_identity_number
from kiosk.contracts.text import LANGUAGES, Language, LocalizedText, masked_name, masked_number, masked_phone, plain

__all__ = [
    "CITY_TIME",
    "LANGUAGES",
    "Collected",
    "Contract",
    "Language",
    "LocalizedText",
    "canonical_bytes",
    "canonical_text",
    "is_identity_number",
    "masked_name",
    "masked_number",
    "masked_phone",
    "plain",
    "sha256_hex",
]


class Contract(BaseModel):
    """A frozen value of the shared language. Unknown keys are refused; strings stay out of the parser's cache."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, cache_strings="none", ser_json_bytes="base64",
        val_json_bytes="base64",
    )  # fmt: skip


class Collected(Contract):
    """A value the server collects from terminals of any version: unknown keys are kept, not refused."""

    model_config = ConfigDict(extra="allow")


_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 in the part we use: sorted keys, no spaces, UTF-8, no floats. What is hashed and signed.

    Raises `TypeError` for anything that is not JSON's own or a float.
    """
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True)
    _refuse_others(value)
    return _ENCODER.encode(value)


def canonical_text(value: Any) -> str:
    """The same, of JSON's own types known to hold no float."""
    return _ENCODER.encode(value).decode()


def _refuse_others(value: Any) -> None:
    match value:
        case None | str() | int():  # bool is an int
            pass
        case dict():
            for item in value.values():
                _refuse_others(item)
        case list() | tuple():
            for item in value:
                _refuse_others(item)
        case float():
            raise TypeError("canonical bytes hold no floats: use integers with a unit, or text")
        case _:
            raise TypeError(f"canonical bytes hold no {type(value).__name__}: write it as text or number")


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
