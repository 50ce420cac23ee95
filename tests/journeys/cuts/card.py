"""The machine's card terminal, whose driver dies at every frame it sends and at every line of its ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drivers.payment_terminal import zvt, zvt_till
from drivers.payment_terminal.zvt_apdu import STATUS_ENQUIRY, Apdu
from drivers.payment_terminal.zvt_ledger import Ledger
from drivers.payment_terminal.zvt_wire import TcpWire, open_wire


def mortal_terminal(port: str, ledger: Path, death: Any) -> zvt.ZvtTerminal:
    """The driver as it is. Frames that ask how the device is are no steps: they come by the clock."""

    class MortalLedger(Ledger):
        def _write(self, table: str, row: Any) -> None:
            death.step(f"ledger {table} {row.state} {row.reason}")
            super()._write(table, row)

    class MortalWire:
        def __init__(self, wire: TcpWire) -> None:
            self._wire = wire

        def __getattr__(self, name: str) -> Any:
            return getattr(self._wire, name)

        def send(self, apdu: Apdu) -> None:
            if apdu.control != STATUS_ENQUIRY:
                death.step(f"frame {apdu.control.hex()}")
            self._wire.send(apdu)

    def opened(*place: Any) -> Any:
        wire = open_wire(*place)
        assert isinstance(wire, TcpWire)
        return MortalWire(wire)

    zvt.Ledger = MortalLedger  # type: ignore[misc]
    zvt_till.open_wire = opened
    return zvt.ZvtTerminal(zvt.ZvtOptions(port=port, state_path=str(ledger)))
