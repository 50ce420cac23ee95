"""Printed and shown codes (device-classes C.7)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from drivers.messages.common import Message


class CodePurpose(StrEnum):
    """Why a code is asked for; a payer's code is a secret and is never logged."""

    LOGIN = "login"
    TAKE_NUMBER = "take_number"
    PAYER_CODE = "payer_code"
    DOCUMENT = "document"


class Symbology(StrEnum):
    QR = "qr"
    DATA_MATRIX = "data_matrix"
    PDF417 = "pdf417"
    AZTEC = "aztec"
    CODE_128 = "code_128"
    CODE_39 = "code_39"
    EAN_13 = "ean_13"
    UNKNOWN = "unknown"


class ScannedCode(Message):
    symbology: Symbology = Symbology.UNKNOWN
    text: str = Field(repr=False)
