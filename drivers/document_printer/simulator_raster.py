"""Reads PWG Raster documents back into pictures: what the simulated printer does with what it received.

Written from the same standard as the writer (PWG 5102.4), and not with it: a mistake of one is seen by the other.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import Image

HEADER_BYTES = 1796
MOST_PIXELS = 200_000_000
MODES = {18: ("L", 1), 19: ("RGB", 3)}


class NotRaster(ValueError):
    """These bytes are no PWG Raster document."""


@dataclass(frozen=True)
class RasterPage:
    picture: Image.Image
    dpi: tuple[int, int]
    total_pages: int
    is_duplex: bool
    transforms: tuple[int, int]
    page_size_name: str


def read_raster(data: bytes) -> list[RasterPage]:
    """Raises `NotRaster`."""
    if data[:4] != b"RaS2":
        raise NotRaster("it does not begin with RaS2")
    pages = []
    place = 4
    while place < len(data):
        header = data[place : place + HEADER_BYTES]
        if len(header) < HEADER_BYTES or header[:10] != b"PwgRaster\0":
            raise NotRaster("a page header is damaged")
        page, place = _page(data, place + HEADER_BYTES, header)
        pages.append(page)
    if not pages:
        raise NotRaster("it has no pages")
    return pages


def _numbers(header: bytes, offset: int, count: int) -> tuple[int, ...]:
    return struct.unpack_from(f">{count}i", header, offset)


def _page(data: bytes, place: int, header: bytes) -> tuple[RasterPage, int]:
    width, height = _numbers(header, 372, 2)
    bits, _, stride, order, space = _numbers(header, 384, 5)
    if bits != 8 or order != 0 or space not in MODES:
        raise NotRaster("its pixels are of an unknown kind")
    mode, colours = MODES[space]
    if not (0 < width * height <= MOST_PIXELS and stride == width * colours):
        raise NotRaster("its sizes do not add up")
    rows = bytearray()
    while len(rows) < stride * height:
        if place >= len(data):
            raise NotRaster("it ends amid a page")
        repeat = data[place] + 1
        row, place = _row(data, place + 1, stride, colours)
        rows += row * repeat
    if len(rows) != stride * height:
        raise NotRaster("rows reach beyond the page")
    page = RasterPage(
        Image.frombytes(mode, (width, height), bytes(rows)),
        dpi=(_numbers(header, 276, 2)[0], _numbers(header, 276, 2)[1]),
        total_pages=_numbers(header, 452, 1)[0],
        is_duplex=bool(_numbers(header, 272, 1)[0]),
        transforms=(_numbers(header, 456, 2)[0], _numbers(header, 456, 2)[1]),
        page_size_name=header[1732:1796].split(b"\0")[0].decode("ascii", "replace"),
    )
    return page, place


def _row(data: bytes, place: int, stride: int, colours: int) -> tuple[bytes, int]:
    row = bytearray()
    while len(row) < stride:
        if place >= len(data):
            raise NotRaster("it ends amid a row")
        count, place = data[place], place + 1
        if count == 128:
            raise NotRaster("a run of an unknown kind")
        if count > 128:
            length = (257 - count) * colours
            row += data[place : place + length]
            place += length
        else:
            row += data[place : place + colours] * (count + 1)
            place += colours
        if place > len(data):
            raise NotRaster("it ends amid a run")
    if len(row) != stride:
        raise NotRaster("a run reaches beyond its row")
    return bytes(row), place
