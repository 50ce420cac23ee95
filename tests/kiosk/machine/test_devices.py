"""The machine's devices: it comes up with any missing, says what is wrong, and forgets the citizen."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from drivers.errors import DeviceBusy, DeviceOffline
from drivers.host import DeviceConfig
from drivers.messages import DeviceClass, DeviceState, DeviceStatus, FaultAction, PrintJob, PrintOutcome
from kiosk.machine.devices import Devices

DRIVERS = Path(__file__).resolve().parents[2] / "drivers" / "host" / "misbehaving.py"
ENTRY_POINTS = """[yizhan.drivers]
id_card_reader/misbehaving = misbehaving_drivers:Reader
receipt_printer/misbehaving = misbehaving_drivers:Printer
document_scanner/misbehaving = misbehaving_drivers:Scanner
"""


@pytest.fixture(autouse=True)
def _driver_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "site" / "misbehaving_drivers-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: misbehaving-drivers\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    shutil.copy(DRIVERS, tmp_path / "site" / "misbehaving_drivers.py")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 40))  # type: ignore[arg-type]


def config(name: str, device_class: str, behaviour: str = "serve", **options: Any) -> DeviceConfig:
    return DeviceConfig(name=name, driver=f"{device_class}/misbehaving", options={"behaviour": behaviour, **options})


@asynccontextmanager
async def machine(*configs: DeviceConfig) -> AsyncIterator[Devices]:
    devices = Devices(configs)
    try:
        yield devices
    finally:
        pids = devices.pids().values()
        await devices.close()
        assert not any(psutil.pid_exists(pid) for pid in pids)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def test_the_machine_comes_up_with_any_device_missing() -> None:
    async def story() -> None:
        async with machine(
            config("reader", "id_card_reader"),
            config("printer", "receipt_printer", "absent", port="/dev/nothing"),
            config("scanner", "document_scanner", prot="typing error"),
        ) as devices:
            failures = await devices.open()
            assert set(failures) == {"printer", "scanner"}
            assert "/dev/nothing" in failures["printer"]
            assert "prot" in failures["scanner"]
            assert devices.is_fit(DeviceClass.ID_CARD_READER)
            assert not devices.is_fit(DeviceClass.RECEIPT_PRINTER)
            assert not devices.is_fit(DeviceClass.DOCUMENT_PRINTER)
            assert devices.document_printer is None
            assert devices.face_check is None
            assert devices.card_reader is not None
            assert (await devices.card_reader.read()).name == "驿测试"
            assert devices.faults["printer"][0].action is FaultAction.WAIT
            assert devices.faults["scanner"][0].action is FaultAction.CONFIGURATION
            assert "reader" not in devices.faults
            assert devices.statuses()["reader"].device is DeviceState.ONLINE
            assert set(devices.pids()) >= {"reader"}

    run(story)


def test_a_device_killed_in_mid_command_is_told_and_comes_back() -> None:
    told: list[tuple[str, DeviceStatus]] = []

    async def story() -> None:
        async with machine(config("reader", "id_card_reader", "never_answers")) as devices:
            devices.on_change(lambda name, status: told.append((name, status)))
            await devices.open()
            assert devices.card_reader is not None
            reading = asyncio.create_task(devices.card_reader.read())
            await until(lambda: devices.statuses()["reader"].device is DeviceState.BUSY)
            pid = devices.pids()["reader"]
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(DeviceOffline):
                await reading
            await until(lambda: devices.is_fit(DeviceClass.ID_CARD_READER), 3.0)
            assert devices.pids()["reader"] != pid
            await devices.card_reader.wait_removal()
            await until(lambda: told and told[-1][1].is_fit)

    run(story)
    assert all(name == "reader" for name, _ in told)


def test_wipe_reaches_every_device_and_recycles_the_one_that_does_not_confirm(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with machine(
            config("reader", "id_card_reader", marks=str(marks)), config("printer", "receipt_printer", "wipe_hangs")
        ) as devices:
            await devices.open()
            before = devices.pids()
            await devices.wipe()
            assert marks.read_text() == "wiped\n"
            await until(lambda: devices.is_fit(DeviceClass.RECEIPT_PRINTER))
            after = devices.pids()
            assert after["reader"] == before["reader"]
            assert after["printer"] != before["printer"]
            assert devices.receipt_printer is not None
            result = await devices.receipt_printer.print_receipt(PrintJob(job_id="1", lines=()))
            assert result.outcome is PrintOutcome.PRINTED

    run(story)


def test_each_visit_has_the_devices_to_itself_and_its_end_releases_all(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with machine(
            config("reader", "id_card_reader", marks=str(marks)), config("printer", "receipt_printer")
        ) as devices:
            await devices.open()
            assert {status.claimed_by for status in devices.statuses().values()} == {None}
            old_reader, old_printer = devices.card_reader, devices.receipt_printer
            assert old_reader is not None
            assert old_printer is not None
            await old_reader.read()
            first = devices.statuses()["reader"]
            assert first.claimed_by
            assert first.claimed_by.startswith("visit-")
            assert first.status_age_ms is not None
            assert devices.statuses()["printer"].claimed_by is None
            await devices.wipe()
            assert devices.statuses()["reader"].claimed_by is None
            for late in (old_reader.read(), old_printer.print_receipt(PrintJob(job_id="1", lines=()))):
                with pytest.raises(DeviceBusy) as caught:
                    await late
                assert caught.value.reason == "claim_over"
            assert devices.card_reader is not None
            await devices.card_reader.read()
            assert devices.statuses()["reader"].claimed_by not in (None, first.claimed_by)
            assert (await old_reader.status()).is_fit

    run(story)
    assert marks.read_text().split().count("read") == 2
