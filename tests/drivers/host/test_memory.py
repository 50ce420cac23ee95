"""After a wipe nothing of the citizen is in the memory of the device's process: real driver, real wire."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.host import DeviceConfig, SupervisedDevice

ROOT = Path(__file__).resolve().parents[3]


def occurrences(pid: int, value: str) -> int:
    needles = [value.encode(), value.encode("utf-16-le"), value.encode("utf-32-le")]
    count = 0
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, permissions, *rest = line.split()
            if "r" not in permissions or rest[-1] in ("[vvar]", "[vsyscall]"):
                continue
            begin, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(begin)
                content = memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue
            count += sum(content.count(needle) for needle in needles)
    return count


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="reads /proc of Linux")
def test_a_wiped_card_reader_holds_nothing_of_the_citizen() -> None:
    command = [sys.executable, "-m", "drivers", "simulate", "id_card_reader/sdt", "--card", "lin"]
    simulator = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    async def story(address: str) -> None:
        device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": address}))
        await device.open()
        try:
            card = await device.proxy.read()
            await device.wipe()
            pid = device.pid
            assert pid
            assert occurrences(pid, address) > 0, "the scan must see something"
            for name in ("name", "id_number", "address"):
                assert occurrences(pid, getattr(card, name)) == 0, name
        finally:
            await device.close()

    try:
        assert simulator.stdout
        asyncio.run(asyncio.wait_for(story(json.loads(simulator.stdout.readline())["address"]), 60))
    finally:
        simulator.terminate()
        simulator.communicate()
