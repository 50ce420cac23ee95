"""A camera that is watched while somebody looks through it, and tried again by itself after it failed."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from drivers.errors import DeviceError, DeviceOffline
from drivers.face_camera.grabber import STALL_SECONDS, CameraOptions, Frame, FrameGrabber
from drivers.face_camera.sight import FROZEN_SECONDS, Sight
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

ANSWER_SECONDS = 0.8
CALL_AGAIN_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 3.0
LONGEST_LOOK_SECONDS = FROZEN_SECONDS + 1.5
SHORT_SECONDS = 0.25
NETWORK_PORTS = {"http": 80, "https": 443, "rtsp": 554}
LOOPBACK = (None, "127.0.0.1", "localhost", "::1")
FAULTS = {
    "camera_absent": (FaultAction.MAINTENANCE, DeviceState.NO_DEVICE),
    "camera_lost": (FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "camera_stalled": (FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "camera_frozen": (FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "lens_obstructed": (FaultAction.CLEAR, DeviceState.USER_ERROR),
    "too_dark": (FaultAction.MAINTENANCE, DeviceState.USER_ERROR),
    "too_bright": (FaultAction.CLEAR, DeviceState.USER_ERROR),
}
WORD_FAULTS = {"obstructed": "lens_obstructed", "too_dark": "too_dark", "too_bright": "too_bright"}


def why_absent(source: str) -> str:
    """`camera_absent` when the node, file or address is not there, else empty; asks no camera for a picture."""
    address = urlsplit(source)
    if address.scheme in NETWORK_PORTS:
        place = address.hostname or "", address.port or NETWORK_PORTS[address.scheme]
        try:
            socket.create_connection(place, ANSWER_SECONDS).close()
        except OSError:
            return "camera_absent"
        return ""
    path = Path(f"/dev/video{source}" if source.isdigit() else source)
    there = path.parent.is_dir() if "%" in source else path.exists()
    return "" if there else "camera_absent"


def is_simulated(source: str) -> bool:
    """A clip, a sequence, or a stream of this very machine; a camera in the network is a camera."""
    if source.isdigit() or source.startswith("/dev/"):
        return False
    return urlsplit(source).hostname in LOOPBACK


class WatchedCamera:
    """As `FrameGrabber`, with `status`. After a failure `look` opens it for a moment, when nobody else does."""

    def __init__(self, options: CameraOptions) -> None:
        self._source = options.camera
        self._grabber = FrameGrabber(options)
        self._sight = Sight()
        self._turn = threading.Lock()
        self._is_wanted = threading.Event()
        self._in_use = False
        self._failure = ""
        self._fault: Fault | None = None
        self._looked_at = float("-inf")
        self._heard_at = 0.0
        self._called_at = float("-inf")
        self._absence = ""

    def open(self) -> None:
        """Begin to read; a look gives way. Raises `DeviceAbsent` (`camera_absent`)."""
        self._is_wanted.set()
        with self._turn:
            self._is_wanted.clear()
            self._in_use = True
            self._open()

    def _open(self) -> None:
        self._sight.pause()
        self._heard_at = time.monotonic()
        try:
            self._grabber.open()
        except DeviceError as error:
            self._failure = error.reason
            raise

    def newest(self, after: int = 0, timeout_seconds: float = STALL_SECONDS) -> Frame:
        """As `FrameGrabber.newest`."""
        try:
            frame = self._grabber.newest(after, timeout_seconds)
        except DeviceOffline as error:
            if error.reason == "camera_lost" or time.monotonic() - self._heard_at >= STALL_SECONDS:
                self._failure = error.reason  # who waits less than a stall has learnt nothing of one
            raise
        self._failure, self._heard_at = "", time.monotonic()
        if self._grabber.is_live:
            self._sight.see(frame.image, frame.taken_at)
        return frame

    def close(self) -> None:
        """Stop and overwrite. Idempotent."""
        self._in_use = False
        self._grabber.close()
        self._sight.pause()

    # --- how it is -----------------------------------------------------------------------------------------

    def status(self) -> DeviceStatus:
        """Blocks a second at most. What nobody has looked at is unknown."""
        absent = "" if self._in_use else self._absent()
        if absent:
            self._failure = absent
        elif self._failure == "camera_absent" and not self._grabber.is_live:
            self._failure = ""
        code = self._code()
        if (self._fault.code if self._fault else "") != code:
            action = FAULTS[code][0] if code else FaultAction.WAIT
            self._fault = Fault(code=code, action=action, since=dt.datetime.now(dt.UTC)) if code else None
        return DeviceStatus(
            device=FAULTS[code][1] if code else DeviceState.ONLINE,
            faults=() if self._fault is None else (self._fault,),
            parts=self._parts(code),
            simulated=is_simulated(self._source),
        )

    def _absent(self) -> str:
        """A node is looked up each time, an address called once a second."""
        if urlsplit(self._source).scheme not in NETWORK_PORTS:
            return why_absent(self._source)
        if time.monotonic() - self._called_at > CALL_AGAIN_SECONDS:
            self._absence = why_absent(self._source)
            self._called_at = time.monotonic()
        return self._absence

    def _code(self) -> str:
        if self._failure:
            return self._failure
        if self._sight.is_frozen:
            return "camera_frozen"
        return WORD_FAULTS.get(self._sight.word or "", "")

    def _parts(self, code: str) -> dict[str, str]:
        if code.startswith("camera_"):
            return {"rgb": "inoperative", "ir": "not_fitted", "lens": "unknown", "illumination": "unknown"}
        word = self._sight.word
        seen = "unknown" if word is None else "ok"
        lens = {None: "unknown", "too_dark": "unknown", "obstructed": "obstructed"}.get(word, "clear")
        light = word if word in ("too_dark", "too_bright") else "unknown" if word == "obstructed" else seen
        return {"rgb": seen, "ir": "not_fitted", "lens": lens, "illumination": light}

    # --- after it failed ------------------------------------------------------------------------------------------

    @property
    def wants_look(self) -> bool:
        """Something is wrong, nobody uses it, and the last look is a while ago."""
        return (
            bool(self._code()) and not self._in_use and time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS
        )  # fmt: skip

    def look(self) -> None:
        """Open it, look until it is well or surely not, close it. Blocks some seconds; gives way to `open`."""
        if self._in_use or not self._turn.acquire(blocking=False):
            return
        try:
            self._looked_at = time.monotonic()
            with contextlib.suppress(DeviceError):
                self._open()
                self._look_on()
        finally:
            if not self._in_use:
                self.close()
            self._looked_at = time.monotonic()
            self._turn.release()

    def _look_on(self) -> None:
        begun, sequence = time.monotonic(), 0
        while time.monotonic() - begun < LONGEST_LOOK_SECONDS and not self._is_wanted.is_set():
            try:
                sequence = self.newest(sequence, SHORT_SECONDS).sequence
            except DeviceOffline:
                if self._failure:
                    raise
            if self._sight.is_settled:
                return
