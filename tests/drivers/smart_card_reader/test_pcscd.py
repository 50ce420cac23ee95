"""The very driver and pyscard through a real pcscd: virtual cards lie in vpcd's reader, in a network of their own.

vpcd listens on every address of its network, so pcscd and the card live in a private one (`unshare -n`); a private
mount keeps pcscd's socket apart from one the machine may run. Both need root.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceAbsent, DeviceOffline, MediaError
from drivers.messages import CardInterface, DeviceState, WriteOutcome
from drivers.smart_card_reader.pcsc import PcscReader
from drivers.smart_card_reader.simulator.samples import CARDS
from tests.drivers.smart_card_reader.scenes import PLACE, refused, until

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = [
    *Path("/usr/lib/pcsc/drivers").glob("serial/libifdvpcd.so"),
    *Path("/usr/lib").glob("*-linux-gnu/pcsc/drivers/serial/libifdvpcd.so"),
]
SCENE = """
set -e
ip link set lo up
mkdir -p /run/pcscd
mount --bind "$1" /run/pcscd
pcscd -f -c "$2" >"$2/log" 2>&1 &
echo $! >"$2/pid"
exec "$3" -m drivers simulate smart_card_reader/pcsc --option transport=vpcd
"""


def _missing() -> str:
    if os.geteuid() != 0:
        return "a private network and mount need root"
    lacking = [name for name in ("pcscd", "unshare", "ip", "mount") if shutil.which(name) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    if not LIBRARIES:
        return "vsmartcard-vpcd is not installed"
    tried = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine allows no private network"


MISSING = _missing()
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "-")


class Service:
    """pcscd and the virtual card beside it, told on standard input."""

    def __init__(self, folder: Path) -> None:
        sockets, self._settings = folder / "run", folder / "settings"
        for made in (sockets, self._settings):
            made.mkdir()
        (self._settings / "vpcd").write_text(
            'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:0x8C7B\nCHANNELID 0x8C7B\n' + f"LIBPATH {LIBRARIES[0]}\n"
        )
        self.socket = sockets / "pcscd.comm"
        scene = ["unshare", "-n", "-m", "bash", "-c", SCENE, "-", str(sockets), str(self._settings), sys.executable]
        self._process = subprocess.Popen(
            scene, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert json.loads(self._line())["driver"] == "smart_card_reader/pcsc"
        deadline = time.monotonic() + 20
        while not self.socket.exists():
            assert time.monotonic() < deadline, (self._settings / "log").read_text()
            time.sleep(0.02)

    def order(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._line())
        assert answer["ok"], answer

    def end_pcscd(self) -> None:
        os.kill(int((self._settings / "pid").read_text()), signal.SIGKILL)

    def stop(self) -> None:
        with_group = os.getpgid(self._process.pid)
        os.killpg(with_group, signal.SIGKILL)
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    started = Service(tmp_path_factory.mktemp("pcscd"))
    before = os.environ.get("PCSCLITE_CSOCK_NAME")
    os.environ["PCSCLITE_CSOCK_NAME"] = str(started.socket)
    yield started
    started.stop()
    if before is None:
        del os.environ["PCSCLITE_CSOCK_NAME"]
    else:
        os.environ["PCSCLITE_CSOCK_NAME"] = before


@pytest.fixture
def orders(service: Service) -> Iterator[Service]:
    service.order("remove")
    service.order("clear")
    yield service
    service.order("remove")


def play(scene: Any, reader: str = "virtual pcd") -> None:
    async def with_reader() -> None:
        device = PcscReader(PcscReader.Options(reader=reader))
        try:
            await until(lambda: _is_empty(device))
            await scene(device)
        finally:
            await device.close()

    asyncio.run(with_reader())


async def _is_empty(device: PcscReader) -> bool:
    return (await device.status()).parts["media"] == "not_present"


async def order(service: Service, line: str) -> None:
    await asyncio.to_thread(service.order, line)


def test_a_card_is_seen_read_opened_by_its_pin_and_seen_leaving(orders: Service) -> None:
    async def scene(device: PcscReader) -> None:
        coming = asyncio.create_task(device.wait_card(timeout_seconds=20))
        await order(orders, "place closed")
        chip = await coming
        assert (chip.atr, chip.interface) == (CARDS["closed"].atr.hex().upper(), CardInterface.CONTACT)
        await refused(device.read_profile(timeout_seconds=20), MediaError, "pin_needed")
        assert (await device.verify_pin("000000", timeout_seconds=20)).tries_left == 2
        assert (await device.verify_pin(CARDS["closed"].pin, timeout_seconds=20)).accepted
        card = await device.read_profile(timeout_seconds=20)
        assert (card.name, card.social_security_number) == (CARDS["closed"].name, CARDS["closed"].number)
        assert (await device.capabilities()).model == "Virtual PCD 00 00"
        await device.wipe()
        await refused(device.read_profile(timeout_seconds=20), MediaError, "pin_needed")
        leaving = asyncio.create_task(device.wait_removal(timeout_seconds=20))
        await order(orders, "remove")
        await leaving
        await refused(device.read_profile(timeout_seconds=20), MediaError, "no_card")

    play(scene)


@pytest.mark.parametrize(("fault", "found"), [("pull_before_write", "failed"), ("pull_after_write", "written")])
def test_a_card_torn_out_in_the_write_is_reconciled_at_its_next_insertion(
    orders: Service, fault: str, found: str
) -> None:
    async def scene(device: PcscReader) -> None:
        await order(orders, "place lin")
        await device.wait_card(timeout_seconds=20)
        await order(orders, f"fault {fault}")
        result = await device.write_record(PLACE, timeout_seconds=20)
        assert (result.outcome, result.reason) == (WriteOutcome.UNCERTAIN, "removed")
        await device.wait_removal(timeout_seconds=20)
        await order(orders, "place ouyang")
        await device.wait_card(timeout_seconds=20)
        assert (await device.find_write(PLACE, timeout_seconds=20)).reason == "other_card"
        await order(orders, "remove")
        await device.wait_removal(timeout_seconds=20)
        await order(orders, "place lin")
        await device.wait_card(timeout_seconds=20)
        assert (await device.find_write(PLACE, timeout_seconds=20)).outcome == found

    play(scene)


def test_a_chip_torn_out_in_an_answer_is_removed_and_a_silent_one_ends_within_its_limit(orders: Service) -> None:
    async def scene(device: PcscReader) -> None:
        await order(orders, "place lin")
        await device.wait_card(timeout_seconds=20)
        await order(orders, "pull_at 60")
        await refused(device.read_profile(timeout_seconds=20), MediaError, "removed")
        await device.wait_removal(timeout_seconds=20)
        await order(orders, "place lin")
        await device.wait_card(timeout_seconds=20)
        await order(orders, "fault silent")
        await refused(device.read_profile(timeout_seconds=1), DeviceOffline, "chip_silent")
        status = await device.status()
        assert (status.device, status.faults[0].code) == (DeviceState.OFFLINE, "chip_silent")
        await order(orders, "remove")
        await until(lambda: _is_empty(device), 20)
        await order(orders, "clear")
        await order(orders, "place lin")
        await until(lambda: _is_fit(device), 20)
        await device.wait_card(timeout_seconds=20)
        assert (await device.read_profile(timeout_seconds=20)).sex == "1"

    play(scene)


async def _is_fit(device: PcscReader) -> bool:
    return (await device.status()).is_fit


def test_a_reader_nobody_has_is_named(orders: Service) -> None:
    async def scene() -> None:
        device = PcscReader(PcscReader.Options(reader="Another Maker"))
        with pytest.raises(DeviceAbsent, match="Another Maker"):
            await device.wait_card(timeout_seconds=5)
        assert (await device.status()).faults[0].code == "device_absent"
        await device.close()

    assert orders.socket.exists()
    asyncio.run(scene())


ALONE = """
import asyncio, sys
from drivers.errors import DeviceAbsent, DeviceOffline
from drivers.smart_card_reader.pcsc import PcscReader

async def main():
    device = PcscReader(PcscReader.Options())
    print((await device.status()).device, flush=True)
    sys.stdin.readline()
    try:
        await device.wait_card(timeout_seconds=5)
    except (DeviceAbsent, DeviceOffline) as error:
        print(error.reason, error)
    while (status := await device.status()).is_fit:
        await asyncio.sleep(0.02)
    print(status.device, status.faults[0].code, status.faults[0].action)
    await device.close()

asyncio.run(main())
"""
"""In a process of its own: the PC/SC library asks once where its service is."""


def alone(socket: Path, meanwhile: Callable[[], None]) -> list[str]:
    """What a driver sees that finds its service there: first, when it waits for a card, and in the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE], cwd=ROOT, env={**os.environ, "PCSCLITE_CSOCK_NAME": str(socket)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout
    first = process.stdout.readline()
    meanwhile()
    rest, _ = process.communicate("\n", timeout=60)
    return [first.strip(), *rest.splitlines()]


def test_without_the_service_staff_are_told_what_to_start(tmp_path: Path) -> None:
    first, waiting, last = alone(tmp_path / "nobody", lambda: None)
    assert first == "no_device"
    assert waiting.startswith("no_service")
    assert "start it (systemctl enable --now pcscd.socket)" in waiting
    assert last == "no_device no_service configuration"


def test_a_service_that_ends_in_the_middle_is_told(tmp_path: Path) -> None:
    service = Service(tmp_path)
    try:
        first, waiting, last = alone(service.socket, service.end_pcscd)
    finally:
        service.stop()
    assert first == "online"
    assert waiting.startswith(("no_service", "service_lost"))
    assert last.startswith(("no_device no_service", "offline service_lost"))
