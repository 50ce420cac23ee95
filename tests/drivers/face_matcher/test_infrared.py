"""Infrared cues on generated sequences: a head is in both pictures, a screen in one."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from drivers.face_camera.invented import NAMES, frame, infrared, portrait_png, screen_in_infrared
from drivers.face_camera.simulator import CameraSimulator
from drivers.face_matcher.dlib_engine import FaceMatcher
from drivers.face_matcher.dlib_models import DlibEngine
from drivers.face_matcher.engine import Face
from drivers.face_matcher.infrared import InfraredCues
from drivers.messages import FaceDecision, FaceVerdict

POINTS = ((700, 300), (660, 300), (560, 300), (600, 300), (630, 350))


def face(left: int = 520, nose: int = 630) -> Face:
    return Face(left, 250, left + 240, 490, 1.5, (*POINTS[:4], (nose, 350)))


def test_a_face_in_both_is_no_suspicion_and_one_in_colour_alone_is() -> None:
    cues = InfraredCues()
    for _ in range(3):
        cues.see(face(), face(530), turned=False)
    assert cues.suspicion(is_required=True) == ""
    cues = InfraredCues()
    for seen in (None, None, face()):
        cues.see(face(), seen, turned=False)
    assert cues.suspicion(is_required=False) == "IR_NO_FACE"


def test_another_place_or_another_turn_is_a_mismatch() -> None:
    cues = InfraredCues()
    for _ in range(3):
        cues.see(face(), face(800), turned=False)
    assert cues.suspicion(is_required=False) == "IR_MISMATCH"
    cues = InfraredCues()
    cues.see(face(), face(), turned=False)
    for _ in range(2):
        cues.see(face(nose=655), face(nose=630), turned=True)
    assert cues.suspicion(is_required=False) == "IR_MISMATCH", "the head turned in colour only"


def test_without_pictures_only_who_requires_them_refuses() -> None:
    assert InfraredCues().suspicion(is_required=False) == ""
    assert InfraredCues().suspicion(is_required=True) == "IR_UNAVAILABLE"


def test_a_head_turns_alike_in_both_and_a_screen_is_dark_in_infrared() -> None:
    engine = DlibEngine()
    for name in list(NAMES)[2:4]:
        cues = InfraredCues()
        for yaw in (0.0, 20.0, 0.0, -20.0):
            (colour,), (other,) = engine.detect(frame(name, yaw)), engine.detect(infrared(name, yaw))
            cues.see(colour, other, turned=yaw != 0)
        assert (cues.missing, cues.apart) == (0, 0), name
    assert engine.detect(screen_in_infrared()) == []


async def verdict(fault: str, **options: Any) -> FaceVerdict:
    simulator = CameraSimulator(person="chen")
    address = await simulator.start()
    if fault:
        await simulator.order("fault", fault)
    given = {"accept_at": 0.4, "retry_at": 0.45, "attempts": 2, "ir_camera": "ir.mjpg", **options}
    matcher = FaceMatcher(FaceMatcher.Options(camera=address, **given))
    try:
        checks = matcher.verify(
            reference_png=portrait_png("chen"), consent_id="c-1", head_turn=False, timeout_seconds=40
        )
        async with aclosing(checks):
            async for item in checks:
                if isinstance(item, FaceVerdict):
                    return item
    finally:
        await matcher.close()
        await simulator.stop()
    raise AssertionError("no verdict")


@pytest.mark.parametrize(
    ("fault", "options", "decision", "reason"),
    [
        ("", {"ir_required": True}, FaceDecision.ACCEPT, ""),
        ("screen", {}, FaceDecision.STAFF, "IR_NO_FACE"),
        ("screen", {"ir_camera": ""}, FaceDecision.ACCEPT, ""),
        ("ir_gone", {"ir_required": True}, FaceDecision.STAFF, "IR_UNAVAILABLE"),
    ],
)
def test_a_replay_on_a_screen_passes_one_camera_and_not_two(
    fault: str, options: dict[str, Any], decision: FaceDecision, reason: str
) -> None:
    said = asyncio.run(verdict(fault, **options))
    assert (said.decision, said.reason) == (decision, reason)
