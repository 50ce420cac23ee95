"""Questions that lead to the right variant, steps done only on a condition, and what is needed told once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flow_world import World, matter, text

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.value import sha256_hex
from kiosk.flow.screens import ChooseScreen, NoticeScreen, ReviewScreen, WentBack
from tests.kiosk.flow.test_journey import PAPER, RATE, WHO, run, said

WHY = {
    "id": "why", "text": text("为谁办？"),
    "choices": [
        {"id": "self", "label": text("本人")},
        {"id": "child", "label": text("孩子")},
        {"id": "other", "label": text("别人"), "stop": text("请本人来办")},
    ],
}  # fmt: skip
AGE = {
    "id": "age", "text": text("孩子几岁？"), "when": {"answer.why": ["child"]},
    "choices": [{"id": "small", "label": text("未满六岁")}, {"id": "big", "label": text("六岁以上")}],
}  # fmt: skip
ASK = {"id": "variant", "kind": "ask", "questions": [WHY, AGE]}
BIRTH = {
    "id": "birth", "kind": "collect_material", "material": text("出生证明"), "certificate": "medical_birth_certificate",
    "purpose": text("办理"), "when": {"answer.age": ["small"]},
}  # fmt: skip
CALL = {
    "id": "house", "kind": "call_service", "operation": "real_estate.query", "effect": "submit",
    "send": {"why": "answer.why", "age": "answer.age"},
}  # fmt: skip


def answers(world: World) -> dict[str, Any]:
    calls = [payload for operation, _, payload in world.services.calls if operation == "real_estate.query"]
    assert len(calls) == 1
    return calls[0]


def needed(screen: object) -> list[str]:
    assert isinstance(screen, ReviewScreen)
    return [item.value.zh_cn for item in screen.items]


def test_the_answers_lead_to_the_variant_and_what_it_needs_is_told_once(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        first = await world.screen("variant", "choose")
        assert isinstance(first, ChooseScreen)
        assert first.say.zh_cn == "为谁办？"
        assert [mark.title.zh_cn for mark in first.journey] == ["variant", "who", "house", "rating"]
        world.choose(first, "child")
        view = await world.until(lambda view: view.screen is not None and view.screen.say.zh_cn == "孩子几岁？")
        world.choose(view.screen, "small")
        told = await world.screen("variant", "review")
        assert "出生证明" in needed(told)
        assert "birth" in [mark.title.zh_cn for mark in told.journey]
        world.choose(told, "begin")
        await world.screen("who")

    run(tmp_path, story, matter(ASK, WHO, BIRTH, CALL, RATE))


def test_what_the_condition_excludes_is_neither_asked_nor_done(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        world.choose(await world.screen("variant", "choose"), "self")
        told = await world.screen("variant", "review")
        assert "出生证明" not in needed(told)
        world.choose(told, "begin")
        await world.sign_in_by_face()
        await world.screen("rating")
        assert answers(world) == {"why": "self"}

    world = run(tmp_path, story, matter(ASK, WHO, BIRTH, CALL, RATE))
    assert "birth" not in [data["step"] for data in said(world, "step_ended")]
    assert not said(world, "material_collected")


def test_a_photo_no_library_holds_is_laid_down_at_once_with_the_steps_own_words(tmp_path: Path) -> None:
    photo = {"id": "photo", "kind": "collect_material", "material": text("现场照片"), "purpose": text("办理"),
             "say": text("请放照片")}  # fmt: skip
    call = CALL | {"send": {"page": "material.photo.page", "sha256": "material.photo.sha256"}}

    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        laid = await world.screen("photo")
        assert laid.kind == "instruct"
        assert laid.say.zh_cn == "请放照片"
        world.choose(laid, "capture")
        world.choose(await world.screen("photo", "preview"), "use")
        await world.screen("rating")
        assert answers(world) == {"page": "anBlZw==", "sha256": sha256_hex(b"jpeg")}
        assert [operation for operation, _, _ in world.services.calls if operation.startswith("certificates")] == []

    world = run(tmp_path, story, matter(WHO, photo, call, RATE))
    assert [data["origin"] for data in said(world, "material_collected")] == ["captured"]


def test_going_back_leads_through_the_questions_and_forgets_what_no_longer_holds(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        world.choose(await world.screen("variant", "choose"), "child")
        view = await world.until(lambda view: view.screen is not None and view.screen.say.zh_cn == "孩子几岁？")
        world.choose(view.screen, "small")
        world.stage.answer(WentBack(screen_id=(await world.screen("variant", "review")).screen_id))
        view = await world.until(lambda view: view.screen is not None and view.screen.say.zh_cn == "孩子几岁？")
        world.stage.answer(WentBack(screen_id=view.screen.screen_id))
        view = await world.until(lambda view: view.screen is not None and view.screen.say.zh_cn == "为谁办？")
        world.choose(view.screen, "self")
        world.choose(await world.screen("variant", "review"), "begin")
        await world.sign_in_by_face()
        await world.screen("rating")
        assert answers(world) == {"why": "self"}

    run(tmp_path, story, matter(ASK, WHO, BIRTH, CALL, RATE))


def test_from_a_later_step_back_the_answers_stand(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        world.choose(await world.screen("variant", "choose"), "self")
        world.choose(await world.screen("variant", "review"), "begin")
        world.stage.answer(WentBack(screen_id=(await world.screen("who")).screen_id))
        world.choose(await world.screen("variant", "review"), "begin")
        await world.screen("who")

    run(tmp_path, story, matter(ASK, WHO, CALL, RATE))


def test_a_case_that_cannot_be_done_here_is_told_at_once_with_where_to_go(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        world.choose(await world.screen("variant", "choose"), "other")
        told = await world.screen("variant", "notice")
        assert isinstance(told, NoticeScreen)
        assert (told.say.zh_cn, told.fault) == ("请本人来办", FaultCode.NOT_ELIGIBLE)
        world.choose(told, "retry")
        world.choose(await world.screen("variant", "choose"), "self")
        await world.screen("variant", "review")

    run(tmp_path, story, matter(ASK, WHO, PAPER | {"when": {"answer.age": "known"}}, RATE))


def test_known_and_unknown_ask_only_whether_there_is_a_value(tmp_path: Path) -> None:
    known = CALL | {"id": "with_age", "when": {"answer.age": "known"}}
    unknown = CALL | {"id": "without_age", "when": {"answer.age": "unknown", "answer.why": ["self"]}}

    async def story(world: World) -> None:
        world.stage.start("sample")
        world.choose(await world.screen("variant", "choose"), "self")
        world.choose(await world.screen("variant", "review"), "begin")
        await world.sign_in_by_face()
        await world.screen("rating")

    world = run(tmp_path, story, matter(ASK, WHO, known, unknown, RATE))
    assert [data["step"] for data in said(world, "service_begun")] == ["without_age"]
