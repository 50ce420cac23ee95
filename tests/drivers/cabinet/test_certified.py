"""The suite of the class passes against the peers, and catches a cabinet that opens to anybody."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from drivers.bench import conformance as suites
from drivers.host import DeviceConfig
from drivers.registry import find_simulator

BAD_DRIVER = """
import asyncio
from drivers.messages import *

class Sieve:
    class Options(Message):
        port: str = ""

    def __init__(self, options): ...
    async def capabilities(self):
        return Capabilities(device_class=DeviceClass.CABINET, driver="cabinet/sieve", version="1",
                            status_source="none", poll_safe_in_motion=True,
                            features=frozenset({"door_front", "humidity_percent", "fan"}))
    async def status(self): return DeviceStatus(device=DeviceState.ONLINE, parts={"door_front": "closed"})
    async def set_light(self, position, flash, colour="white"): ...
    async def unlock(self, door, token): ...
    async def set_fan(self, percent): ...
    async def readings(self): return Readings(temperature_c=900.0)
    async def watch(self):
        while True:
            yield CabinetEvent(part="door_front", value="closed", before="closed")
            await asyncio.sleep(0.01)
    async def wipe(self): ...
    async def close(self): ...
"""


@pytest.fixture(autouse=True)
def only_the_suite_of_the_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every driver must keep is tried on all drivers elsewhere."""
    whole = suites.checks_for
    monkeypatch.setattr(suites, "checks_for", lambda kind: [entry for entry in whole(kind) if entry.device_class])


async def broken(driver: str, options: dict[str, str], place: str) -> dict[str, str]:
    config = DeviceConfig(name="it", driver=driver, options=options)
    findings = await suites.conformance(config, place, may_print=False, on_check=lambda _: None)
    assert findings
    return {finding.check: finding.remark for finding in findings if finding.outcome == "broken"}


@pytest.mark.parametrize(("driver", "place"), [("cabinet/modbus_rtu", "port"), ("cabinet/nut", "address")])
def test_the_drivers_are_certified(driver: str, place: str) -> None:
    async def work() -> None:
        peer = find_simulator(driver).load()()
        try:
            assert await broken(driver, {place: await peer.start()}, place) == {}
        finally:
            await peer.stop()

    asyncio.run(asyncio.wait_for(work(), 60))


def test_a_cabinet_that_opens_to_anybody_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sieve_driver.py").write_text(BAD_DRIVER)
    information = tmp_path / "sieve-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: sieve\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[yizhan.drivers]\ncabinet/sieve = sieve_driver:Sieve\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    found = asyncio.run(asyncio.wait_for(broken("cabinet/sieve", {}, "port"), 60))
    assert set(found) >= {
        "whoever watches is told each part first, and then changes alone",
        "measures are plausible, and those it declares are there",
        "lights it declares can be lit, others are plainly not there",
        "no door opens for a token that is none",
    }
