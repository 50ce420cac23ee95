"""A citizen contests a value: recorded without what it says, sent, numbered, on the receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flow_world import World, matter, text

from drivers.messages import PairLine
from kiosk.contracts.errors import AuthorityDown
from kiosk.flow.screens import FormScreen, NoticeScreen, ReviewScreen
from tests.kiosk.flow.test_journey import RATE, SLIP, WHO, run, said

LOOKUP = {"id": "people", "kind": "call_service", "operation": "population.lookup", "effect": "query"}
FORM = {"id": "form", "kind": "fill_form", "fields": [
    {"id": "phone", "label": text("手机"), "kind": "phone", "sources": ["service.people.phone"]},
    {"id": "why", "label": text("用途")}]}  # fmt: skip
CHECK = {"id": "check", "kind": "review", "show": [
    {"label": text("地址"), "value": "{service.people.address}", "masked": True},
    {"label": text("手机"), "value": "{answer.phone}", "masked": True},
    {"label": text("用途"), "value": "{answer.why}"}]}  # fmt: skip
STEPS = (WHO, LOOKUP, FORM, CHECK, SLIP, RATE)


async def to_the_review(world: World) -> ReviewScreen:
    world.services.answers["population.lookup"] = {"phone": "13900000001", "address": "福建省厦门市样例路1号"}
    world.services.answers["objection.submit"] = world.services.answers.get("objection.submit") or {
        "promised_on": "2026-03-12"
    }
    world.stage.start("sample")
    await world.sign_in_by_face()
    world.fill(await world.screen("form", "form"), why="入学")
    screen = await world.screen("check", "review")
    assert isinstance(screen, ReviewScreen)
    return screen


async def contest(world: World, option: str, wanted: str) -> None:
    world.choose(await world.screen("check", "review"), "object")
    which = await world.screen("check", "choose")
    assert [each.label.zh_cn for each in which.options] == ["地址", "手机"], (
        "an entry of one's own is corrected by going back"
    )  # type: ignore[union-attr]
    world.choose(which, option)
    form = await world.screen("check", "form")
    assert isinstance(form, FormScreen)
    world.fill(form, objection_wanted=wanted, objection_phone="13900000001")


def slip(world: World) -> dict[str, str]:
    (job,) = world.devices.receipt_printer.receipts
    return {line.label: line.value for line in job.lines if isinstance(line, PairLine)}


def sent(world: World) -> dict[str, Any]:
    return next(payload for operation, _, payload in world.services.calls if operation == "objection.submit")


def test_an_objection_is_numbered_and_the_matter_goes_on(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await to_the_review(world)
        await contest(world, "value_0", "样例路2号")
        notice = await world.screen("check", "notice")
        assert isinstance(notice, NoticeScreen)
        assert "CASE-1" in notice.say.zh_cn
        assert "2026-03-12" in notice.say.zh_cn
        world.choose(notice, "go_on")
        again = await world.screen("check", "review")
        assert isinstance(again, ReviewScreen)
        assert again.items[0].origin is not None
        world.choose(again, "confirm")
        await world.screen("rating")

    world = run(tmp_path, story, matter(*STEPS))
    assert sent(world)["source"] == "service.people.address"
    assert sent(world)["wanted"] == "样例路2号"
    assert slip(world)["异议编号"] == "CASE-1"
    assert slip(world)["答复期限"] == "2026-03-12"
    assert said(world, "objection_made") == [
        {"step": "check", "item": "地址", "source": "service.people.address", "case_number": "CASE-1"}
    ]
    assert "样例路" not in str(world.kept), "the journal says which value, never what it says"  # type: ignore[attr-defined]


def test_a_citizen_who_stops_has_the_number_on_paper(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await to_the_review(world)
        await contest(world, "value_1", "13900000002")
        world.choose(await world.screen("check", "notice"), "end")
        await world.until(lambda view: bool(world.events("transaction_ended")))

    world = run(tmp_path, story, matter(*STEPS))
    assert sent(world)["source"] == "service.people.phone", "where the form's value came from"
    assert slip(world)["异议数据项"] == "手机"
    assert said(world, "transaction_ended")[0]["disposition"] == "cancelled"


def test_an_objection_that_cannot_be_sent_does_not_stop_the_matter(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["objection.submit"] = AuthorityDown("down", reason="authority_down")
        await to_the_review(world)
        await contest(world, "value_0", "样例路2号")
        notice = await world.screen("check", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.tone == "attention"
        world.choose(notice, "go_on")
        world.choose(await world.screen("check", "review"), "confirm")
        await world.screen("rating")

    world = run(tmp_path, story, matter(*STEPS))
    assert said(world, "objection_made") == []
    assert "异议编号" not in slip(world)


def test_nothing_is_contested_before_it_is_said_what_it_should_be(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await to_the_review(world)
        await contest(world, "value_0", "")
        view = await world.until(lambda view: isinstance(view.screen, FormScreen) and bool(view.screen.items[0].error))
        assert view.screen is not None
        world.back(view.screen)
        world.choose(await world.screen("check", "review"), "confirm")
        await world.screen("rating")

    world = run(tmp_path, story, matter(*STEPS))
    assert "objection.submit" not in [operation for operation, _, _ in world.services.calls]
