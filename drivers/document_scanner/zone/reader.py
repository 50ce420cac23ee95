"""A picture of a document's page or card → what its machine-readable zone says."""

from __future__ import annotations

import math
import time
from typing import Any

import cv2
import numpy as np

from drivers.document_scanner.zone.codec import LAYOUTS, ZoneUnreadable, parsed
from drivers.document_scanner.zone.glyphs import CELL_HEIGHT, PITCH, STRIP_HEIGHT, Ink, read_strips, strip_width
from drivers.document_scanner.zone.lines import Grey, Line, groups, lean_degrees, upright
from drivers.errors import CommandTimedOut, MediaError
from drivers.messages import MachineReadableZone

LEAST_LIKENESS = 0.6
"""Lines below it are some other print."""
INK_EDGE = 3
"""Pixels of a cell of twenty, from its border to the ink of the first and last sign."""
PAPER_PX = 31
SENTENCES = {
    "zone_not_found": "no machine-readable zone is seen: lay the side with the lines of < signs up",
    "zone_unreadable": "the machine-readable zone cannot be read surely: lay it flat, clean it, keep light off it",
}


def read_zone(picture: Any, until: float = math.inf) -> MachineReadableZone:
    """From BGR or grey, lying in any direction, `until` this moment of the monotonic clock.

    Raises `MediaError` (`zone_not_found`, `zone_unreadable`) and `CommandTimedOut`.
    """
    grey: Grey = picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    lean = lean_degrees(grey)
    seen = False
    for degrees in (lean, lean + 180, lean + 90, lean - 90):
        if time.monotonic() > until:
            raise CommandTimedOut("the picture was not searched to its end")
        turned = upright(grey, degrees)
        try:
            for group in groups(turned):
                if time.monotonic() > until:
                    raise CommandTimedOut("the picture was not searched to its end")
                zone, is_one = _said_by(turned, group)
                seen = seen or is_one
                if zone is not None:
                    return zone
        finally:
            turned[:] = 0
    reason = "zone_unreadable" if seen else "zone_not_found"
    raise MediaError(SENTENCES[reason], reason)


def read_zone_of_jpeg(jpeg: bytes, until: float = math.inf) -> MachineReadableZone:
    """As `read_zone`; the decoded picture is overwritten."""
    picture: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    try:
        return read_zone(picture, until)
    finally:
        picture[:] = 0


def _said_by(grey: Grey, group: tuple[Line, ...]) -> tuple[MachineReadableZone | None, bool]:
    """What the group says, if it does; and whether it is a zone by its looks."""
    is_one = False
    for layout in LAYOUTS:
        if layout.lines != len(group):
            continue
        strips = [_strip(grey, line, layout.length) for line in group]
        lines, likeness = read_strips(strips, layout.length)
        if not lines or likeness < LEAST_LIKENESS:
            continue
        is_one = True
        try:
            return parsed(lines), True
        except ZoneUnreadable:
            continue
    return None, is_one


def _strip(grey: Grey, line: Line, signs: int) -> Ink:
    """The line alone with a cell to spare at either end, in the glyphs' size; ink bright, paper 0."""
    width = strip_width(signs)
    scale = line.length / (signs * PITCH - 2 * INK_EDGE)
    slope = (line.right_y - line.left_y) / line.length
    move = np.array([
        [scale, -slope * scale, line.left - scale * (PITCH + INK_EDGE) + slope * scale * STRIP_HEIGHT / 2],
        [slope * scale, scale, line.left_y - slope * scale * (PITCH + INK_EDGE) - scale * STRIP_HEIGHT / 2],
    ])  # fmt: skip
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    if scale > 1.5:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), scale / 2.5), np.uint8)
    cut: Any = cv2.warpAffine(grey, move, (width, STRIP_HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(cut, cv2.MORPH_CLOSE, np.ones((CELL_HEIGHT, PAPER_PX), np.uint8))
    ink = cv2.GaussianBlur(paper, (0, 0), PITCH / 2).astype(np.float32) - cut
    return np.asarray(np.clip(ink, 0, None), np.float32)
