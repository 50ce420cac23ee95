"""The peer of `id_card_reader/sdk`: a vendor's library of either family, built with the C compiler of this machine.

Its address is what the driver's option `library` takes. Orders as those of `id_card_reader/sdt`.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Final

from drivers.id_card_reader.simulator.cards import CARDS_FILE, PORTRAITS, load_cards
from drivers.id_card_reader.simulator.vendor_library import Vendor, build

READ: Final = ("SDT_ReadBaseMsg", "CVR_ReadBaseMsg")
FIND: Final = ("SDT_StartFindIDCard", "CVR_Authenticate")
SELECT: Final = ("SDT_SelectIDCard", "CVR_Authenticate")
FAULTS: Final[dict[str, tuple[tuple[str, str], str | dict[str, str]]]] = {
    "hang": (READ, "hang"),
    "crash": (READ, "crash"),
    "wrong_code": (READ, "code 77"),
    "read_failed": (READ, {"sdtapi": "code 65", "termb": "code 0"}),
    "select_failed": (SELECT, {"sdtapi": "code 129", "termb": "code 3"}),
    "short_length": (READ, "short"),
    "overrun": (READ, "overrun"),
    "slow": (READ, "slow 800"),
    "unplugged": (FIND, {"sdtapi": "code 1", "termb": "code 0"}),
}
FAMILIES: Final = ("sdtapi", "termb")


class SdkSimulator:
    """Implements `drivers.protocols.Simulator`. Options are strings: `family`, `card`, `cards`, `portraits`."""

    faults = frozenset(FAULTS)

    def __init__(self, *, family: str = "sdtapi", card: str = "", cards: str = "", portraits: str = "") -> None:
        if family not in FAMILIES:
            raise ValueError(f"family is {' or '.join(FAMILIES)}, not {family!r}")
        self._family = family
        self._cards = load_cards(Path(cards or CARDS_FILE), Path(portraits or PORTRAITS))
        self._first_card = card
        self._active: set[str] = set()
        self._folder: Path | None = None
        self._vendor: Vendor | None = None

    async def start(self) -> str:
        self._folder = Path(tempfile.mkdtemp(prefix="vendor-library-"))
        self._vendor = await asyncio.to_thread(build, self._folder, self._family)
        if self._first_card:
            await self.order("place", self._first_card)
        return self._vendor.address

    async def order(self, verb: str, argument: str = "") -> str:
        vendor = self._vendor
        if vendor is None:
            raise ValueError("it was not started")
        match verb:
            case "place":
                if argument not in self._cards:
                    raise ValueError(f"no sample card is called {argument!r}: choose one of {', '.join(self._cards)}")
                vendor.place(self._cards[argument])
            case "remove":
                vendor.remove()
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
            case "clear":
                self._active.clear()
            case _:
                raise ValueError(f"no order is called {verb!r}: place, remove, fault, clear")
        vendor.befall(*(self._knob(fault) for fault in sorted(self._active)))
        return "ok"

    async def stop(self) -> None:
        folder, self._folder, self._vendor = self._folder, None, None
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _knob(self, fault: str) -> str:
        calls, what = FAULTS[fault]
        call = calls[FAMILIES.index(self._family)]
        return f"{call} {what if isinstance(what, str) else what[self._family]}"
