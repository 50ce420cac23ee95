"""Papers before a camera, on a glass, in a feeder (device-classes C.6)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import ConfigDict, Field

from drivers.messages.common import Message


class ScannedPage(Message):
    """One captured page. `jpeg` is personal: it lives in memory until handed on, and is never written in clear."""

    jpeg: bytes = Field(repr=False)
    width_px: int
    height_px: int
    sharpness: float
    sha256: str

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class Corner(Message):
    """A point of a picture in shares of its width and height, 0 at the upper left."""

    x: float = Field(ge=0, le=1)
    y: float = Field(ge=0, le=1)


class Corners(Message):
    """The four corners of a page as a person set them, from the upper left clockwise."""

    upper_left: Corner
    upper_right: Corner
    lower_right: Corner
    lower_left: Corner


class ScanSource(StrEnum):
    CAMERA = "camera"
    FLATBED = "flatbed"
    FEEDER = "feeder"


class ScanOrder(Message):
    """What to scan. `two_sided` and `feeder` only where the capabilities' features name them."""

    source: ScanSource = ScanSource.FLATBED
    dpi: int = Field(default=300, ge=75, le=1200)
    colour: bool = True
    two_sided: bool = False
    most_pages: int = Field(default=50, ge=1, le=200)


class ScanProgress(Message):
    """A page has been taken; it follows as `ScannedPage`."""

    page: int
