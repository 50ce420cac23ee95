"""What befalls a face check: the person, the picture, the camera (spike-face 4; device-classes C.3)."""

from __future__ import annotations

from contextlib import aclosing
from functools import cache, partial
from typing import Any

from drivers.face_camera.invented import portrait_png
from drivers.messages import DeviceState, FaceVerdict, FaultAction
from tests.drivers.fault_cases.case import FaultCase

PERSON = "chen"
OPTIONS = {"accept_at": 0.40, "retry_at": 0.45, "position_seconds": 3.0, "step_seconds": 4.0, "attempts": 1}
"""Invented people are more alike than living ones; one attempt tells enough."""
WITH_INFRARED = {**OPTIONS, "ir_camera": "ir.mjpg", "ir_required": True, "attempts": 3}
WITHOUT_A_CASE = "needs a package with a face engine; its course is that of face_matcher/dlib"


@cache
def _portrait() -> bytes:
    return portrait_png(PERSON)


async def _verify(matcher: Any, *, head_turn: bool = False) -> object:
    checks = matcher.verify(reference_png=_portrait(), consent_id="case", head_turn=head_turn, timeout_seconds=30.0)
    async with aclosing(checks) as items:
        async for item in items:
            if isinstance(item, FaceVerdict):
                return f"{item.decision}/{item.reason.lower()}" if item.reason else item
    return "no verdict/"


_case = partial(
    FaultCase, "face_matcher/dlib", deed=_verify, options=OPTIONS, simulator_options={"person": PERSON},
)  # fmt: skip
_turning = partial(_case, deed=partial(_verify, head_turn=True))
_unfit = partial(_case, completion="retry/position_timeout", device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)
_dead = partial(_case, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE, parts={"rgb": "inoperative"})

CASES: tuple[FaultCase, ...] = (
    _case("nobody", completion="retry/position_timeout", parts={"rgb": "ok"}),
    _case("two", completion="retry/multi_face", parts={"rgb": "ok"}),
    _case("blur", completion="retry/position_timeout", parts={"rgb": "ok"}),
    _turning("photo", completion="staff/step_timeout", options=WITH_INFRARED, parts={"rgb": "ok"}),
    _case("screen", completion="staff/ir_no_face", options=WITH_INFRARED, parts={"ir": "ok"}),
    _case(
        "ir_gone", completion="staff/ir_unavailable", options=WITH_INFRARED, code="ir_camera_stalled",
        action=FaultAction.MAINTENANCE, parts={"ir": "inoperative"},
    ),
    _unfit("dark", code="too_dark", action=FaultAction.MAINTENANCE, parts={"illumination": "too_dark"}),
    _unfit("bright", code="too_bright", parts={"illumination": "too_bright"}),
    _unfit("covered", code="lens_obstructed", parts={"lens": "obstructed"}),
    _dead("still", deed=partial(_verify, head_turn=True), completion="staff/step_timeout", code="camera_frozen"),
    _dead("freeze", completion="staff/camera_stalled", code="camera_stalled"),
    _dead("gone", completion="staff/camera_absent", code="camera_absent", device=DeviceState.NO_DEVICE),
    *(
        FaultCase(
            "face_matcher/plugged", fault, deed=_verify, completion="retry/position_timeout", unplayable=WITHOUT_A_CASE
        )
        for fault in ("bright", "blur", "covered", "dark", "freeze", "gone", "ir_gone", "nobody", "photo", "screen",
                      "still", "two")
    ),
)  # fmt: skip
