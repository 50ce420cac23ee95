"""A device's fault is told in its own words: at the step, on a greyed tile, on the page of a machine that is closed."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from flow_world import World, matter, text

from drivers.errors import DeviceBusy, DeviceOffline, HardwareFault, MediaError, NeedsAttention
from drivers.messages import DeviceClass, Fault, FaultAction, PrintOutcome
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.fault_words import fault_words
from kiosk.flow import transaction as transaction_module
from kiosk.flow.screens import InstructScreen, NoticeScreen, StageKind
from kiosk.flow.words import device_sentence, failure_words, fault_code_of, unfit_reason, word

WHO = {"id": "who", "kind": "identify"}
PAPER = {
    "id": "paper", "kind": "print_document", "document": "service.house.document_id", "document_title": text("证明"),
}  # fmt: skip
CALL = {"id": "house", "kind": "call_service", "operation": "real_estate.query", "effect": "query", "send": {}}
SLIP = {"id": "slip", "kind": "print_receipt", "layout": {"heading": text("回执"), "items": []}}
RATE = {"id": "rating", "kind": "rate"}


def play(tmp_path: Path, story: Callable[[World], Awaitable[None]], *steps: dict[str, object]) -> World:
    async def whole() -> World:
        world = World(tmp_path, matter(*(steps or (WHO, RATE))))
        try:
            async with asyncio.timeout(30):
                await story(world)
        finally:
            await world.close()
        return world

    return asyncio.run(whole())


def told(device_class: DeviceClass, code: str) -> str:
    words = fault_words(device_class, code)
    assert words is not None
    return words.citizen.zh_cn


def fault(code: str, action: FaultAction) -> Fault:
    return Fault(code=code, action=action, since=dt.datetime(2026, 3, 5, tzinfo=dt.UTC))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction_module, "DEVICE_RETURN_SECONDS", 0.2)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HardwareFault("self test", "self_test_failed"), "self_test_failed"),
        (DeviceOffline("silent"), "device_offline"),
        (DeviceBusy("held", "port_busy"), "port_busy"),
        (HardwareFault("of a kind nobody has words for", "never_heard_of"), "hardware_fault"),
    ],
)
def test_a_reader_that_fails_is_told_in_its_own_words(error: Exception, code: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.card_reader.cards = [error] * 100
        world.stage.start("sample")
        notice = await world.screen("who", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.fault is FaultCode.CARD_READER_DOWN
        assert notice.say.zh_cn == told(DeviceClass.ID_CARD_READER, code)
        assert (notice.papers, notice.money, notice.what_to_do) == tuple(
            getattr(failure_words(FaultCode.CARD_READER_DOWN), part) for part in ("papers", "money", "what_to_do")
        )
        world.choose(notice, "home")
        await world.until(lambda view: view.stage is StageKind.HOME)

    play(tmp_path, story)


def test_a_camera_that_fails_is_no_internal_fault(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        async def verify(**_: object) -> object:
            raise NeedsAttention("covered", "needs_attention")
            yield

        world.devices.face_check.verify = verify
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("who", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.fault is FaultCode.CAMERA_DOWN
        assert notice.say.zh_cn == told(DeviceClass.FACE_MATCHER, "needs_attention")
        assert world.events("citizen_told")[0][1]["fault"] == FaultCode.CAMERA_DOWN

    play(tmp_path, story)


def test_a_card_that_is_not_one_gets_its_own_hint(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.card_reader.cards.insert(0, MediaError("a bus card", "wrong_card_type"))
        world.stage.start("sample")
        await world.screen("who", "choose")

    world = play(tmp_path, story)
    hints = [view.screen.hint for view in world.views if isinstance(view.screen, InstructScreen) and view.screen.hint]
    assert hints[0].zh_cn == told(DeviceClass.ID_CARD_READER, "wrong_card_type")


def test_a_page_that_failed_is_told_with_the_printer_s_reason(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.devices.document_printer.outcomes = [DeviceOffline("gone")]
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("paper", "preview"), "print")
        notice = await world.screen("paper", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.fault is FaultCode.PRINT_FAILED
        assert notice.say.zh_cn == told(DeviceClass.DOCUMENT_PRINTER, "device_offline")

    play(tmp_path, story, WHO, CALL, PAPER, RATE)


def test_a_printer_found_unfit_says_what_its_status_says(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        world.stage.start("sample")
        await world.sign_in_by_face()
        preview = await world.screen("paper", "preview")
        world.devices.unfit.add(DeviceClass.DOCUMENT_PRINTER)
        world.devices.faults[DeviceClass.DOCUMENT_PRINTER] = (fault("disconnected", FaultAction.CLEAR),)
        world.choose(preview, "print")
        notice = await world.screen("paper", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.fault is FaultCode.PRINTER_DOWN
        assert notice.say.zh_cn == told(DeviceClass.DOCUMENT_PRINTER, "disconnected")

    play(tmp_path, story, WHO, CALL, PAPER, RATE)


def test_a_slip_that_did_not_come_is_explained_and_the_number_stands_in_for_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.receipt_printer.outcomes = [PrintOutcome.FAILED]
        world.stage.start("sample")
        await world.sign_in_by_face()
        notice = await world.screen("slip", "notice")
        assert isinstance(notice, NoticeScreen)
        assert notice.tone == "attention"
        assert notice.say.zh_cn == told(DeviceClass.RECEIPT_PRINTER, "paper_out")
        assert notice.transaction_number

    play(tmp_path, story, WHO, SLIP, RATE)


def test_a_greyed_tile_and_the_closed_machine_name_what_a_clerk_can_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.flow.stage.DEVICE_PATIENCE_SECONDS", 0.0)

    async def story(world: World) -> None:
        world.devices.unfit.add(DeviceClass.RECEIPT_PRINTER)
        world.devices.faults[DeviceClass.RECEIPT_PRINTER] = (fault("paper_out", FaultAction.CLEAR),)
        closed = await world.until(lambda view: view.stage is StageKind.OUT_OF_SERVICE)
        assert closed.reasons[0].text.zh_cn == "凭条打印机暂时不能用：缺纸"
        assert closed.reasons[0].text.en == "The receipt printer is not working: paper out"
        assert closed.tiles[0].reason == closed.reasons[0].text
        world.devices.faults[DeviceClass.RECEIPT_PRINTER] = (fault("cover_open", FaultAction.CLEAR),)
        await world.until(lambda view: bool(view.reasons) and "盖板" in view.reasons[0].text.zh_cn)
        world.devices.unfit.clear()
        await world.until(lambda view: view.stage is StageKind.ATTRACT)

    play(tmp_path, story, WHO, SLIP, RATE)


def test_what_only_an_engineer_can_mend_is_not_named_to_citizens() -> None:
    engineer = (fault("self_test_failed", FaultAction.MAINTENANCE),)
    assert unfit_reason(DeviceClass.ID_CARD_READER, engineer) == word("down_id_card_reader")
    assert unfit_reason(DeviceClass.ID_CARD_READER, ()) == word("down_id_card_reader")


@pytest.mark.parametrize("device_class", list(DeviceClass))
def test_every_class_has_a_code_and_a_word_for_being_down(device_class: DeviceClass) -> None:
    assert fault_code_of(device_class) is not FaultCode.INTERNAL
    assert word(f"down_{device_class}").en
    assert device_sentence(device_class, "process_lost") is not None, "what every device can suffer has its sentence"
    assert device_sentence(device_class, "") is None
    assert fault_code_of(None) is FaultCode.INTERNAL
