"""A photo from a phone nobody knows: decoded here and drawn anew, so that only its picture goes on."""

from __future__ import annotations

import io
import struct
import threading

from PIL import Image, ImageOps

from kiosk.contracts.handover import MAXIMUM_PHOTO_BYTES

FORMATS = ("JPEG", "PNG", "WEBP")
LONGEST_SIDE_PX = 1600
LARGEST_PIXELS = 60_000_000
"""A 50-megapixel phone's photo passes; a small file that unpacks to more is refused before it is unpacked."""
QUALITIES = (85, 75, 62, 50, 38)
DECODERS = threading.BoundedSemaphore(2)
WAIT_SECONDS = 10.0

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, KeyError, IndexError, OverflowError)


class PictureRefused(Exception):
    """`reason`: not_a_picture, too_many_pixels, broken_picture, busy."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def redrawn(content: bytes) -> bytes:
    """A JPEG of at most `LONGEST_SIDE_PX` and `MAXIMUM_PHOTO_BYTES`, upright, without EXIF, place, comment or profile.

    Blocking; at most two are decoded at a time. Raises `PictureRefused`.
    """
    if not DECODERS.acquire(timeout=WAIT_SECONDS):
        raise PictureRefused("busy")
    try:
        return _written(_picture(content))
    finally:
        DECODERS.release()


def _picture(content: bytes) -> Image.Image:
    try:
        source = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureRefused("too_many_pixels") from error
    except _BROKEN as error:
        raise PictureRefused("not_a_picture") from error
    with source:
        if source.width * source.height > LARGEST_PIXELS:
            raise PictureRefused("too_many_pixels")
        try:
            source.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
            upright = ImageOps.exif_transpose(source)
            upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
            drawn = upright.convert("RGBA")
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PictureRefused("too_many_pixels") from error
        except _BROKEN as error:
            raise PictureRefused("broken_picture") from error
    bare = Image.new("RGB", drawn.size, "white")
    bare.paste(drawn, mask=drawn)
    return bare


def _written(picture: Image.Image) -> bytes:
    for quality in QUALITIES:
        written = io.BytesIO()
        picture.save(written, "JPEG", quality=quality, optimize=True)
        if written.tell() <= MAXIMUM_PHOTO_BYTES:
            return written.getvalue()
    smaller = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
    return _written(smaller)
