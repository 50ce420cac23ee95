"""The reader: cards are laid down and taken away, and misfortunes befall them (device-classes C.2)."""

from __future__ import annotations

import asyncio
from typing import Final

from drivers.smart_card_reader.simulator.bank import BANK_CARDS, VirtualBankCard
from drivers.smart_card_reader.simulator.card import VirtualCard
from drivers.smart_card_reader.simulator.samples import CARDS
from drivers.smart_card_reader.simulator.wires import POWER_OFF, RESET, ServedWire, VpcdWire, Wire

AnyCard = VirtualCard | VirtualBankCard

READ_RECORD, UPDATE_RECORD, VERIFY = 0xB2, 0xDC, 0x20
SLOW_SECONDS: Final = 0.1
READS_BEFORE_PULL: Final = 3
FLICKER_LOOKS: Final = 2

OF_THE_CHIP: Final = frozenset(
    {"wrong_card", "wrong_issuer", "wrong_length", "strict_select", "old_select", "no_file_select", "pin_needed",
     "psam_missing", "damaged_name", "mute", "memory_failure", "torn_write", "no_directory", "application_blocked"}
)  # fmt: skip
OF_THE_PIN: Final = frozenset({"blocked_pin", "last_try"})
OF_THE_READER: Final = frozenset({"silent", "slow", "garbage", "flicker", "unplugged"})
ONCE: Final = frozenset({"pull_in_read", "pull_before_write", "pull_after_write"})


class CardSimulator:
    """Implements `drivers.protocols.Simulator`. Options are strings.

    `transport`: apdu (served to the driver) or vpcd (laid into a reader of pcscd); `card`: laid down from the start;
    `port`: to serve at, 0 for any; `vpcd_port`: where vpcd listens.
    Orders: `place NAME`, `remove`, `fault NAME`, `clear` (misfortunes end, all cards are as issued), `pull_at BYTES`
    (the card is torn out when so many bytes of answers have come).
    """

    faults = OF_THE_CHIP | OF_THE_PIN | OF_THE_READER | ONCE

    def __init__(self, *, transport: str = "apdu", card: str = "", port: str = "0", vpcd_port: str = "35963") -> None:
        if transport not in ("apdu", "vpcd"):
            raise ValueError(f"transport is apdu or vpcd, not {transport!r}")
        self._wire: Wire = ServedWire(int(port)) if transport == "apdu" else VpcdWire(int(vpcd_port))
        self._active: set[str] = set()
        self._cards: dict[str, AnyCard] = {}
        self._card: AnyCard | None = None
        self._speaks = asyncio.Event()
        self._visits = 0
        self._reads = 0
        self._hidden_looks = 0
        self._bytes_left: int | None = None
        self._first_card = card
        if card:
            self._named(card)

    @property
    def cards(self) -> dict[str, AnyCard]:
        """Every card laid down so far, with what its chip holds now."""
        return self._cards

    async def start(self) -> str:
        address = await self._wire.start(self)
        if self._first_card:
            await self._place(self._first_card)
        return address

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                await self._place(argument)
            case "remove":
                await self._remove()
            case "pull_at":
                self._bytes_left = int(argument)
            case "fault":
                await self._set_fault(argument)
            case "clear":
                await self._clear()
            case _:
                raise ValueError(f"no order is called {verb!r}: place, remove, fault, clear, pull_at")
        return "ok"

    async def stop(self) -> None:
        await self._wire.stop()

    # --- what the wire asks ------------------------------------------------------------------------------------------

    def atr(self) -> bytes:
        if self._hidden_looks > 0:
            self._hidden_looks -= 1
            return b""
        return self._card.atr if self._card is not None else b""

    def power(self, order: int) -> None:
        if self._card is not None and order in (POWER_OFF, RESET):
            self._card.power_off()

    def visit(self) -> int:
        return self._visits if self._card is not None else 0

    async def answer(self, apdu: bytes) -> bytes:
        card, instruction = self._card, apdu[1] if len(apdu) > 1 else 0
        if card is None or self._is_pulled(instruction):
            return await self._pulled()
        if "silent" in self._active:
            await self._while_silent()
        if "slow" in self._active:
            await asyncio.sleep(SLOW_SECONDS)
        answer = card.answer(apdu)
        if instruction == UPDATE_RECORD and "pull_after_write" in self._active:
            self._active.discard("pull_after_write")
            return await self._pulled()
        if self._bytes_left is not None:
            self._bytes_left -= len(answer)
            if self._bytes_left <= 0:
                self._bytes_left = None
                return await self._pulled()
        return b"\x01\x02\x03" if "garbage" in self._active else answer

    def _is_pulled(self, instruction: int) -> bool:
        self._reads += instruction == READ_RECORD
        if "pull_in_read" in self._active and self._reads > READS_BEFORE_PULL:
            self._active.discard("pull_in_read")
            return True
        if "pull_before_write" in self._active and instruction == UPDATE_RECORD:
            self._active.discard("pull_before_write")
            return True
        return False

    async def _while_silent(self) -> None:
        self._speaks.clear()
        await self._speaks.wait()

    async def _pulled(self) -> bytes:
        await self._remove()
        return b""

    # --- the world ---------------------------------------------------------------------------------------------------

    def _named(self, name: str) -> AnyCard:
        if name not in CARDS and name not in BANK_CARDS:
            raise ValueError(f"no sample card is called {name!r}: choose one of {', '.join([*CARDS, *BANK_CARDS])}")
        if name not in self._cards:
            self._cards[name] = self._issued(name)
            self._set_tries(self._cards[name])
        return self._cards[name]

    def _issued(self, name: str) -> AnyCard:
        if name in BANK_CARDS:
            return VirtualBankCard(BANK_CARDS[name], self._active)
        return VirtualCard(CARDS[name], self._active)

    async def _place(self, name: str) -> None:
        self._card = self._named(name)
        self._card.power_off()
        self._visits += 1
        self._reads = 0
        await self._wire.card_came()

    async def _remove(self) -> None:
        if self._card is not None:
            self._card.power_off()
        self._card = None
        self._speaks.set()
        await self._wire.card_left()

    async def _set_fault(self, name: str) -> None:
        if name not in self.faults:
            raise ValueError(f"no fault is called {name!r}: choose one of {', '.join(sorted(self.faults))}")
        self._active.add(name)
        self._reads = 0
        for card in self._cards.values():
            self._set_tries(card)
        if name == "flicker":
            self._active.discard(name)
            self._hidden_looks = FLICKER_LOOKS
        if name == "unplugged":
            await self._wire.unplug()

    def _set_tries(self, card: AnyCard) -> None:
        if "blocked_pin" in self._active:
            card.tries = 0
        elif "last_try" in self._active:
            card.tries = 1

    async def _clear(self) -> None:
        self._active.clear()
        self._speaks.set()
        self._bytes_left = None
        for name, card in self._cards.items():
            fresh = self._issued(name)
            card.files, card.tries = fresh.files, fresh.tries
        await self._wire.plug_in()
