"""What a second, infrared camera says about life: a screen shines nothing there, a head is in both (spike-face 4).

Cues, never a proof: they make a replay on a screen fail, not a mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.face_matcher.engine import Face

NEAR_SECONDS = 0.4
"""Two pictures of one moment: the infrared one is taken when the colour one has been encoded. Nobody moves far in it;
who does is asked again."""
LEAST_OVERLAP = 0.5
GREATEST_TURN_APART = 0.08
"""Between the change of parallax in both, in eye distances."""
MISSING_SHARE = 0.5


@dataclass
class InfraredCues:
    """Collected over one attempt: pairs of faces at the moments of encoding."""

    pairs: int = 0
    missing: int = 0
    apart: int = 0
    _straight: list[tuple[float, float]] = field(default_factory=list)

    def see(self, colour: Face, infrared: Face | None, *, turned: bool) -> None:
        self.pairs += 1
        if infrared is None:
            self.missing += 1
        elif overlap(colour, infrared) < LEAST_OVERLAP or self._turned_apart(colour, infrared, turned):
            self.apart += 1

    def _turned_apart(self, colour: Face, infrared: Face, turned: bool) -> bool:
        if not turned:
            self._straight.append((colour.parallax, infrared.parallax))
            return False
        if not self._straight:
            return False
        first, second = self._straight[0]
        return abs((colour.parallax - first) - (infrared.parallax - second)) > GREATEST_TURN_APART

    def suspicion(self, *, is_required: bool) -> str:
        """A reason code of spike-face 4, or empty."""
        if not self.pairs:
            return "IR_UNAVAILABLE" if is_required else ""
        if self.missing > self.pairs * MISSING_SHARE:
            return "IR_NO_FACE"
        return "IR_MISMATCH" if self.apart > self.pairs * MISSING_SHARE else ""


def overlap(one: Face, other: Face) -> float:
    """Intersection over union of the boxes, both in shares of pictures of one size."""
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    common = max(wide, 0) * max(high, 0)
    return common / max(one.width * one.height + other.width * other.height - common, 1)
