"""Real processes that crash, hang, stop, grow and lie: the house goes on, and the device comes back."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline, HardwareFault, MediaError, Unsupported
from drivers.host import DeviceConfig, Limits, SupervisedDevice, supervisor
from drivers.messages import (
    CardType,
    DeviceState,
    DeviceStatus,
    DocumentJob,
    FaultAction,
    PrintJob,
    PrintOutcome,
    PrintResult,
)

pytestmark = pytest.mark.usefixtures("driver_package")

BACK_WITHIN_SECONDS = 3.0
RECEIPT = PrintJob(job_id="job-1", lines=())
QUICK = Limits(grace_seconds=0.2, cancel_seconds=0.3)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 40))  # type: ignore[arg-type]


@asynccontextmanager
async def device(
    behaviour: str = "serve", kind: str = "id_card_reader", limits: Limits | None = None, **options: Any
) -> AsyncIterator[SupervisedDevice]:
    config = DeviceConfig(name="it", driver=f"{kind}/misbehaving", options={"behaviour": behaviour, **options})
    supervised = SupervisedDevice(config, limits=limits)
    try:
        await supervised.open()
        yield supervised
    finally:
        pid = supervised.pid
        await supervised.close()
        assert pid is None or not psutil.pid_exists(pid)


async def until(condition: Callable[[], object], seconds: float = 15.0) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not condition():
        assert loop.time() - begun < seconds, "it did not happen in time"
        await asyncio.sleep(0.005)
    return loop.time() - begun


async def back_after(supervised: SupervisedDevice, pid: int) -> float:
    """Seconds until another process serves."""
    return await until(lambda: supervised.is_ready and supervised.pid != pid)


def test_values_cross_the_border_unchanged() -> None:
    async def story() -> None:
        async with device() as supervised:
            card = await supervised.proxy.read(timeout_seconds=5)
            assert card.card_type is CardType.RESIDENT
            assert (card.name, card.birth_date.year) == ("驿测试", 1900)
            assert card.photo == bytes(range(256)) * 4
            assert (await supervised.proxy.read(want_photo=False)).photo is None
            assert await supervised.proxy.decode_photo(b"\x00\xff") == b"\xff\x00"
            assert (await supervised.proxy.capabilities()).cancellable == {"read"}
            with pytest.raises(TypeError):
                await supervised.proxy.read(5)
            with pytest.raises(TypeError):
                await supervised.proxy.decode_photo(7)

    run(story)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_killed_or_stopped_process_is_back_within_three_seconds(number: int) -> None:
    async def story() -> None:
        async with device() as supervised:
            pid = supervised.pid
            assert pid
            os.kill(pid, number)
            taken = await back_after(supervised, pid)
            assert (await supervised.proxy.read()).name == "驿测试"
            assert taken < BACK_WITHIN_SECONDS
            assert not psutil.pid_exists(pid)

    run(story)


@pytest.mark.parametrize("behaviour", ["crash", "native_sleep_holding_the_lock", "endless_loop"])
def test_a_command_that_takes_its_process_along_ends_as_offline(behaviour: str) -> None:
    async def story() -> None:
        async with device(behaviour) as supervised:
            pid = supervised.pid
            assert pid
            loop = asyncio.get_running_loop()
            begun = loop.time()
            with pytest.raises(DeviceOffline) as caught:
                await supervised.proxy.read(timeout_seconds=15)
            assert caught.value.reason in ("process_lost", "process_hung")
            assert loop.time() - begun < 5
            await back_after(supervised, pid)
            assert supervised.restarts == 1

    run(story)


def test_a_house_that_was_held_up_does_not_blame_its_devices() -> None:
    async def story() -> None:
        async with device(limits=Limits(silence_seconds=0.5)) as supervised:
            pid = supervised.pid
            for _ in range(2):
                time.sleep(0.9)  # noqa: ASYNC251 - the event loop of the house stands still
                await supervised.proxy.read()
            assert supervised.pid == pid
            assert supervised.restarts == 0

    run(story)


def test_a_driver_that_loads_a_large_library_is_not_taken_for_hung() -> None:
    async def story() -> None:
        async with device("loads") as supervised:
            await until(lambda: supervised.cached_status().device is DeviceState.STARTING)
            await until(lambda: supervised.cached_status().is_fit)
            assert supervised.restarts == 0

    run(story)


def test_a_command_without_end_times_out_and_the_process_lives() -> None:
    async def story() -> None:
        async with device("never_answers", limits=QUICK) as supervised:
            pid = supervised.pid
            with pytest.raises(CommandTimedOut):
                await supervised.proxy.read(timeout_seconds=0.2)
            assert supervised.pid == pid

    run(story)


def test_a_driver_that_ignores_the_cancel_is_killed() -> None:
    async def story() -> None:
        async with device("ignores_cancel", limits=QUICK) as supervised:
            pid = supervised.pid
            assert pid
            with pytest.raises(CommandTimedOut):
                await supervised.proxy.read(timeout_seconds=0.2)
            await back_after(supervised, pid)

    run(story)


@pytest.mark.parametrize("behaviour", ["crash", "bug", "never_answers"])
def test_a_print_whose_process_was_lost_is_uncertain(behaviour: str, tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device(behaviour, "receipt_printer", QUICK, marks=str(marks)) as supervised:
            result = await supervised.proxy.print_receipt(RECEIPT, timeout_seconds=1.0)
            assert result.outcome is PrintOutcome.UNCERTAIN
            assert result.job_id == "job-1"
            assert result.reason

    run(story)
    assert marks.read_text().count("job-1") == 1, "a print is never repeated in silence"


def test_a_print_that_was_never_sent_is_an_error_not_uncertain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "WAIT_FOR_RETURN_SECONDS", 0.2)

    async def story() -> None:
        async with device("serve", "receipt_printer") as supervised:
            supervised._tasks[0].cancel()
            assert supervised._process
            supervised._process.end("process_lost")
            with pytest.raises(DeviceOffline):
                await supervised.proxy.print_receipt(RECEIPT)

    run(story)


def test_leaving_a_command_takes_it_back_in_the_device(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("never_answers", marks=str(marks)) as supervised:
            reading = asyncio.create_task(supervised.proxy.read())
            await until(marks.exists)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await until(lambda: "cancelled" in marks.read_text())
            await supervised.proxy.wait_removal()

    run(story)


def test_leaving_a_stream_stops_the_camera_and_frees_the_queue(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("serve", "document_scanner", marks=str(marks)) as supervised:
            seen = 0
            async for picture in supervised.proxy.preview():
                assert len(picture.rgb) == 640 * 480 * 3
                assert set(picture.rgb[:100]) == {seen}
                seen += 1
                if seen == 5:
                    break
            page = await supervised.proxy.capture()
            assert len(page.jpeg) == 1_000_000
            assert marks.read_text() == "camera stopped\n"

    run(story)


def test_a_stream_that_ends_by_itself_and_one_whose_process_dies() -> None:
    async def story() -> None:
        async with device("three", "document_scanner") as supervised:
            assert len([picture async for picture in supervised.proxy.preview()]) == 3
        async with device("crash", "document_scanner") as supervised:
            pictures = supervised.proxy.preview()
            for _ in range(3):
                await anext(pictures)
            with pytest.raises(DeviceOffline):
                await anext(pictures)

    run(story)


def test_commands_wait_their_turn_and_status_does_not(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("slow", marks=str(marks)) as supervised:
            reading = asyncio.create_task(supervised.proxy.read())
            await until(marks.exists)
            removal = asyncio.create_task(supervised.proxy.wait_removal())
            assert (await supervised.proxy.status()).device is DeviceState.BUSY
            await asyncio.gather(reading, removal)

    run(story)
    assert marks.read_text().split("\n")[:3] == ["read", "read ended", "wait_removal"]


def test_taking_a_job_back_passes_the_running_print(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("serve", "document_printer", marks=str(marks)) as supervised:
            job = DocumentJob(job_id="7", pdf=b"%PDF", sha256="0")
            printing = asyncio.create_task(supervised.proxy.print_document(job))
            await until(marks.exists)
            await supervised.proxy.cancel_job("7")
            assert (await printing).outcome is PrintOutcome.FAILED
            assert await supervised.proxy.find_job("7", "x") == PrintResult(
                job_id="7", outcome=PrintOutcome.PRINTED, printer_job_id="x"
            )

    run(story)


def test_errors_keep_their_kind_and_reason_and_bugs_say_nothing_personal() -> None:
    async def story() -> None:
        async with device("unreadable") as supervised:
            with pytest.raises(MediaError, match="the card was moved") as caught:
                await supervised.proxy.read()
            assert caught.value.reason == "moved_too_soon"
        for behaviour in ("bug", "lies"):
            async with device(behaviour) as supervised:
                with pytest.raises(HardwareFault) as fault:
                    await supervised.proxy.read()
                assert fault.value.reason == "driver_broken"
                assert "驿测试" not in str(fault.value)

    run(story)


def test_what_a_driver_prints_is_logged_without_personal_values(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="drivers.host")

    async def story() -> None:
        async with device("talks") as supervised:
            await supervised.proxy.read()
            await until(lambda: "reading" in caplog.text)

    run(story)
    assert "350102" not in caplog.text
    assert "驿" not in caplog.text
    assert len(caplog.records) < 60


def test_a_process_that_grows_is_killed() -> None:
    async def story() -> None:
        async with device("memory", limits=Limits(memory_bytes=200 * 1024**2)) as supervised:
            pid = supervised.pid
            assert pid
            with pytest.raises(DeviceOffline) as caught:
                await supervised.proxy.read()
            assert caught.value.reason == "memory_limit"
            await back_after(supervised, pid)

    run(story)


def test_a_process_that_loses_files_gets_a_fresh_start() -> None:
    async def story() -> None:
        async with device("files") as supervised:
            pid = supervised.pid
            assert pid
            with pytest.raises(DeviceError):
                await supervised.proxy.read()
            await back_after(supervised, pid)

    run(story)


@pytest.mark.parametrize(
    ("driver", "options", "error", "reason", "action"),
    [
        ("id_card_reader/misbehaving", {"prot": "x"}, Unsupported, "configuration_wrong", FaultAction.CONFIGURATION),
        ("id_card_reader/nobody_wrote", {}, Unsupported, "driver_unknown", FaultAction.CONFIGURATION),
        ("id_card_reader/without_library", {}, DeviceError, "library_missing", FaultAction.CONFIGURATION),
        (
            "id_card_reader/misbehaving", {"behaviour": "broken_at_start"}, HardwareFault, "sam_auth_failed",
            FaultAction.MAINTENANCE,
        ),
    ],
)  # fmt: skip
def test_what_a_restart_cannot_mend_is_not_restarted(
    driver: str, options: dict[str, Any], error: type[DeviceError], reason: str, action: FaultAction
) -> None:
    async def story() -> None:
        supervised = SupervisedDevice(DeviceConfig(name="it", driver=driver, options=options))
        try:
            with pytest.raises(error) as caught:
                await supervised.open()
            assert caught.value.reason == reason
            status = await supervised.status()
            assert [(fault.code, fault.action) for fault in status.faults] == [(reason, action)]
            assert not status.is_fit
            assert supervised.pid is None
            assert supervised.restarts == 1
            supervised.recycle()
            await until(lambda: supervised.restarts == 2)
        finally:
            await supervised.close()

    run(story)


def test_an_absent_device_is_tried_again_with_growing_pauses() -> None:
    async def story() -> None:
        config = DeviceConfig(name="it", driver="id_card_reader/misbehaving", options={"behaviour": "absent"})
        supervised = SupervisedDevice(config)
        supervised.start()
        try:
            await until(lambda: supervised.restarts >= 2)
            status = await supervised.status()
            assert status.device is DeviceState.NO_DEVICE
            assert status.faults[0].action is FaultAction.WAIT
        finally:
            await supervised.close()

    run(story)


@pytest.mark.parametrize("behaviour", ["status_raises", "status_hangs"])
def test_a_status_that_fails_is_unknown_and_never_raises(behaviour: str) -> None:
    async def story() -> None:
        async with device(behaviour, limits=QUICK) as supervised:
            status = await supervised.status()
            assert status.device is DeviceState.UNKNOWN
            assert status.faults[0].code == "status_failed"

    run(story)


def test_changes_are_told_once() -> None:
    told: list[DeviceStatus] = []

    async def story() -> None:
        config = DeviceConfig(name="it", driver="id_card_reader/misbehaving", options={"behaviour": "paper_out"})
        supervised = SupervisedDevice(config, on_change=lambda _, status: told.append(status), poll_seconds=0.05)
        await supervised.open()
        try:
            await until(lambda: len(told) >= 2 or (told and told[-1].device is DeviceState.USER_ERROR))
            since = told[-1].faults[0].since
            for _ in range(10):
                status = await supervised.status()
            assert status.faults[0].since == since
            assert [s.device for s in told].count(DeviceState.USER_ERROR) == 1
        finally:
            await supervised.close()

    run(story)


def test_wipe_takes_back_what_runs_and_recycle_leaves_no_process(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("never_answers", marks=str(marks)) as supervised:
            reading = asyncio.create_task(supervised.proxy.read())
            await until(marks.exists)
            await supervised.wipe()
            with pytest.raises(DeviceError):
                await reading
            assert marks.read_text().split() == ["read", "cancelled", "wiped"]
            pid = supervised.pid
            assert pid
            supervised.recycle()
            await back_after(supervised, pid)
            assert not psutil.pid_exists(pid)
            assert supervised.restarts == 0

    run(story)
    assert marks.read_text().endswith("closed\n")


def test_the_process_dies_with_the_house_and_inherits_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIZHAN_SECRET", "do not tell")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=85")

    async def story() -> None:
        async with device() as supervised:
            child = psutil.Process(supervised.pid)
            environment = child.environ()
            assert "YIZHAN_SECRET" not in environment
            assert environment["GLIBC_TUNABLES"] == "glibc.malloc.perturb=85"
            assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
            assert os.getpgid(child.pid) == child.pid
            assert "behaviour" not in " ".join(child.cmdline()), "options may hold secrets"

    run(story)


def test_a_house_killed_outright_leaves_no_device_process(driver_package: Path, tmp_path: Path) -> None:
    house = tmp_path / "house.py"
    house.write_text(
        "import asyncio\n"
        "from drivers.host import DeviceConfig, SupervisedDevice\n"
        "async def main():\n"
        "    device = SupervisedDevice(DeviceConfig(name='it', driver='id_card_reader/misbehaving'))\n"
        "    await device.open()\n"
        "    print(device.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).resolve().parents[3])

    async def story() -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, str(driver_package)])}
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(house), stdout=asyncio.subprocess.PIPE, env=environment
        )
        assert process.stdout
        pid = int(await process.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        process.kill()
        await process.wait()

        def gone() -> bool:
            return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE

        await until(gone, 5)

    run(story)
