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


class ZoneFormat(StrEnum):
    """Sizes of ICAO Doc 9303: three lines of 30, two of 36, two of 44."""

    TD1 = "td1"
    TD2 = "td2"
    TD3 = "td3"


class MachineReadableZone(Message):
    """The machine-readable zone of a travel document, its check digits proved (ICAO Doc 9303 parts 3 to 6).

    Fillers are cut off. Dates are as printed, YYMMDD: the century is not; parts of an unknown birth date are `<`.
    """

    format: ZoneFormat
    document_code: str = Field(pattern=r"^[A-Z][A-Z0-9]?$", description="P passport; CR, CT Chinese travel permits")
    issuer: str = Field(pattern=r"^[A-Z]{1,3}$")
    number: str = Field(pattern=r"^[A-Z0-9<]{1,22}$", repr=False)
    nationality: str = Field(pattern=r"^[A-Z]{0,3}$", repr=False)
    birth: str = Field(pattern=r"^[0-9<]{6}$", repr=False)
    sex: str = Field(pattern=r"^[MFX]?$", repr=False, description="empty: not said")
    expiry: str = Field(pattern=r"^[0-9]{6}$", repr=False)
    surname: str = Field(repr=False)
    given_names: str = Field(default="", repr=False)
    optional: str = Field(default="", repr=False, description="the issuer's own: personal number and the like")
    optional_2: str = Field(default="", repr=False, description="TD1 has a second place")
