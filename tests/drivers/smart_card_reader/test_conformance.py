"""The suite a hardware maker runs, against this driver and its peer."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from drivers.bench.conformance import Finding, conformance
from drivers.host import DeviceConfig
from drivers.smart_card_reader.simulator import CardSimulator
from kiosk.contracts.errors import SettingsInvalid
from kiosk.machine.settings import MachineSettings


async def _findings() -> list[Finding]:
    peer = CardSimulator(card="lin")
    config = DeviceConfig(name="it", driver="smart_card_reader/pcsc", options={"reader": await peer.start()})
    try:
        return await conformance(config, "reader", may_print=True, on_check=lambda _: None)
    finally:
        await peer.stop()


def test_the_driver_keeps_every_promise() -> None:
    findings = asyncio.run(_findings())
    assert not [finding for finding in findings if finding.outcome == "broken"]
    assert sum(finding.outcome == "kept" for finding in findings) >= 12


def test_a_terminal_in_a_shop_takes_no_virtual_card(tmp_path: Path) -> None:
    def settings(*, development: bool) -> MachineSettings:
        table = {
            "machine": {"data": "data", "development": development},
            "fleet": {"server": "https://fleet.example"},
            "devices": {"cards": {"driver": "smart_card_reader/pcsc", "reader": "apdu://127.0.0.1:35963"}},
        }
        return MachineSettings.from_table(table, tmp_path / "machine.toml")

    assert settings(development=True).device_options("cards") == {"reader": "apdu://127.0.0.1:35963"}
    with pytest.raises(SettingsInvalid, match=r"devices\.cards\.reader"):
        settings(development=False)
