"""What befalls document cameras, glasses and feeders (device-classes C.6)."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction, ScanOrder, ScanSource
from tests.drivers.fault_cases.case import FaultCase

CAPTURE_SECONDS = 6.0
SCAN_SECONDS = 4.0


async def _capture(scanner: Any) -> object:
    return await scanner.capture(timeout_seconds=CAPTURE_SECONDS)


async def _feed(scanner: Any) -> object:
    order = ScanOrder(source=ScanSource.FEEDER, dpi=100)
    async with aclosing(scanner.scan(order, timeout_seconds=SCAN_SECONDS)) as items:
        return [item async for item in items]


async def _capture_and_leave(scanner: Any) -> object:
    page = await _capture(scanner)
    await scanner.wipe()
    return page


_camera = partial(
    FaultCase, "document_scanner/document_camera", deed=_capture, options={"patience_seconds": 2.0},
    parts={"camera": "ok"},
)  # fmt: skip
_dead_camera = partial(
    _camera, action=FaultAction.MAINTENANCE, parts={"camera": "inoperative", "lamp": "unknown"},
)  # fmt: skip
_sane = partial(FaultCase, "document_scanner/sane", deed=_feed)
_obstacle = partial(_sane, device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)
_broken = partial(_sane, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE)

CASES: tuple[FaultCase, ...] = (
    _camera("blur", completion="media_error/too_blurred"),
    _camera("dark", completion="media_error/too_dark"),
    _camera("glare", completion="media_error/glare"),
    _camera("nothing", completion="media_error/no_media", parts={"media": "not_present"}),
    _dead_camera(
        "freeze", completion="device_offline/camera_stalled", code="camera_stalled", device=DeviceState.HARDWARE_ERROR,
    ),
    _dead_camera("gone", completion="device_absent/camera_absent", code="camera_absent", device=DeviceState.NO_DEVICE),
    _sane("feeder_empty", completion="media_error/no_media", parts={"feeder": "empty"}),
    _sane("nothing", deed=_capture, completion="media_error/no_media", parts={"media": "not_present"}),
    _sane("slow", completion="timed_out/timed_out"),
    _sane("cut", completion="device_offline/scanner_lost"),
    _sane(
        "busy", completion="device_busy/scanner_busy", code="scanner_busy", device=DeviceState.BUSY,
        action=FaultAction.WAIT,
    ),
    _obstacle("jam", completion="needs_attention/media_jammed", code="media_jammed", parts={"feeder": "jammed"}),
    _obstacle("jam_later", completion="needs_attention/media_jammed", code="media_jammed", parts={"feeder": "jammed"}),
    _obstacle("multiple_feed", completion="media_error/multiple_feed", code="multiple_feed"),
    _obstacle("cover_open", completion="needs_attention/cover_open", code="cover_open", parts={"cover": "open"}),
    _obstacle(
        "original_left", deed=_capture_and_leave, completion="done", code="media_left_behind",
        parts={"media": "present"},
    ),
    _broken("broken", completion="hardware_fault/scanner_stopped", code="scanner_stopped"),
    _broken("silent", completion="device_offline/scanner_stalled", code="scanner_stalled"),
    _broken(
        "dead", completion="device_absent/scanner_absent", code="scanner_absent", device=DeviceState.NO_DEVICE,
        parts={"feeder": "unknown"},
    ),
)  # fmt: skip
