"""A face engine as a third party would ship it, on what OpenCV brings: a cascade finds, a small patch compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.face_matcher.engine import Face, Thresholds

CASCADE = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"


class PatchEngine:
    name = "patch"
    model_sha256 = "0" * 64
    thresholds = Thresholds(accept_at=0.30, retry_at=0.40, same_person_at=0.5, turned_person_at=0.9)

    def __init__(self) -> None:
        self._cascade = cv2.CascadeClassifier(str(CASCADE))

    def warm_up(self) -> None:
        self.detect(np.full((180, 320, 3), 128, np.uint8))

    def detect(self, image: Any) -> list[Face]:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        scale = 320 / grey.shape[1]
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = self._cascade.detectMultiScale(small, 1.1, 5, minSize=(40, 40))
        return [self._face(*(round(float(value) / scale) for value in box)) for box in found]

    @staticmethod
    def _face(left: int, top: int, width: int, height: int) -> Face:
        eyes, nose = top + height * 2 // 5, (left + width // 2, top + height * 3 // 5)
        across = [left + round(width * share) for share in (0.8, 0.62, 0.2, 0.38)]
        return Face(left, top, left + width, top + height, 1.0, (*((x, eyes) for x in across), nose))

    def encode(self, image: Any, face: Face) -> Any:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[max(face.top, 0) : face.bottom, max(face.left, 0) : face.right]
        patch = cv2.resize(grey, (24, 24), interpolation=cv2.INTER_AREA).astype(np.float64)
        patch -= patch.mean()
        return (patch / (np.linalg.norm(patch) or 1.0)).ravel()

    def encode_card(self, png: bytes) -> Any:
        image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            return None
        faces = self.detect(cv2.copyMakeBorder(image, 40, 40, 80, 80, cv2.BORDER_REPLICATE))
        if not faces:
            return None
        moved = cv2.copyMakeBorder(image, 40, 40, 80, 80, cv2.BORDER_REPLICATE)
        return self.encode(moved, faces[0])

    def compare(self, one: Any, other: Any) -> float:
        return float(1 - np.dot(one, other))


class Incomplete:
    """It forgot half of what is asked of an engine."""

    name = "incomplete"
