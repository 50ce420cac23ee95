"""`document_scanner/document_camera`: a camera that looks down on a dark mat.

The camera is open only while a preview or a capture runs, and pictures are overwritten when it closes.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import importlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, Protocol, TypeVar

import cv2
import numpy as np
from pydantic import Field

from drivers.document_scanner.page_finder import Image, Quad, find_page, sides
from drivers.document_scanner.page_quality import Limits, cut_by_hand, defect, scanned, straightened, turned
from drivers.document_scanner.zone.reader import read_zone, read_zone_of_jpeg
from drivers.errors import CommandCancelled, CommandTimedOut, DeviceBusy, DeviceError, MediaError, Unsupported
from drivers.messages import (
    Capabilities,
    Corners,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    Fault,
    FaultAction,
    MachineReadableZone,
    Message,
    Preview,
    ScannedPage,
    ScanOrder,
    ScanProgress,
    ScanSource,
)

T = TypeVar("T")

CAMERA_MODULE = "drivers.face_camera.uvc"
PREVIEW_WIDTH = 480
PREVIEW_SECONDS = 1 / 10
STEADY_SHARE = 0.006
"""Of the page's longer side: a corner that moved more between two pictures is still being laid down."""
NIGHT_LUMA = 16
"""When the brightest hundredth of the whole picture is darker, nobody could tell paper from mat."""
SENTENCES = {
    "no_media": "no whole page lies on the mat: lay one down, with a dark edge all around",
    "moving": "the page did not lie still: let go of it",
    "too_dark": "the page is too dark to read: switch on the lamp",
    "too_blurred": "the page is not sharp: lay it flat, clean the lens",
    "glare": "light is mirrored on the page: turn it a little",
}


class Camera(Protocol):
    """What this room uses of drivers.face_camera.uvc; loaded by name, device classes do not import one another."""

    def open(self) -> None: ...
    def newest(self, after: int = 0, timeout_seconds: float = 2.0) -> Any: ...
    def close(self) -> None: ...


class DocumentCamera:
    """Implements `drivers.protocols.DocumentScanner`. One worker thread touches the camera, so that it is always
    closed after it was opened, however a command ends."""

    class Options(Message):
        source: str = Field(default="0", description="0, /dev/video0, http://…, a clip, or a pattern: p_%03d.png")
        fps: float = Field(default=10.0, gt=0, le=60, description="pace of a clip or sequence; wish to a device")
        loop: bool = True
        width: int = Field(default=2592, ge=640, le=4096, description="wish to a device; below 1920 A4 print is lost")
        height: int = Field(default=1944, ge=480, le=4096)
        rotate_degrees: Literal[0, 90, 180, 270] = Field(default=0, description="clockwise, for the page as given out")
        patience_seconds: float = Field(default=4.0, gt=0, le=15, description="for a page to become usable")
        least_sharpness: float = Field(default=1.6, ge=1, le=4)
        least_luma: float = Field(default=80.0, ge=0, le=255)
        greatest_glare: float = Field(default=0.015, ge=0, le=1)

    def __init__(self, options: DocumentCamera.Options) -> None:
        self._options = options
        uvc = importlib.import_module(CAMERA_MODULE)
        self._camera: Camera = uvc.FrameGrabber(
            uvc.CameraOptions(
                camera=options.source, fps=options.fps, loop=options.loop, width=options.width, height=options.height
            )
        )
        self._why_absent: Callable[[str], str] = uvc.why_absent
        self._is_simulated: Callable[[str], bool] = uvc.is_simulated
        self._limits = Limits(options.least_luma, options.greatest_glare, options.least_sharpness)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="document-camera")
        self._in_use = False
        self._is_taken_back = False
        self._fault: Fault | None = None
        self._media = "unknown"
        self._last: Image | None = None
        self._looking: asyncio.Task[None] | None = None

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.DOCUMENT_SCANNER, driver="document_scanner/document_camera", version="1",
            status_source="polled", poll_safe_in_motion=True, cancellable=frozenset({"preview", "capture", "scan"}),
            features=frozenset({"camera", "preview", "auto_crop", "deskew", "detects_document", "crop", "reads_zone"}),
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        """Whether the camera's node or address is there. After a camera failed, it is looked through again in the
        background, and fit when a picture came."""
        reason = "" if self._in_use else await asyncio.to_thread(self._why_absent, self._options.source)
        if reason:
            self._note(reason)
        elif self._fault is not None and not self._in_use and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look_again())
        fault = self._fault
        state = DeviceState.ONLINE
        if fault is not None:
            state = DeviceState.NO_DEVICE if fault.code == "camera_absent" else DeviceState.HARDWARE_ERROR
        return DeviceStatus(
            device=state,
            faults=() if fault is None else (fault,),
            parts={
                "camera": "ok" if fault is None else "inoperative", "media": self._media, "lamp": "unknown",
                "feeder": "not_fitted", "cover": "not_fitted",
            },
            simulated=self._is_simulated(self._options.source),
        )  # fmt: skip

    async def preview(self) -> AsyncGenerator[Preview, None]:
        """Pictures as the camera sees them, ten a second at most. Raises `DeviceAbsent` or `DeviceOffline`."""
        async with self._camera_open():
            sequence, shown_at = 0, 0.0
            while True:
                frame = await self._on_worker(self._newest, sequence)
                sequence = frame.sequence
                if time.monotonic() - shown_at >= PREVIEW_SECONDS:
                    shown_at = time.monotonic()
                    yield await self._on_worker(_small, frame.image, self._options.rotate_degrees)

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        """See `DocumentScanner.capture`. Waits a few seconds for a page that lies still and can be read.

        Raises `MediaError` with `no_media`, `moving`, `too_dark`, `too_blurred` or `glare`; `DeviceAbsent` or
        `DeviceOffline` when the camera is not there or sends nothing.
        """
        deadline = time.monotonic() + timeout_seconds
        async with self._camera_open():
            deadline = min(deadline, time.monotonic() + self._options.patience_seconds)
            seen: Counter[str] = Counter()
            before: Quad | None = None
            sequence = 0
            while time.monotonic() < deadline:
                frame = await self._on_worker(self._newest, sequence)
                sequence = frame.sequence
                result, before = await self._on_worker(self._judged, frame.image, before)
                if isinstance(result, ScannedPage):
                    self._media = "present"
                    return result
                seen[result] += 1
        if not seen:
            raise CommandTimedOut("the camera took too long to open")
        reason = seen.most_common(1)[0][0]
        self._media = "not_present" if reason == "no_media" else "present"
        raise MediaError(SENTENCES[reason], reason)

    def _judged(self, image: Image, before: Quad | None) -> tuple[ScannedPage | str, Quad | None]:
        """A page, or why this picture gives none; and where the page lay. The picture is kept for a crop by hand."""
        try:
            return self._page_in(image, before)
        finally:
            self._forget()
            self._last = image.copy()
            image[:] = 0

    def _page_in(self, image: Image, before: Quad | None) -> tuple[ScannedPage | str, Quad | None]:
        quad = find_page(image)
        if quad is None:
            return "too_dark" if float(np.percentile(image[::8, ::8], 99)) < NIGHT_LUMA else "no_media", None
        page = straightened(image, quad)
        reason = defect(page, self._limits)
        if not reason and (before is None or _has_moved(before, quad)):
            reason = "moving"
        if not reason:
            return self._handed_over(turned(page, self._options.rotate_degrees)), quad
        page[:] = 0
        return reason, quad

    @staticmethod
    def _handed_over(page: Image) -> ScannedPage:
        try:
            return scanned(page)
        finally:
            page[:] = 0

    async def crop(self, corners: Corners, *, timeout_seconds: float = 10.0) -> ScannedPage:
        """The picture of the last capture, also of one that failed, cut at corners set in it as the preview shows it.

        Raises `MediaError`: `no_picture`, `corners_wrong`, and as `capture` where the page cannot be read.
        """
        if self._in_use:
            raise DeviceBusy("the document camera is in use")
        return await self._on_worker(self._cropped, corners)

    def _cropped(self, corners: Corners) -> ScannedPage:
        if self._last is None:
            raise MediaError("no picture has been taken: capture first", "no_picture")
        page = cut_by_hand(turned(self._last, self._options.rotate_degrees), corners)
        reason = defect(page, self._limits)
        if reason:
            page[:] = 0
            raise MediaError(SENTENCES[reason], reason)
        return self._handed_over(page)

    async def read_zone(self, *, timeout_seconds: float = 20.0) -> MachineReadableZone:
        """See `DocumentScanner.read_zone`. Where no page is believed (a booklet that bulges), the whole picture is
        searched."""
        until = time.monotonic() + timeout_seconds
        try:
            try:
                page = await self.capture(timeout_seconds=timeout_seconds)
            except MediaError as error:
                whole = self._last
                if error.reason != "no_media" or whole is None:
                    raise
                with contextlib.suppress(MediaError):
                    return await self._on_worker(read_zone, whole, until)
                raise
            return await self._on_worker(read_zone_of_jpeg, page.jpeg, until)
        finally:
            await self._on_worker(self._forget)

    async def scan(
        self, order: ScanOrder, *, timeout_seconds: float = 120.0
    ) -> AsyncGenerator[ScanProgress | ScannedPage, None]:
        """The one page under the camera, as `capture`; resolution is the camera's own. Raises `Unsupported`
        (`source_not_fitted`, `two_sided_not_fitted`) for anything but one side before the camera."""
        if order.source is not ScanSource.CAMERA:
            raise Unsupported("there is a camera alone, no glass and no feeder", "source_not_fitted")
        if order.two_sided:
            raise Unsupported("a camera sees one side: turn the page and capture again", "two_sided_not_fitted")
        page = await self.capture(timeout_seconds=timeout_seconds)
        yield ScanProgress(page=1)
        yield page

    async def wipe(self) -> None:
        """Closes the camera, which overwrites what it held; a command that runs ends."""
        self._media, self._is_taken_back = "unknown", True
        await self._on_worker(self._close_and_forget)

    def _close_and_forget(self) -> None:
        self._camera.close()
        self._forget()

    def _forget(self) -> None:
        if self._last is not None:
            self._last[:] = 0
            self._last = None

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await asyncio.to_thread(self._close_and_forget)
        self._worker.shutdown(wait=False)

    # --- the camera -------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _camera_open(self) -> AsyncIterator[None]:
        if self._looking is not None and self._looking is not asyncio.current_task():
            self._looking.cancel()
            await asyncio.wait([self._looking])
        if self._in_use:
            raise DeviceBusy("the document camera is in use")
        self._in_use, self._is_taken_back = True, False
        try:
            await self._on_worker(self._camera.open)
            yield
            self._fault = None
        except MediaError:
            self._fault = None
            raise
        except DeviceError as error:
            self._note(error.reason)
            raise
        finally:
            try:
                await self._on_worker(self._camera.close)
            finally:
                self._in_use = False

    def _newest(self, after: int) -> Any:
        if self._is_taken_back:
            raise CommandCancelled("the citizen's session ended")
        return self._camera.newest(after)

    async def _on_worker(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *arguments)

    async def _look_again(self) -> None:
        try:
            with contextlib.suppress(DeviceError):
                async with self._camera_open():
                    await self._on_worker(self._newest, 0)
        finally:
            self._looking = None

    def _note(self, reason: str) -> None:
        if reason not in ("camera_absent", "camera_lost", "camera_stalled"):
            return
        if self._fault is None or self._fault.code != reason:
            self._fault = Fault(code=reason, action=FaultAction.MAINTENANCE, since=dt.datetime.now(dt.UTC))


def _has_moved(before: Quad, quad: Quad) -> bool:
    return float(np.abs(quad - before).max()) > STEADY_SHARE * max(sides(quad))


def _small(image: Image, rotate_degrees: int) -> Preview:
    height = round(image.shape[0] * PREVIEW_WIDTH / image.shape[1])
    small = cv2.resize(image, (PREVIEW_WIDTH, height), interpolation=cv2.INTER_AREA)
    rgb = turned(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8), rotate_degrees)
    return Preview(width=rgb.shape[1], height=rgb.shape[0], rgb=rgb.tobytes())
