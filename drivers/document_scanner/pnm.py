"""Pictures as scanimage sends them: binary grey and colour portable anymaps of eight bits (netpbm: pgm(5), ppm(5))."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from drivers.document_scanner.page_finder import Image
from drivers.errors import HardwareFault

GREATEST_PIXELS = 40_000_000
"""A4 at 600 dpi is 35 million: more does not fit beside the rest of a terminal."""
LONGEST_HEAD = 512
_SPACE = rb"(?:[ \t\r\n]|#[^\n]*\n)+"
_HEAD = re.compile(
    rb"P([56])" + _SPACE + rb"(\d{1,6})" + _SPACE + rb"(\d{1,6})" + _SPACE + rb"(\d{1,5})[ \t\r\n]", re.DOTALL
)


@dataclass(frozen=True)
class Head:
    """What a picture says about itself; `length` is that of the head in bytes."""

    width: int
    height: int
    channels: int
    length: int

    @property
    def total(self) -> int:
        return self.length + self.width * self.height * self.channels


def head_of(data: bytes | bytearray) -> Head | None:
    """The head, or None while it has not come whole. Raises `HardwareFault` (`page_unreadable`)."""
    start = bytes(data[:LONGEST_HEAD])
    found = _HEAD.match(start)
    if found is None:
        if len(start) == LONGEST_HEAD or not _may_begin(start):
            raise HardwareFault("the scanner sent no picture: check its driver", "page_unreadable")
        return None
    width, height, greatest = (int(found[part]) for part in (2, 3, 4))
    if not 0 < width * height <= GREATEST_PIXELS:
        raise HardwareFault(f"the scanner sent {width} × {height} pixels: lower the resolution", "page_unreadable")
    if greatest != 255:
        raise HardwareFault("the scanner sent other than eight bits a colour: set its depth to 8", "page_unreadable")
    return Head(width, height, 3 if found[1] == b"6" else 1, found.end())


def _may_begin(start: bytes) -> bool:
    return start[:2] in (b"P5", b"P6", b"P", b"")


def picture(data: bytearray) -> Image:
    """Height × width × 3, blue, green, red; a copy. Raises `HardwareFault`: `page_incomplete`, `page_unreadable`."""
    head = head_of(data)
    if head is None or len(data) < head.total:
        raise HardwareFault("the scanner sent only a part of the page: scan it again", "page_incomplete")
    if len(data) > head.total:
        raise HardwareFault("the scanner sent more than one page at once: check its driver", "page_unreadable")
    flat = np.frombuffer(data, np.uint8, offset=head.length)
    if head.channels == 1:
        return np.repeat(flat.reshape(head.height, head.width, 1), 3, axis=2)
    return np.ascontiguousarray(flat.reshape(head.height, head.width, 3)[..., ::-1])
