"""Who saw what the device really did, and can change its world: the peer of a simulator, or a person who stands there.

A driver's own word is no proof. A check that needs the paper pulled, the card laid or the plug drawn asks a witness.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Protocol

from rich.console import Console

from drivers.protocols import Simulator

REQUESTS = {
    "fault paper_out": "Take the paper out of the printer",
    "fault paper_out_mid_job": "Let the paper end while the next slip is printed (one hand's breadth of paper left)",
    "fault media_empty": "Take all paper out of the printer's trays",
    "fault unplug": "Pull the device's plug",
    "clear": "Put everything back as it was: paper in, cover closed, plugs in",
}
"""What a person can be asked for."""

SKIP = ("s", "n")


class Witness(Protocol):
    def can(self, verb: str, argument: str = "") -> bool:
        """True when the order is understood here."""
        ...

    async def order(self, verb: str, argument: str = "") -> bool:
        """Change the device's world, as `Simulator.order` does. False when it was not done."""
        ...


class Peer:
    """The simulator at the other end of the wire."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def can(self, verb: str, argument: str = "") -> bool:
        return verb != "fault" or argument in self._simulator.faults

    async def order(self, verb: str, argument: str = "") -> bool:
        try:
            await self._simulator.order(verb, argument)
        except ValueError:
            return False
        return True


class Person:
    """Somebody at the bench, asked on standard error."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    def can(self, verb: str, argument: str = "") -> bool:
        return f"{verb} {argument}".strip() in REQUESTS

    async def order(self, verb: str, argument: str = "") -> bool:
        request = REQUESTS.get(f"{verb} {argument}".strip())
        if request is None:
            return False
        self._console.print(f"[bold]{request}[/], then press Enter ({SKIP[0]} and Enter to skip)")
        answer = await asyncio.to_thread(sys.stdin.readline)
        return bool(answer) and answer.strip().lower() not in SKIP
