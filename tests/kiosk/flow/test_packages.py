"""A package at the machine: asked once, each part with an outcome of its own, and partial failure said plainly."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_world import World, text

from drivers.messages import PairLine
from kiosk.contracts.errors import AuthorityDown, Refused
from kiosk.contracts.matter import Matter
from kiosk.flow.screens import FormScreen, NoticeScreen, ReviewScreen
from tests.kiosk.contracts.test_packages import (
    ASK,
    HOUSEHOLD,
    INSURANCE,
    PHONE,
    WORDS,
    composed,
    form,
    member,
    members,
)
from tests.kiosk.flow.test_journey import run, said

SLOW = "kiosk.flow.steps.parts.ASK_AGAIN_SECONDS"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SLOW, 0.0)


async def sign_up(world: World) -> None:
    """Consent, face, and the one form."""
    world.stage.start("newborn")
    consent = await world.screen("consent", "review")
    world.choose(consent, "agree")
    await world.sign_in_by_face("identify")
    screen = await world.screen("fields_1", "form")
    assert isinstance(screen, FormScreen)
    values = {"phone": "13900000001", "child_name": "某某", "bank": "6222"}
    world.fill(screen, **{item.id: values[item.id] for item in screen.items})


async def end(world: World) -> NoticeScreen:
    world.choose(await world.screen("rate"), "skip")
    notice = await world.screen("rate", "notice")
    assert isinstance(notice, NoticeScreen)
    world.choose(notice, "finish")
    await world.finished()
    return notice


def receipt(world: World) -> dict[str, str]:
    (job,) = world.devices.receipt_printer.receipts
    return {line.label: line.value for line in job.lines if isinstance(line, PairLine)}


def outcomes(world: World) -> dict[str, str]:
    return {data["part"]: data["outcome"] for data in said(world, "part_ended")}


def both() -> Matter:
    return composed("household", "insurance")


def test_everything_is_asked_once_and_one_receipt_lists_every_outcome(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["insurance.apply"] = {"promised_on": "2026-04-01"}
        await sign_up(world)
        notice = await end(world)
        assert notice.tone == "success"
        assert "insurance：已受理" in (notice.what_to_do or text("")).zh_cn  # type: ignore[union-attr]

    world = run(tmp_path, story, both())
    assert [operation for operation, _, _ in world.services.calls] == [
        "population.lookup", "household.apply", "insurance.apply",
    ]  # fmt: skip
    assert outcomes(world) == {"household": "done", "insurance": "accepted"}
    slip = receipt(world)
    assert slip["household"] == "办成"
    assert slip["insurance"] == "已受理，等结果"
    assert slip["　办件编号"] == "CASE-1"
    assert said(world, "transaction_ended")[0]["disposition"] == "succeeded"


def test_a_refused_part_does_not_stop_the_others(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        refusal = Refused("no", reason="not_eligible_age")
        refusal.told = both().title  # type: ignore[attr-defined]
        world.services.answers["household.apply"] = refusal
        await sign_up(world)
        told = await world.screen("household_submit", "notice")
        assert isinstance(told, NoticeScreen)
        assert told.primary is not None
        assert told.primary.id == "go_on"
        world.choose(told, "go_on")
        notice = await end(world)
        assert notice.tone == "attention"
        assert notice.say.zh_cn == "办成 1 项，没办成 1 项；凭条上逐项写明了"
        assert notice.what_to_do is not None
        assert "household：没有办成" in notice.what_to_do.zh_cn

    world = run(tmp_path, story, both())
    assert outcomes(world) == {"household": "refused", "insurance": "done"}
    slip = receipt(world)
    assert slip["household"] == "没有办成"
    assert slip["　说明"] == "newborn", "the authority's own words"
    assert said(world, "transaction_ended")[0]["disposition"] == "succeeded"


def test_an_authority_that_is_down_ends_its_part_before_anything_was_sent(tmp_path: Path) -> None:
    bill = {"id": "bill", "kind": "call_service", "operation": "insurance.bill", "effect": "query", "send": {}} | WORDS
    of = members(HOUSEHOLD, member("insurance", bill, form(PHONE | {"sources": []})))

    async def story(world: World) -> None:
        world.services.answers["insurance.bill"] = AuthorityDown("down", reason="authority_down")
        world.stage.start("newborn")
        world.choose(await world.screen("consent", "review"), "agree")
        await world.sign_in_by_face("identify")
        world.choose(await world.screen("insurance_bill", "notice"), "go_on")
        screen = await world.screen("fields_1", "form")
        assert isinstance(screen, FormScreen)
        world.fill(screen, phone="13900000001", child_name="某某")
        await end(world)

    world = run(tmp_path, story, composed("household", "insurance", of=of))
    assert outcomes(world) == {"insurance": "failed", "household": "done"}
    assert "insurance.apply" not in [operation for operation, _, _ in world.services.calls]
    assert receipt(world)["insurance"] == "没有办成"


def test_a_submit_nobody_knows_the_end_of_is_asked_after_under_its_own_id(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        lost = AuthorityDown("lost", reason="no_answer")
        world.services.answers["household.apply"] = [lost, lost, {"number": "N-1"}]
        await sign_up(world)
        await end(world)

    world = run(tmp_path, story, both())
    tries = [request for operation, request, _ in world.services.calls if operation == "household.apply"]
    assert len(tries) == 3
    assert len(set(tries)) == 1, "never applied for twice"
    assert outcomes(world) == {"household": "done", "insurance": "done"}


def test_when_the_end_stays_unknown_the_citizen_is_told_not_to_apply_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["household.apply"] = AuthorityDown("lost", reason="no_answer")
        await sign_up(world)
        world.choose(await world.screen("household_submit", "notice"), "go_on")
        world.choose(await world.screen("rate"), "skip")
        await world.until(lambda view: bool(world.events("transaction_ended")))

    world = run(tmp_path, story, both())
    assert outcomes(world) == {"household": "failed", "insurance": "done"}
    assert "请先不要重复办理" in receipt(world)["　说明"]
    assert said(world, "transaction_ended")[0]["disposition"] == "uncertain"


def test_when_every_part_fails_nothing_is_called_done(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        for part in ("household", "insurance"):
            world.services.answers[f"{part}.apply"] = Refused("no", reason="refused")
        await sign_up(world)
        world.choose(await world.screen("household_submit", "notice"), "go_on")
        world.choose(await world.screen("insurance_submit", "notice"), "home")
        await world.until(lambda view: bool(world.events("transaction_ended")))

    world = run(tmp_path, story, both())
    ended = said(world, "transaction_ended")[0]
    assert (ended["disposition"], ended["fault"]) == ("failed", "C33")


def test_an_unwanted_part_is_neither_consented_to_nor_asked_nor_done(tmp_path: Path) -> None:
    matter = composed("household", {"matter": "insurance", "when": {"answer.insured": ["yes"]}}, before=[ASK])

    async def story(world: World) -> None:
        world.stage.start("newborn")
        world.choose(await world.screen("which", "choose"), "no")
        world.choose(await world.screen("which", "review"), "begin")
        consent = await world.screen("consent", "review")
        assert isinstance(consent, ReviewScreen)
        assert consent.text is not None
        assert "household局" in consent.text.zh_cn
        assert "insurance局" not in consent.text.zh_cn
        world.choose(consent, "agree")
        await world.sign_in_by_face("identify")
        screen = await world.screen("fields_1", "form")
        assert isinstance(screen, FormScreen)
        assert [item.id for item in screen.items] == ["phone", "child_name"]
        world.fill(screen, phone="13900000001", child_name="某某")
        notice = await end(world)
        assert notice.tone == "success"

    world = run(tmp_path, story, matter)
    assert outcomes(world) == {"insurance": "skipped", "household": "done"}
    assert "insurance" not in receipt(world)


def test_what_comes_after_waits_for_the_parts_it_names(tmp_path: Path) -> None:
    issue = {"id": "issue", "kind": "call_service", "operation": "licence.composite", "effect": "submit",
             "when": {"part.household.outcome": ["done", "accepted"]},
             "send": {"of": "part.household.outcome"}} | WORDS  # fmt: skip
    matter = composed("household", "insurance", after=[issue], of=members(HOUSEHOLD, INSURANCE))

    async def story(world: World) -> None:
        await sign_up(world)
        await end(world)

    world = run(tmp_path, story, matter)
    assert world.services.calls[-1][0] == "licence.composite"
    assert world.services.calls[-1][2] == {"of": "done"}
    assert outcomes(world)["newborn"] == "done"


def test_an_answer_that_stops_one_part_leaves_the_others(tmp_path: Path) -> None:
    places = [{"id": "here", "label": text("本市")}, {"id": "away", "label": text("外地"), "stop": text("请到外地办")}]
    question = {"id": "city", "text": text("在哪？"), "choices": places}
    ask = {"id": "where", "kind": "ask", "questions": [question]} | WORDS
    of = members(HOUSEHOLD, member("insurance", ask, form(PHONE | {"sources": []})))
    asking = composed("household", "insurance", of=of)

    async def story(world: World) -> None:
        world.stage.start("newborn")
        world.choose(await world.screen("questions_1", "choose"), "away")
        stopped = await world.screen("questions_1", "notice")
        assert stopped.say.zh_cn == "请到外地办"
        world.choose(stopped, "go_on")
        world.choose(await world.screen("questions_1", "review"), "begin")
        world.choose(await world.screen("consent", "review"), "agree")
        await world.sign_in_by_face("identify")
        screen = await world.screen("fields_1", "form")
        world.fill(screen, phone="13900000001", child_name="某某")
        await end(world)

    world = run(tmp_path, story, asking)
    assert outcomes(world) == {"insurance": "refused", "household": "done"}


def test_a_part_that_rests_on_another_sends_what_that_one_was_given(tmp_path: Path) -> None:
    """A firm's number exists only when it is registered: the later parts send it, and nobody is asked for it."""
    code = form(PHONE | {"sources": []}, {"id": "credit_code", "kind": "credit_code"})
    second = member("insurance", code)
    second["steps"][-3]["send"] = {"credit_code": "answer.credit_code"}
    matter = composed(
        "household", {"matter": "insurance", "needs": ["household"]}, of=members(HOUSEHOLD, second),
        answers={"credit_code": "service.household_submit.number"},
    )  # fmt: skip

    async def story(world: World) -> None:
        world.services.answers["household.apply"] = {"number": "C-1"}
        await sign_up(world)
        await end(world)

    world = run(tmp_path, story, matter)
    assert world.services.calls[-1][2] == {"credit_code": "C-1"}
    assert outcomes(world) == {"household": "done", "insurance": "done"}


def test_a_part_whose_ground_fell_away_says_so(tmp_path: Path) -> None:
    issue = {"id": "issue", "kind": "call_service", "operation": "licence.composite", "effect": "submit"} | WORDS
    matter = composed("household", {"matter": "insurance", "needs": ["household"]}, after=[issue])

    async def story(world: World) -> None:
        world.services.answers["household.apply"] = Refused("no", reason="refused")
        await sign_up(world)
        world.choose(await world.screen("household_submit", "notice"), "go_on")
        await end(world)

    world = run(tmp_path, story, matter)
    assert outcomes(world) == {"household": "refused", "insurance": "failed", "newborn": "done"}
    assert "insurance.apply" not in [operation for operation, _, _ in world.services.calls]
    slip = receipt(world)
    assert slip["　说明"] == "前面要先办成的那一项没有办成，这一项没有提交"


def test_what_the_package_settles_is_not_asked(tmp_path: Path) -> None:
    kind = {"id": "card_for", "kind": "choice", "choices": [{"id": "own", "label": text("本人")},
                                                           {"id": "child", "label": text("孩子")}]}  # fmt: skip
    second = member("insurance", form(PHONE | {"sources": []}, kind))
    second["steps"][-3]["send"] = {"card_for": "answer.card_for", "said": "answer.card_for_label"}
    matter = composed("household", "insurance", of=members(HOUSEHOLD, second), answers={"card_for": "child"})

    async def story(world: World) -> None:
        await sign_up(world)
        await end(world)

    assert run(tmp_path, story, matter).services.calls[-1][2] == {"card_for": "child", "said": "孩子"}
