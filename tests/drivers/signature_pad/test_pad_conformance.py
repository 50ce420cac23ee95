"""The certification suite against each pad and its peer."""

from __future__ import annotations

import asyncio

from drivers.bench.conformance import Finding, conformance
from drivers.bench.words import address_option
from drivers.host import DeviceConfig
from drivers.registry import find_simulator

PADS: dict[str, dict[str, str]] = {
    "signature_pad/touchscreen": {},
    "signature_pad/serial_pen": {"signature": "lin", "haste": "2"},
}


async def certify(driver: str) -> list[Finding]:
    peer = find_simulator(driver).load()(**PADS[driver])
    address, place = await peer.start(), address_option(driver)
    config = DeviceConfig(name="it", driver=driver, options={place: address} if place else {})
    try:
        return await conformance(config, place, may_print=False, on_check=lambda _: None)
    finally:
        await peer.stop()


def test_each_pad_passes_its_suite() -> None:
    async def all_of_them() -> list[list[Finding]]:
        return await asyncio.gather(*(certify(driver) for driver in PADS))

    for driver, findings in zip(PADS, asyncio.run(all_of_them()), strict=True):
        broken = [f"{finding.check}: {finding.remark}" for finding in findings if finding.outcome == "broken"]
        assert not broken, driver
        outcomes = {finding.check: finding.outcome for finding in findings}
        for sentence in ("a signature is bound to what was shown", "another document than the one shown is refused"):
            assert outcomes[sentence] == "kept", driver
