"""There, gone, back, or another one: a device that flickers does not flap, and nobody is fooled by the port alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers.errors import DeviceAbsent
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.host.presence.identity import Identity
from drivers.messages import Capabilities, DeviceClass, DeviceState, DeviceStatus, FaultAction
from tests.drivers.host.stage import device, run, until

pytestmark = pytest.mark.usefixtures("driver_package")


def reader(world: Path, told: list[DeviceStatus] | None = None, **options: str) -> SupervisedDevice:
    config = DeviceConfig(name="it", driver="id_card_reader/misbehaving", options={"world": str(world), **options})
    return SupervisedDevice(
        config, poll_seconds=0.05, on_change=None if told is None else lambda _, status: told.append(status)
    )


def test_a_device_that_flickers_does_not_flap(tmp_path: Path) -> None:
    world, marks = tmp_path / "world", tmp_path / "marks"
    world.write_text("there")
    told: list[DeviceStatus] = []

    def missed() -> int:
        return marks.read_text().count("missed") if marks.exists() else 0

    async def story() -> None:
        supervised = reader(world, told, marks=str(marks))
        await supervised.open()
        try:
            await until(lambda: told and told[-1].is_fit)
            for _ in range(4):
                before = missed()
                world.write_text("gone")
                await until(lambda: missed() > before)  # noqa: B023
                world.write_text("there")
                assert supervised.cached_status().is_fit
                await until(lambda: not supervised._board.in_doubt)
            assert [status.device for status in told if not status.is_fit and status.faults] == []
        finally:
            await supervised.close()

    run(story)
    assert missed() >= 4


def test_a_device_missed_three_times_is_gone_and_is_back_at_once_without_a_restart(tmp_path: Path) -> None:
    world, marks = tmp_path / "world", tmp_path / "marks"
    world.write_text("there")
    told: list[DeviceStatus] = []

    async def story() -> None:
        supervised = reader(world, told, marks=str(marks))
        await supervised.open()
        try:
            await until(lambda: supervised.is_fit)
            pid = supervised.pid
            world.write_text("gone")
            await until(lambda: supervised.cached_status().device is DeviceState.OFFLINE)
            assert marks.read_text().count("missed") >= 3
            await until(lambda: told and told[-1].device is DeviceState.OFFLINE)
            world.write_text("there")
            await until(lambda: supervised.is_fit)
            assert (await supervised.proxy.read()).name == "驿测试"
            assert supervised.pid == pid
        finally:
            await supervised.close()

    run(story)


def test_who_asks_a_device_that_is_gone_hears_it_in_one_answer(tmp_path: Path) -> None:
    world = tmp_path / "world"
    world.write_text("there")

    async def story() -> None:
        supervised = reader(world)
        supervised._looker._poll_seconds = 3600
        await supervised.open()
        try:
            await until(lambda: supervised.is_fit)
            world.write_text("gone")
            assert (await supervised.status()).device is DeviceState.OFFLINE
            world.write_text("there")
            assert (await supervised.status()).is_fit
        finally:
            await supervised.close()

    run(story)


@pytest.mark.parametrize("safe", [True, False])
def test_a_device_that_moves_is_asked_only_when_it_says_that_is_safe(safe: bool, tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("counts", marks=str(marks), poll_safe=safe) as supervised:
            supervised._looker._poll_seconds = 0.05
            await until(lambda: supervised.is_fit)
            await supervised._queue.acquire()  # a command is under way
            try:
                await until(lambda: supervised._looker.under_way is None)
                before = marks.read_text().count("status")
                for _ in range(5):
                    await supervised.status()
                    await asyncio.sleep(0.05)
                asked = marks.read_text().count("status") - before
                assert asked >= 5 if safe else asked == 0
                age = supervised.cached_status().status_age_ms
                assert age is not None
                assert safe or age >= 200
            finally:
                supervised._queue.release()

    run(story)


def test_another_device_on_the_same_port_is_refused_until_it_is_accepted(tmp_path: Path) -> None:
    world = tmp_path / "world"
    world.write_text("serial A")

    async def story() -> None:
        supervised = reader(world)
        await supervised.open()

        def state() -> tuple[DeviceState, list[tuple[str, FaultAction]]]:
            status = supervised.cached_status()
            return status.device, [(fault.code, fault.action) for fault in status.faults]

        strange = (DeviceState.NO_DEVICE, [("different_device", FaultAction.CONFIGURATION)])
        try:
            await until(lambda: supervised.is_fit)
            world.write_text("gone")
            await until(lambda: supervised.cached_status().device is DeviceState.OFFLINE)
            world.write_text("serial B")
            await until(lambda: state() == strange)
            with pytest.raises(DeviceAbsent) as caught:
                await supervised.proxy.read()
            assert caught.value.reason == "different_device"
            pid = supervised.pid
            supervised.recycle()
            await until(lambda: supervised.is_ready and supervised.pid != pid)
            await until(lambda: state() == strange)
            world.write_text("serial A")
            await until(lambda: supervised.is_fit)
            world.write_text("serial B")
            await until(lambda: state() == strange)
            supervised.acknowledge()
            await until(lambda: supervised.is_fit)
            assert (await supervised.proxy.read()).name == "驿测试"
        finally:
            await supervised.close()

    run(story)


def test_a_device_named_in_the_configuration_is_the_only_right_one(tmp_path: Path) -> None:
    world = tmp_path / "world"
    world.write_text("serial B")

    async def story() -> None:
        supervised = reader(world, expected_device="A")
        assert "expected_device" not in supervised.config.options
        await supervised.open()
        try:
            await until(lambda: supervised._board.reason() == "different_device")
            world.write_text("serial A")
            await until(lambda: supervised.is_fit)
        finally:
            await supervised.close()

    run(story)


def said(**words: str) -> Capabilities:
    return Capabilities(
        device_class=DeviceClass.CABINET, driver="cabinet/x", version="1", status_source="none",
        poll_safe_in_motion=True, **words,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tell", "strange"),
    [
        (lambda it: (it.heard(said()), it.heard(said(serial="A"))), False),
        (lambda it: (it.heard(said(serial="A")), it.heard(said())), False),
        (lambda it: (it.heard(said(serial="A")), it.heard(said(serial="B"))), True),
        (lambda it: (it.heard(said(serial="A")), it.heard(said()), it.heard(said(serial="B"))), True),
        (lambda it: (it.heard(said(serial="A", model="M")), it.heard(said(serial="A", model="N"))), True),
        (lambda it: (it.plugged({"usb": "1a86:7523"}), it.plugged({"usb": "0403:6001"})), True),
        (lambda it: (it.plugged({"usb_serial": "x"}), it.plugged({"usb_serial": "y"})), True),
        (lambda it: (it.plugged({"usb": "1:2"}), it.plugged({}), it.plugged({"usb": "1:2"})), False),
        (lambda it: (it.heard(said(serial="A")), it.heard(said(serial="B")), it.accept()), False),
    ],
)  # fmt: skip
def test_only_what_is_said_twice_can_differ(tell: Callable[[Identity], object], strange: bool) -> None:
    identity = Identity()
    tell(identity)
    assert bool(identity.stranger) is strange
