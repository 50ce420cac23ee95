"""Signatures of nobody: smooth invented strokes within a box of 80 × 40 mm."""

from __future__ import annotations

import math
from typing import Final

from drivers.messages import PenPoint, Stroke

BOX_WIDTH_MM: Final = 80.0
BOX_HEIGHT_MM: Final = 40.0
SAMPLE_MS: Final = 8
PAUSE_MS: Final = 120
STROKE_POINTS: Final = 36

_CURVES: Final = {
    "lin": ((8, 12, 20, 3, 2.0), (16, 6, 4, 26, 1.0), (34, 10, 26, 8, 3.0), (48, 30, 24, -14, 2.0)),
    "aydin": ((10, 30, 14, -22, 1.0), (24, 8, 12, 22, 1.5), (14, 22, 18, 0, 0.5)),
    "chen": ((12, 8, 6, 24, 2.5), (22, 20, 40, 4, 4.0)),
}
"""Per stroke: where it begins, how far it goes in x and y (mm), and how often it waves."""

NAMES: Final = tuple(_CURVES)


def signature_of(name: str) -> tuple[Stroke, ...]:
    """Raises `ValueError` for a name nobody has."""
    if name not in _CURVES:
        raise ValueError(f"no signature is called {name!r}: choose one of {', '.join(NAMES)}")
    strokes, time_ms = [], 0
    for x, y, width, height, waves in _CURVES[name]:
        points = []
        for number in range(STROKE_POINTS):
            share = number / (STROKE_POINTS - 1)
            wave = math.sin(share * waves * 2 * math.pi)
            points.append(
                PenPoint(
                    x_mm=round(x + width * share + 1.2 * wave, 2),
                    y_mm=round(y + height * share + 2.4 * wave, 2),
                    pressure=round(0.25 + 0.6 * math.sin(share * math.pi), 2),
                    milliseconds=time_ms,
                )
            )
            time_ms += SAMPLE_MS
        strokes.append(Stroke(points=tuple(points)))
        time_ms += PAUSE_MS
    return tuple(strokes)


def mishandled(strokes: tuple[Stroke, ...], fault: str) -> tuple[Stroke, ...]:
    """What a hand does wrong: `empty`, `too_short`, `outside_box`; anything else leaves the strokes as they are."""
    match fault:
        case "empty":
            return ()
        case "too_short":
            return (Stroke(points=strokes[0].points[:3]),)
        case "outside_box":
            return tuple(
                Stroke(points=tuple(p.model_copy(update={"y_mm": p.y_mm + BOX_HEIGHT_MM}) for p in stroke.points))
                for stroke in strokes
            )
        case _:
            return strokes
