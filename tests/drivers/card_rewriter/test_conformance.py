"""The suite a hardware maker runs, against this driver and its peer."""

from __future__ import annotations

import asyncio

from drivers.bench.conformance import Finding, conformance
from drivers.card_rewriter.simulator import RewriterSimulator
from drivers.host import DeviceConfig


async def _findings() -> list[Finding]:
    peer = RewriterSimulator(card="lin")
    config = DeviceConfig(name="it", driver="card_rewriter/serial_rewriter", options={"port": await peer.start()})
    try:
        return await conformance(config, "port", may_print=True, on_check=lambda _: None)
    finally:
        await peer.stop()


def test_the_driver_keeps_every_promise() -> None:
    findings = asyncio.run(_findings())
    assert not [finding for finding in findings if finding.outcome == "broken"]
    assert sum(finding.outcome == "kept" for finding in findings) >= 12
