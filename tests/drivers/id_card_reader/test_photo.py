"""Portraits: the sample cards' own form, and the plug-in for everything else."""

from __future__ import annotations

import io
import random
from importlib.metadata import EntryPoint, EntryPoints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from drivers.id_card_reader import photo
from drivers.id_card_reader.photo import (
    PHOTO_BYTES,
    SAMPLE_MARK,
    load_photo_decoder,
    pack_sample_photo,
    undecodable_photo,
    unpack_sample_photo,
)


def picture(width: int = 204, height: int = 252) -> bytes:
    """A light oval with a dark bar: something whose middle and corner can be told apart."""
    drawn = Image.new("RGB", (width, height), (60, 90, 160))
    draw = ImageDraw.Draw(drawn)
    draw.ellipse((width * 0.2, height * 0.1, width * 0.8, height * 0.9), fill=(230, 200, 180))
    draw.rectangle((width * 0.35, height * 0.6, width * 0.65, height * 0.65), fill=(120, 30, 30))
    return png_of(drawn)


def png_of(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


class VendorDecoder:
    def decode(self, photo: bytes) -> bytes | None:
        return b"png of a vendor" if photo.startswith(b"WL") else None


@pytest.mark.parametrize("size", [(102, 126), (204, 252), (600, 400), (300, 1000)])
def test_a_portrait_survives_the_card(size: tuple[int, int]) -> None:
    packed = pack_sample_photo(picture(*size))
    assert len(packed) == PHOTO_BYTES
    unpacked = unpack_sample_photo(packed)
    assert unpacked is not None
    with Image.open(io.BytesIO(unpacked)) as portrait:
        assert (portrait.format, portrait.size, portrait.mode) == ("PNG", (102, 126), "L")
        middle, corner = portrait.getpixel((51, 50)), portrait.getpixel((1, 1))
        assert isinstance(middle, int)
        assert isinstance(corner, int)
        assert middle > 180 or size != (204, 252)
        assert middle > corner + 60 or size == (600, 400)


def test_a_portrait_of_pure_noise_still_fits() -> None:
    noise = Image.frombytes("L", (102, 126), random.Random(7).randbytes(102 * 126))
    assert unpack_sample_photo(pack_sample_photo(png_of(noise))) is not None


def test_no_picture_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="not a picture"):
        pack_sample_photo(b"no picture")


def test_the_chips_own_form_is_for_vendors_only() -> None:
    for name in ("none", "sample"):
        assert load_photo_decoder(name).decode(undecodable_photo(3)) is None
    assert undecodable_photo(3).startswith(bytes.fromhex("574C66007E0032"))


def test_only_sample_reads_sample_cards() -> None:
    packed = pack_sample_photo(picture())
    assert load_photo_decoder("none").decode(packed) is None
    assert load_photo_decoder("sample").decode(packed) == unpack_sample_photo(packed)


def test_a_picture_of_another_size_is_refused() -> None:
    stream = io.BytesIO()
    Image.new("L", (4000, 4000)).save(stream, "WEBP")
    payload = stream.getvalue()[:1000]
    huge = (SAMPLE_MARK + len(payload).to_bytes(2, "big") + payload).ljust(PHOTO_BYTES, b"\0")
    assert unpack_sample_photo(huge) is None


@given(st.integers(0, PHOTO_BYTES - 1), st.integers(0, 255))
def test_a_damaged_portrait_never_raises(position: int, value: int) -> None:
    damaged = bytearray(PACKED)
    damaged[position] = value
    unpack_sample_photo(bytes(damaged))


@given(st.binary(max_size=PHOTO_BYTES - len(SAMPLE_MARK)))
def test_any_bytes_behind_the_mark_never_raise(payload: bytes) -> None:
    unpack_sample_photo((SAMPLE_MARK + payload).ljust(PHOTO_BYTES, b"\0"))


def test_a_vendors_package_adds_a_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(*, group: str, name: str) -> EntryPoints:
        assert group == "yizhan.photo_decoders"
        points = [EntryPoint("vendor", "nowhere:Decoder", group)]
        return EntryPoints(point for point in points if point.name == name)

    monkeypatch.setattr(photo, "entry_points", installed)
    monkeypatch.setattr(EntryPoint, "load", lambda _point: VendorDecoder)
    assert load_photo_decoder("vendor").decode(undecodable_photo(1)) == b"png of a vendor"
    with pytest.raises(LookupError, match="no photo decoder"):
        load_photo_decoder("other")


PACKED = pack_sample_photo(picture())
