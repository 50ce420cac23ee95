"""Another reader on the same port: noticed, told with who must act, put back or accepted, and nothing is restarted."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import DeviceAbsent
from drivers.host import DeviceConfig
from drivers.id_card_reader.simulator import SdtSimulator
from drivers.id_card_reader.simulator.module import SAM_ID
from drivers.messages import DeviceState, DeviceStatus, FaultAction
from kiosk.__main__ import main
from kiosk.contracts.fault_words import fault_names, fault_words
from kiosk.machine.devices import Acquaintances, Devices, Hatch
from kiosk.machine.devices.hatch import SOCKET, address_in
from kiosk.machine.journal import Journal

OTHER = "05.01-20240116-0000700002-1910000002"
SETTINGS = """[machine]
data = "data"
[fleet]
server = "http://127.0.0.1:1"
[devices.reader]
driver = "id_card_reader/sdt"
port = "/dev/ttyUSB0"
"""
STRANGE = (DeviceState.NO_DEVICE, [("different_device", FaultAction.CONFIGURATION)])
WELL: tuple[DeviceState, list[Any]] = (DeviceState.ONLINE, [])


class Bench:
    """A terminal's devices with its hatch, and a reader's port where one peer takes another's place."""

    def __init__(self, folder: Path, devices: Devices, told: list[DeviceStatus]) -> None:
        self.folder = folder
        self.devices = devices
        self.told = told
        self.port = str(folder / "port")
        self._peer: SdtSimulator | None = None

    async def plug(self, **peer: str) -> None:
        await self.unplug()
        self._peer = SdtSimulator(link=self.port, card="chen", **peer)
        await self._peer.start()

    async def unplug(self) -> None:
        if self._peer is not None:
            await self._peer.stop()
            self._peer = None

    async def ask(self, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(main, ["devices", *words, "--config", str(self.folder / "machine.toml")])
        return code, capsys.readouterr().out

    def standing(self) -> tuple[DeviceState, list[tuple[str, FaultAction]]]:
        status = self.devices.statuses()["reader"]
        return status.device, [(fault.code, fault.action) for fault in status.faults]

    async def until(self, condition: Callable[[], object], seconds: float = 15.0) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not condition():
            assert asyncio.get_running_loop().time() < deadline, f"it stays {self.standing()}"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def bench(tmp_path: Path, *, sits_there: str = SAM_ID, **options: str) -> AsyncIterator[tuple[Bench, Journal]]:
    folder = tmp_path / ("deep" * 30)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "machine.toml").write_text(SETTINGS)
    journal = Journal.open(folder / "data" / "journal.sqlite", terminal="k1")
    config = DeviceConfig(
        name="reader", driver="id_card_reader/sdt", options={"port": str(folder / "port"), "photo_decoder": "sample"}
        | options,
    )  # fmt: skip
    devices, told = Devices([config]), list[DeviceStatus]()
    devices.on_change(lambda _, status: told.append(status))
    Acquaintances(devices, folder / "data", journal.append)
    hatch = Hatch(devices, folder / "data", journal.append)
    it = Bench(folder, devices, told)
    try:
        await it.plug(sam_id=sits_there)
        await hatch.open()
        await devices.open()
        yield it, journal
    finally:
        await hatch.close()
        await devices.close()
        await it.unplug()
        journal.close()


def play(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))


def test_another_reader_on_the_port_is_told_and_put_back_or_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with bench(tmp_path) as (it, journal):
            pid = it.devices.pids()["reader"]
            assert it.standing() == WELL
            code, said = await it.ask(capsys)
            assert (code, said.splitlines()[0].split(",")[0]) == (0, "reader: online")
            assert await it.ask(capsys, "accept", "reader") == (
                1,
                await _line(it, capsys, "there is nothing to accept"),
            )

            await it.plug(sam_id=OTHER)
            await it.until(lambda: it.standing() == STRANGE)
            await it.until(lambda: it.told and it.told[-1].device is DeviceState.NO_DEVICE)
            assert "serial changed" in (it.told[-1].faults[0].vendor_text or "")
            with pytest.raises(DeviceAbsent) as caught:
                await it.devices.device("reader").proxy.read()
            assert caught.value.reason == "different_device"
            code, said = await it.ask(capsys)
            assert "python -m kiosk devices accept reader" in said
            assert "different_device (operator): Another device sits on this port" in said

            await it.plug()
            await it.until(lambda: it.standing() == WELL)
            assert (await it.devices.device("reader").proxy.read()).sam_id != OTHER

            await it.plug(sam_id=OTHER)
            await it.until(lambda: it.standing() == STRANGE)
            code, said = await it.ask(capsys, "accept", "reader")
            assert (code, said.splitlines()[0]) == (0, "reader: accepted (another device sits there: serial changed)")
            assert it.standing() == WELL
            assert (await it.devices.device("reader").proxy.read()).sam_id == OTHER
            assert it.devices.pids()["reader"] == pid, "nothing was restarted"
            entry = journal.entries()[-1]
            assert (entry.event, entry.data["device"]) == ("device_accepted", "reader")

            await it.plug()
            await it.until(lambda: it.standing() == STRANGE)

    play(work)


async def _line(it: Bench, capsys: pytest.CaptureFixture[str], part: str) -> str:
    """What it says when asked the same again; it holds `part`."""
    _, said = await it.ask(capsys, "accept", "reader")
    assert part in said
    return said


def test_a_reader_that_is_not_the_one_in_the_settings_is_accepted_and_the_settings_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with bench(tmp_path, expected_device=OTHER) as (it, journal):
            await it.until(lambda: it.standing() == STRANGE)
            code, said = await it.ask(capsys, "accept", "reader")
            assert code == 0
            assert f"machine.toml still names {OTHER} as expected_device" in said
            assert it.standing() == WELL
            assert journal.entries()[-1].data["why"] == "not the configured one"

    play(work)


def damage(folder: Path) -> None:
    next(folder.rglob("devices.json")).write_text("{broken")


def test_a_reader_exchanged_while_the_terminal_was_off_serves_and_is_in_the_journal(tmp_path: Path) -> None:
    async def run_once(sam_id: str) -> list[str]:
        async with bench(tmp_path, sits_there=sam_id) as (it, journal):
            kept = it.folder / "data" / "devices.json"
            await it.until(lambda: kept.exists() and sam_id in kept.read_text())
            assert it.standing() == WELL
            return [str(entry.data["changed"]) for entry in journal.entries() if entry.event == "device_exchanged"]

    async def work() -> None:
        assert await run_once(SAM_ID) == []
        assert await run_once(SAM_ID) == []
        assert await run_once(OTHER) == ["serial"]
        damage(tmp_path)
        assert await run_once(SAM_ID) == ["serial"], "nothing to compare with: no further word"

    play(work)


def test_a_process_is_started_afresh_and_what_is_asked_wrongly_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with bench(tmp_path) as (it, journal):
            pid = it.devices.pids()["reader"]
            code, said = await it.ask(capsys, "restart", "reader")
            assert (code, said.splitlines()[0]) == (0, "reader: its process is started afresh")
            assert it.devices.pids()["reader"] != pid
            assert journal.entries()[-1].event == "device_restarted"
            assert await it.ask(capsys, "accept", "printer") == (
                1, "no device is called 'printer'; there are: reader\n",
            )  # fmt: skip
            path = it.folder / "data" / SOCKET
            assert path.stat().st_mode & 0o777 == 0o600
            for line in (b"", b"\n", b"{}\n", b'{"ask": "format"}\n', b"x" * 10_000):
                answer = await asyncio.to_thread(_raw, path.parent, line)
                assert not answer or json.loads(answer)["is_done"] is False
            assert it.standing() == WELL
        assert await it.ask(capsys) == (2, f"no terminal runs on {it.folder}/data: start it, or run this as "
                                           "the account it runs as\n")  # fmt: skip

    play(work)


def _raw(folder: Path, line: bytes) -> bytes:
    with address_in(folder) as address, socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(10)
        asking.connect(address)
        asking.sendall(line)
        asking.shutdown(socket.SHUT_WR)
        received = bytearray()
        while part := asking.recv(4096):
            received += part
    return bytes(received)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can pose as somebody else")
def test_another_account_of_the_machine_may_not_ask(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(tmp_path) as (it, _):
            ask = (
                f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({SOCKET!r});"
                's.sendall(b\'{"ask": "show"}\\n\'); print(s.recv(9999).decode())'
            )
            (it.folder / "data" / SOCKET).chmod(0o666)
            process = await asyncio.create_subprocess_exec(
                "python3", "-c", ask, cwd=it.folder / "data", user=65534, group=65534,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            said, _ = await process.communicate()
            assert json.loads(said)["told"] == "not yours to ask"

    play(work)


def test_whatever_the_house_says_of_a_process_has_its_sentences() -> None:
    from drivers.host import process, supervisor

    source = Path(process.__file__).read_text() + Path(supervisor.__file__).read_text()
    codes = {"start_hung", "process_stopped", "process_hung", "memory_limit", "command_stuck", "process_lost",
             "driver_failed", "driver_broken"}  # fmt: skip
    assert all(f'"{code}"' in source for code in codes)
    for code in (*codes, "different_device", "status_failed"):
        assert fault_words("id_card_reader", code) is not None, code
        assert code in fault_names(), code
