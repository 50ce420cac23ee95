"""The nursery: forks small processes that know nothing of one another, and may itself be lost at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from drivers.errors import DeviceOffline
from drivers.host import DeviceConfig, Nursery, SupervisedDevice
from drivers.host.lives import nursery as nurseries
from drivers.host.lives.started import Started
from drivers.host.lives.system import marked
from tests.drivers.host.stage import back_after, device, run, until

pytestmark = pytest.mark.usefixtures("driver_package")

SMALL = 12 * 1024**2
"""Bytes of its own. A process that has loaded for itself what the nursery has loaded has 22 MB."""


@asynccontextmanager
async def house(size: int = 2) -> AsyncIterator[tuple[Nursery, list[SupervisedDevice]]]:
    nursery = Nursery()
    devices = [
        SupervisedDevice(DeviceConfig(name=f"reader {number}", driver="id_card_reader/misbehaving"), nursery=nursery)
        for number in range(size)
    ]
    try:
        await asyncio.gather(*(device.open() for device in devices))
        yield nursery, devices
    finally:
        await asyncio.gather(*(device.close() for device in devices))
        nursery.close()
        assert nursery.pid is None


def files_of(pid: int | None) -> dict[int, str]:
    found = {}
    for link in list(Path(f"/proc/{pid}/fd").iterdir()):
        with contextlib.suppress(FileNotFoundError):  # that of looking
            found[int(link.name)] = os.readlink(link)  # noqa: PTH115
    return found


async def leave(started: Started) -> None:
    started.kill()
    await until(lambda: started.is_gone)
    started.forget()
    started.connection.close()
    os.close(started.errors)


def test_a_nursery_that_is_killed_is_replaced_and_every_device_is_back() -> None:
    async def story() -> None:
        async with house() as (nursery, devices):
            for _ in range(2):
                before, pids = nursery.pid, [device.pid for device in devices]
                assert before
                os.kill(before, signal.SIGKILL)
                for device, pid in zip(devices, pids, strict=True):
                    assert pid
                    assert await back_after(device, pid) < 5
                    await until(lambda: not psutil.pid_exists(pid))  # noqa: B023 - the system collects it, in its time
                    assert (await device.proxy.read()).name == "驿测试"
                assert nursery.pid not in (None, before)
                assert not psutil.pid_exists(before)

    run(story)


def test_a_stopped_nursery_goes_on_when_it_is_needed() -> None:
    async def story() -> None:
        async with house() as (nursery, (device, other)):
            stopped, pid, neighbour = nursery.pid, device.pid, other.pid
            assert stopped
            assert pid
            os.kill(stopped, signal.SIGSTOP)
            os.kill(pid, signal.SIGKILL)
            await back_after(device, pid)
            assert (nursery.pid, other.pid) == (stopped, neighbour)

    run(story)


def test_a_nursery_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        nursery = Nursery()
        await leave(await nursery.start())
        monkeypatch.setattr(nurseries, "ANSWER_SECONDS", 0.1)
        before = nursery.pid
        assert before
        assert nursery._life
        process = nursery._life._process
        signals = process.send_signal
        monkeypatch.setattr(process, "send_signal", lambda number: number == signal.SIGCONT or signals(number))
        os.kill(before, signal.SIGSTOP)
        with pytest.raises(OSError, match="timed out"):
            await nursery.start()
        assert not psutil.pid_exists(before)
        monkeypatch.undo()
        await leave(await nursery.start())
        nursery.close()

    run(story)


def test_a_nursery_that_cannot_load_is_told_as_a_device_that_cannot_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pydantic.py").write_text("raise SystemExit(3)\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}")
    monkeypatch.setattr(
        nurseries, "clean_environment", lambda: {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    )

    async def story() -> None:
        nursery = Nursery()
        with pytest.raises(OSError, match="does not stay alive"):
            await nursery.start()
        device = SupervisedDevice(DeviceConfig(name="it", driver="id_card_reader/misbehaving"), nursery=nursery)
        with pytest.raises(DeviceOffline):
            await device.open(timeout_seconds=1)
        await device.close()
        nursery.close()
        with pytest.raises(OSError, match=os.strerror(errno.ESHUTDOWN)):
            await nursery.start()

    run(story)


def test_without_pidfd_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")

    async def story() -> None:
        with pytest.raises(OSError, match="pidfd"):
            await Nursery().start()

    run(story)


def test_many_restarts_leave_no_zombies_and_no_open_files() -> None:
    async def story() -> None:
        async with house() as (nursery, (device, _)):
            assert nursery.pid
            own, its = files_of(os.getpid()), files_of(nursery.pid)
            for _ in range(15):
                pid = device.pid
                assert pid
                if device.restarts % 2:
                    os.kill(pid, signal.SIGKILL)
                else:
                    device.recycle()
                await back_after(device, pid)
                device._failures = 0.0
                assert device.process
            await until(lambda: len(files_of(os.getpid())) <= len(own))
            await until(lambda: len(files_of(nursery.pid)) <= len(its))
            children = psutil.Process(nursery.pid).children(recursive=True)
            assert len(children) == 2
            assert psutil.STATUS_ZOMBIE not in [child.status() for child in children]

    run(story)


def test_a_start_that_nobody_waits_for_leaves_nothing() -> None:
    async def story() -> None:
        nursery = Nursery()
        await leave(await nursery.start())
        before = files_of(os.getpid())
        for steps in range(12):
            starting = asyncio.create_task(nursery.start())
            for _ in range(steps):
                await asyncio.sleep(0.0005)
            starting.cancel()
            for started in await asyncio.gather(starting, return_exceptions=True):
                if isinstance(started, Started):
                    await leave(started)
        await until(lambda: not psutil.Process(nursery.pid).children())
        await until(lambda: files_of(os.getpid()) == before)
        nursery.close()

    run(story)


def test_a_child_has_nothing_of_the_nursery_and_of_its_sisters() -> None:
    async def story() -> None:
        async with house(3) as (nursery, devices):
            assert nursery.pid
            seen = [files_of(device.pid) for device in devices if device.pid]
            sockets = [{name for name in files.values() if name.startswith("socket:")} for files in seen]
            pipes = [{name for name in files.values() if name.startswith("pipe:")} for files in seen]
            for place, files in enumerate(seen):
                assert files[0] == "/dev/null"
                assert files[1] == files[2]
                assert files[2].startswith("pipe:")
                assert not [name for name in files.values() if "pidfd" in name]
                others = set().union(*(sockets[:place] + sockets[place + 1 :] + pipes[:place] + pipes[place + 1 :]))
                assert not others & set(files.values())
                assert not {name for name in files_of(nursery.pid).values() if name != "/dev/null"} & set(
                    files.values()
                )
            assert len(set().union(*pipes)) == 3

    run(story)


def test_a_child_is_hardened_and_carries_its_own_mark() -> None:
    async def story() -> None:
        async with house() as (nursery, devices):
            assert nursery.pid
            mother = psutil.Process(nursery.pid)
            assert mother.num_threads() == 1
            assert mother.rlimit(psutil.RLIMIT_CORE) == (0, 0)
            for device in devices:
                assert device.process
                child = psutil.Process(device.pid)
                assert child.ppid() == mother.pid
                assert marked(device.process.mark) == [child.pid]
                assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
                assert child.environ()["PYTHONMALLOC"] == "malloc"
                assert "perturb=85" in child.environ()["GLIBC_TUNABLES"]
                assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
                assert child.rlimit(psutil.RLIMIT_NOFILE)[0] <= 512
                status = Path(f"/proc/{child.pid}/status").read_text()  # noqa: ASYNC240
                ignored = int(status.split("SigIgn:")[1].split()[0], 16)
                assert not ignored & (1 << signal.SIGTERM - 1 | 1 << signal.SIGCHLD - 1)

    run(story)


def test_the_group_of_a_child_ends_with_it_also_what_carries_no_mark(tmp_path: Path) -> None:
    marks = tmp_path / "marks"

    async def story() -> None:
        async with device("starts_a_child", marks=str(marks)) as supervised:
            await supervised.proxy.read()
            follower = int(marks.read_text().split()[-1])
            assert supervised.process
            assert supervised.pid
            assert os.getpgid(follower) == supervised.pid
            assert follower not in marked(supervised.process.mark)
            os.kill(supervised.pid, signal.SIGKILL)
            await until(lambda: not psutil.pid_exists(follower))

    run(story)


def test_a_bare_process_is_small_and_quickly_there() -> None:
    async def story() -> None:
        nursery = Nursery()
        await leave(await nursery.start())
        begun = time.monotonic()
        started = await nursery.start()
        assert time.monotonic() - begun < 1.0
        await asyncio.sleep(0.2)
        assert psutil.Process(started.pid).memory_full_info().uss < SMALL
        await leave(started)
        nursery.close()

    run(story)


def test_children_do_not_share_their_chance() -> None:
    async def story() -> None:
        async with house() as (_, devices):
            numbers = [(await device.proxy.decode_photo(b"chance")) for device in devices]
            assert numbers[0] != numbers[1]

    run(story)
