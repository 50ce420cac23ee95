"""The certification suite against each driver and its peer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from drivers.bench.conformance import Finding, conformance
from drivers.bench.words import address_option
from drivers.host import DeviceConfig
from drivers.host.lives import system
from drivers.registry import find_simulator


async def certify(driver: str, **simulator: Any) -> list[Finding]:
    peer = find_simulator(driver).load()(**simulator)
    place = address_option(driver)
    assert place is not None
    config = DeviceConfig(name="it", driver=driver, options={place: await peer.start()})
    try:
        return await conformance(config, place, may_print=False, on_check=lambda _: None)
    finally:
        await peer.stop()


TOGETHER = [["code_scanner/serial_line", "code_scanner/camera_qr"], ["code_scanner/hid"]]
"""The make-believe input device changes the environment of every process started meanwhile."""


@pytest.mark.parametrize("drivers", TOGETHER, ids=["lines_and_cameras", "keyboards"])
def test_each_driver_passes_its_suite(drivers: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "INHERITED", system.INHERITED | system.TEST_BEDS)

    async def all_of_them() -> list[list[Finding]]:
        return await asyncio.gather(*(certify(driver, code="6901234567892") for driver in drivers))

    for driver, findings in zip(drivers, asyncio.run(all_of_them()), strict=True):
        broken = [f"{finding.check}: {finding.remark}" for finding in findings if finding.outcome == "broken"]
        assert not broken, driver
        outcomes = {finding.check: finding.outcome for finding in findings}
        assert outcomes["a code that is shown is read"] == "kept", driver
        assert outcomes["a wipe takes a read back"] == "kept", driver
        assert outcomes["only the kinds of code that were asked for are given"] == (
            "kept" if driver.endswith("camera_qr") else "not_tried"
        )
        assert "6901234567892" not in repr(findings)
