"""`face_matcher/dlib`: the built-in engine."""

from __future__ import annotations

from pydantic import Field

from drivers.face_matcher.dlib_models import DlibEngine
from drivers.face_matcher.engine import FaceEngine, Thresholds
from drivers.face_matcher.matcher import Matcher, MatcherOptions


class FaceMatcherOptions(MatcherOptions):
    """Distances: smaller is more alike. Provisional for the population served until tried there (spike-face 3)."""

    detection_width: int = Field(default=480, ge=200, le=1920)
    accept_at: float = Field(default=DlibEngine.thresholds.accept_at, gt=0, lt=1)
    retry_at: float = Field(default=DlibEngine.thresholds.retry_at, gt=0, lt=1)


class FaceMatcher(Matcher):
    """Camera and dlib."""

    Options = FaceMatcherOptions
    driver = "face_matcher/dlib"

    def __init__(self, options: FaceMatcherOptions) -> None:
        self._own = options
        super().__init__(options)

    def make_engine(self) -> FaceEngine:
        return DlibEngine(detection_width=self._own.detection_width)

    def thresholds(self, engine: FaceEngine) -> Thresholds:
        own = engine.thresholds
        return Thresholds(self._own.accept_at, self._own.retry_at, own.same_person_at, own.turned_person_at)
