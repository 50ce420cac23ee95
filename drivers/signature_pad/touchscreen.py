"""Signing on the terminal's own screen: the screen hands in each stroke as it is written (device-classes C.8).

There is no device and no wire: this is where strokes become a signature bound to the document, in a process of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from pydantic import Field

from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    Ink,
    Message,
    Signature,
    SignatureBox,
    Stroke,
)
from drivers.signature_pad.desk import Desk
from drivers.signature_pad.sheet import Least

VERSION: Final = "1.0"
PAD: Final = "touchscreen"


class TouchscreenOptions(Message):
    least_points: int = Field(default=8, ge=2, le=1000, description="fewer are too short for a signature")
    least_length_mm: float = Field(default=10.0, ge=1, le=500, description="of all strokes together")
    least_milliseconds: int = Field(default=200, ge=0, le=60_000)


class Touchscreen:
    """Implements `drivers.protocols.SignaturePad`."""

    Options = TouchscreenOptions

    def __init__(self, options: TouchscreenOptions) -> None:
        self._desk = Desk(Least(options.least_points, options.least_length_mm, options.least_milliseconds))

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.SIGNATURE_PAD,
            driver="signature_pad/touchscreen",
            version=VERSION,
            status_source="none",
            poll_safe_in_motion=True,
            cancellable=frozenset({"capture"}),
            features=frozenset({"feed_ink"}),
        )

    async def status(self) -> DeviceStatus:
        return DeviceStatus(
            device=DeviceState.BUSY if self._desk.is_armed else DeviceState.ONLINE,
            parts={"pad": "ok", "pen": "unknown", "display": "unknown"},
        )

    async def capture(
        self, *, document_sha256: str, box: SignatureBox, timeout_seconds: float = 120.0
    ) -> AsyncGenerator[Ink | Signature, None]:
        async with contextlib.aclosing(self._desk.capture(document_sha256, box, timeout_seconds, PAD)) as inks:
            async for ink in inks:
                yield ink

    async def feed_ink(self, stroke: Stroke) -> None:
        self._desk.add(stroke)

    async def clear_ink(self) -> None:
        self._desk.clear()

    async def confirm_ink(self, document_sha256: str) -> None:
        self._desk.confirm(document_sha256)

    async def wipe(self) -> None:
        self._desk.take_back()

    async def close(self) -> None:
        self._desk.close()
