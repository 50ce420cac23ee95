"""Signs of OCR-B in a strip of known pitch: each is the one of thirty-seven drawings that it resembles most.

The drawings, `glyphs.png`, were made from Norbert Schwarz's and Matthew Skala's OCR-B, which anybody may use without
limitation. They stand in the order of the codec's alphabet, white on black, PITCH by CELL_HEIGHT pixels each.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.document_scanner.zone.codec import ALPHABET

PITCH, CELL_HEIGHT = 20, 28
MARGIN = 6
"""Of a strip above and below its cells; and on the left and right one whole cell."""
STRIP_HEIGHT = CELL_HEIGHT + 2 * MARGIN
SIZES = (0.9, 1.0, 1.1)
SOFTNESSES_PX = (0.7, 1.6)
ASIDE_PX, UP_DOWN_PX = 3, MARGIN
SHIFTS, STRETCHES, BENDS = np.arange(-6, 7), np.arange(-8, 9), np.arange(-4, 5, 2)

Ink = NDArray[np.float32]


def strip_width(signs: int) -> int:
    return (signs + 2) * PITCH


def read_strips(strips: list[Ink], signs: int) -> tuple[list[str], float]:
    """The lines, and how well they resemble OCR-B: 1.0 as drawn, below 0.5 something else."""
    starts = _cells(np.stack(strips).sum(axis=0), signs)
    lines, likeness = [], 0.0
    for strip in strips:
        line, alike = _line(strip, starts)
        lines.append(line)
        likeness += alike / len(strips)
    return lines, likeness


def _cells(ink: Ink, signs: int) -> NDArray[np.float64]:
    """Where cells begin: the even division whose borders meet the least ink, a little stretched or bent."""
    profile = np.convolve(ink.sum(axis=0), np.ones(3) / 3, mode="same")
    share = np.arange(signs + 1) / signs
    even = PITCH + np.arange(signs + 1) * PITCH
    shift, stretch, bend = (each[..., None] for each in np.meshgrid(SHIFTS, STRETCHES, BENDS, indexing="ij"))
    borders = even + shift + stretch * share + bend * 4 * share * (1 - share)
    places = np.clip(np.round(borders).astype(np.int64), 0, len(profile) - 1)
    odd = (np.abs(shift) + np.abs(stretch) + np.abs(bend))[..., 0] * profile.mean() * 0.02
    costs = profile[places].sum(axis=-1) + odd
    return np.asarray(borders[np.unravel_index(int(costs.argmin()), costs.shape)][:-1], np.float64)


def _line(strip: Ink, starts: NDArray[np.float64]) -> tuple[str, float]:
    """One height and one drawing's size and softness for the whole line; each sign a little aside as it pleases."""
    drawings = _drawings()
    best_total, best_signs = -1.0, ""
    padded = np.pad(strip, ((0, 0), (ASIDE_PX, ASIDE_PX + PITCH)))
    lefts = np.round(starts).astype(np.int64)
    for top in range(0, 2 * UP_DOWN_PX + 1):
        rows = padded[top : top + CELL_HEIGHT]
        patches = np.stack([
            rows[:, left + aside : left + aside + PITCH].ravel() for left in lefts for aside in range(2 * ASIDE_PX + 1)
        ])  # fmt: skip
        alike = np.einsum("pd,vsd->vps", _normal(patches), drawings, optimize=True)
        alike = alike.reshape(len(drawings), len(lefts), 2 * ASIDE_PX + 1, len(ALPHABET)).max(axis=2)
        totals = alike.max(axis=2).mean(axis=1)
        variant = int(totals.argmax())
        if totals[variant] > best_total:
            best_total = float(totals[variant])
            best_signs = "".join(ALPHABET[index] for index in alike[variant].argmax(axis=1))
    return best_signs, best_total


def _normal(patches: Any) -> Any:
    centred = patches - patches.mean(axis=-1, keepdims=True)
    return centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-3)


@lru_cache(maxsize=1)
def _drawings() -> Any:
    """Variants × signs × pixels, each of mean 0 and length 1."""
    atlas: Any = cv2.imread(str(Path(__file__).with_name("glyphs.png")), cv2.IMREAD_GRAYSCALE)
    signs = [atlas[:, at * PITCH : (at + 1) * PITCH].astype(np.float32) for at in range(len(ALPHABET))]
    variants = []
    for size in SIZES:
        turn = cv2.getRotationMatrix2D(((PITCH - 1) / 2, (CELL_HEIGHT - 1) / 2), 0, size)
        for soft in SOFTNESSES_PX:
            drawn = [cv2.GaussianBlur(cv2.warpAffine(sign, turn, (PITCH, CELL_HEIGHT)), (0, 0), soft) for sign in signs]
            variants.append(np.stack([sign.ravel() for sign in drawn]))
    return _normal(np.stack(variants)).astype(np.float32)
