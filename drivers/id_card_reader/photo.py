"""Portraits from a card's 1,024 photo bytes (domain.md 1.8).

The chip's own form, WLT, is decoded by vendor libraries only. They are added on site as an installed package that
names its decoder in the entry-point group `yizhan.photo_decoders`: an object that can be called without arguments and
gives a `PhotoDecoder`. `none` decodes nothing; `sample` reads what the simulator's cards carry, and nothing else.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Final, Protocol

from PIL import Image, ImageFilter, UnidentifiedImageError

PHOTO_DECODERS_GROUP: Final = "yizhan.photo_decoders"
PHOTO_BYTES: Final = 1024
PORTRAIT_SIZE: Final = (102, 126)
SAMPLE_MARK: Final = b"YZ\x01"
SAMPLE_LENGTH_BYTES: Final = 2
SAMPLE_HEAD_BYTES: Final = len(SAMPLE_MARK) + SAMPLE_LENGTH_BYTES
BEST_QUALITY: Final = 95


class PhotoDecoder(Protocol):
    def decode(self, photo: bytes) -> bytes | None:
        """The portrait as a PNG, or None when the photo is not of this decoder's form."""
        ...


class NoDecoder:
    def decode(self, photo: bytes) -> bytes | None:
        return None


class SampleDecoder:
    """Reads sample cards' portraits. Settings refuse it outside demonstrations: anyone can make such a card."""

    def decode(self, photo: bytes) -> bytes | None:
        return unpack_sample_photo(photo)


BUILT_IN: Final[dict[str, Callable[[], PhotoDecoder]]] = {"none": NoDecoder, "sample": SampleDecoder}


def load_photo_decoder(name: str) -> PhotoDecoder:
    """The decoder of that name; built-in names cannot be taken over. Raises `LookupError` when there is none.

    Whatever a vendor's package raises while it is loaded is passed on: the caller names it.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    for point in entry_points(group=PHOTO_DECODERS_GROUP, name=name):
        decoder: PhotoDecoder = point.load()()
        return decoder
    raise LookupError(f"no photo decoder is called {name!r}: install its package, or choose {' or '.join(BUILT_IN)}")


def pack_sample_photo(png: bytes) -> bytes:
    """1,024 bytes of a sample card's own form from any picture: `YZ`, version 1, length (16 bit, network order), a grey
    102 × 126 WebP of the best quality that fits, zeros. Raises `ValueError` when it is no picture.
    """
    try:
        with Image.open(io.BytesIO(png)) as picture:
            return _pack(_fit(picture))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ValueError("the portrait is not a picture that can be read") from error


def unpack_sample_photo(photo: bytes) -> bytes | None:
    """The portrait of a sample card as a 102 × 126 grey PNG, or None when the photo is of another form or damaged."""
    if len(photo) != PHOTO_BYTES or not photo.startswith(SAMPLE_MARK):
        return None
    length = int.from_bytes(photo[len(SAMPLE_MARK) : SAMPLE_HEAD_BYTES], "big")
    payload = photo[SAMPLE_HEAD_BYTES : SAMPLE_HEAD_BYTES + length]
    try:
        with Image.open(io.BytesIO(payload), formats=("WEBP",)) as picture:
            if picture.size != PORTRAIT_SIZE:
                return None
            return _as_png(picture.convert("L"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None


def undecodable_photo(seed: int) -> bytes:
    """Photo recipe P(s) of domain.md A.4: begins like WLT and shows nothing."""
    head = bytes.fromhex("574C66007E0032")
    return head + bytes((seed + 7 * index) % 256 for index in range(len(head), PHOTO_BYTES))


def open_photo_decoder(name: str) -> tuple[str, PhotoDecoder | None]:
    """Its state (ok, missing, inoperable) and, when ok, the decoder. Never raises: the reader reads without."""
    try:
        decoder = load_photo_decoder(name)
    except LookupError:
        return "missing", None
    except Exception:  # noqa: BLE001 - a vendor's package may raise anything; the reader still reads
        return "inoperable", None
    return "missing" if name == "none" else "ok", decoder


def _fit(picture: Image.Image) -> Image.Image:
    """Cut to the portrait's shape around the centre, then scale."""
    grey = picture.convert("L")
    width, height = PORTRAIT_SIZE
    scale = min(grey.width / width, grey.height / height)
    cut_width, cut_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (grey.width - cut_width) // 2, (grey.height - cut_height) // 2
    cut = grey.crop((left, top, left + cut_width, top + cut_height))
    return cut.resize(PORTRAIT_SIZE, Image.Resampling.LANCZOS)


def _pack(portrait: Image.Image) -> bytes:
    """A picture of too much detail is softened until it fits."""
    blur = 0.0
    while not (payload := _best_fitting(portrait.filter(ImageFilter.GaussianBlur(blur)) if blur else portrait)):
        blur += 0.5
    head = SAMPLE_MARK + len(payload).to_bytes(SAMPLE_LENGTH_BYTES, "big")
    return (head + payload).ljust(PHOTO_BYTES, b"\0")


def _best_fitting(portrait: Image.Image) -> bytes:
    """Search the best quality that fits; a size may not grow evenly with quality, so the last fitting one is kept.

    Empty when none fits.
    """
    low, high, best = 0, BEST_QUALITY, b""
    while low <= high:
        quality = (low + high) // 2
        payload = _as_webp(portrait, quality)
        if len(payload) <= PHOTO_BYTES - SAMPLE_HEAD_BYTES:
            best, low = payload, quality + 1
        else:
            high = quality - 1
    return best


def _as_webp(picture: Image.Image, quality: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=quality, method=6)
    return stream.getvalue()


def _as_png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()
