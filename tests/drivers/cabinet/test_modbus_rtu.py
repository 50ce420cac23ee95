"""The Modbus cabinet against pymodbus's own server on a pseudo-terminal."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadInputRegistersResponse

from drivers.cabinet.modbus_line import ModbusLine
from drivers.cabinet.modbus_rtu import ModbusCabinet
from drivers.cabinet.simulator import ModbusSimulator
from drivers.cabinet.unlock_token import make_token
from drivers.errors import DeviceAbsent, DeviceError, DeviceOffline, MediaError, Unsupported
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import CabinetEvent, Flash

POLL = 0.05


@asynccontextmanager
async def cabinet(**options: Any) -> AsyncIterator[tuple[ModbusSimulator, ModbusCabinet]]:
    peer = ModbusSimulator()
    port = await peer.start()
    driver = ModbusCabinet(ModbusCabinet.Options(port=port, poll_interval_seconds=POLL, **options))
    try:
        yield peer, driver
    finally:
        await driver.close()
        await peer.stop()


def run(work: Any) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


class Diary:
    """Somebody who watches, and remembers."""

    def __init__(self, stream: Any) -> None:
        self.events: list[CabinetEvent] = []
        self._stream = stream
        self._task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._stream:
            self.events.append(event)

    async def sees(self, part: str, *values: str, seconds: float = 15.0) -> None:
        async with asyncio.timeout(seconds):
            while [event.value for event in self.events if event.part == part][-len(values) :] != list(values):
                await asyncio.sleep(0.01)

    def count(self, part: str) -> int:
        return sum(event.part == part for event in self.events)

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._stream.aclose()


def test_whoever_watches_sees_the_present_state_and_then_each_change_once() -> None:
    async def work() -> None:
        async with cabinet() as (peer, driver):
            diary, late = Diary(driver.watch()), None
            await diary.sees("light_document", "off")
            parts = (await driver.status()).parts
            assert {event.part: event.value for event in diary.events} == parts
            assert {event.before for event in diary.events} == {"unknown"}
            await peer.order("approach")
            await diary.sees("proximity", "not_present", "present")
            await peer.order("leave")
            await diary.sees("proximity", "present", "not_present")
            await peer.order("plug")
            await diary.sees("headset", "unplugged", "plugged")
            await peer.order("switch", "maintenance")
            await diary.sees("operator_switch", "run", "maintenance")
            await peer.order("force", "rear")
            await diary.sees("door_rear", "locked", "tampered")
            late = Diary(driver.watch())
            await late.sees("door_rear", "tampered")
            await peer.order("temperature", "70")
            for one in (diary, late):
                await one.sees("temperature", "high")
            assert diary.count("door_rear") == 2
            assert late.count("proximity") == 1
            await diary.close()
            await late.close()
            assert driver._watching._looking is None

    run(work())


def test_a_flicker_is_not_told() -> None:
    async def work() -> None:
        async with cabinet() as (peer, driver):
            diary = Diary(driver.watch())
            await diary.sees("tamper", "ok")
            for _ in range(3):
                await peer.order("approach")
                await driver.readings()
                await peer.order("leave")
                looks = driver._looked_at
                while driver._looked_at == looks:
                    await asyncio.sleep(0.005)
            await peer.order("plug")
            await diary.sees("headset", "plugged")
            assert diary.count("door_front") == 1
            await diary.close()

    run(work())


def test_a_controller_that_was_away_is_unknown_and_is_used_again() -> None:
    async def work() -> None:
        async with cabinet(answer_seconds=0.1) as (peer, driver):
            diary = Diary(driver.watch())
            await diary.sees("door_front", "locked")
            await peer.order("fault", "unplugged")
            await diary.sees("door_front", "locked", "unknown")
            with pytest.raises((DeviceAbsent, DeviceOffline)):
                await driver.set_light("receipt", Flash.SLOW)
            assert not (await driver.status()).is_fit
            await peer.order("clear")
            await diary.sees("door_front", "unknown", "locked")
            await driver.set_light("receipt", Flash.SLOW, "green")
            assert await peer.order("light", "receipt") == "1 1"
            await peer.order("fault", "silent")
            await diary.sees("door_front", "locked", "unknown")
            await peer.order("clear")
            await diary.sees("door_front", "unknown", "locked")
            await diary.close()

    run(work())


def test_lights_fan_and_measures() -> None:
    async def work() -> None:
        async with cabinet() as (peer, driver):
            for flash, code in zip(Flash, range(5), strict=True):
                await driver.set_light("id_card", flash, "blue")
                assert await peer.order("light", "id_card") == f"{code} 4"
            assert (await driver.status()).parts["light_id_card"] == "continuous"
            await driver.set_fan(40)
            assert await peer.order("fan") == "40"
            await peer.order("temperature", "-3.5")
            await asyncio.sleep(0.11)
            said = await driver.readings()
            assert (said.temperature_c, said.humidity_percent, said.ambient_lux) == (-3.5, 45.0, 180.0)
            with pytest.raises(MediaError):
                await driver.set_fan(101)
            for position, colour in (("nowhere", "white"), ("id_card", "pink")):
                with pytest.raises(Unsupported) as absent:
                    await driver.set_light(position, Flash.SLOW, colour)
                assert absent.value.reason == "not_fitted"

    run(work())


def test_a_door_opens_for_the_centre_s_word_alone() -> None:
    key = Ed25519PrivateKey.generate()

    async def work() -> None:
        async with cabinet(unlock_public_key=key.public_key().public_bytes_raw().hex(), terminal="K-17") as (
            peer,
            driver,
        ):
            assert "can_unlock" in (await driver.capabilities()).features
            with pytest.raises(MediaError):
                await driver.unlock("rear", make_token(key, "K-18", "rear", int(time.time()) + 60))
            assert peer.unlocked == []
            await driver.unlock("rear", make_token(key, "K-17", "rear", int(time.time()) + 60))
            assert peer.unlocked == ["rear"]
            assert (await driver.status()).parts["door_rear"] == "closed"
            with pytest.raises(Unsupported):
                await driver.unlock("printer_bay", make_token(key, "K-17", "printer_bay", int(time.time()) + 60))
        async with cabinet() as (peer, driver):
            with pytest.raises(Unsupported):
                await driver.unlock("rear", make_token(key, "", "rear", int(time.time()) + 60))
            assert "can_unlock" not in (await driver.capabilities()).features

    run(work())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("wrong_device", "wrong_device"), ("endless", "wrong_device"), ("another_controller", "wrong_device"),
        ("exception_address", "register_refused"), ("exception_failed", "controller_failed"),
        ("exception_busy", "controller_busy"), ("silent", "no_answer"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_line_is_named(fault: str, reason: str) -> None:
    async def work() -> None:
        async with cabinet() as (peer, driver):
            await peer.order("fault", fault)
            with pytest.raises(DeviceError) as wrong:
                await driver.readings()
            assert wrong.value.reason == reason
            status = await driver.status()
            assert [fault.code for fault in status.faults] == [reason]
            assert set(status.parts.values()) == {"unknown"}
            await peer.order("clear")
            assert (await driver.status()).is_fit

    run(work())


@pytest.mark.parametrize("fault", ["noise", "corrupt_once", "truncated_once"])
def test_a_disturbed_line_is_asked_again(fault: str) -> None:
    async def work() -> None:
        async with cabinet() as (peer, driver):
            await peer.order("fault", fault)
            for _ in range(3):
                assert (await driver.readings()).temperature_c == 24.0
                await asyncio.sleep(0.11)

    run(work())


def test_watching_goes_on_beside_commands_through_the_host() -> None:
    async def work() -> None:
        peer = ModbusSimulator()
        options = {"port": await peer.start(), "poll_interval_seconds": POLL}
        device = SupervisedDevice(DeviceConfig(name="it", driver="cabinet/modbus_rtu", options=options))
        try:
            await device.open()
            diary = Diary(device.proxy.watch())
            await diary.sees("proximity", "not_present")
            for flash in Flash:
                await device.proxy.set_light("receipt", flash)
            assert (await device.status()).is_fit
            await device.wipe()
            await peer.order("approach")
            await diary.sees("proximity", "not_present", "present")
            assert (await device.proxy.readings()).temperature_c == 24.0
            await diary.close()
        finally:
            await device.close()
            await peer.stop()

    run(work())


class ScriptedLine:
    """A line that answers with given bytes, whatever is asked."""

    port = "scripted"

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def read(self, size: int, seconds: float) -> bytes:
        data, self._answer = self._answer[:size], self._answer[size:]
        if not data:
            time.sleep(min(seconds, 0.0001))
        return data

    def drain(self) -> None: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


def feed_mutated(count: int, seed: int) -> int:
    """How many damaged answers were believed: a CRC of 16 bits lets one of 65,536 through."""
    generator = random.Random(seed)
    answer = ReadInputRegistersResponse(dev_id=1, registers=[22856, 240, 450, 180])
    good = FramerRTU(DecodePDU(False)).buildFrame(answer)
    reasons, believed = set(), 0
    for _ in range(count):
        data = bytearray(generator.randbytes(generator.randint(0, 5)) + good)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        line = ModbusLine(ScriptedLine(bytes(data[: generator.randint(0, len(data))])), 1, 0.0004)  # type: ignore[arg-type]
        try:
            believed += line.read("input", 0, 4) != [22856, 240, 450, 180]
        except DeviceError as error:
            reasons.add(error.reason)
    assert reasons <= {"no_answer", "wrong_device", "controller_failed", "register_refused", "controller_busy"}
    return believed


def test_a_sample_of_mutated_answers_is_never_believed() -> None:
    assert feed_mutated(500, 20261122) == 0


@pytest.mark.campaign
@pytest.mark.timeout(7200)
def test_a_million_mutated_answers() -> None:
    assert feed_mutated(1_000_000, 11) < 100
