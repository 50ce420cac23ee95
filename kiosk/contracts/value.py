"""The ground all contracts stand on: frozen models, canonical bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

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


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical_bytes(value: Any) -> bytes:
    """RFC 8785 in the part we use: sorted keys, no spaces, UTF-8, no floats. What is hashed and signed."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", by_alias=True)
    _refuse_floats(value)
    return canonical_text(value).encode()


def canonical_text(value: Any) -> str:
    """The same, of JSON's own types known to hold no float."""
    return _ENCODER.encode(value)


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
