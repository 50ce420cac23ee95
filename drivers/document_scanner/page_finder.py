"""Where the page lies in a picture: four corners, found, refined and doubted (spike-devices 4).

A dark mat is required. What is found is believed only when its shape is a paper's or a card's and when all four edges
are brighter inside than outside: a wrong outline is worse than none, because it cuts the paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Height × width × 3, blue, green, red; or height × width, grey."""
Quad = NDArray[np.float32]
"""Four corners in pixels, clockwise from the top left one: 4 × 2, x then y."""

SEARCH_LONG_SIDE = 1000
PAPER_RATIO, CARD_RATIO = math.sqrt(2), 85.6 / 53.98
"""A series papers (ISO 216) and ID-1 cards (ISO/IEC 7810)."""
RATIO_TOLERANCE = 0.07
LEAST_AREA, GREATEST_AREA = 0.012, 0.95
GREATEST_SKEW_DEGREES = 20.0
"""A corner may differ by so much from a right angle: the camera looks down, not across."""
LEAST_MARGIN_PX = 3.0
LEAST_CONTRAST = 18.0
SURE_SHARE = 0.8
"""Of the points along an edge, so many must show the contrast."""
EDGE_POINTS = 60
CORNER_SHARE = 0.1
"""Of an edge at either end: rounded corners, left out."""


def find_page(image: Image) -> Quad | None:
    """The largest page that lies whole in the picture, to a fraction of a pixel; None when none is believed."""
    grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    scale = min(1.0, SEARCH_LONG_SIDE / max(grey.shape))
    small: Any = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32)
    for rough in _candidates(small):
        quad = _refined(smooth, (rough + 0.5) / scale - 0.5, reach=max(6.0, 5.0 / scale))
        if quad is not None and is_plausible(smooth, quad):
            return quad
    return None


def _candidates(small: Any) -> Iterator[Quad]:
    """Hulls with four corners, the largest first: bilateral → Canny, and Otsu."""
    calm = cv2.bilateralFilter(small, 7, 40, 5)
    level, light = cv2.threshold(calm, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    edges = cv2.dilate(cv2.Canny(calm, max(level * 0.25, 10), max(level * 0.6, 25)), np.ones((3, 3), np.uint8))
    whole = small.shape[0] * small.shape[1]
    found: list[tuple[float, Quad]] = []
    for mask in (cv2.morphologyEx(light, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), edges):
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in outlines:
            hull = cv2.convexHull(outline)
            area = float(cv2.contourArea(hull))
            if not LEAST_AREA * 0.8 <= area / whole <= GREATEST_AREA:
                continue
            around = cv2.arcLength(hull, closed=True)
            shapes = (cv2.approxPolyDP(hull, share * around, closed=True) for share in (0.01, 0.02, 0.035, 0.05))
            four = next((shape for shape in shapes if len(shape) == 4), None)
            if four is not None:
                found.append((area, ordered(four.reshape(4, 2))))
    found.sort(key=lambda each: -each[0])
    yield from (quad for _, quad in found)


def ordered(corners: Any) -> Quad:
    """Clockwise as seen, from the corner nearest to the top left."""
    points = np.asarray(corners, np.float32)
    middle = points.mean(axis=0)
    angles = np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0])
    turned = points[np.argsort(angles)]
    first = int(np.argmin(turned.sum(axis=1)))
    return np.asarray(np.roll(turned, -first, axis=0), np.float32)


def sides(quad: Quad) -> tuple[float, float]:
    """Mean width and height in pixels."""
    lengths = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return float(lengths[0] + lengths[2]) / 2, float(lengths[1] + lengths[3]) / 2


def true_ratio(quad: Quad) -> float | None:
    """Long side to short side of the known shape this is, or None when it is neither a paper nor a card."""
    width, height = sides(quad)
    seen = max(width, height) / max(min(width, height), 1.0)
    nearest = min((PAPER_RATIO, CARD_RATIO), key=lambda ratio: abs(seen / ratio - 1))
    return nearest if abs(seen / nearest - 1) <= RATIO_TOLERANCE else None


def is_plausible(grey: NDArray[np.float32], quad: Quad) -> bool:
    """Whether this is a paper or a card that lies whole and bright on something darker."""
    height, width = grey.shape
    if min(quad.min(), width - 1 - quad[:, 0].max(), height - 1 - quad[:, 1].max()) < LEAST_MARGIN_PX:
        return False
    if not LEAST_AREA <= float(cv2.contourArea(quad)) / (width * height) <= GREATEST_AREA:
        return False
    if true_ratio(quad) is None or _skew_degrees(quad) > GREATEST_SKEW_DEGREES:
        return False
    return all(_is_edge(grey, quad[side], quad[(side + 1) % 4]) for side in range(4))


def _skew_degrees(quad: Quad) -> float:
    ahead = np.roll(quad, -1, axis=0) - quad
    behind = np.roll(quad, 1, axis=0) - quad
    cosines = (ahead * behind).sum(axis=1) / (np.linalg.norm(ahead, axis=1) * np.linalg.norm(behind, axis=1) + 1e-6)
    return float(np.abs(90 - np.degrees(np.arccos(np.clip(cosines, -1, 1)))).max())


# --- edges: clockwise, so that outwards is to the left of the way ----------------------------------------------------


def _profiles(grey: NDArray[np.float32], start: Any, end: Any, offsets: Any) -> tuple[Any, Any, Any]:
    """Grey values across an edge: points along it, the outward normal, and one row of values a point."""
    along = (end - start) / (np.linalg.norm(end - start) + 1e-6)
    outwards = np.array([along[1], -along[0]], np.float32)
    shares = np.linspace(CORNER_SHARE, 1 - CORNER_SHARE, EDGE_POINTS, dtype=np.float32)[:, None]
    points = start + shares * (end - start)
    places = points[:, None, :] + np.asarray(offsets, np.float32)[None, :, None] * outwards
    places = places.astype(np.float32)
    values = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return points, outwards, values


def _is_edge(grey: NDArray[np.float32], start: Any, end: Any) -> bool:
    length = float(np.linalg.norm(end - start))
    away = float(np.clip(length * 0.012, 3.0, 10.0))
    _, _, values = _profiles(grey, start, end, np.linspace(-away, away, 7))
    drop = values[:, :3].mean(axis=1) - values[:, 4:].mean(axis=1)
    return bool((drop >= LEAST_CONTRAST * 0.6).mean() >= SURE_SHARE and float(np.median(drop)) >= LEAST_CONTRAST)


def _refined(grey: NDArray[np.float32], rough: Quad, reach: float) -> Quad | None:
    """Straight lines laid through the steepest place of every edge; their crossings are the corners."""
    quad = ordered(rough)
    for distance in (reach, max(reach / 3, 3.0)):
        lines = [_line(grey, quad[side], quad[(side + 1) % 4], distance) for side in range(4)]
        crossings = [_crossing(lines[side - 1], lines[side]) for side in range(4)]
        if any(crossing is None for crossing in crossings):
            return None
        better = np.array(crossings, np.float32)
        if float(np.linalg.norm(better - quad, axis=1).max()) > 4 * reach:
            return None
        quad = better
    return quad


def _line(grey: NDArray[np.float32], start: Any, end: Any, reach: float) -> tuple[Any, Any]:
    """A point and a direction."""
    offsets = np.arange(-reach, reach + 0.25, 0.5, dtype=np.float32)
    points, outwards, values = _profiles(grey, start, end, offsets)
    drop = values[:, :-2] - values[:, 2:]
    steepest = drop.argmax(axis=1)
    rows = np.arange(len(points))
    inner = np.clip(steepest, 1, drop.shape[1] - 2)
    left, middle, right = drop[rows, inner - 1], drop[rows, inner], drop[rows, inner + 1]
    bend = left - 2 * middle + right
    shift = np.where(np.abs(bend) > 1e-3, np.clip(0.5 * (left - right) / np.where(bend == 0, 1, bend), -1, 1), 0.0)
    found = points + (offsets[inner + 1] + 0.5 * shift)[:, None] * outwards
    strong = drop[rows, steepest] >= 0.4 * np.median(drop[rows, steepest])
    laid = cv2.fitLine(found[strong].astype(np.float32), cv2.DIST_WELSCH, 0, 0.01, 0.01).ravel()
    return laid[2:4], laid[:2]


def _crossing(one: tuple[Any, Any], other: tuple[Any, Any]) -> Any:
    (p, d), (q, e) = one, other
    across = float(d[0] * e[1] - d[1] * e[0])
    if abs(across) < 0.2:
        return None
    way = float((q[0] - p[0]) * e[1] - (q[1] - p[1]) * e[0]) / across
    return p + way * d
