"""A citizen at the machine, by what stands on the screen and what the journal says afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from flow_world import LIN, OFFLINE, World, matter, text

from drivers.errors import MediaError
from drivers.messages import FaceDecision, PrintOutcome
from kiosk.contracts.errors import AuthorityDown, FaultCode, Garbled, Refused, Unreachable
from kiosk.flow.equipment import TimeOuts
from kiosk.flow.screens import FormScreen, InstructScreen, Mode, NoticeScreen, ReviewScreen, StageKind

WHO = {"id": "who", "kind": "identify"}
CALL = {
    "id": "house", "kind": "call_service", "operation": "real_estate.query", "effect": "submit",
    "send": {"id_number": "card.id_number", "phone": "answer.phone"},
}  # fmt: skip
PAPER = {
    "id": "paper", "kind": "print_document", "document": "service.house.document_id", "document_title": text("证明"),
}  # fmt: skip
SLIP = {
    "id": "slip", "kind": "print_receipt",
    "layout": {"heading": text("回执"), "items": [{"label": text("姓名"), "value": "{card.name:masked}"}]},
}  # fmt: skip
RATE = {"id": "rating", "kind": "rate"}
PHONE = {"id": "phone", "label": text("手机"), "kind": "phone", "sources": ["service.population.phone"]}
FORM = {"id": "form", "kind": "fill_form", "fields": [PHONE]}


def run(tmp_path: Path, story: Any, *matters: Any, time_outs: TimeOuts | None = None) -> World:
    async def play() -> World:
        world = World(tmp_path, *(matters or (matter(WHO, RATE),)), time_outs=time_outs)
        try:
            told: Coroutine[Any, Any, None] = story(world)
            await asyncio.wait_for(told, 30)
            world.kept = world.events()  # type: ignore[attr-defined]
        finally:
            await world.close()
        return world

    return asyncio.run(play())


def said(world: World, *names: str) -> list[dict[str, Any]]:
    return [data for event, data in world.kept if event in names]  # type: ignore[attr-defined]


def test_one_citizen_from_the_first_touch_to_an_empty_machine(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.stage.wake()
        assert world.views[-1].stage is StageKind.HOME
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.fill(await world.screen("form"), phone="13900000001")
        world.choose(await world.screen("paper", "preview"), "print")
        world.choose(await world.screen("rating"), "5")
        world.choose(await world.screen("rating", "notice"), "finish")
        await world.finished()

    world = run(tmp_path, story, matter(WHO, FORM, CALL, PAPER, SLIP, RATE))
    assert said(world, "transaction_ended") == [
        {"disposition": "succeeded", "fault": "", "holder": "林** 350*************17", "case_number": "CASE-1"}
    ]
    assert said(world, "rating_given") == [{"grade": "5", "reasons": ""}]
    assert [data["disposition"] for data in said(world, "print_ended")] == ["succeeded", "succeeded"]
    assert world.services.calls[0][2] == {"id_number": "350203190102030017", "phone": "13900000001"}
    assert len(world.devices.document_printer.jobs) == 1
    assert world.devices.card_reader.removals == 1
    assert world.devices.wipes == 1
    assert world.swept == 1
    assert world.views[-1].stage is StageKind.ATTRACT
    assert world.previews


def test_intents_stand_before_their_outcomes(tmp_path: Path) -> None:
    test_one_citizen_from_the_first_touch_to_an_empty_machine(tmp_path)
    from kiosk.machine.journal import Journal

    journal = Journal.open(tmp_path / "journal.sqlite", terminal="T-0001")
    order = [e.event for e in journal.entries(0, 500) if e.event.startswith(("service", "print", "seal"))]
    journal.close()
    assert order == [
        "service_begun", "service_ended", "seal_checked", "print_begun", "print_ended", "print_begun", "print_ended",
    ]  # fmt: skip


def test_what_a_trusted_source_knows_is_not_asked(tmp_path: Path) -> None:
    lookup = {"id": "population", "kind": "call_service", "operation": "population.lookup", "effect": "query"}

    async def story(world: World) -> None:
        world.services.answers["population.lookup"] = {"phone": "13900000001"}
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("rating"), "skip")
        world.choose(await world.screen("rating", "notice"), "finish")
        await world.finished()

    world = run(tmp_path, story, matter(WHO, lookup, FORM, RATE))
    assert not any(isinstance(view.screen, FormScreen) for view in world.views)
    assert said(world, "rating_skipped") == [{}]


def test_a_wrong_entry_is_named_and_kept(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.fill(await world.screen("form"), phone="123")
        screen = (
            await world.until(lambda view: isinstance(view.screen, FormScreen) and bool(view.screen.items[0].error))
        ).screen
        assert isinstance(screen, FormScreen)
        assert screen.items[0].value == "123"
        world.fill(screen, phone="13900000001")
        await world.screen("rating")

    run(tmp_path, story, matter(WHO, FORM, RATE))


def test_a_badly_laid_card_is_asked_for_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.card_reader.cards = [MediaError("not read", "read_failed"), LIN]
        world.stage.start("sample")
        await world.screen("who", "choose")

    world = run(tmp_path, story)
    hints = [view.screen.hint for view in world.views if isinstance(view.screen, InstructScreen) and view.screen.hint]
    assert "再放一次" in hints[0].zh_cn
    assert said(world, "card_failed") == [{"reason": "read_failed"}]


def test_an_expired_card_is_refused_with_words_for_papers_and_money(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.card_reader.cards = [LIN.model_copy(update={"valid_until": LIN.valid_from})]
        world.stage.start("sample")
        notice = await world.screen("who", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.fault is FaultCode.CARD_EXPIRED
        assert notice.papers
        assert notice.money
        world.choose(notice, "home")
        await world.until(lambda view: view.stage is StageKind.HOME)

    assert said(run(tmp_path, story), "transaction_ended")[0]["disposition"] == "failed"


def test_declining_the_face_leads_to_the_code_and_costs_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["sms.send_code"] = {"masked_phone": "139****01", "challenge_id": "c"}
        world.services.answers["sms.verify_code"] = [Refused("no", reason="code_wrong"), {}]
        world.stage.start("sample")
        world.choose(await world.screen("who", "choose"), "face")
        world.choose(await world.screen("who", "review"), "decline")
        choice = await world.screen("who", "choose")
        world.choose(choice, "code")
        world.fill(await world.screen("who", "form"), code="111111")
        screen = (
            await world.until(lambda view: isinstance(view.screen, FormScreen) and bool(view.screen.items[0].error))
        ).screen
        assert screen is not None
        world.fill(screen, code="222222")
        await world.screen("rating")

    world = run(tmp_path, story)
    assert not world.devices.face_check.consents
    assert said(world, "consent_declined")[0]["subject"] == "face"
    assert said(world, "signed_in") == [{"way": "code", "assurance": "card_person"}]
    assert [data["decision"] for data in said(world, "phone_checked")] == ["refused", "accepted"]


def test_a_face_that_does_not_match_leaves_the_other_way_open(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.face_check.decisions = [FaceDecision.REJECT, FaceDecision.ACCEPT]
        world.stage.start("sample")
        await world.sign_in_by_face()
        told = (
            await world.until(
                lambda view: (
                    isinstance(view.screen, ReviewScreen)
                    and view.screen.primary is not None
                    and view.screen.primary.id == "other_way"
                )
            )
        ).screen
        assert told is not None
        world.choose(told, "other_way")
        choice = await world.screen("who", "choose")
        assert [option.id for option in choice.options] == ["face", "code"]  # type: ignore[union-attr]
        await world.sign_in_by_face()
        await world.screen("rating")

    world = run(tmp_path, story)
    assert len(set(world.devices.face_check.consents)) == 2


def test_a_child_is_not_offered_the_face(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        import datetime as dt

        world.devices.card_reader.cards = [LIN.model_copy(update={"birth_date": dt.date(2014, 1, 1)})]
        world.stage.start("sample")
        screen = await world.screen("who", "choose")
        assert [option.enabled for option in screen.options] == [False, True]  # type: ignore[union-attr]
        world.choose(screen, "face")
        assert (await world.screen("who", "choose")).kind == "choose"

    world = run(tmp_path, story)
    assert not world.devices.face_check.consents


def test_a_reader_that_dies_is_told_in_one_sentence_and_the_citizen_goes_on(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.card_reader.cards = [OFFLINE, LIN]
        world.stage.start("sample")
        await world.screen("who", "choose")

    world = run(tmp_path, story)
    assert any(view.screen is not None and "设备正在恢复" in view.screen.say.zh_cn for view in world.views)


def test_a_second_matter_needs_no_second_sign_in(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("rating"), "4")
        world.choose(await world.screen("rating", "notice"), "another")
        await world.until(lambda view: view.stage is StageKind.HOME)
        world.stage.start("second")
        await world.until(
            lambda view: view.screen is not None and view.screen.kind == "choose" and view.transaction_number != ""
        )
        world.choose(await world.screen("rating"), "4")
        world.choose(await world.screen("rating", "notice"), "finish")
        await world.finished()

    world = run(tmp_path, story, matter(WHO, RATE), matter(WHO, RATE, id="second"))
    assert len(said(world, "signed_in")) == 1
    assert len(said(world, "transaction_ended")) == 2


def test_a_page_the_printer_refused_is_printed_only_when_the_citizen_asks_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.devices.document_printer.outcomes = [PrintOutcome.FAILED, PrintOutcome.PRINTED]
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("paper", "preview"), "print")
        notice = await world.screen("paper", "notice")
        assert notice.fault is FaultCode.PRINT_FAILED  # type: ignore[union-attr]
        world.choose(notice, "retry")
        world.choose(await world.screen("paper", "preview"), "print")
        await world.screen("rating")

    world = run(tmp_path, story, matter(WHO, CALL, PAPER, RATE))
    assert len(set(world.devices.document_printer.jobs)) == 2
    assert [data["disposition"] for data in said(world, "print_ended")] == ["failed", "succeeded"]


def test_an_uncertain_page_is_asked_after_and_never_printed_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.devices.document_printer.outcomes = [PrintOutcome.UNCERTAIN]
        world.devices.document_printer.later = PrintOutcome.PRINTED
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("paper", "preview"), "print")
        await world.screen("rating")

    world = run(tmp_path, story, matter(WHO, CALL, PAPER, RATE))
    assert len(world.devices.document_printer.jobs) == 1
    assert [data["disposition"] for data in said(world, "print_ended")] == ["uncertain"]
    assert [data["disposition"] for data in said(world, "print_reconciled")] == ["succeeded"]


def test_when_the_printer_cannot_tell_the_citizen_looks(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("kiosk.flow.steps.effects.print_document.RECONCILE_SECONDS", 0)

    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.devices.document_printer.outcomes = [PrintOutcome.UNCERTAIN, PrintOutcome.PRINTED]
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("paper", "preview"), "print")
        world.choose(await world.screen("paper", "choose"), "no_page")
        await world.screen("rating")

    world = run(tmp_path, story, matter(WHO, CALL, PAPER, RATE))
    first, second = world.devices.document_printer.jobs
    assert first != second
    assert said(world, "print_reconciled")[0] | {"job_id": first} == {
        "device": "document_printer", "job_id": first, "disposition": "failed", "reason": "citizen_has_none",
    }  # fmt: skip


def test_a_document_without_a_good_seal_is_never_printed(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.services.pdf = b"%PDF forged"
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("paper", "notice")
        assert notice.fault is FaultCode.SEAL_INVALID  # type: ignore[union-attr]
        world.choose(notice, "home")
        await world.until(lambda view: view.stage is StageKind.HOME)

    world = run(tmp_path, story, matter(WHO, CALL, PAPER, RATE))
    assert not world.devices.document_printer.jobs
    assert said(world, "seal_checked")[0]["disposition"] == "failed"


def test_an_unanswered_submission_is_asked_again_under_the_same_id(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = [Unreachable("gone", reason="timeout"), {"document_id": "D-1"}]
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("house", "notice")
        assert notice.fault is FaultCode.CENTRE_UNREACHABLE  # type: ignore[union-attr]
        world.choose(notice, "retry")
        await world.screen("rating")

    world = run(tmp_path, story, matter(WHO, CALL, RATE))
    assert len({request_id for _, request_id, _ in world.services.calls}) == 1
    assert [data["disposition"] for data in said(world, "service_ended")] == ["uncertain"]
    assert [data["disposition"] for data in said(world, "service_reconciled")] == ["succeeded"]


def test_a_refusal_ends_the_matter_kindly_and_an_outage_can_be_tried_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = [
            AuthorityDown("down"),
            Refused("no", reason="not_eligible_has_house"),
        ]
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("house", "notice")
        assert notice.primary is not None
        assert notice.primary.id == "retry"
        world.choose(notice, "retry")
        refusal = (
            await world.until(
                lambda view: isinstance(view.screen, NoticeScreen) and view.screen.fault is FaultCode.NOT_ELIGIBLE
            )
        ).screen
        assert refusal is not None
        assert refusal.primary is not None
        assert refusal.primary.id == "home"
        world.choose(refusal, "home")
        await world.until(lambda view: view.stage is StageKind.HOME)

    assert said(run(tmp_path, story, matter(WHO, CALL, RATE)), "transaction_ended")[0]["fault"] == "E51"


@pytest.mark.parametrize(
    ("first", "second", "papers"),
    [
        ({"case_number": "C-1"}, Refused("no", reason="not_eligible_none"), "前面办好的都有效"),
        (Refused("no", reason="not_eligible_none"), {}, "没有提交"),
        (Garbled("?"), {}, "部门可能已经收到"),
    ],
)
def test_that_nothing_was_handed_in_is_said_only_where_it_is_so(
    tmp_path: Path, first: Any, second: Any, papers: str
) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = [first, second]
        world.stage.start("sample")
        await world.sign_in_by_face()
        shown = await world.until(lambda view: isinstance(view.screen, NoticeScreen))
        assert isinstance(shown.screen, NoticeScreen)
        assert shown.screen.papers is not None
        assert papers in shown.screen.papers.zh_cn

    run(tmp_path, story, matter(WHO, CALL, CALL | {"id": "again"}, RATE))


def test_without_a_receipt_the_number_stands_on_the_screen(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.receipt_printer.outcomes = [PrintOutcome.FAILED]
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("slip", "notice")
        assert notice.transaction_number  # type: ignore[union-attr]
        world.choose(notice, "next")
        world.choose(await world.screen("rating"), "skip")
        thanks = await world.screen("rating", "notice")
        assert isinstance(thanks, NoticeScreen)
        assert thanks.papers is None, "nothing came out"

    run(tmp_path, story, matter(WHO, SLIP, RATE))


@pytest.mark.parametrize(
    ("steps", "papers"),
    [
        ((PAPER, SLIP), "Papers are in the tray, the receipt is in the slot"),
        ((PAPER,), "Papers are in the tray"),
        ((SLIP,), "The receipt is in the slot"),
    ],
)
def test_the_last_screen_names_what_came_out_and_nothing_else(
    steps: tuple[Any, ...], papers: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.stage.start("sample")
        await world.sign_in_by_face()
        if PAPER in steps:
            world.choose(await world.screen("paper", "preview"), "print")
        world.choose(await world.screen("rating"), "skip")
        thanks = await world.screen("rating", "notice")
        assert isinstance(thanks, NoticeScreen)
        assert thanks.papers is not None
        assert thanks.papers.en == papers

    run(tmp_path, story, matter(WHO, CALL, *steps, RATE))


def test_back_returns_to_what_was_entered_and_never_behind_a_submission(tmp_path: Path) -> None:
    review = {"id": "check", "kind": "review", "show": [{"label": text("手机"), "value": "{answer.phone}"}]}

    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.fill(await world.screen("form"), phone="13900000001")
        world.back(await world.screen("check"))
        form = await world.screen("form")
        assert form.items[0].value == "13900000001"  # type: ignore[union-attr]
        world.fill(form, phone="13900000002")
        world.choose(await world.screen("check"), "confirm")
        assert not (await world.screen("rating")).can_go_back

    world = run(tmp_path, story, matter(WHO, FORM, review, CALL, RATE))
    assert world.services.calls[-1][2]["phone"] == "13900000002"


def test_a_bad_grade_asks_why(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("rating"), "1")
        why = (
            await world.until(lambda view: view.screen is not None and bool(getattr(view.screen, "several", ())))
        ).screen
        assert why is not None
        world.choose(why, "send", several=("slow", "invented"))
        await world.screen("rating", "notice")

    assert said(run(tmp_path, story), "rating_given") == [{"grade": "1", "reasons": "slow"}]


def test_an_answer_to_an_earlier_screen_is_dropped(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        early = await world.screen("who", "choose")
        world.choose(early, "face")
        consent = await world.screen("who", "review")
        world.choose(early, "agree")
        await asyncio.sleep(0.05)
        assert world.views[-1].screen == consent

    run(tmp_path, story)


def test_who_walks_away_is_warned_and_then_forgotten(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.start("sample")
        await world.screen("who", "choose")
        warned = await world.until(lambda view: view.warning is not None)
        assert warned.warning is not None
        world.stage.extend()
        await world.until(lambda view: view.warning is None)
        await world.until(lambda view: view.warning is not None)
        await world.finished()

    world = run(tmp_path, story, time_outs=TimeOuts(idle_seconds=0.5, warn_seconds=1.0))
    assert said(world, "session_ended") == [{"disposition": "interrupted"}]
    assert said(world, "transaction_ended")[0]["disposition"] == "interrupted"
    assert world.devices.wipes == 1


def test_leaving_wipes_and_resets_mode_and_language(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.stage.wake()
        world.stage.set_mode(Mode.ELDER)
        world.stage.start("sample")
        await world.screen("who", "choose")
        world.leave()
        await world.finished()

    world = run(tmp_path, story)
    assert world.views[-1].mode is Mode.STANDARD
    assert world.views[-1].citizen == ""
    assert said(world, "transaction_ended")[0]["disposition"] == "cancelled"


def test_leaving_before_a_told_failure_keeps_its_code(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = Unreachable("gone", reason="timeout")
        world.stage.start("sample")
        await world.sign_in_by_face()
        await world.screen("house", "notice")
        world.leave()
        await world.finished()

    ended = said(run(tmp_path, story, matter(WHO, CALL, RATE)), "transaction_ended")[0]
    assert (ended["disposition"], ended["fault"]) == ("uncertain", "C31")
