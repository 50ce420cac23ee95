"""Where in a picture the lines of a machine-readable zone may be: print of one pitch, in two or three full lines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

SEARCH_LONG_SIDE = 1400
PITCHES_PX = (11, 18, 30)
"""Tried one after the other, in the picture that is searched: a card on a large glass, a page, a card close up."""
INK_POINTS = 30_000
COARSE_DEGREES, FINE_DEGREES = 1.0, 0.1
COARSE_ROW_PX, FINE_ROW_PX = 5.0, 2.0
"""Coarse rows are thicker than a stroke: the fillers' slanting strokes are rows of their own otherwise."""
LEAST_LENGTH = 13.0
"""A line is so many times longer than high."""
MOST_LINES = 40


@dataclass(frozen=True)
class Line:
    """Ink of one line in the turned picture: ends, and the height of its middle at both."""

    left: float
    right: float
    left_y: float
    right_y: float
    height: float

    @property
    def length(self) -> float:
        return self.right - self.left


def ink_of(grey: Any, pitch: int) -> Any:
    """Dark strokes on whatever is behind them, 0 to 255."""
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (pitch, pitch))
    return cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel)


def lean_degrees(grey: Grey) -> float:
    """How far the print is turned anticlockwise, from -90 to 90: the direction in which its rows stand apart best."""
    small = searched(grey)
    _, mask = cv2.threshold(ink_of(small, PITCHES_PX[1]), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    rows, columns = np.nonzero(mask)
    if len(rows) < 2:
        return 0.0
    step = max(1, len(rows) // INK_POINTS)
    points = np.stack((columns[::step], rows[::step])).astype(np.float32)
    best = max(np.arange(-90, 90, COARSE_DEGREES), key=lambda degrees: _standing_apart(points, degrees, COARSE_ROW_PX))
    near = np.arange(best - COARSE_DEGREES, best + COARSE_DEGREES, FINE_DEGREES)
    return float(max(near, key=lambda degrees: _standing_apart(points, degrees, FINE_ROW_PX)))


def _standing_apart(points: NDArray[np.float32], degrees: float, row_px: float) -> float:
    lean = math.radians(degrees)
    heights = (points[1] * math.cos(lean) + points[0] * math.sin(lean)) / row_px
    counts = np.bincount((heights - heights.min()).astype(np.int64)).astype(np.float64)
    return float((np.diff(counts) ** 2).sum())


def upright(grey: Grey, degrees: float) -> Grey:
    """The whole picture turned clockwise by so much."""
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    cosine, sine = abs(turn[0, 0]), abs(turn[0, 1])
    size = (round(height * sine + width * cosine), round(height * cosine + width * sine))
    turn[0, 2] += size[0] / 2 - width / 2
    turn[1, 2] += size[1] / 2 - height / 2
    return np.asarray(
        cv2.warpAffine(grey, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def searched(grey: Grey) -> Any:
    scale = SEARCH_LONG_SIDE / max(grey.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(grey, None, fx=scale, fy=scale, interpolation=method)


def groups(grey: Grey) -> Iterator[tuple[Line, ...]]:
    """Lines that lie below one another and are equally long, three before two, in the picture's own pixels."""
    small = searched(grey)
    scale = grey.shape[1] / small.shape[1]
    given: list[tuple[Line, ...]] = []
    for pitch in PITCHES_PX:
        lines = _lines(small, pitch)
        for count in (3, 2):
            for first, line in reversed(list(enumerate(lines))):
                group = _below(line, lines[first + 1 :], count)
                if group is not None and not any(_same(group, other) for other in given):
                    given.append(group)
                    yield tuple(_scaled(each, scale) for each in group)


def _same(group: tuple[Line, ...], other: tuple[Line, ...]) -> bool:
    return len(group) == len(other) and all(
        abs(one.left - two.left) + abs(one.right - two.right) + abs(one.left_y - two.left_y) < 0.5 * one.height
        for one, two in zip(group, other, strict=True)
    )


def _lines(small: Any, pitch: int) -> list[Line]:
    _, mask = cv2.threshold(ink_of(small, pitch), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bands = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, round(pitch * 1.5)), np.uint8))
    bands = cv2.morphologyEx(bands, cv2.MORPH_OPEN, np.ones((2, pitch * 2), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bands)
    found = []
    for label in range(1, count):
        left, top, width, height = (int(value) for value in stats[label, :4])
        if width < LEAST_LENGTH * pitch * 0.6 or not 0.3 * pitch <= height <= 3 * pitch:
            continue
        part = labels[top : top + height, left : left + width] == label
        ink = part & (mask[top : top + height, left : left + width] > 0)
        line = _measured(ink, left, top)
        if line is not None and line.length >= LEAST_LENGTH * line.height:
            found.append(line)
    found.sort(key=lambda line: line.left_y)
    return found[-MOST_LINES:]


def _measured(ink: Any, left: int, top: int) -> Line | None:
    rows, columns = np.nonzero(ink)
    if len(rows) < 30:
        return None
    slope, offset = np.polyfit(columns.astype(np.float64), rows.astype(np.float64), 1)
    away = np.abs(rows - (slope * columns + offset))
    width = ink.shape[1]
    return Line(left, left + width, top + offset, top + offset + slope * width, 2 * float(np.percentile(away, 97)) + 1)


def _below(line: Line, others: list[Line], count: int) -> tuple[Line, ...] | None:
    group = [line]
    for other in others:
        last = group[-1]
        apart = (other.left_y + other.right_y - last.left_y - last.right_y) / 2
        alike = 0.05 * line.length
        if (
            1.0 * line.height <= apart <= 4.5 * line.height
            and abs(other.left - line.left) < alike
            and abs(other.right - line.right) < alike
        ):
            group.append(other)
            if len(group) == count:
                return tuple(group)
    return None


def _scaled(line: Line, by: float) -> Line:
    return Line(line.left * by, line.right * by, line.left_y * by, line.right_y * by, line.height * by)
