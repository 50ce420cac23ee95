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
ASIDE_PX, UP_DOWN_PX, GLANCE_PX = 3, MARGIN, 2
AT_A_GLANCE = 0.45
SHIFTS, STRETCHES, BENDS = np.arange(-6, 7), np.arange(-8, 9), np.arange(-4, 5, 2)

Ink = NDArray[np.float32]


def strip_width(signs: int) -> int:
    return (signs + 2) * PITCH


def read_strips(strips: list[Ink], signs: int) -> tuple[list[str], float]:
    """The lines, and how well they resemble OCR-B: 1.0 as drawn, below 0.5 something else. Lines that do not at a
    glance are not read: empty."""
    starts = _cells(np.stack(strips).sum(axis=0), signs)
    settings = [_setting(strip, starts) for strip in strips]
    likeness = sum(setting[0] for setting in settings) / len(strips)
    if likeness < AT_A_GLANCE:
        return [], likeness
    read = [_line(strip, starts, setting) for strip, setting in zip(strips, settings, strict=True)]
    return [line for line, _ in read], sum(alike for _, alike in read) / len(strips)


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


def _setting(strip: Ink, starts: NDArray[np.float64]) -> tuple[float, int, int]:
    """The likeness, height and drawing that suit the whole line best, its signs looked at in every second place."""
    best = (-1.0, 0, 0)
    for top in range(0, 2 * UP_DOWN_PX + 1, GLANCE_PX):
        alike = _alike(strip, starts, top, range(0, 2 * ASIDE_PX + 1, GLANCE_PX), _drawings())
        totals = alike.max(axis=2).mean(axis=1)
        variant = int(totals.argmax())
        best = max(best, (float(totals[variant]), top, variant))
    return best


def _line(strip: Ink, starts: NDArray[np.float64], setting: tuple[float, int, int]) -> tuple[str, float]:
    """Each sign a little aside as it pleases, the line a pixel higher or lower than at a glance."""
    _, around, variant = setting
    drawings = _drawings()[variant : variant + 1]
    best_total, best_signs = -1.0, ""
    for top in range(max(around - 1, 0), min(around + 1, 2 * UP_DOWN_PX) + 1):
        alike = _alike(strip, starts, top, range(2 * ASIDE_PX + 1), drawings)[0]
        total = float(alike.max(axis=1).mean())
        if total > best_total:
            best_total, best_signs = total, "".join(ALPHABET[index] for index in alike.argmax(axis=1))
    return best_signs, best_total


def _alike(strip: Ink, starts: NDArray[np.float64], top: int, asides: range, drawings: Any) -> Any:
    """Variants × cells × signs: how much each cell resembles each drawing, at best aside."""
    padded = np.pad(strip[top : top + CELL_HEIGHT], ((0, 0), (ASIDE_PX, ASIDE_PX + PITCH)))
    lefts = np.round(starts).astype(np.int64)[:, None] + np.array(asides)
    columns = lefts[..., None] + np.arange(PITCH)
    patches = _normal(padded[:, columns].transpose(1, 2, 0, 3).reshape(lefts.size, -1))
    variants, signs, _ = drawings.shape
    every = drawings.reshape(variants * signs, -1)
    product: Any = cv2.gemm
    alike = product(patches, every, 1.0, None, 0.0, flags=cv2.GEMM_2_T)
    return alike.reshape(*lefts.shape, variants, signs).max(axis=1).transpose(1, 0, 2)


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
