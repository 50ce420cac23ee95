"""`face_matcher/plugged`: an engine of an installed package, run through the same course, gates and decisions."""

from __future__ import annotations

from pydantic import Field

from drivers.face_matcher.engine import FaceEngine, Thresholds, installed_engine
from drivers.face_matcher.matcher import Matcher, MatcherOptions


class PluggedOptions(MatcherOptions):
    engine: str = Field(description="its name in the entry-point group yizhan.face_engines")
    accept_at: float | None = Field(default=None, gt=0, description="instead of the engine's own distance")
    retry_at: float | None = Field(default=None, gt=0)


class PluggedMatcher(Matcher):
    """Camera and a package's engine."""

    Options = PluggedOptions
    driver = "face_matcher/plugged"

    def __init__(self, options: PluggedOptions) -> None:
        self._own = options
        super().__init__(options)

    def make_engine(self) -> FaceEngine:
        return installed_engine(self._own.engine)

    def thresholds(self, engine: FaceEngine) -> Thresholds:
        own = engine.thresholds
        return Thresholds(
            own.accept_at if self._own.accept_at is None else self._own.accept_at,
            own.retry_at if self._own.retry_at is None else self._own.retry_at,
            own.same_person_at,
            own.turned_person_at,
        )
