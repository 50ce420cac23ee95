"""Codes in camera pictures: a phone or a paper held before any camera OpenCV can open (device-classes C.7).

The camera is on only while a code is asked for. Each picture is searched at half its size first, which is ten times as
fast, and now and then at full size, for small codes (spike-devices 6). Pictures are overwritten once searched.
"""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import cv2
import zxingcpp
from pydantic import Field, field_validator

from drivers.code_scanner.armed import ArmedScanner, Watch
from drivers.code_scanner.frames import STALL_SECONDS, Frames, Picture
from drivers.code_scanner.payload import code_of
from drivers.errors import CommandTimedOut, DeviceAbsent, DeviceOffline, NeedsAttention
from drivers.messages import Message, ScannedCode, Symbology

_FORMATS: Final = {
    Symbology.QR: zxingcpp.BarcodeFormat.QRCode,
    Symbology.DATA_MATRIX: zxingcpp.BarcodeFormat.DataMatrix,
    Symbology.PDF417: zxingcpp.BarcodeFormat.PDF417,
    Symbology.AZTEC: zxingcpp.BarcodeFormat.Aztec,
    Symbology.CODE_128: zxingcpp.BarcodeFormat.Code128,
    Symbology.CODE_39: zxingcpp.BarcodeFormat.Code39,
    Symbology.EAN_13: zxingcpp.BarcodeFormat.EAN13,
}
SMALL_COLUMNS: Final = 640
FULL_SIZE_EVERY_SECONDS: Final = 0.3
FLAT_DEVIATION: Final = 4.0
"""Of 255 grey steps: a covered lens shows noise and nothing else."""
FLAT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
LOOK_EVERY_STEPS: Final = 8


class CameraQrOptions(Message):
    camera: str = Field(default="0", min_length=1, description="0, /dev/video0, http://…, rtsp://…, or a clip")
    width: int = Field(default=1280, ge=160, le=4096, description="wish to a device")
    height: int = Field(default=720, ge=120, le=4096, description="wish to a device")
    symbologies: tuple[Symbology, ...] = Field(default=(Symbology.QR,), min_length=1, description="kinds searched for")

    @field_validator("symbologies")
    @classmethod
    def _are_known(cls, kinds: tuple[Symbology, ...]) -> tuple[Symbology, ...]:
        if Symbology.UNKNOWN in kinds:
            raise ValueError("name the kinds of code")
        return kinds


class CameraQr(ArmedScanner):
    Options = CameraQrOptions

    def __init__(self, options: CameraQrOptions) -> None:
        super().__init__(
            _CameraSource(options),
            driver="code_scanner/camera_qr",
            features=frozenset({"camera"}),
            knows_symbology=frozenset(options.symbologies),
        )


class _CameraSource:
    def __init__(self, options: CameraQrOptions) -> None:
        self._options = options
        self._formats = zxingcpp.BarcodeFormats([_FORMATS[symbology] for symbology in options.symbologies])
        self._frames: Frames | None = None
        self._scanner = "unknown"
        self._window = "unknown"

    @property
    def parts(self) -> dict[str, str]:
        return {"scanner": self._scanner, "window": self._window}

    def look(self, *, after_fault: bool) -> None:
        """A camera that failed is looked through for one picture; one that works is left in peace."""
        if not after_fault:
            _must_be_there(self._options.camera)
            return
        with closing(self._opened()) as frames:
            picture = self._picture(frames, STALL_SECONDS)
            is_flat = picture is not None and _is_flat(picture)
            if picture is None:
                raise self._stalled()
            picture[:] = 0
        if self._window == "obstructed" and is_flat:
            raise _covered()
        self._window = "unknown" if is_flat else "clear"

    def next_code(self, watch: Watch) -> ScannedCode:
        search = _Search(self._formats)
        seen_at = time.monotonic()
        with closing(self._opened()) as frames:
            self._frames = frames
            try:
                while True:
                    left = watch.left()
                    picture = self._picture(frames, min(left, STALL_SECONDS))
                    if picture is None:
                        watch.left()
                        if time.monotonic() - seen_at >= STALL_SECONDS:
                            raise self._stalled()
                        continue
                    seen_at = time.monotonic()
                    code = search.within(picture)
                    picture[:] = 0
                    self._window = "obstructed" if search.is_blind else "clear"
                    if code is not None:
                        return code
            except CommandTimedOut:
                if search.is_blind:
                    raise _covered() from None
                raise
            finally:
                self._frames = None

    def interrupt(self) -> None:
        frames = self._frames
        if frames is not None:
            frames.interrupt()

    def forget(self) -> None:
        """Nothing is held between reads."""

    def close(self) -> None:
        """The camera is released after each read."""

    def _opened(self) -> Frames:
        return Frames(self._options.camera, self._options.width, self._options.height)

    def _picture(self, frames: Frames, seconds: float) -> Picture | None:
        try:
            picture = frames.newest(seconds)
        except (DeviceAbsent, DeviceOffline):
            self._scanner, self._window = "inoperative", "unknown"
            _must_be_there(self._options.camera)
            raise self._stalled() from None
        if picture is not None:
            self._scanner = "on"
        return picture

    def _stalled(self) -> DeviceOffline:
        self._scanner, self._window = "inoperative", "unknown"
        return DeviceOffline("the code camera sends no pictures: unplug it and plug it in", "camera_stalled")


class _Search:
    """Through the pictures of one read."""

    def __init__(self, formats: zxingcpp.BarcodeFormats) -> None:
        self._formats = formats
        self._full_at = 0.0
        self._seen_at: float | None = None
        """When something was last to be seen; at first, when the first picture came."""

    @property
    def is_blind(self) -> bool:
        return self._seen_at is not None and time.monotonic() - self._seen_at > FLAT_SECONDS

    def within(self, picture: Picture) -> ScannedCode | None:
        now = time.monotonic()
        if self._seen_at is None or not _is_flat(picture):
            self._seen_at = now
        is_small = picture.shape[1] <= SMALL_COLUMNS
        if not is_small:
            half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            found = self._codes(half)
            half[:] = 0
            if found is not None or now - self._full_at < FULL_SIZE_EVERY_SECONDS:
                return found
        self._full_at = now
        return self._codes(picture)

    def _codes(self, picture: Picture) -> ScannedCode | None:
        for barcode in zxingcpp.read_barcodes(picture, formats=self._formats, text_mode=zxingcpp.TextMode.Plain):
            if barcode.valid and barcode.text:
                symbology = next(kind for kind, known in _FORMATS.items() if known == barcode.format)
                return code_of(barcode.text, aim_prefix=False).model_copy(update={"symbology": symbology})
        return None


def _is_flat(picture: Picture) -> bool:
    return float(picture[::LOOK_EVERY_STEPS, ::LOOK_EVERY_STEPS].std()) < FLAT_DEVIATION


def _covered() -> NeedsAttention:
    return NeedsAttention("the code camera sees nothing: uncover and clean its window", "window_obstructed")


def _must_be_there(camera: str) -> None:
    """Raises `DeviceAbsent` (`camera_absent`). Does not take a picture."""
    address = urlsplit(camera)
    if address.hostname is not None:
        try:
            number = address.port or {"https": 443, "rtsp": 554}.get(address.scheme, 80)
            socket.create_connection((address.hostname, number), LOOK_SECONDS).close()
        except (OSError, ValueError) as error:
            raise DeviceAbsent("the code camera's address does not answer: check it", "camera_absent") from error
    elif not Path(f"/dev/video{camera}" if camera.isdigit() else camera).exists():
        raise DeviceAbsent("the code camera is not plugged in, or its name is wrong", "camera_absent")
