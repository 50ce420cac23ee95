"""What befalls the camera that looks at the citizen, and its infrared sister (device-classes C.3)."""

from __future__ import annotations

import time
from contextlib import aclosing
from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction
from tests.drivers.fault_cases.case import FaultCase

LOOK_SECONDS = 2.5
LONG_LOOK_SECONDS = 5.0


async def _watch(camera: Any, sensor: str = "rgb", seconds: float = LOOK_SECONDS) -> object:
    deadline = time.monotonic() + seconds
    async with aclosing(camera.preview(sensor)) as pictures:
        async for _ in pictures:
            if time.monotonic() > deadline:
                return "done"
    return "done"


_case = partial(FaultCase, "face_camera/uvc", deed=_watch, completion="done")
_well = partial(_case, parts={"rgb": "ok", "lens": "clear", "illumination": "ok", "ir": "not_fitted"})
_unfit = partial(_case, device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)
_dead = partial(
    _case, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE,
    parts={"rgb": "inoperative", "lens": "unknown", "illumination": "unknown"},
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (
    _well("nobody"),
    _well("two"),
    _well("photo"),
    _well("screen"),
    _well("blur"),
    _unfit("covered", code="lens_obstructed", parts={"lens": "obstructed", "illumination": "unknown"}),
    _unfit("dark", code="too_dark", action=FaultAction.MAINTENANCE, parts={"illumination": "too_dark"}),
    _unfit("bright", code="too_bright", parts={"illumination": "too_bright"}),
    _dead("still", deed=partial(_watch, seconds=LONG_LOOK_SECONDS), code="camera_frozen"),
    _dead("freeze", completion="device_offline/camera_stalled", code="camera_stalled"),
    _dead("gone", completion="device_absent/camera_absent", code="camera_absent", device=DeviceState.NO_DEVICE),
    _case(
        "ir_gone", deed=partial(_watch, sensor="ir"), completion="device_offline/camera_stalled",
        code="ir_camera_stalled", action=FaultAction.MAINTENANCE, options={"ir_camera": "ir.mjpg"},
        parts={"ir": "inoperative"},
    ),
)  # fmt: skip
