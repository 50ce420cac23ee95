"""What a camera's pictures say about the camera: a covered lens, too little or too much light, a frozen picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from drivers.face_camera.grabber import Image

Word = Literal["ok", "obstructed", "too_dark", "too_bright"]

LOOK_WIDTH = 320
LOOK_SECONDS = 0.2
LASTS_SECONDS = 1.5
"""A hand that passes is no fault."""
FROZEN_SECONDS = 3.0
"""Noise makes any two pictures of a living sensor differ."""
DARK_LUMA = 24.0
BURNT_LUMA, BURNT_SHARE = 250, 0.5
LEAST_EDGE = 14.0
"""Of the steepest hundredth of the picture, 0 to 1020: a shop behind has a door, a shelf; a sticker has nothing."""
EVERY = 16


def word_of(image: Image) -> Word:
    """One picture judged."""
    scale = LOOK_WIDTH / image.shape[1]
    grey = cv2.cvtColor(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    if float(np.percentile(grey, 90)) < DARK_LUMA:
        return "too_dark"
    if float((grey >= BURNT_LUMA).mean()) > BURNT_SHARE:
        return "too_bright"
    calm = cv2.GaussianBlur(grey, (0, 0), 1.5)
    steep = cv2.magnitude(cv2.Sobel(calm, cv2.CV_32F, 1, 0), cv2.Sobel(calm, cv2.CV_32F, 0, 1))
    return "obstructed" if float(np.percentile(steep, 99)) < LEAST_EDGE else "ok"


@dataclass
class Sight:
    """Judges picture after picture; `now` is monotonic seconds. `word` and `is_frozen` are what has lasted."""

    judges: Callable[[Image], Word] = word_of
    word: Word | None = None
    is_frozen: bool = False
    _seen: Word | None = None
    _since: float = 0.0
    _looked_at: float = float("-inf")
    _sample: bytes = b""
    _same_since: float = 0.0

    def see(self, image: Image, now: float) -> None:
        sample = image[::EVERY, ::EVERY].tobytes()
        if sample != self._sample:
            self.is_frozen = self.is_frozen and not self._sample
            self._sample, self._same_since = sample, now
        elif now - self._same_since >= FROZEN_SECONDS:
            self.is_frozen = True
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        word = self.judges(image)
        if word != self._seen:
            self._seen, self._since = word, now
        if word == "ok" or now - self._since >= LASTS_SECONDS:
            self.word = word

    def pause(self) -> None:
        """Nobody looks for a while: what was begun to be seen does not count, and no picture is kept."""
        self._sample, self._seen, self._looked_at = b"", None, float("-inf")

    @property
    def is_settled(self) -> bool:
        """True when looking on would tell nothing new."""
        return self.word is not None and self.word == self._seen and not self.is_frozen
