"""What shows only when one insists: limits, cancels, a calm status, nothing left behind (device-classes B, C.0)."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within, until
from drivers.bench.samples import Question, questions_of, waits_of
from drivers.errors import DeviceError
from drivers.host.lives.system import descendants, marked
from drivers.host.process import DeviceProcess
from drivers.messages import DeviceStatus

SHORT_SECONDS = 1.0
LONG_SECONDS = 10.0
MOMENT_SECONDS = 0.4
TASTE_SECONDS = 0.3
TASTES = 3
CANCEL_SECONDS = 1.2
ANSWER_SECONDS = 1.0
ROUNDS = 25
CALM_ROUNDS = 30
CALM_CHANGES = 2
SLOWER_TIMES = 3
SLOWER_SECONDS = 0.1
FILES_TOLERANCE = 2
THREADS_TOLERANCE = 16
"""A pool may still grow to its size."""


@check("every wait ends within its limit")
async def limits(bench: Bench) -> str:
    remarks = []
    for wait in waits_of(bench.config.device_class):
        _, failure, taken = await ends_within(_asked(bench, wait, SHORT_SECONDS), SHORT_SECONDS)
        remarks.append(f"{wait.name} {f'{failure.kind} ' if failure else ''}after {taken:.1f} s")
    return "; ".join(remarks)


@check("what is taken back ends at once, with the process alive")
async def cancels(bench: Bench) -> str:
    remarks = []
    for wait in waits_of(bench.config.device_class):
        pid = bench.device.pid
        command = asyncio.ensure_future(_asked(bench, wait, LONG_SECONDS))
        await asyncio.wait({command}, timeout=MOMENT_SECONDS)
        if command.done():
            command.exception()
            remarks.append(f"{wait.name} had already ended")
            continue
        command.cancel()
        await asyncio.wait({command})
        begun = time.monotonic()
        try:
            await until(lambda: bench.device.is_idle, CANCEL_SECONDS)
        except Broken:
            await until(lambda: bench.device.is_ready and bench.device.is_idle, LONG_SECONDS)
            raise Broken(f"{wait.name} went on after it was taken back") from None
        if bench.device.pid != pid:
            raise Broken(f"its process did not survive that {wait.name} was taken back")
        remarks.append(f"{wait.name} after {(time.monotonic() - begun) * 1000:.0f} ms")
    return "; ".join(remarks)


@check("status answers while the device works, where the driver says so")
async def in_motion(bench: Bench) -> str:
    if not (await bench.device.capabilities()).poll_safe_in_motion:
        raise NotTried("the driver says that it cannot be asked then")
    for wait in waits_of(bench.config.device_class):
        command = asyncio.ensure_future(_asked(bench, wait, LONG_SECONDS))
        await asyncio.wait({command}, timeout=MOMENT_SECONDS)
        try:
            if command.done():
                continue
            said, failure, taken = await ends_within(bench.device.request("status"), ANSWER_SECONDS)
            if failure is not None or not isinstance(said, DeviceStatus):
                raise Broken(f"it says poll_safe_in_motion, and during {wait.name} status ended with {failure}")
            return f"{said.device} after {taken * 1000:.0f} ms, during {wait.name}"
        finally:
            command.cancel()
            await asyncio.wait({command})
            command.cancelled() or command.exception()
            await until(lambda: bench.device.is_idle and bench.device.is_ready, LONG_SECONDS)
    raise NotTried("nothing waits long enough to be asked meanwhile")


@check("status is calm and quick while nothing happens")
async def calm(bench: Bench) -> str:
    """At most two changes in thirty answers, and the last answers are not slower than the first."""
    changes, before, seconds = 0, None, []
    for _ in range(CALM_ROUNDS):
        begun = time.monotonic()
        said: DeviceStatus = await bench.device.request("status")
        seconds.append(time.monotonic() - begun)
        now = (said.device, frozenset(fault.code for fault in said.faults), tuple(sorted(said.parts.items())))
        changes += before is not None and now != before
        before = now
        await asyncio.sleep(0.02)
    if changes > CALM_CHANGES:
        raise Broken(f"its status changed {changes} times in {CALM_ROUNDS} answers, and nothing had happened")
    third = CALM_ROUNDS // 3
    first, last = statistics.median(seconds[:third]), statistics.median(seconds[-third:])
    if last > first * SLOWER_TIMES and last > first + SLOWER_SECONDS:
        raise Broken(f"its answers become slower: {first * 1000:.0f} ms at first, {last * 1000:.0f} ms in the end")
    return f"{changes} changes, {last * 1000:.0f} ms an answer"


@check("asking leaves no files behind")
async def files(bench: Bench) -> str:
    """Nor threads: neither is without end."""
    pid = _pid(bench)
    await _ask(bench, 2)
    before, threads_before = _counted(pid, "fd"), _counted(pid, "task")
    await _ask(bench, ROUNDS)
    after, threads = _counted(_same(bench, pid), "fd"), _counted(pid, "task")
    if after > before + FILES_TOLERANCE:
        raise Broken(f"{before} open files became {after} in {ROUNDS} rounds")
    if threads > threads_before + THREADS_TOLERANCE:
        raise Broken(f"{threads_before} threads became {threads} in {ROUNDS} rounds")
    return f"{after} open files after {ROUNDS} rounds"


@check("asking leaves no processes behind")
async def processes(bench: Bench) -> str:
    process = bench.device.process
    if process is None:
        raise Broken("its process does not live")
    await _ask(bench, 2)
    before = _others(process)
    await _ask(bench, ROUNDS)
    after = _others(process)
    _same(bench, process.pid)
    if after > before:
        raise Broken(f"{before} processes beside its own became {after} in {ROUNDS} rounds")
    return f"{after} beside its own"


async def _asked(bench: Bench, question: Question, seconds: float) -> Any:
    return await bench.device.request(question.name, **question.within(seconds))


async def _ask(bench: Bench, rounds: int) -> None:
    """The rounds are of status and wipe; whatever else may be asked is asked three times."""
    for _ in range(rounds):
        await bench.device.request("status")
        await bench.device.request("wipe")
    for question in questions_of(bench.config.device_class):
        for _ in range(TASTES):
            try:
                async with asyncio.timeout(TASTE_SECONDS):
                    await _tasted(bench, question)
            except TimeoutError:
                pass  # another check is about limits
            except DeviceError as error:
                if error.reason == "driver_broken":
                    raise


async def _tasted(bench: Bench, question: Question) -> None:
    """Of a stream the first item, and then it is left."""
    if not question.method.streams:
        await _asked(bench, question, TASTE_SECONDS / 3)
        return
    stream: Any = bench.device.stream(question.name, **question.within(TASTE_SECONDS))
    async with aclosing(stream) as items:
        async for _ in items:
            return


def _others(process: DeviceProcess) -> int:
    """Processes it has started, or those have: by what they inherited, and by descent when they forgot it."""
    return len({*marked(process.mark), *descendants(process.pid)} - {process.pid})


def _pid(bench: Bench) -> int:
    if bench.device.pid is None:
        raise Broken("its process does not live")
    return bench.device.pid


def _same(bench: Bench, pid: int) -> int:
    if bench.device.pid != pid:
        raise Broken("its process did not survive being asked")
    return pid


def _counted(pid: int, kind: str) -> int:
    """How many the process has: `fd` for files, `task` for threads."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/{kind}").iterdir())
    except FileNotFoundError:
        raise Broken("its process did not survive being asked") from None
