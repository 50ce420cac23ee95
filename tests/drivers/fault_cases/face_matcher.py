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
ENGINE = {"engine": "patch"}
"""Of the package that `engine_package` puts on the path of the device processes."""


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


def _cases(driver: str, own: dict[str, Any]) -> tuple[FaultCase, ...]:
    """The course, its gates and its faults are the same whatever engine decides."""
    with_infrared = {**OPTIONS, "ir_camera": "ir.mjpg", "ir_required": True, "attempts": 3, **own}
    case = partial(
        FaultCase, driver, deed=_verify, options={**OPTIONS, **own}, simulator_options={"person": PERSON},
    )  # fmt: skip
    turning = partial(case, deed=partial(_verify, head_turn=True))
    unfit = partial(case, completion="retry/position_timeout", device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)
    dead = partial(
        case, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE, parts={"rgb": "inoperative"}
    )
    return (
        case("nobody", completion="retry/position_timeout", parts={"rgb": "ok"}),
        case("two", completion="retry/multi_face", parts={"rgb": "ok"}),
        case("blur", completion="retry/position_timeout", parts={"rgb": "ok"}),
        turning("photo", completion="staff/step_timeout", parts={"rgb": "ok"}),
        case("screen", completion="staff/ir_no_face", options=with_infrared, parts={"ir": "ok"}),
        case(
            "ir_gone", completion="staff/ir_unavailable", options=with_infrared, code="ir_camera_stalled",
            action=FaultAction.MAINTENANCE, parts={"ir": "inoperative"},
        ),
        unfit("dark", code="too_dark", action=FaultAction.MAINTENANCE, parts={"illumination": "too_dark"}),
        unfit("bright", code="too_bright", parts={"illumination": "too_bright"}),
        unfit("covered", code="lens_obstructed", parts={"lens": "obstructed"}),
        dead("still", deed=partial(_verify, head_turn=True), completion="staff/step_timeout", code="camera_frozen"),
        dead("freeze", completion="staff/camera_stalled", code="camera_stalled"),
        dead("gone", completion="staff/camera_absent", code="camera_absent", device=DeviceState.NO_DEVICE),
    )  # fmt: skip


CASES: tuple[FaultCase, ...] = (*_cases("face_matcher/dlib", {}), *_cases("face_matcher/plugged", ENGINE))
