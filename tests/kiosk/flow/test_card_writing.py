"""Cards written for citizens: the real drivers, their simulated units and cards; never written twice, never unsaid."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.card_rewriter.serial_rewriter import SerialRewriter
from drivers.card_rewriter.simulator import RewriterSimulator
from drivers.card_rewriter.simulator.unit import MOUTH
from drivers.messages import DeviceClass
from drivers.smart_card_reader.pcsc import PcscReader
from drivers.smart_card_reader.simulator import CardSimulator
from kiosk.contracts.events import Disposition
from kiosk.flow.catalogue import tiles
from kiosk.flow.recovery import ask_after, report_open_ends
from kiosk.flow.screens import InstructScreen, NoticeScreen
from kiosk.machine.journal import Journal
from tests.drivers.card_rewriter.scenes import chip_of
from tests.kiosk.flow.world import NOW, ScriptedDevices, World, matter

NOON = dt.time(12)
PERMIT = {
    "card_number": "C00000001", "kind": "T", "valid_from": "1931-01-01", "valid_until": "1931-06-30", "journeys": 1,
    "print_lines": ["往来台湾签注", "1931-01-01 至 1931-06-30"], "token": "c2FtcGxlIHRva2Vu",
}  # fmt: skip
RECORD = {"file": "EF06", "record": 6, "value": "350211", "before": "350203"}
SOCIAL = {"identification_code": "350200D1560000053139303130323033", "records": [RECORD]}


def live(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return run


def writing(card: str) -> Any:
    return matter(
        {"id": "ask", "kind": "call_service", "operation": "sample.job", "effect": "query"},
        {"id": "write", "kind": "write_card", "card": card, "job": "service.ask.job"},
        {
            "id": "tell", "kind": "call_service", "operation": "sample.tell", "effect": "submit",
            "send": {"outcome": "service.write.outcome", "serial": "service.write.serial"},
        },
        assurance="none",
    )  # fmt: skip


@asynccontextmanager
async def at_rewriter(
    directory: Path, *faults: str, card: str = "lin", job: Any = None
) -> AsyncIterator[tuple[World, RewriterSimulator]]:
    peer = RewriterSimulator(card=card)
    rewriter = SerialRewriter(SerialRewriter.Options(port=await peer.start()))
    world = World(directory, writing("permit"))
    world.devices.card_rewriter = rewriter
    world.services.answers["sample.job"] = {"job": json.dumps(PERMIT) if job is None else job}
    for fault in faults:
        await peer.order("fault", fault)
    world.stage.start("sample")
    try:
        yield world, peer
    finally:
        await world.stage.close()
        await world.close()
        await rewriter.close()
        await peer.stop()


async def taken(world: World, peer: RewriterSimulator) -> None:
    """The citizen takes the card as soon as it is held out."""
    view = await world.until(lambda view: isinstance(view.screen, InstructScreen) and not view.screen.can_leave, 20)
    while peer.memory.position != MOUTH:
        await asyncio.sleep(0.01)
    await peer.order("remove")
    await world.until(lambda later: later.screen is not view.screen, 20)


async def finished(world: World, peer: RewriterSimulator) -> str:
    """What the authority was told of the write, once the citizen has the card back."""
    taking = asyncio.ensure_future(taken(world, peer))
    async with asyncio.timeout(15):
        while not any(call[0] == "sample.tell" for call in world.services.calls):
            await asyncio.sleep(0.02)
        await taking
    return str(next(call[2] for call in world.services.calls if call[0] == "sample.tell")["outcome"])


def jobs_on(peer: RewriterSimulator) -> int:
    """Endorsements written on Lin's chip since it was issued."""
    return len(chip_of(peer.memory.cards["lin"]).state.jobs) - 1


async def notice(world: World, after: NoticeScreen | None = None) -> NoticeScreen:
    view = await world.until(lambda view: isinstance(view.screen, NoticeScreen) and view.screen is not after, 20)
    assert isinstance(view.screen, NoticeScreen)
    return view.screen


@live
async def test_the_endorsement_is_written_printed_and_told(tmp_path: Path) -> None:
    async with at_rewriter(tmp_path) as (world, peer):
        assert await finished(world, peer) == "written"
        assert jobs_on(peer) == 1
        assert peer.memory.cards["lin"].lines == PERMIT["print_lines"]
        ended = world.events("card_write_ended")[0][1]
        assert (ended["disposition"], ended["device"]) == ("succeeded", "card_rewriter")
        assert "C00000001" not in str(world.events())


@live
async def test_a_print_that_failed_is_said_plainly_and_the_card_handed_back(tmp_path: Path) -> None:
    async with at_rewriter(tmp_path, "print_failed") as (world, peer):
        told = await notice(world)
        assert told.papers is not None
        assert "第二次" in told.papers.zh_cn
        world.choose(told, "next")
        assert await finished(world, peer) == "print_pending"
        assert jobs_on(peer) == 1


@live
async def test_another_persons_card_is_handed_back(tmp_path: Path) -> None:
    async with at_rewriter(tmp_path, card="ouyang") as (world, peer):
        view = await world.until(
            lambda view: view.screen is not None and getattr(view.screen, "hint", None) is not None
        )
        assert "不是要办理的那张卡" in view.screen.hint.zh_cn  # type: ignore[union-attr]
        assert peer.memory.position == MOUTH
        await peer.order("remove")
        await peer.order("place", "lin")
        assert await finished(world, peer) == "written"
        assert len(chip_of(peer.memory.cards["ouyang"]).state.jobs) == 0


@live
async def test_a_write_that_failed_leaves_the_card_as_it_was(tmp_path: Path) -> None:
    async with at_rewriter(tmp_path, "token_refused") as (world, peer):
        taking = asyncio.ensure_future(taken(world, peer))
        told = await notice(world)
        await taking
        assert (told.fault, jobs_on(peer)) == ("H86", 0)
        await peer.order("clear")
        await peer.order("place", "lin")
        world.choose(told, "retry")
        assert await finished(world, peer) == "written"
        assert jobs_on(peer) == 1


@live
async def test_power_lost_in_the_write_is_read_from_the_card_and_never_written_again(tmp_path: Path) -> None:
    async with at_rewriter(tmp_path, "power_cut_after_write") as (world, peer):
        told = await notice(world)
        assert told.fault == "H87"
        assert world.events("card_write_ended")[0][1]["disposition"] == "uncertain"
        await peer.order("clear")
        if peer.memory.inserted != "lin":
            await peer.order("place", "lin")
        world.choose(told, "retry")
        told = await notice(world, after=told)
        assert "补印" in told.say.zh_cn
        world.choose(told, "next")
        assert await finished(world, peer) == "print_pending"
        assert jobs_on(peer) == 1
        assert world.events("card_write_reconciled")[0][1]["disposition"] == "succeeded"


@live
async def test_what_is_no_job_is_never_written(tmp_path: Path) -> None:
    for index, wrong in enumerate(("", "{}", "no json", json.dumps(PERMIT | {"journeys": 999}))):
        async with at_rewriter(tmp_path / str(index), job=wrong) as (world, peer):
            assert (await notice(world)).fault == "C34"
            assert jobs_on(peer) == 0


@live
async def test_a_start_reads_the_card_that_is_still_in_the_unit(tmp_path: Path) -> None:
    """The terminal died while the unit wrote: the card in it says what became of the job."""
    for job_id, said in (("sample-0", Disposition.SUCCEEDED), ("another", Disposition.FAILED)):
        peer = RewriterSimulator(card="lin")
        rewriter = SerialRewriter(SerialRewriter.Options(port=await peer.start()))
        journal = Journal.open(tmp_path / job_id / "journal.sqlite", terminal="T-0001", clock=lambda: NOW)
        journal.begin_effect(job_id, "card_write_begun", step="write", device="card_rewriter", job_id=job_id)
        devices = ScriptedDevices(card_rewriter=rewriter)
        await ask_after(report_open_ends(journal), journal, devices)
        found = [entry.data for entry in journal.entries() if entry.event == "card_write_reconciled"]
        assert [each["disposition"] for each in found] == [said]
        assert journal.open_effects() == []
        assert peer.memory.position == MOUTH, "the card is handed back"
        journal.close()
        await rewriter.close()
        await peer.stop()


@live
async def test_a_social_security_card_is_written_record_by_record(tmp_path: Path) -> None:
    peer = CardSimulator(card="lin")
    reader = PcscReader(PcscReader.Options(reader=await peer.start()))
    world = World(tmp_path, writing("social_security"))
    world.devices.smart_card_reader = reader
    world.services.answers["sample.job"] = {"job": SOCIAL}
    world.stage.start("sample")
    try:
        async with asyncio.timeout(15):
            while peer.cards["lin"].writes == 0:
                await asyncio.sleep(0.02)
            await peer.order("remove")
            while not any(call[0] == "sample.tell" for call in world.services.calls):
                await asyncio.sleep(0.02)
        assert peer.cards["lin"].writes == 1
        assert world.services.calls[-1][2]["outcome"] == "written"
    finally:
        await world.stage.close()
        await world.close()
        await reader.close()
        await peer.stop()


@pytest.mark.parametrize(
    ("card", "device"), [("permit", DeviceClass.CARD_REWRITER), ("social_security", DeviceClass.SMART_CARD_READER)]
)
def test_a_matter_is_greyed_with_its_reason_where_its_writer_is_down(card: str, device: DeviceClass) -> None:
    (tile,) = tiles([writing(card)], {device: ()}, NOON)
    assert not tile.enabled
    assert tile.reason is not None
    (tile,) = tiles([writing(card)], {DeviceClass.SIGNATURE_PAD: ()}, NOON)
    assert tile.enabled
