"""python -m drivers simulate CLASS/MODEL: the device at the other end of the wire, until ended.

The first line on standard output is a JSON object with `address` and `driver`. Each line on standard input is an order
(`place lin`, `remove`, `fault NAME`, `clear` …) and is answered by one JSON line. A closed input ends nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from typing import Any

from drivers.bench.words import write_json
from drivers.errors import DeviceAbsent, Unsupported
from drivers.protocols import Simulator
from drivers.registry import find_simulator

LINE_LENGTH = 4096


def simulate(arguments: argparse.Namespace) -> int:
    entry = find_simulator(arguments.driver)
    try:
        simulator: Simulator = entry.load()(**dict(arguments.option))
    except DeviceAbsent as error:
        raise DeviceAbsent(
            f"no simulator of {entry.name} is installed here ({error}): a shipped terminal contains none", error.reason
        ) from error
    except (TypeError, ValueError) as error:
        raise Unsupported(
            f"the simulator of {entry.name} refuses its options: {error}", "configuration_wrong"
        ) from error
    return asyncio.run(_serve(simulator, arguments))


async def _serve(simulator: Simulator, arguments: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, ended.set)
    try:
        address = await started(simulator, arguments.driver)
        first_orders = [("fault", name) for name in arguments.fault]
        if arguments.card:
            first_orders.insert(0, ("place", arguments.card))
        for verb, argument in first_orders:
            await first_order(simulator, arguments.driver, verb, argument)
        write_json(
            {"address": address, "driver": arguments.driver, "pid": os.getpid(), "faults": sorted(simulator.faults)}
        )
        orders: asyncio.Queue[str] = asyncio.Queue()
        threading.Thread(target=_listen, args=(loop, orders), daemon=True).start()
        obeying = loop.create_task(_obey(simulator, orders))
        await ended.wait()
        obeying.cancel()
    finally:
        await simulator.stop()
    return 0


async def started(simulator: Simulator, driver: str) -> str:
    """Its address. Raises `DeviceAbsent` (`simulator_cannot_start`): a program it needs is missing, a port is taken."""
    try:
        return await simulator.start()
    except (OSError, RuntimeError) as error:
        raise DeviceAbsent(f"the simulator of {driver} cannot start: {error}", "simulator_cannot_start") from error


async def first_order(simulator: Simulator, driver: str, verb: str, argument: str) -> None:
    """Raises `Unsupported` (`unsupported`), naming what it can."""
    try:
        await simulator.order(verb, argument)
    except ValueError as error:
        is_listed = verb != "fault" or all(name in str(error) for name in simulator.faults)
        known = "" if is_listed else f"; faults: {', '.join(sorted(simulator.faults))}"
        raise Unsupported(
            f"the simulator of {driver} cannot {verb} {argument!r}: {error}{known}", "unsupported"
        ) from error


def _listen(loop: asyncio.AbstractEventLoop, orders: asyncio.Queue[str]) -> None:
    """Standard input on its own thread: it may be a file, a pipe, a terminal or closed."""
    try:
        for line in iter(lambda: sys.stdin.readline(LINE_LENGTH), ""):
            if line.strip():
                loop.call_soon_threadsafe(orders.put_nowait, line.strip())
    except (OSError, ValueError, RuntimeError):
        return  # closed, or the loop has ended


async def _obey(simulator: Simulator, orders: asyncio.Queue[str]) -> None:
    while True:
        verb, _, argument = (await orders.get()).partition(" ")
        answer: dict[str, Any]
        try:
            answer = {"ok": True, "answer": await simulator.order(verb, argument.strip())}
        except ValueError as error:
            answer = {"ok": False, "error": str(error)}
        write_json({"order": verb, **answer})
