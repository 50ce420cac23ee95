"""What an engine of face comparison must do, and how one is found: built in, or in an installed package.

A package names its engine in its entry-point group `yizhan.face_engines`: `NAME = module:Class`. The class is called
without arguments in a thread of the device's process and keeps `FaceEngine`; `face_matcher/plugged` runs it through the
same course, gates and decisions as the built-in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from drivers.errors import DeviceAbsent, HardwareFault

ENGINES_GROUP = "yizhan.face_engines"

Image = NDArray[np.uint8]
"""Rows × columns, or rows × columns × 3 in OpenCV's order (blue, green, red)."""
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """Box in pixels of the full frame, HOG score, and five points: outer and inner corner of both eyes, nose base."""

    left: int
    top: int
    right: int
    bottom: int
    score: float
    points: tuple[tuple[int, int], ...]

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def centre(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def parallax(self) -> float:
        """r of spike-face 4: nose base against the middle of the eyes, along the eye line, in eye distances.

        In camera coordinates: it grows when the person turns to their own left.
        """
        first, second, nose = self._eyes()
        line = second - first
        distance = float(np.linalg.norm(line)) or 1.0
        return float(np.dot(nose - (first + second) / 2, line / distance) / distance)

    @property
    def roll_degrees(self) -> float:
        first, second, _ = self._eyes()
        return float(np.degrees(np.arctan2(second[1] - first[1], second[0] - first[0])))

    def _eyes(self) -> tuple[Vector, Vector, Vector]:
        points = np.array(self.points, dtype=float)
        pairs = sorted((points[0:2].mean(axis=0), points[2:4].mean(axis=0)), key=lambda eye: float(eye[0]))
        return pairs[0], pairs[1], points[4]


@dataclass(frozen=True)
class Thresholds:
    """Distances: smaller is more alike. They belong to the model and to the population it was tried on.

    `same_person_at` and `turned_person_at` hold the pictures of one course together.
    """

    accept_at: float
    retry_at: float
    same_person_at: float
    turned_person_at: float


class FaceEngine(Protocol):
    """One a process, used by one thread at a time. Vectors are overwritten by the caller, so they must be its own.

    An engine that also computes in a fork of its process says `can_fork = True`: the card's picture and the live
    ones are then encoded there. One that keeps threads or a graphics processor must not.
    """

    name: str
    model_sha256: str
    thresholds: Thresholds

    def warm_up(self) -> None:
        """Whatever the first call of each part would make a citizen wait for."""
        ...

    def detect(self, image: Image) -> list[Face]:
        """Faces in a colour (or infrared, three equal channels) frame, the best first. Score: 0.5 and above is sure.
        Five points as `Face` says; without them no head turn can be asked for."""
        ...

    def encode(self, image: Image, face: Face) -> Vector: ...

    def encode_card(self, png: bytes) -> Vector | None:
        """The reference from a card's picture (102 × 126); None when it cannot be used."""
        ...

    def compare(self, one: Vector, other: Vector) -> float:
        """A distance: smaller is more alike."""
        ...


def installed_engine(name: str) -> FaceEngine:
    """Load an engine by its name. Raises `DeviceAbsent` (`engine_unavailable`), `HardwareFault` (`engine_broken`)."""
    found = [point for point in entry_points(group=ENGINES_GROUP) if point.name == name]
    if not found:
        raise DeviceAbsent(f"no face engine is called {name!r}: install its package", "engine_unavailable")
    try:
        engine: FaceEngine = found[0].load()()
    except (ImportError, OSError) as error:
        raise DeviceAbsent(f"face engine {name}: its library or model is missing", "engine_unavailable") from error
    wrong = [
        part
        for part in ("model_sha256", "thresholds", "warm_up", "detect", "encode", "encode_card", "compare")
        if not hasattr(engine, part)
    ]
    if wrong:
        raise HardwareFault(f"face engine {name} lacks {', '.join(wrong)}: ask its maker", "engine_broken")
    return engine
