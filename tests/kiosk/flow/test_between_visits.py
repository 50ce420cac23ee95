"""Between citizens nothing is installed and nobody is served until the last is wiped; devices that come back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from flow_world import LIN, NOW, World, matter

from drivers.errors import DeviceOffline
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction, IdCard
from kiosk.flow.screens import StageKind
from tests.kiosk.flow.test_journey import CALL, PAPER, RATE, WHO, run, said


class SlowToForget:
    """Devices whose wipe ends when the test says so."""

    def __init__(self, world: World) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        world.devices.wipe = self.wipe

    async def wipe(self) -> None:
        self.begun.set()
        await self.may_end.wait()


async def leave_at_once(world: World) -> None:
    world.stage.start("sample")
    await world.screen("who")
    world.leave()


def test_no_bundle_is_activated_before_the_last_citizen_is_wiped(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        devices, idle = SlowToForget(world), []
        await leave_at_once(world)
        await devices.begun.wait()
        world.stage.on_idle = lambda: idle.append(len(world.events("session_ended")))
        assert not world.stage.is_idle
        two_ticks = asyncio.get_running_loop().time() + 0.6
        while asyncio.get_running_loop().time() < two_ticks:
            await asyncio.sleep(0.05)
            assert idle == []
        devices.may_end.set()
        async with asyncio.timeout(5):
            while not idle:
                await asyncio.sleep(0.01)
        assert set(idle) == {1}

    run(tmp_path, story)


def test_whoever_comes_during_the_wipe_is_served_after_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        devices = SlowToForget(world)
        await leave_at_once(world)
        await devices.begun.wait()
        world.stage.wake()
        world.stage.start("sample")
        assert world.views[-1].stage is StageKind.ATTRACT
        devices.may_end.set()
        await world.until(lambda view: view.stage is StageKind.HOME)

    world = run(tmp_path, story)
    visits = [event for event, _ in world.kept if event.startswith("session_")]  # type: ignore[attr-defined]
    assert visits[:3] == ["session_begun", "session_ended", "session_begun"]


def test_two_touches_around_the_end_of_the_wipe_begin_one_visit(tmp_path: Path) -> None:
    """The second touch waits in the loop while memory is swept: it comes before the first one is served."""

    async def story(world: World) -> None:
        devices = SlowToForget(world)
        await leave_at_once(world)
        await devices.begun.wait()
        world.stage.wake()
        loop = asyncio.get_running_loop()
        world.on_sweep = lambda: loop.call_soon(world.stage.wake)
        devices.may_end.set()
        await world.until(lambda view: view.stage is StageKind.HOME)
        world.stage.start("sample")
        await world.screen("who")

    world = run(tmp_path, story)
    visits = [event for event, _ in world.kept if event.startswith("session_")]  # type: ignore[attr-defined]
    assert visits[:3] == ["session_begun", "session_ended", "session_begun"]
    assert visits.count("session_begun") == 2


def test_closing_during_the_wipe_waits_for_it(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        devices = SlowToForget(world)
        await leave_at_once(world)
        await devices.begun.wait()
        closing = asyncio.create_task(world.stage.close())
        await asyncio.sleep(0)
        devices.may_end.set()
        await closing

    world = run(tmp_path, story)
    assert [event for event, _ in world.kept][-2:] == ["session_ended", "machine_stopped"]  # type: ignore[attr-defined]
    assert said(world, "session_ended")[0]["disposition"] == "cancelled"


class RestartingReader:
    """A reader whose process is lost some time after the wait for a card has begun."""

    def __init__(self, *lives: float) -> None:
        self._lives = list(lives)

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        del timeout_seconds, want_photo
        if not self._lives:
            return LIN
        await asyncio.sleep(self._lives.pop(0))
        raise DeviceOffline("the device's process died")


def test_a_reader_lost_late_is_waited_for_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.flow.transaction.DEVICE_RETURN_SECONDS", 0.3)

    async def story(world: World) -> None:
        world.devices.card_reader = RestartingReader(0.5)
        world.stage.start("sample")
        await world.screen("who", "choose")

    assert not said(run(tmp_path, story), "card_failed")


def test_a_reader_that_is_lost_again_and_again_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.flow.transaction.DEVICE_RETURN_SECONDS", 0.3)

    async def story(world: World) -> None:
        world.devices.card_reader = RestartingReader(*[0.0] * 1000)
        world.stage.start("sample")
        assert (await world.screen("who", "notice")).kind == "notice"

    assert [data["reason"] for data in said(run(tmp_path, story), "card_failed")] == ["device_offline"]


def test_after_a_restart_the_card_is_asked_for_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.devices.card_reader = RestartingReader(0.0, 5.0)
        world.stage.start("sample")
        await world.until(lambda view: view.screen is not None and view.screen.kind == "working")
        await world.screen("who", "instruct")

    run(tmp_path, story)


def test_a_page_is_not_begun_while_the_printer_restarts(tmp_path: Path) -> None:
    """Its process was stopped and nobody has missed it yet: only a fresh question tells."""
    gone = Fault(code="process_stopped", action=FaultAction.WAIT, since=NOW)
    seen: list[int] = []

    async def story(world: World) -> None:
        world.services.answers["real_estate.query"] = {"document_id": "D-1"}
        printer = world.devices.document_printer
        printer.states = [DeviceStatus(device=DeviceState.OFFLINE, faults=(gone,))] * 3
        world.stage.start("sample")
        await world.sign_in_by_face()
        world.choose(await world.screen("paper", "preview"), "print")
        await world.until(lambda view: view.screen is not None and "设备正在恢复" in view.screen.say.zh_cn)
        seen.append(len(world.events("print_begun")))
        await world.screen("rating")

    world = run(tmp_path, story, matter(WHO, CALL, PAPER, RATE))
    assert seen == [0]
    assert [data["disposition"] for data in said(world, "print_ended")] == ["succeeded"]
