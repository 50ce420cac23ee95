"""Newest frames of a camera, opened only while somebody waits for a code.

One thread opens, reads and releases: opening may hang as long as reading. Its single slot holds no old picture.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Final

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "probesize;32768|analyzeduration;0|fflags;nobuffer")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
from numpy.typing import NDArray

from drivers.errors import DeviceAbsent, DeviceError, DeviceOffline

for _name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    os.environ.pop(_name, None)
cv2.setNumThreads(1)

Picture = NDArray[Any]

CAMERA_LIMIT_MS: Final = 1500
STALL_SECONDS: Final = 2.0
JOIN_SECONDS: Final = 0.5


class Frames:
    """From construction to `close`. `newest` and `interrupt` may be called from different threads."""

    def __init__(self, camera: str, width: int, height: int) -> None:
        self._camera = camera
        self._size = (width, height)
        self._news = threading.Condition()
        self._picture: Picture | None = None
        self._sequence = 0
        self._failure: DeviceError | None = None
        self._is_ended = False
        self._is_interrupted = False
        self._thread = threading.Thread(target=self._run, name="code-camera", daemon=True)
        self._thread.start()

    def newest(self, seconds: float) -> Picture | None:
        """Rows × columns, grey, 8 bits; each is given once. None after `seconds`, or when interrupted.

        Raises `DeviceAbsent` (`camera_absent`), `DeviceOffline` (`camera_lost`).
        """
        ends_at = time.monotonic() + seconds
        with self._news:
            while self._picture is None:
                if self._failure is not None:
                    raise self._failure
                left = ends_at - time.monotonic()
                if left <= 0 or self._is_interrupted:
                    return None
                self._news.wait(left)
            picture, self._picture = self._picture, None
            return picture

    def interrupt(self) -> None:
        with self._news:
            self._is_interrupted = True
            self._news.notify_all()

    def close(self) -> None:
        """A read that is stuck in the camera's own driver is left behind; it releases the camera when it ends."""
        with self._news:
            self._is_ended = True
            self._news.notify_all()
        self._thread.join(JOIN_SECONDS)
        with self._news:
            self._put(None)

    def _run(self) -> None:
        capture = _opened(self._camera, self._size)
        try:
            while not self._is_ended:
                good, image = capture.read()
                if not good:
                    self._fail()
                    return
                picture = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
                image[:] = 0
                with self._news:
                    self._put(picture)
                    self._sequence += 1
                    self._news.notify_all()
        finally:
            capture.release()

    def _put(self, picture: Picture | None) -> None:
        if self._picture is not None:
            self._picture[:] = 0
        self._picture = None if self._is_ended else picture

    def _fail(self) -> None:
        with self._news:
            if self._sequence:
                self._failure = DeviceOffline("the code camera was unplugged or its stream ended", "camera_lost")
            else:
                self._failure = DeviceAbsent("the code camera cannot be opened: check its cable", "camera_absent")
            self._news.notify_all()


def _opened(camera: str, size: tuple[int, int]) -> Any:
    if camera.isdigit() or camera.startswith("/dev/"):
        capture = cv2.VideoCapture(int(camera) if camera.isdigit() else camera, cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        return capture
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, CAMERA_LIMIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, CAMERA_LIMIT_MS]
    return cv2.VideoCapture(camera, cv2.CAP_FFMPEG, limits)
