"""What befalls a signature: on the terminal's own screen, and on a pad with a pen (device-classes C.8)."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction, Ink, Signature, SignatureBox
from drivers.signature_pad.simulator import HandSimulator
from tests.drivers.fault_cases.case import FaultCase

SIGN_SECONDS = 8.0
IN_VAIN_SECONDS = 1.5
STILL_SECONDS = 1.5
SHOWN = hashlib.sha256("驿站样例申请书".encode()).hexdigest()
ANOTHER = hashlib.sha256("另一份文件".encode()).hexdigest()
BOX = SignatureBox(width_mm=80, height_mm=40)


async def _sign_on_screen(pad: Any) -> object:
    """As a screen does it: hand in each stroke, then confirm what is shown."""
    hand = HandSimulator.latest
    assert hand is not None
    seconds = IN_VAIN_SECONDS if hand.never_confirms else SIGN_SECONDS
    inks = pad.capture(document_sha256=SHOWN, box=BOX, timeout_seconds=seconds)
    assert await anext(inks) == Ink(strokes=())
    for stroke in hand.strokes():
        await pad.feed_ink(stroke)
    if not hand.never_confirms:
        await pad.confirm_ink(ANOTHER if hand.shows_another_document else SHOWN)
    return await _last(inks)


async def _sign_with_pen(pad: Any) -> object:
    """The citizen confirms when the pen has been still for a while."""
    inks = pad.capture(document_sha256=SHOWN, box=BOX, timeout_seconds=SIGN_SECONDS)
    confirming: asyncio.Task[None] | None = None
    try:
        async for ink in inks:
            if isinstance(ink, Signature):
                return _of(ink)
            if confirming is not None:
                confirming.cancel()
            confirming = asyncio.create_task(_confirm(pad))
    finally:
        if confirming is not None:
            confirming.cancel()
    return "ended without a signature"


async def _confirm(pad: Any) -> None:
    await asyncio.sleep(STILL_SECONDS)
    await pad.confirm_ink(SHOWN)


async def _last(inks: Any) -> object:
    async for ink in inks:
        if isinstance(ink, Signature):
            return _of(ink)
    return "ended without a signature"


def _of(signature: Signature) -> str:
    """Its completion; a signature of anything else is none."""
    return "done" if signature.document_sha256 == SHOWN and signature.image_png else "signed something else"


SCREEN = partial(FaultCase, "signature_pad/touchscreen", deed=_sign_on_screen, parts={"pad": "ok"})
PEN = partial(
    FaultCase, "signature_pad/serial_pen", deed=_sign_with_pen, simulator_options={"haste": "2"}, orders=("place lin",),
)  # fmt: skip
_sound = partial(PEN, parts={"pad": "ok"})
_wrong = partial(
    PEN, completion="hardware_fault/wrong_device", device=DeviceState.HARDWARE_ERROR, code="wrong_device",
    action=FaultAction.CONFIGURATION, parts={"pad": "inoperative"},
)  # fmt: skip
_gone = partial(
    PEN, fault="unplug", device=DeviceState.NO_DEVICE, code="device_absent", action=FaultAction.CLEAR,
    parts={"pad": "unknown"},
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (
    SCREEN("empty", completion="media_error/empty"),
    SCREEN("too_short", completion="media_error/too_short"),
    SCREEN("outside_box", completion="media_error/outside_box"),
    SCREEN("document_changed", completion="media_error/document_changed"),
    SCREEN("undecided", completion="timed_out/timed_out"),
    _sound("empty", completion="media_error/empty"),
    _sound("too_short", completion="media_error/too_short"),
    _sound("outside_box", completion="media_error/outside_box"),
    _sound("dropped_points", completion="done"),
    _sound("noise", completion="done"),
    _sound("finger", completion="done"),
    _sound("points_lost", completion="media_error/points_lost"),
    _sound("pen_lost", completion="needs_attention/pen_missing", parts={"pad": "ok", "pen": "missing"}),
    PEN(
        "silent", completion="device_offline/device_offline", device=DeviceState.OFFLINE, code="device_offline",
        action=FaultAction.CLEAR, parts={"pad": "unknown"},
    ),
    _wrong("wrong_device"),
    _wrong("endless"),
    _gone(completion="device_absent/device_absent"),
    _gone(completion="device_offline/unplugged", during=True, orders=("remove",)),
)  # fmt: skip
