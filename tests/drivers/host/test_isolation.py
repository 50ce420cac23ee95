"""One device goes wrong in every way there is; its neighbours and the caller do not notice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import statistics
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from drivers.errors import DeviceError
from drivers.host import DeviceConfig, Nursery, SupervisedDevice
from drivers.messages import PrintJob, PrintOutcome
from tests.drivers.host.stage import back_after, run, until

pytestmark = pytest.mark.usefixtures("driver_package")

USUAL_SECONDS = 0.25
LONGEST_SECONDS = 2.5
"""A busy machine is slow; a device that waits for another one is slower."""

ONE_GIBIBYTE = 1024**3


@dataclass
class Watch:
    """How long each question took, and how late the caller's own loop was."""

    answers: dict[str, list[float]] = field(default_factory=dict)
    lateness: list[float] = field(default_factory=list)

    async def keep_asking(self, name: str, ask: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await ask()
            self.answers.setdefault(name, []).append(loop.time() - begun)
            await asyncio.sleep(0.02)

    async def watch_the_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            await asyncio.sleep(0.01)
            self.lateness.append(loop.time() - begun - 0.01)

    def judge(self, deed: str) -> None:
        for name, seconds in {**self.answers, "the caller's loop": self.lateness}.items():
            assert seconds, f"{name} was never asked during {deed}"
            assert statistics.median(seconds) < USUAL_SECONDS, f"{name} was slow during {deed}"
            assert max(seconds) < LONGEST_SECONDS, f"{name} stood still during {deed}"


@asynccontextmanager
async def neighbours() -> AsyncIterator[tuple[SupervisedDevice, list[SupervisedDevice]]]:
    """A reader that will go wrong, and a printer, a camera and another reader that serve."""
    nursery = Nursery()
    kinds = ("id_card_reader", "receipt_printer", "document_scanner", "id_card_reader")
    devices = [
        SupervisedDevice(DeviceConfig(name=f"{kind} {number}", driver=f"{kind}/misbehaving"), nursery=nursery)
        for number, kind in enumerate(kinds)
    ]
    try:
        await asyncio.gather(*(device.open() for device in devices))
        yield devices[0], devices[1:]
    finally:
        await asyncio.gather(*(device.close() for device in devices))
        nursery.close()


async def print_one(printer: SupervisedDevice) -> None:
    result = await printer.proxy.print_receipt(PrintJob(job_id="1", lines=()))
    assert result.outcome is PrintOutcome.PRINTED


async def photograph(scanner: SupervisedDevice) -> None:
    assert len((await scanner.proxy.capture()).jpeg) == 1_000_000


async def read(reader: SupervisedDevice) -> None:
    assert (await reader.proxy.read()).name == "驿测试"


async def harm(reader: SupervisedDevice, deed: str | int) -> None:
    """A signal from outside, or something done inside while a command runs."""
    assert reader.pid
    if isinstance(deed, int):
        os.kill(reader.pid, deed)
        return
    with pytest.raises(DeviceError):
        await reader.proxy.decode_photo(f"now {deed}".encode())


async def biggest(pid: int, deed: asyncio.Future[None]) -> int:
    largest = 0
    while not deed.done():
        with contextlib.suppress(psutil.Error):
            largest = max(largest, psutil.Process(pid).memory_info().rss)
        await asyncio.sleep(0.02)
    return largest


def test_whatever_one_process_does_the_others_and_the_caller_are_untouched() -> None:
    async def story() -> None:
        async with neighbours() as (reader, others):
            printer, scanner, other_reader = others
            pids = [device.pid for device in others]
            for deed in (
                signal.SIGKILL,
                signal.SIGSTOP,
                "crash",
                "endless_loop",
                "endless_loop_in_native_code",
                "memory",
            ):
                watch = Watch()
                pid = reader.pid
                assert pid
                tasks = [
                    asyncio.create_task(watch.keep_asking("the printer", lambda: print_one(printer))),
                    asyncio.create_task(watch.keep_asking("the camera", lambda: photograph(scanner))),
                    asyncio.create_task(watch.keep_asking("the other reader", lambda: read(other_reader))),
                    asyncio.create_task(watch.watch_the_loop()),
                ]
                harming = asyncio.ensure_future(harm(reader, deed))
                if deed == "memory":
                    assert await biggest(pid, harming) > ONE_GIBIBYTE * 0.9
                await harming
                await back_after(reader, pid)
                for task in tasks:
                    assert not task.done() or task.exception() is None, f"{deed}: {task.exception()}"
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                watch.judge(str(deed))
                assert (await reader.proxy.read()).name == "驿测试"
                assert not psutil.pid_exists(pid)
            assert [device.pid for device in others] == pids, "a neighbour was restarted"
            assert [device.restarts for device in others] == [0, 0, 0]
            assert reader.restarts == 6

    run(story)


def test_a_device_that_dies_again_and_again_is_started_with_growing_pauses_and_the_others_serve() -> None:
    async def story() -> None:
        async with neighbours() as (reader, (printer, *_)):
            pauses = []
            for _ in range(5):
                pid = reader.pid
                assert pid
                os.kill(pid, signal.SIGKILL)
                loop = asyncio.get_running_loop()
                begun = loop.time()
                await until(lambda: reader._process is not None and reader._process.pid != pid)  # noqa: B023
                pauses.append(loop.time() - begun)
                await until(lambda: reader.is_ready)
                await print_one(printer)
            assert pauses[-1] >= max(0.5, pauses[0]), "the back-off must grow"
            assert reader.restarts == 5

    run(story)
