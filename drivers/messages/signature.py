"""Handwritten signatures, bound to what was shown (device-classes C.8)."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from drivers.messages.common import Message


class PenPoint(Message):
    """Where the pen was: millimetres from the box's upper left, pressure 0…1, milliseconds since the first touch."""

    x_mm: float = Field(allow_inf_nan=False)
    y_mm: float = Field(allow_inf_nan=False)
    pressure: float = Field(default=1.0, ge=0, le=1, allow_inf_nan=False)
    milliseconds: int = Field(ge=0)


class Stroke(Message):
    """From pen down to pen up."""

    points: tuple[PenPoint, ...] = Field(repr=False)


class SignatureBox(Message):
    width_mm: float = Field(gt=0, allow_inf_nan=False)
    height_mm: float = Field(gt=0, allow_inf_nan=False)


class Ink(Message):
    """All strokes so far, to be drawn while the citizen writes."""

    strokes: tuple[Stroke, ...] = Field(repr=False)


class Signature(Message):
    """A signature bound to what was shown: `sha256` is over the document's hash, the box and the strokes."""

    document_sha256: str
    box: SignatureBox
    strokes: tuple[Stroke, ...] = Field(repr=False)
    image_png: bytes = Field(repr=False)
    points: int
    duration_ms: int
    pad: str = Field(description="model and serial number of the pad, or touchscreen")
    sha256: str

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
