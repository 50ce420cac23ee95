"""Real processes that crash, hang, stop, grow and lie: the house goes on, and the device comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from drivers.errors import DeviceError, DeviceOffline, HardwareFault, Unsupported
from drivers.host import DeviceConfig, Limits, SupervisedDevice
from drivers.messages import (
    DeviceState,
    DeviceStatus,
    FaultAction,
)
from tests.drivers.host.stage import QUICK, back_after, device, run, until

pytestmark = pytest.mark.usefixtures("driver_package")

BACK_WITHIN_SECONDS = 3.0


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


def test_a_driver_that_takes_its_time_to_let_go_is_not_hung(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("closes_slowly", marks=str(marks)) as supervised:
            await supervised.proxy.status()

    run(story)
    assert marks.read_text() == "closed\n"


@pytest.mark.parametrize("ending", ["killed", "closed"])
@pytest.mark.parametrize("behaviour", ["starts_a_daemon", "hides_a_daemon"])
def test_what_a_driver_has_started_ends_with_its_process(behaviour: str, ending: str, tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device(behaviour, marks=str(marks)) as supervised:
            pid = supervised.pid
            assert pid
            await supervised.proxy.read()
            daemon = int(marks.read_text().split()[-1])
            assert os.getpgid(daemon) != os.getpgid(pid), "it must have left the group"
            if ending == "killed":
                os.kill(pid, signal.SIGKILL)
                await until(lambda: not psutil.pid_exists(daemon))
        await until(lambda: not psutil.pid_exists(daemon))

    run(story)


def test_device_processes_are_the_first_to_go_when_memory_ends() -> None:
    async def story() -> None:
        async with device() as supervised:
            assert int(Path(f"/proc/{supervised.pid}/oom_score_adj").read_text()) >= 500  # noqa: ASYNC240

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
