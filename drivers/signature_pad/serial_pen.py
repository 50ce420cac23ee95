"""Signature pads with their own pen on a serial line, speaking ISDV4 (device-classes C.8).

The pad is silent until a signature is asked for, and is silenced again after it: what is written meanwhile is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pydantic import Field

from drivers.errors import DeviceError, MediaError, NeedsAttention, Unsupported
from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceStatus,
    Ink,
    Message,
    Signature,
    SignatureBox,
    Stroke,
)
from drivers.signature_pad.desk import Desk
from drivers.signature_pad.health import Health
from drivers.signature_pad.isdv4 import POINTS_PER_MM, Panel, PenPacket
from drivers.signature_pad.pad import Pad
from drivers.signature_pad.pen import PenTrack
from drivers.signature_pad.sheet import Least

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.4
PEN_LOST_SECONDS: Final = 0.7
"""A pen that touches is reported a hundred times a second: this long without a word, and it is gone."""
LOOK_SECONDS: Final = 0.1

Result = TypeVar("Result")


class SerialPenOptions(Message):
    port: str = Field(min_length=1, description="serial device, pseudo-terminal, or socket://host:port")
    baud_rate: int = Field(default=38400, ge=9600, le=921600, description="38400 or 19200, by model")
    left_mm: float | None = Field(default=None, ge=0, description="the box's place on the pad; none: in its middle")
    top_mm: float | None = Field(default=None, ge=0)
    least_points: int = Field(default=8, ge=2, le=1000, description="fewer are too short for a signature")
    least_length_mm: float = Field(default=10.0, ge=1, le=500, description="of all strokes together")
    least_milliseconds: int = Field(default=200, ge=0, le=60_000)


class SerialPen:
    """Implements `drivers.protocols.SignaturePad`. One thread speaks on the line."""

    Options = SerialPenOptions

    def __init__(self, options: SerialPenOptions) -> None:
        self._options = options
        self._pad = Pad(options.port, options.baud_rate)
        self._desk = Desk(Least(options.least_points, options.least_length_mm, options.least_milliseconds))
        self._health = Health()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="serial-pen")
        self._looking: asyncio.Future[None] | None = None
        self._track: PenTrack | None = None
        self._heard_at = 0.0
        self._pen = "unknown"
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        panel = self._pad.panel
        return Capabilities(
            device_class=DeviceClass.SIGNATURE_PAD,
            driver="signature_pad/serial_pen",
            version=VERSION,
            firmware=str(panel.firmware) if panel is not None else None,
            status_source="polled",
            poll_safe_in_motion=True,
            cancellable=frozenset({"capture"}),
            features=frozenset({"own_surface", "pressure", "rejects_touch"}),
        )

    async def status(self) -> DeviceStatus:
        """From memory while somebody signs."""
        if not self._desk.is_armed and not self._is_closed:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.ensure_future(self._on_worker(self._look))
            await asyncio.wait({self._looking}, timeout=STATUS_SECONDS)
        return self._health.status(
            is_busy=self._desk.is_armed,
            parts={"pad": self._health.pad, "pen": self._pen, "display": "not_fitted"},
        )

    async def capture(
        self, *, document_sha256: str, box: SignatureBox, timeout_seconds: float = 120.0
    ) -> AsyncGenerator[Ink | Signature, None]:
        inks = self._desk.capture(document_sha256, box, timeout_seconds, "serial_pen")
        async with contextlib.aclosing(inks):
            nothing = await anext(inks)
            panel = await self._on_worker(self._noting, self._pad.start)
            left_mm, top_mm = self._place(box, panel)
            self._track, self._heard_at = PenTrack(panel, left_mm, top_mm), time.monotonic()
            stop = threading.Event()
            pumping = self._on_worker(self._pump, stop, asyncio.get_running_loop())
            try:
                yield nothing
                async for ink in inks:
                    yield ink
            finally:
                self._track = None
                stop.set()
                self._pad.interrupt()
                await asyncio.wait({pumping})

    async def feed_ink(self, stroke: Stroke) -> None:
        raise Unsupported("the pad has a surface of its own: nothing is written on the screen")

    async def clear_ink(self) -> None:
        if self._track is not None:
            self._track.forget()
        self._desk.clear()

    async def confirm_ink(self, document_sha256: str) -> None:
        if self._track is not None and self._track.has_lost_much:
            self._desk.fail(MediaError("too much of the writing was lost on the line: sign again", "points_lost"))
        elif self._track is not None:
            self._finish(self._track.lift())
        self._desk.confirm(document_sha256)

    async def wipe(self) -> None:
        """Also takes back a capture: it belongs to the session that ends."""
        self._desk.take_back()
        if self._track is not None:
            self._track.forget()

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._desk.close()
        self._pad.interrupt()
        await self._on_worker(self._pad.close)
        self._worker.shutdown(wait=False)

    # --- on the event loop ------------------------------------------------------------------------------------------

    def _place(self, box: SignatureBox, panel: Panel) -> tuple[float, float]:
        """The box's upper left corner on the pad. Raises `Unsupported` (`box_too_large`)."""
        free_mm = panel.x / POINTS_PER_MM - box.width_mm, panel.y / POINTS_PER_MM - box.height_mm
        left = free_mm[0] / 2 if self._options.left_mm is None else self._options.left_mm
        top = free_mm[1] / 2 if self._options.top_mm is None else self._options.top_mm
        if left < 0 or top < 0 or left > free_mm[0] or top > free_mm[1]:
            raise Unsupported("the signature box does not fit on the pad: make it smaller", "box_too_large")
        return left, top

    def _hear(self, packets: list[PenPacket], damaged: int, at: float) -> None:
        """What the thread read by then."""
        track = self._track
        if track is None:
            return
        if packets:
            self._heard_at = at
            self._pen = "in_use"
        track.lose(damaged)
        for packet in packets:
            self._finish(track.take(packet, at))
        if packets:
            self._desk.show(track.unfinished)
        elif track.is_down and at - self._heard_at > PEN_LOST_SECONDS:
            self._pen = "missing"
            track.forget()
            self._desk.fail(NeedsAttention("the pen was lost while it wrote: take it up and sign again", "pen_missing"))

    def _finish(self, strokes: list[Stroke]) -> None:
        try:
            for stroke in strokes:
                self._desk.add(stroke)
        except MediaError as error:
            self._desk.fail(error)

    # --- on the worker ----------------------------------------------------------------------------------------------

    def _pump(self, stop: threading.Event, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while not stop.is_set():
                packets, damaged = self._pad.listen(LOOK_SECONDS)
                loop.call_soon_threadsafe(self._hear, packets, damaged, time.monotonic())
        except DeviceError as error:
            self._health.note(error)
            loop.call_soon_threadsafe(self._desk.fail, error)
        else:
            self._health.note(None)
        finally:
            self._pad.stop()

    def _look(self) -> None:
        with contextlib.suppress(DeviceError):
            self._noting(self._pad.look)

    def _noting(self, work: Callable[[], Panel]) -> Panel:
        try:
            panel = work()
        except DeviceError as error:
            self._health.note(error)
            self._pen = "unknown"
            raise
        self._health.note(None)
        return panel

    def _on_worker(self, work: Callable[..., Result], *arguments: object) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._worker, work, *arguments)
