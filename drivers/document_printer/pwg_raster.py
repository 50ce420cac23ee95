"""PWG Raster documents (PWG 5102.4-2012, "PWG Raster Format"): the pages as pictures, for printers that take no PDF.

A document is the word `RaS2`, then for each page a header of 1796 bytes and its rows (section 4). A row begins with how
often it repeats, less one; then come runs: 0 to 127, the pixel that follows n + 1 times; 129 to 255, 257 - n pixels as
they are. All numbers are big-endian.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from PIL import Image

MIME: Final = "image/pwg-raster"
SYNC: Final = b"RaS2"
HEADER_BYTES: Final = 1796
SGRAY, SRGB = 18, 19
MODES: Final = {"L": (8, 1, SGRAY), "RGB": (24, 3, SRGB)}
A4_POINTS: Final = (595, 842)
A4_NAME: Final = b"iso_a4_210x297mm"
MOST_SAME_ROWS = 256
LONGEST_RUN = 128
RUNS: Final = {
    1: re.compile(rb"(.)\1{0,127}", re.DOTALL),
    3: re.compile(rb"(...)\1{0,127}", re.DOTALL),
}


@dataclass(frozen=True)
class BackSide:
    """How the back of a sheet stands (`pwg-raster-document-sheet-back`, long edge): 1 as it is, -1 turned."""

    cross_feed: int = 1
    feed: int = 1


BACK_SIDES: Final = {"rotated": BackSide(-1, -1), "flipped": BackSide(1, -1)}


def document(
    pages: Iterable[Image.Image], *, dpi: int, total_pages: int, two_sided: bool = False, back: BackSide | None = None
) -> bytes:
    """A4 pages (mode `L` or `RGB`, portrait, `dpi` dots an inch) as one document. `back`: of the printer's duplexer.

    Raises `ValueError` for another mode.
    """
    data = bytearray(SYNC)
    upright = BackSide()
    for number, page in enumerate(pages):
        turn = back if back is not None and two_sided and number % 2 else upright
        data += _header(page, dpi, total_pages, two_sided=two_sided, turn=turn)
        for row in _rows(_turned(page, turn)):
            data += row
    return bytes(data)


def _turned(page: Image.Image, turn: BackSide) -> Image.Image:
    if turn.cross_feed < 0:
        page = page.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return page.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if turn.feed < 0 else page


def _header(page: Image.Image, dpi: int, total_pages: int, *, two_sided: bool, turn: BackSide) -> bytes:
    if page.mode not in MODES:
        raise ValueError(f"pages are grey or colour, not {page.mode}")
    bits, colours, space = MODES[page.mode]
    header = bytearray(HEADER_BYTES)
    header[0:9] = b"PwgRaster"
    for offset, *values in (
        (272, int(two_sided)),
        (276, dpi, dpi),
        (340, 1),  # NumCopies: the job's attribute counts
        (352, *A4_POINTS),
        (372, page.width, page.height),
        (384, 8, bits, page.width * colours),  # BitsPerColor, BitsPerPixel, BytesPerLine
        (396, 0, space),  # chunky
        (420, colours),
        (452, total_pages, turn.cross_feed, turn.feed),
        (464, 0, 0, page.width, page.height),  # ImageBox
        (484, 4),  # PrintQuality normal
    ):
        struct.pack_into(f">{len(values)}i", header, offset, *values)
    header[1732 : 1732 + len(A4_NAME)] = A4_NAME
    return bytes(header)


def _rows(page: Image.Image) -> Iterator[bytes]:
    colours = MODES[page.mode][1]
    stride = page.width * colours
    data = page.tobytes()
    row, start = data[:stride], 0
    packed = _packed(row, colours)
    for top in range(1, page.height + 1):
        following = data[top * stride : (top + 1) * stride]
        if following == row and top - start < MOST_SAME_ROWS:
            continue
        yield bytes((top - start - 1,)) + packed
        start = top
        if following and following != row:
            row, packed = following, _packed(following, colours)


def _packed(row: bytes, colours: int) -> bytes:
    """Runs of equal pixels, and stretches of unequal ones as they are."""
    packed = bytearray()
    single = bytearray()
    for run in RUNS[colours].finditer(row):
        length = (run.end() - run.start()) // colours
        if length == 1:
            single += run[1]
            if len(single) == LONGEST_RUN * colours:
                _put_single(packed, single, colours)
            continue
        _put_single(packed, single, colours)
        packed.append(length - 1)
        packed += run[1]
    _put_single(packed, single, colours)
    return bytes(packed)


def _put_single(packed: bytearray, single: bytearray, colours: int) -> None:
    if not single:
        return
    count = len(single) // colours
    packed.append(257 - count if count > 1 else 0)
    packed += single
    single.clear()
