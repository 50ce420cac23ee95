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
    simulator = subprocess.Popen(
        [sys.executable, "-m", "drivers", "simulate", "id_card_reader/sdt", "--card", "lin"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip

    async def story(address: str) -> None:
        device = SupervisedDevice(DeviceConfig(name="reader", driver="id_card_reader/sdt", options={"port": address}))
        await device.open()
        try:
            sam_id = (await device.proxy.read()).sam_id
            await device.wipe()
            pid = device.pid
            assert pid
            assert occurrences(pid, address) > 0, "the scan must see something"
            assert sam_id
            card = await asyncio.to_thread(_sample)
            for name in ("name", "id_number", "address"):
                assert occurrences(pid, card[name]) == 0, name
        finally:
            await device.close()

    def _sample() -> dict[str, str]:
        """The same card, read by another process."""
        assert simulator.poll() is None
        with subprocess.Popen(
            [sys.executable, "-m", "drivers", "simulate", "id_card_reader/sdt", "--card", "lin"],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        ) as other:  # fmt: skip
            assert other.stdout
            port = json.loads(other.stdout.readline())["address"]
            done = subprocess.run(
                [sys.executable, "-m", "drivers", "read", "id_card_reader/sdt", "--port", port, "--json",
                 "--show-personal-data"],
                cwd=ROOT, capture_output=True, text=True, timeout=30, check=True,
            )  # fmt: skip
            other.terminate()
        values: dict[str, str] = json.loads(done.stdout)
        return values

    try:
        assert simulator.stdout
        asyncio.run(asyncio.wait_for(story(json.loads(simulator.stdout.readline())["address"]), 60))
    finally:
        simulator.terminate()
        simulator.communicate()
