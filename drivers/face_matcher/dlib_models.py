"""dlib, called directly: HOG detector, 5-point landmarks, ResNet encodings (spike-face 0 to 3).

The models come from face-recognition-models; the 68-point file, whose training data excludes commercial use, is never
loaded. Encodings live in this process and nowhere else.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.errors import DeviceAbsent, HardwareFault
from drivers.face_matcher.engine import Face, Image, Thresholds, Vector
from drivers.face_matcher.processor import refuse_without_avx

SHAPE_FILE = "shape_predictor_5_face_landmarks.dat"
ENCODING_FILE = "dlib_face_recognition_resnet_model_v1.dat"
CARD_BOX = (17, 39, 81, 102)
"""Left, top, right, bottom of the face in a 102 × 126 card picture, when the detector finds none (spike-face 3)."""
CARD_SIZE = (102, 126)


def models_directory() -> Path:
    """Where the models are, without executing the package that carries them."""
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or found.origin is None:
        raise DeviceAbsent("face models are not installed: install the extra `face`", "engine_unavailable")
    return Path(found.origin).parent / "models"


class DlibEngine:
    """One engine a process; loading takes about 0.4 s. Not thread-safe."""

    name = "dlib"
    can_fork = True
    thresholds = Thresholds(accept_at=0.50, retry_at=0.60, same_person_at=0.40, turned_person_at=0.50)

    def __init__(self, *, detection_width: int = 480, shape: Path | None = None, encoding: Path | None = None) -> None:
        refuse_without_avx()
        try:
            dlib: Any = importlib.import_module("dlib")
        except ImportError as error:
            raise DeviceAbsent("dlib is not installed: install the extra `face`", "engine_unavailable") from error
        directory = models_directory()
        encoding = encoding or directory / ENCODING_FILE
        self._dlib = dlib
        self._detection_width = detection_width
        self._detector = dlib.get_frontal_face_detector()
        try:
            self._shape = dlib.shape_predictor(str(shape or directory / SHAPE_FILE))
            self._encoder = dlib.face_recognition_model_v1(str(encoding))
            self.model_sha256 = hashlib.sha256(encoding.read_bytes()).hexdigest()
        except (RuntimeError, OSError) as error:
            raise HardwareFault(
                "a face model cannot be read: reinstall the extra `face`", "engine_unavailable"
            ) from error

    def warm_up(self) -> None:
        """The first call of each part allocates; do it before anyone waits."""
        blank = np.full((270, self._detection_width, 3), 128, dtype=np.uint8)
        self.detect(blank)
        self.encode(blank, Face(100, 60, 220, 180, 1.0, ((200, 100), (180, 100), (120, 100), (140, 100), (160, 140))))

    def detect(self, image: Image) -> list[Face]:
        """Faces in a BGR frame, the best first, found on a small grey copy."""
        scale = min(1.0, self._detection_width / image.shape[1])
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        boxes, scores, _ = self._detector.run(small, 0, 0.0)
        faces = [self._face(grey, box, score, 1 / scale) for box, score in zip(boxes, scores, strict=True)]
        return sorted(faces, key=lambda face: -face.score)

    def _face(self, grey: Any, box: object, score: float, scale: float) -> Face:
        left, top, right, bottom = (round(getattr(box, side)() * scale) for side in ("left", "top", "right", "bottom"))
        shape = self._shape(grey, self._dlib.rectangle(left, top, right, bottom))
        points = tuple((shape.part(index).x, shape.part(index).y) for index in range(5))
        return Face(left, top, right, bottom, float(score), points)

    def encode(self, image: Image, face: Face) -> Vector:
        """128 numbers of unit scale from a full-size BGR frame; about 66 ms."""
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        box = self._dlib.rectangle(face.left, face.top, face.right, face.bottom)
        return np.array(self._encoder.compute_face_descriptor(rgb, self._shape(rgb, box)))

    def encode_card(self, png: bytes) -> Vector | None:
        """The reference from a card's picture; None when it cannot be used."""
        image: Any = cv2.imdecode(np.frombuffer(png, dtype=np.uint8), cv2.IMREAD_COLOR)
        if image is None or min(image.shape[:2]) < 60:
            return None
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        boxes, scores, _ = self._detector.run(grey, 1, -0.5)
        if len(boxes):
            box = boxes[int(np.argmax(scores))]
            return self.encode(image, Face(box.left(), box.top(), box.right(), box.bottom(), float(max(scores)), ()))
        if image.shape[1::-1] != CARD_SIZE or float(grey.std()) < 10:
            return None
        return self.encode(image, Face(*CARD_BOX, 0.0, ()))

    @staticmethod
    def compare(one: Vector, other: Vector) -> float:
        """Euclidean distance: smaller is more alike."""
        return float(np.linalg.norm(one - other))
