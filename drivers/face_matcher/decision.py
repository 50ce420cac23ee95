"""From distances to a decision. Thresholds belong to the model and are settings (spike-face 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from drivers.face_matcher.engine import DlibEngine, Vector
from drivers.messages import FaceDecision

SAME_PERSON_AT = 0.40
"""Encodings of one course must agree this far: otherwise one person passes liveness and another is compared."""
TURNED_PERSON_AT = 0.50
"""The same for a turned head against its own straight view, which lies farther off (spike-face 3: p95 0.36 at 20°)."""


@dataclass(frozen=True)
class Judgement:
    decision: FaceDecision
    reason: str
    distance: float | None


def judge(
    live: Sequence[Vector], card: Vector, *, accept_at: float, retry_at: float, turned: Sequence[Vector] = ()
) -> Judgement:
    """ACCEPT up to `accept_at`, RETRY up to `retry_at` (the grey zone), REJECT beyond.

    `turned` are encodings of the turned head: whoever turned must be whoever looked straight.
    """
    if any(DlibEngine.compare(one, live[0]) > TURNED_PERSON_AT for one in turned):
        return Judgement(FaceDecision.RETRY, "IDENTITY_CHANGED", None)
    for index, one in enumerate(live):
        if any(DlibEngine.compare(one, other) > SAME_PERSON_AT for other in live[index + 1 :]):
            return Judgement(FaceDecision.RETRY, "IDENTITY_CHANGED", None)
    distance = round(median(DlibEngine.compare(one, card) for one in live), 2)
    if distance <= accept_at:
        return Judgement(FaceDecision.ACCEPT, "", distance)
    if distance <= retry_at:
        return Judgement(FaceDecision.RETRY, "GREY_ZONE", distance)
    return Judgement(FaceDecision.REJECT, "NO_MATCH", distance)
