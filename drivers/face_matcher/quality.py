"""Is this frame good enough, and if not, what should the person do? Gates and numbers of spike-face 6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.face_matcher.engine import Face

Image = NDArray[np.uint8]

REFERENCE_WIDTH = 1280
"""Pixel limits below are for frames of this width; others are scaled."""


@dataclass(frozen=True)
class Gates:
    """Starting points, to be set again with the machine's own camera; the tighter set is for frames to encode."""

    least_width: float
    greatest_height: float
    off_centre: float
    least_score: float
    luma: tuple[float, float]
    greatest_glare: float
    least_contrast: float
    least_sharpness: float
    greatest_parallax: float
    greatest_roll: float


POSITION = Gates(130, 0.60, 0.20, 0.2, (40, 200), 0.20, 15, 0.35, 0.15, 20)
MATCHING = Gates(160, 0.60, 0.20, 0.5, (45, 190), 0.10, 20, 0.45, 0.10, 15)


def hindrance(image: Image, faces: Sequence[Face], gates: Gates, *, pose_matters: bool = True) -> str:
    """The reason code of the first gate that does not hold, or empty."""
    if not faces:
        return "NO_FACE"
    widest = max(face.width for face in faces)
    if sum(face.width > 0.5 * widest for face in faces) > 1:
        return "MULTI_FACE"
    face = faces[0]
    height, width = image.shape[:2]
    if face.width < gates.least_width * width / REFERENCE_WIDTH:
        return "TOO_SMALL"
    if face.height > gates.greatest_height * height:
        return "TOO_CLOSE"
    across, down = face.centre[0] / width - 0.5, face.centre[1] / height - 0.5
    if max(abs(across), abs(down)) > gates.off_centre:
        return "OFF_CENTRE"
    return _light(image, face, gates) or (_pose(face, gates) if pose_matters else "")


def _light(image: Image, face: Face, gates: Gates) -> str:
    crop = image[max(face.top, 0) : face.bottom, max(face.left, 0) : face.right]
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    mean = float(grey.mean())
    if mean < gates.luma[0]:
        return "TOO_DARK"
    if mean > gates.luma[1] or float((grey > 245).mean()) > gates.greatest_glare:
        return "TOO_BRIGHT"
    if float(grey.std()) < gates.least_contrast:
        return "TOO_DARK"
    return "BLUR" if sharpness(grey) < gates.least_sharpness else ""


def _pose(face: Face, gates: Gates) -> str:
    if face.score < gates.least_score:
        return "POSE"
    turned = abs(face.parallax) > gates.greatest_parallax or abs(face.roll_degrees) > gates.greatest_roll
    return "POSE" if turned else ""


def sharpness(grey: Any) -> float:
    """S of spike-face 6: gradient energy in the weaker direction over variance, on 128 × 128; blind to brightness."""
    small = cv2.GaussianBlur(cv2.resize(grey, (128, 128), interpolation=cv2.INTER_AREA), (0, 0), 0.8).astype(np.float32)
    across = float((cv2.Sobel(small, cv2.CV_32F, 1, 0) ** 2).mean())
    down = float((cv2.Sobel(small, cv2.CV_32F, 0, 1) ** 2).mean())
    return min(across, down) / max(float(small.var()), 1e-6)
