"""The whole check, camera to verdict, against a camera's peer on the wire."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from drivers.errors import ConsentRequired
from drivers.face_camera.invented import portrait_png
from drivers.face_camera.simulator import CameraSimulator
from drivers.face_matcher.dlib_engine import FaceMatcher
from drivers.messages import FaceDecision, FaceProgress, FaceVerdict, Preview

LIMITS = {"accept_at": 0.40, "retry_at": 0.45}
"""Invented people are more alike than living ones."""


class Scene:
    """A matcher before a simulated camera; `during` is called with every prompt."""

    def __init__(self, simulator: CameraSimulator, matcher: FaceMatcher) -> None:
        self.simulator, self.matcher = simulator, matcher
        self.prompts: list[str] = []
        self.previews: list[Preview] = []
        self.pictures_before_consent = 0

    async def check(
        self, reference: str, *, head_turn: bool = False, consent: str = "c-1", obey: bool = True,
        during: Callable[[FaceProgress], Any] | None = None,
    ) -> FaceVerdict:  # fmt: skip
        picture = portrait_png(reference)
        checks = self.matcher.verify(reference_png=picture, consent_id=consent, head_turn=head_turn)
        async with aclosing(checks):
            async for item in checks:
                match item:
                    case Preview():
                        self.previews.append(item)
                    case FaceProgress():
                        self.prompts.append(item.prompt)
                        if obey:
                            turn = {"TURN_LEFT": "left", "TURN_RIGHT": "right"}.get(item.prompt, "straight")
                            await self.simulator.order("turn", turn)
                        if during is not None:
                            await during(item)
                    case FaceVerdict():
                        return item
        raise AssertionError("no verdict")


def play(story: Callable[[Scene], Any], *, person: str = "chen", **options: Any) -> Any:
    async def run() -> Any:
        simulator = CameraSimulator(person=person)
        address = await simulator.start()
        await simulator.order("person", person)
        matcher = FaceMatcher(FaceMatcher.Options(camera=address, **(LIMITS | options)))
        try:
            return await asyncio.wait_for(story(Scene(simulator, matcher)), 60)
        finally:
            await matcher.close()
            await simulator.stop()

    return asyncio.run(run())


async def until_drawn(simulator: CameraSimulator) -> None:
    """The simulated citizen draws its turned faces in the background; a test does not race it."""
    deadline = time.monotonic() + 30
    while len(simulator._pictures) < 27 and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


def test_the_right_person_is_accepted_without_the_turn() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        verdict = await scene.check("chen")
        assert scene.previews
        assert len(scene.previews[0].rgb) == scene.previews[0].width * scene.previews[0].height * 3
        assert scene.matcher._check is None
        return verdict

    verdict = play(story)
    assert verdict.decision is FaceDecision.ACCEPT
    assert verdict.distance < 0.35
    assert verdict.engine == "dlib"
    assert len(verdict.model_sha256) == 64
    assert {"detect", "encode", "decide", "capture"} <= set(verdict.milliseconds)


def test_a_living_head_passes_the_turn() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        await until_drawn(scene.simulator)
        verdict = await scene.check("chen", head_turn=True)
        assert {"TURN_LEFT", "TURN_RIGHT"} & set(scene.prompts)
        return verdict

    assert play(story, step_seconds=10).decision is FaceDecision.ACCEPT


def test_a_tilted_print_does_not_pass_the_turn() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        await scene.simulator.order("fault", "photo")
        return await scene.check("chen", head_turn=True)

    verdict = play(story, step_seconds=2, position_seconds=3, attempts=1)
    assert verdict.decision is not FaceDecision.ACCEPT
    assert verdict.reason in ("STEP_TIMEOUT", "FACE_LOST", "DISCONTINUITY", "WRONG_DIRECTION")


def test_who_does_not_follow_is_sent_another_way_after_some_attempts() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        return await scene.check("chen", head_turn=True, obey=False)

    verdict = play(story, step_seconds=0.6, attempts=2)
    assert (verdict.decision, verdict.reason, verdict.attempts) == (FaceDecision.STAFF, "STEP_TIMEOUT", 2)


def test_another_person_is_rejected() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        return await scene.check("ouyang")

    verdict = play(story)
    assert (verdict.decision, verdict.reason) == (FaceDecision.REJECT, "NO_MATCH")


def test_the_grey_zone_is_tried_again_and_then_left_to_staff() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        return await scene.check("chen")

    verdict = play(story, accept_at=0.01, retry_at=0.9, attempts=2)
    assert (verdict.decision, verdict.reason, verdict.attempts) == (FaceDecision.STAFF, "GREY_ZONE", 2)


@pytest.mark.parametrize(
    ("fault", "reason", "prompt"),
    [("nobody", "POSITION_TIMEOUT", "NO_FACE"), ("two", "MULTI_FACE", "MULTI_FACE"), ("dark", "POSITION_TIMEOUT", "")],
)
def test_what_the_camera_sees_instead_is_named(fault: str, reason: str, prompt: str) -> None:
    async def story(scene: Scene) -> FaceVerdict:
        await scene.simulator.order("fault", fault)
        verdict = await scene.check("chen")
        assert not prompt or prompt in scene.prompts
        return verdict

    verdict = play(story, position_seconds=1.5)
    assert (verdict.decision, verdict.reason) == (FaceDecision.RETRY, reason)


@pytest.mark.parametrize(("fault", "reason"), [("freeze", "CAMERA_STALLED"), ("gone", "CAMERA_LOST")])
def test_a_camera_that_fails_in_the_middle_ends_the_check_and_is_used_again(fault: str, reason: str) -> None:
    async def story(scene: Scene) -> tuple[FaceVerdict, FaceVerdict]:
        async def fail(_: FaceProgress) -> None:
            await scene.simulator.order("fault", fault)

        first = await scene.check("chen", head_turn=True, obey=False, during=fail)
        parts = (await scene.matcher.status()).parts
        assert parts["rgb"] == "inoperative"
        await scene.simulator.order("clear")
        return first, await scene.check("chen")

    first, second = play(story)
    assert first.decision is FaceDecision.STAFF
    assert first.reason in (reason, "CAMERA_LOST")
    assert second.decision is FaceDecision.ACCEPT


def test_without_a_camera_the_verdict_says_so() -> None:
    async def story(scene: Scene) -> FaceVerdict:
        await scene.simulator.stop()
        return await scene.check("chen")

    assert play(story).reason == "CAMERA_ABSENT"


def test_without_consent_nothing_is_opened() -> None:
    async def story(scene: Scene) -> None:
        with pytest.raises(ConsentRequired):
            await scene.check("chen", consent="")
        assert not scene.simulator._server._watchers

    play(story)


def test_leaving_early_closes_the_camera() -> None:
    async def story(scene: Scene) -> None:
        checks = scene.matcher.verify(reference_png=portrait_png("chen"), consent_id="c", head_turn=True)
        async for _ in checks:
            break
        await checks.aclose()
        async with asyncio.timeout(5):
            while scene.simulator._server._watchers:
                await asyncio.sleep(0.02)
        assert scene.matcher._check is None

    play(story)
