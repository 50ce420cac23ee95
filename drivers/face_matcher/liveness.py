"""The course of one face check as pure state: what was seen goes in, what to do next comes out (spike-face 4).

POSITION (gates hold for some frames) → NEUTRAL → for each step: TURN → RETURN → done. Without the head turn, NEUTRAL
collects three frames to encode and is done; it begins with the first frame that passes the tighter gates of encoding,
since each of the three is held to them. No camera, no clock of its own: moments are passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

Direction = Literal["left", "right"]
Phase = Literal["position", "neutral", "turn", "return", "done"]

PASSIVE_ENCODINGS = 3
NEUTRAL_FRAMES = 6
"""The straight look is the median of so many: one trembling landmark does not tilt the whole course (spike-face 4)."""


@dataclass(frozen=True)
class Rules:
    """Seconds, frames, and turns in eye distances of nose parallax."""

    position_seconds: float = 6.0
    step_seconds: float = 5.0
    steady_frames: int = 3
    turned_at: float = 0.10
    returned_at: float = 0.05
    held_frames: int = 2
    lost_seconds: float = 0.8
    greatest_jump: float = 0.6
    """Of the face's width between two frames: more is another face, or a picture that was swapped."""


@dataclass(frozen=True)
class Seen:
    """One frame: why it is not good enough to stand (`hindrance`) or to be encoded (`unfit`), and the best face."""

    hindrance: str
    unfit: str
    parallax: float = 0.0
    centre: tuple[float, float] = (0.0, 0.0)
    width: float = 0.0

    @property
    def has_one_face(self) -> bool:
        return self.width > 0 and self.hindrance not in ("NO_FACE", "MULTI_FACE")


@dataclass(frozen=True)
class Next:
    """What follows from a frame: a prompt, whether to encode this frame, and how it ended if it did.

    `turned`: the frame to encode shows the head turned; it proves who turned, and is not compared with the card.
    """

    phase: Phase
    prompt: str
    step: int = 0
    encode: bool = False
    turned: bool = False
    failure: str = ""

    @property
    def is_over(self) -> bool:
        return self.phase == "done" or bool(self.failure)


@dataclass
class FaceCourse:
    """One attempt. `turns` are drawn by the caller from a secret source; empty means without the head turn."""

    rules: Rules
    turns: Sequence[Direction]
    started_at: float
    phase: Phase = "position"
    _since: float = 0.0
    _steady: int = 0
    _held: int = 0
    _step: int = 0
    _encoded: int = 0
    _neutral: float = 0.0
    _parallaxes: list[float] = field(default_factory=list)
    _last: Seen | None = None
    _seen_at: float = 0.0

    def __post_init__(self) -> None:
        self._since = self._seen_at = self.started_at

    def feed(self, seen: Seen, now: float) -> Next:
        """Take one frame in; a course that is over must not be fed again."""
        broken = self._broken(seen, now)
        if broken:
            return Next(self.phase, broken, self._step, failure=broken)
        match self.phase:
            case "position":
                return self._position(seen, now)
            case "neutral":
                return self._neutrally(seen, now)
            case "turn":
                return self._turn(seen, now)
            case _:
                return self._return(seen, now)

    # --- what ends an attempt ------------------------------------------------------------------------------------

    def _broken(self, seen: Seen, now: float) -> str:
        """Once someone stands there, nobody may come, go or be exchanged."""
        before, self._last = self._last, seen if seen.has_one_face else self._last
        if seen.has_one_face:
            lost_for, self._seen_at = now - self._seen_at, now
        else:
            lost_for = now - self._seen_at
        if self.phase == "position":
            return ""
        if seen.hindrance == "MULTI_FACE":
            return "MULTI_FACE"
        if lost_for > self.rules.lost_seconds:
            return "FACE_LOST"
        if not seen.has_one_face or before is None:
            return ""
        moved = max(abs(seen.centre[0] - before.centre[0]), abs(seen.centre[1] - before.centre[1]))
        grown = max(seen.width, before.width) / max(min(seen.width, before.width), 1.0)
        jumped = moved > self.rules.greatest_jump * before.width or grown > 1 + self.rules.greatest_jump
        return "DISCONTINUITY" if jumped else ""

    # --- the phases ----------------------------------------------------------------------------------------------

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase, self._since, self._held, self._steady = phase, now, 0, 0

    def _position(self, seen: Seen, now: float) -> Next:
        self._steady = 0 if seen.hindrance else self._steady + 1
        if self._steady >= self.rules.steady_frames or not (self.turns or seen.unfit):
            self._enter("neutral", now)
            return self._neutrally(seen, now)
        if now - self._since > self.rules.position_seconds:
            failure = "MULTI_FACE" if seen.hindrance == "MULTI_FACE" else "POSITION_TIMEOUT"
            return Next("position", seen.hindrance, failure=failure)
        return Next("position", seen.hindrance or "LOOK_STRAIGHT")

    def _neutrally(self, seen: Seen, now: float) -> Next:
        if now - self._since > self.rules.position_seconds:
            return Next("neutral", seen.unfit, failure="POSITION_TIMEOUT")
        if seen.unfit:
            return Next("neutral", seen.unfit)
        self._parallaxes.append(seen.parallax)
        if self.turns and len(self._parallaxes) < NEUTRAL_FRAMES:
            return Next("neutral", "LOOK_STRAIGHT")
        self._encoded += 1
        if not self.turns:
            done = self._encoded >= PASSIVE_ENCODINGS
            self.phase = "done" if done else "neutral"
            return Next(self.phase, "HOLD_STILL", encode=True)
        self._neutral = median(self._parallaxes)
        self._enter("turn", now)
        return Next("turn", self._prompt(), self._step, encode=True)

    def _turn(self, seen: Seen, now: float) -> Next:
        prompt = self._prompt()
        if now - self._since > self.rules.step_seconds:
            return Next("turn", prompt, self._step, failure="STEP_TIMEOUT")
        if not seen.has_one_face:
            return Next("turn", prompt, self._step)
        sign = 1.0 if self.turns[self._step] == "left" else -1.0
        turned = sign * (seen.parallax - self._neutral)
        if turned < -1.5 * self.rules.turned_at:
            self._steady += 1
            if self._steady > self.rules.held_frames:
                return Next("turn", prompt, self._step, failure="WRONG_DIRECTION")
        self._held = self._held + 1 if turned >= self.rules.turned_at else 0
        if self._held >= self.rules.held_frames:
            self._enter("return", now)
            return Next("return", "RETURN", self._step, encode=True, turned=True)
        return Next("turn", prompt, self._step)

    def _return(self, seen: Seen, now: float) -> Next:
        if now - self._since > self.rules.step_seconds:
            return Next("return", "RETURN", self._step, failure="STEP_TIMEOUT")
        if not seen.has_one_face or abs(seen.parallax - self._neutral) >= self.rules.returned_at or seen.unfit:
            return Next("return", "RETURN", self._step)
        self._encoded += 1
        self._step += 1
        if self._step == len(self.turns):
            self.phase = "done"
            return Next("done", "HOLD_STILL", self._step, encode=True)
        self._enter("turn", now)
        return Next("turn", self._prompt(), self._step, encode=True)

    def _prompt(self) -> str:
        return "TURN_LEFT" if self.turns[self._step] == "left" else "TURN_RIGHT"
