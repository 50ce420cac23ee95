"""The UPS: against a peer that misbehaves, and against NUT's own upsd with its dummy-ups driver."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from drivers.cabinet.nut import NutUps
from drivers.cabinet.nut_client import parse_variable
from drivers.cabinet.simulator import NutSimulator
from drivers.errors import DeviceError, HardwareFault, Unsupported
from drivers.messages import CabinetEvent, DeviceState, Flash
from tests.drivers.cabinet.test_modbus_rtu import Diary, run

UPSD = next((path for path in ("/lib/nut/upsd", "/usr/lib/nut/upsd", "/usr/sbin/upsd") if Path(path).exists()), None)
DUMMY = next((path for path in ("/lib/nut/dummy-ups", "/usr/lib/nut/dummy-ups") if Path(path).exists()), None)


@asynccontextmanager
async def ups(**options: Any) -> AsyncIterator[tuple[NutSimulator, NutUps]]:
    peer = NutSimulator()
    driver = NutUps(NutUps.Options(address=await peer.start(), poll_interval_seconds=0.05, **options))
    try:
        yield peer, driver
    finally:
        await driver.close()
        await peer.stop()


def test_the_mains_go_and_come_back() -> None:
    async def work() -> None:
        async with ups() as (peer, driver):
            diary = Diary(driver.watch())
            await diary.sees("mains", "ok")
            await peer.order("mains_cut", "12")
            await diary.sees("mains", "ok", "lost")
            assert (await driver.readings()).runtime_minutes == 12
            status = await driver.status()
            assert (status.is_fit, status.parts["budget"]) == (True, "enough")
            await peer.order("mains_cut", "4")
            await diary.sees("budget", "enough", "short")
            assert (await driver.status()).device is DeviceState.POWER_OFF
            await peer.order("mains_back")
            await diary.sees("mains", "lost", "ok")
            await diary.sees("budget", "short", "enough")
            assert (await driver.status()).is_fit
            assert diary.count("mains") == 3
            await diary.close()

    run(work())


def test_an_upsd_that_was_away_is_unknown_and_is_asked_again() -> None:
    async def work() -> None:
        async with ups() as (peer, driver):
            diary = Diary(driver.watch())
            await diary.sees("mains", "ok")
            await peer.order("fault", "unplugged")
            await diary.sees("mains", "ok", "unknown")
            await peer.order("clear")
            await diary.sees("mains", "unknown", "ok")
            assert diary.events[-1] != CabinetEvent(part="mains", value="unknown", before="ok")
            await diary.close()

    run(work())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("garbage", "wrong_device"), ("endless", "wrong_device"), ("wrong_device", "wrong_device"),
        ("silent", "no_answer"), ("stale", "ups_stale"), ("driver_gone", "ups_stale"),
        ("unknown_ups", "ups_unknown"), ("access_denied", "access_denied"), ("unplugged", "device_offline"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_upsd_is_named(fault: str, reason: str) -> None:
    async def work() -> None:
        async with ups() as (peer, driver):
            await driver.readings()
            await peer.order("fault", fault)
            with pytest.raises(DeviceError) as wrong:
                await driver.readings()
            assert wrong.value.reason == reason
            status = await driver.status()
            assert set(status.parts.values()) == {"unknown"}
            await peer.order("clear")
            assert (await driver.status()).is_fit

    run(work())


def test_a_ups_has_no_lights_doors_or_fans() -> None:
    async def work() -> None:
        async with ups() as (_, driver):
            for deed in (driver.set_light("x", Flash.OFF), driver.unlock("x", "t"), driver.set_fan(1)):
                with pytest.raises(Unsupported) as absent:
                    await deed
                assert absent.value.reason == "not_fitted"

    run(work())


@pytest.mark.parametrize("address", ["http://h/ups", "nut://h", "nut:///ups", "nut://h/a b", "nut://h/a/b"])
def test_an_address_is_nut_host_and_ups(address: str) -> None:
    with pytest.raises(ValidationError):
        NutUps.Options(address=address)


def test_values_are_unquoted() -> None:
    assert parse_variable('VAR a ups.model "x \\"y\\" \\\\z"', "a") == ("ups.model", 'x "y" \\z')
    for line in (
        'VAR b ups.model "x"',
        'VAR a ups.model "x',
        "VAR a ups.model x",
        'VAR a "x" "y"',
        "",
        'VAR a x "y" z',
    ):
        with pytest.raises(HardwareFault):
            parse_variable(line, "a")


def read_mutated(count: int, seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(count):
        line = list('VAR cabinet battery.charge "100 \\"percent\\""')
        for _ in range(generator.randint(1, 6)):
            line[generator.randrange(len(line))] = chr(generator.choice((34, 92, 32, generator.randrange(0x2FF))))
        try:
            name, value = parse_variable("".join(line[: generator.randint(0, len(line))]), "cabinet")
        except HardwareFault:
            continue
        assert 0 < len(name) <= 96
        assert len(value) <= len(line)


def test_a_sample_of_mutated_lines() -> None:
    read_mutated(5_000, 20261122)


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_a_million_mutated_lines() -> None:
    read_mutated(1_000_000, 5)


# --- NUT itself -----------------------------------------------------------------------------------------------------


class RealUpsd:
    """upsd and dummy-ups of the system, in a folder of their own, on a loopback port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._device = folder / "cabinet.dev"
        self.tell("OL", 100, 2400)
        (folder / "ups.conf").write_text(
            f"[cabinet]\n driver = dummy-ups\n port = {self._device}\n mode = dummy-once\n desc = cabinet\n"
        )
        (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {self.port}\n")
        (folder / "upsd.users").write_text("")
        places = dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"), str(folder))
        self._environment = os.environ | places | {"NUT_QUIET_INIT_SSL": "true"}
        self._user = ["-u", "root"] if os.geteuid() == 0 else []
        self._log = (folder / "log").open("wb")
        self.driver = self._run(str(DUMMY), "-F", "-i", "1", "-a", "cabinet")
        self.server = self._run(str(UPSD), "-F")

    def tell(self, status: str, charge: int, runtime: int) -> None:
        """What the dummy says from its next look on."""
        new = self._device.with_suffix(".new")
        new.write_text(f"ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: {runtime}\nups.mfr: Dummy\n")
        new.replace(self._device)

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*command, *self._user], env=self._environment, stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL
        )

    def close(self) -> None:
        for process in (self.server, self.driver):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self._log.close()


@pytest.fixture
def real_upsd() -> Iterator[RealUpsd]:
    if UPSD is None or DUMMY is None:
        pytest.skip("nut-server is not installed")
    folder = Path("/tmp") / f"yizhan-nut-{os.getpid()}"  # a socket's path is short
    folder.mkdir(mode=0o700)
    upsd = RealUpsd(folder)
    try:
        yield upsd
    finally:
        upsd.close()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_real_upsd_is_read_watched_and_missed(real_upsd: RealUpsd) -> None:
    async def work() -> None:
        address = f"nut://127.0.0.1:{real_upsd.port}/cabinet"
        driver = NutUps(NutUps.Options(address=address, poll_interval_seconds=0.1))
        diary = Diary(driver.watch())
        await diary.sees("mains", "ok")
        assert (await driver.readings()).battery_percent == 100
        real_upsd.tell("OB DISCHRG", 80, 900)
        await diary.sees("mains", "ok", "lost")
        await diary.sees("budget", "enough")
        real_upsd.tell("OB LB", 4, 60)
        await diary.sees("battery", "ok", "low")
        assert (await driver.status()).device is DeviceState.POWER_OFF
        real_upsd.tell("OL CHRG", 5, 90)
        await diary.sees("mains", "lost", "ok")
        real_upsd.driver.terminate()
        await diary.sees("mains", "ok", "unknown", seconds=40)
        assert [fault.code for fault in (await driver.status()).faults] == ["ups_stale"]
        stranger = NutUps(NutUps.Options(address=f"nut://127.0.0.1:{real_upsd.port}/another"))
        assert [fault.code for fault in (await stranger.status()).faults] == ["ups_unknown"]
        await stranger.close()
        await diary.close()
        await driver.close()

    asyncio.run(asyncio.wait_for(work(), 90))
