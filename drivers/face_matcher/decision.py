"""From distances to a decision. Thresholds belong to the model and are settings (spike-face 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from drivers.face_matcher.engine import Vector
from drivers.messages import FaceDecision

SAME_PERSON_AT = 0.40
"""Encodings of one course must agree this far: otherwise one person passes liveness and another is compared."""
TURNED_PERSON_AT = 0.50
"""The same for a turned head against its own straight view, which lies farther off (spike-face 3: p95 0.36 at 20°)."""


Compare = Callable[[Vector, Vector], float]


def euclidean(one: Vector, other: Vector) -> float:
    return float(np.linalg.norm(one - other))


@dataclass(frozen=True)
class Judgement:
    decision: FaceDecision
    reason: str
    distance: float | None


def judge(
    live: Sequence[Vector],
    card: Vector,
    *,
    accept_at: float,
    retry_at: float,
    turned: Sequence[Vector] = (),
    compare: Compare = euclidean,
    same_person_at: float = SAME_PERSON_AT,
    turned_person_at: float = TURNED_PERSON_AT,
) -> Judgement:
    """ACCEPT up to `accept_at`, RETRY up to `retry_at` (the grey zone), REJECT beyond.

    `turned` are encodings of the turned head: whoever turned must be whoever looked straight.
    """
    if any(compare(one, live[0]) > turned_person_at for one in turned):
        return Judgement(FaceDecision.RETRY, "IDENTITY_CHANGED", None)
    for index, one in enumerate(live):
        if any(compare(one, other) > same_person_at for other in live[index + 1 :]):
            return Judgement(FaceDecision.RETRY, "IDENTITY_CHANGED", None)
    distance = round(median(compare(one, card) for one in live), 2)
    if distance <= accept_at:
        return Judgement(FaceDecision.ACCEPT, "", distance)
    if distance <= retry_at:
        return Judgement(FaceDecision.RETRY, "GREY_ZONE", distance)
    return Judgement(FaceDecision.REJECT, "NO_MATCH", distance)
