"""Frames from any camera OpenCV can open: a device, a network stream, a clip or a sequence of pictures.

One thread reads continuously into a single slot, so that nobody ever sees an old frame (spike-face 5). Clips and
sequences are paced at their rate; they are for demonstrations and tests, and machine settings refuse them elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "probesize;32768|analyzeduration;0|fflags;nobuffer")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.errors import DeviceAbsent, DeviceOffline
from drivers.messages import Message

for _name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
    os.environ.pop(_name, None)
cv2.setNumThreads(1)

Image = NDArray[np.uint8]

OLDEST_SECONDS = 0.2
"""A frame older than this says nothing about now."""
STALL_SECONDS = 2.0
OPEN_MSEC = 2000
"""A read may take twice as long, so that a stall is noticed by the one who waits and not called a loss."""


@dataclass(frozen=True)
class Frame:
    """`image` is height × width × 3, BGR, as the camera saw it (not mirrored). `taken_at` is monotonic seconds."""

    image: Image
    sequence: int
    taken_at: float


class CameraOptions(Message):
    camera: str = Field(default="0", description="0, /dev/video0, http://…, a clip, or a pattern such as f_%03d.png")
    fps: float = Field(default=25.0, gt=0, le=120, description="pace of a clip or sequence; wish to a device")
    loop: bool = True
    width: int = Field(default=1280, ge=160, le=4096)
    height: int = Field(default=720, ge=120, le=4096)


class FrameGrabber:
    """`open`, then `newest` as often as wanted, then `close`; may be opened again. Thread-safe."""

    def __init__(self, options: CameraOptions) -> None:
        self._options = options
        self._slot: deque[Frame] = deque(maxlen=1)
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lost = ""
        self._sequence = 0

    @property
    def is_live(self) -> bool:
        """A device or a stream sets its own pace."""
        camera = self._options.camera
        return camera.isdigit() or camera.startswith(("/dev/", "http://", "https://", "rtsp://"))

    def open(self) -> None:
        """Begin to read. Raises `DeviceAbsent` (`camera_absent`) when there is nothing to open, `DeviceOffline`
        (`camera_stalled`) when an address answers and nothing comes."""
        self.close()
        capture = self._capture()
        self._stop = threading.Event()
        self._lost = ""
        reader = threading.Thread(target=self._read, args=(capture, self._stop), name="camera", daemon=True)
        reader.start()  # before anyone who closes meanwhile can wait for it
        self._thread = reader

    def _capture(self) -> Any:
        camera, options, begun = self._options.camera, self._options, time.monotonic()
        if camera.isdigit() or camera.startswith("/dev/"):
            capture = cv2.VideoCapture(int(camera) if camera.isdigit() else camera, cv2.CAP_V4L2)
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.width)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.height)
            capture.set(cv2.CAP_PROP_FPS, options.fps)
        elif self.is_live:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 2 * OPEN_MSEC]
            capture = cv2.VideoCapture(camera, cv2.CAP_FFMPEG, limits)
        else:
            backend = cv2.CAP_IMAGES if "%" in camera else cv2.CAP_ANY
            capture = cv2.VideoCapture(camera, backend)
        if not capture.isOpened():
            capture.release()
            if self.is_live and time.monotonic() - begun >= OPEN_MSEC / 1000 * 0.9:
                raise DeviceOffline("the camera answers and sends no pictures: restart it", "camera_stalled")
            where = camera if self.is_live else Path(camera).name
            raise DeviceAbsent(f"camera {where}: cannot be opened: check the cable and its name", "camera_absent")
        return capture

    def _read(self, capture: Any, stop: threading.Event) -> None:
        """`stop` is this reader's alone: one left behind in a stuck read must not wake up beside its successor."""
        due = time.monotonic()
        while not stop.is_set():
            good, image = capture.read()
            if not good and self._options.loop and not self.is_live:
                capture.release()
                try:
                    capture = self._capture()
                except DeviceAbsent:
                    good = False
                else:
                    good, image = capture.read()
            if not good:
                self._end("camera_lost", stop)
                break
            if not self.is_live:
                due = max(due + 1.0 / self._options.fps, time.monotonic() - 1.0)
                stop.wait(max(due - time.monotonic(), 0))
            with self._news:
                if stop.is_set():
                    image[:] = 0
                    break
                self._sequence += 1
                self._slot.append(Frame(image, self._sequence, time.monotonic()))
                self._news.notify_all()
        capture.release()

    def _end(self, reason: str, stop: threading.Event) -> None:
        with self._news:
            if not stop.is_set():
                self._lost = reason
            self._news.notify_all()

    def newest(self, after: int = 0, timeout_seconds: float = STALL_SECONDS) -> Frame:
        """A fresh frame with a sequence above `after`. Raises `DeviceOffline`, reason `camera_lost` or
        `camera_stalled`."""
        deadline = time.monotonic() + timeout_seconds
        with self._news:
            while True:
                if self._slot and self._slot[-1].sequence > after:
                    frame = self._slot[-1]
                    if time.monotonic() - frame.taken_at <= OLDEST_SECONDS:
                        return frame
                if self._lost:
                    raise DeviceOffline("the camera was unplugged or its stream ended: check the cable", self._lost)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise DeviceOffline("the camera sends no pictures: unplug it and plug it in", "camera_stalled")
                self._news.wait(left)

    def close(self) -> None:
        """Stop reading and overwrite what was held. Idempotent; a read stuck in the camera's driver is left behind."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(STALL_SECONDS + 0.5)
        with self._news:
            while self._slot:
                self._slot.pop().image[:] = 0
