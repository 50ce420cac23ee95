"""A found page made straight, judged, and packed: what a clerk can read, in less than 900 kB."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from drivers.document_scanner.page_finder import Image, Quad, sides, true_ratio
from drivers.errors import MediaError
from drivers.messages import Corners, ScannedPage

GREATEST_JPEG_BYTES = 900_000
QUALITIES = (92, 88, 84, 78, 70, 60, 50)
SMALLER = 0.8
LEAST_SIDE_PX = 40
LEAST_CUT_SHARE = 0.01
OTHER_BY_GREY = 24
BLANK_SHARE = 0.0005
BLANK_MARGIN = 0.03
LUMA_SHARE = 90
"""The paper itself, not its print: this percentile of the page's brightness."""


@dataclass(frozen=True)
class Limits:
    """Grey values of 0 to 255, shares of the page; `least_sharpness` see `sharpness`."""

    least_luma: float = 80.0
    greatest_glare: float = 0.015
    least_sharpness: float = 1.6


def straightened(image: Image, quad: Quad) -> Image:
    """The page alone at the picture's own resolution, with the ratio of the paper it is."""
    width, height = sides(quad)
    ratio = true_ratio(quad) or max(width, height) / min(width, height)
    size = (round(width), round(width * ratio)) if height >= width else (round(height * ratio), round(height))
    right, bottom = size[0] - 0.5, size[1] - 0.5
    target = np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]], np.float32)
    move = cv2.getPerspectiveTransform(quad, target)
    return np.asarray(cv2.warpPerspective(image, move, size, flags=cv2.INTER_CUBIC), np.uint8)


def cut_by_hand(image: Image, corners: Corners) -> Image:
    """The page between corners a person has set. Raises `MediaError` (`corners_wrong`) when they enclose no page."""
    height, width = image.shape[:2]
    four = (corners.upper_left, corners.upper_right, corners.lower_right, corners.lower_left)
    quad = np.array([[each.x * width - 0.5, each.y * height - 0.5] for each in four], np.float32)
    ahead = np.roll(quad, -1, axis=0) - quad
    after = np.roll(ahead, -1, axis=0)
    turns = ahead[:, 0] * after[:, 1] - ahead[:, 1] * after[:, 0]
    if (
        not bool((turns > 0).all())
        or float(np.linalg.norm(ahead, axis=1).min()) < LEAST_SIDE_PX
        or float(cv2.contourArea(quad)) < LEAST_CUT_SHARE * width * height
    ):
        raise MediaError("the corners enclose no page: set them clockwise from the upper left", "corners_wrong")
    return straightened(image, quad)


def scanned(page: Image, *, colour: bool = True) -> ScannedPage:
    """The page as it is handed over. `page` is not changed."""
    grey: Any = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    clear = sharpness(grey)
    jpeg, width, height = packed(page if colour else np.asarray(grey, np.uint8))
    digest = hashlib.sha256(jpeg).hexdigest()
    return ScannedPage(jpeg=jpeg, width_px=width, height_px=height, sharpness=round(clear, 2), sha256=digest)


def is_blank(picture: Image) -> bool:
    """Whether a glass shows its lid (or the dark room) alone: hardly a point differs from the rest."""
    height, width = picture.shape[:2]
    high, wide = round(height * BLANK_MARGIN), round(width * BLANK_MARGIN)
    grey: Any = cv2.cvtColor(picture[high : height - high, wide : width - wide], cv2.COLOR_BGR2GRAY)
    other = np.abs(grey.astype(np.int16) - int(np.median(grey))) > OTHER_BY_GREY
    return float(other.mean()) < BLANK_SHARE


def turned(page: Image, degrees: int) -> Image:
    """Clockwise by 0, 90, 180 or 270 degrees."""
    return np.ascontiguousarray(np.rot90(page, -degrees // 90))


def defect(page: Image, limits: Limits) -> str:
    """The reason of device-classes C.6 why nobody could read this page, or empty: too_dark, glare, too_blurred."""
    grey: Any = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    if float(np.percentile(grey, LUMA_SHARE)) < limits.least_luma:
        return "too_dark"
    if glare(page) > limits.greatest_glare:
        return "glare"
    return "too_blurred" if sharpness(grey) < limits.least_sharpness else ""


def glare(page: Image) -> float:
    """Share of the page that is a burnt-out spot, in all three colours at once."""
    small = cv2.resize(page, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return float((small.min(axis=2) >= 250).mean())


def sharpness(grey: Any) -> float:
    """How much the steepest hundredth of the edges loses when blurred by 2.5 pixels: 1.0 is mist, above 2 is sharp.

    A ratio of one picture to itself: blind to brightness and to how much is printed.
    """
    near = _steepest(cv2.GaussianBlur(grey, (0, 0), 0.8))
    return near / max(_steepest(cv2.GaussianBlur(grey, (0, 0), 2.5)), 1e-3)


def _steepest(grey: Any) -> float:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    steep = cv2.magnitude(across, down).ravel()
    count = max(len(steep) // 100, 1)
    return float(np.partition(steep, -count)[-count:].mean())


def packed(page: Image) -> tuple[bytes, int, int]:
    """A JPEG below the limit with its width and height: quality gives way first, then size."""
    while True:
        for quality in QUALITIES:
            jpeg = bytes(cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())
            if len(jpeg) < GREATEST_JPEG_BYTES:
                return jpeg, page.shape[1], page.shape[0]
        page = np.asarray(cv2.resize(page, None, fx=SMALLER, fy=SMALLER, interpolation=cv2.INTER_AREA), np.uint8)
