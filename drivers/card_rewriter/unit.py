"""What can be done with the unit and the card in it. Every step is one command, or a few."""

from __future__ import annotations

import time
from typing import Final

from drivers.card_rewriter import chip, commands
from drivers.card_rewriter.chip import ChipState, Slot
from drivers.card_rewriter.commands import Kind, Result, UnitStatus, error_of
from drivers.card_rewriter.exchange import Exchange
from drivers.errors import MediaError
from drivers.watch import Watch

POLL_SECONDS: Final = 0.15
MISSES: Final = 3


class Unit:
    """Blocking; on the thread of the commands. Remembers nothing of a card but the state of the unit."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.last_status: UnitStatus | None = None

    @property
    def model(self) -> str:
        return self._exchange.model

    def status(self) -> UnitStatus:
        self.last_status = UnitStatus.parse(self._exchange.ask(Kind.STATUS))
        return self.last_status

    def take_card(self, watch: Watch) -> None:
        """The card inside, or the one that comes to the mouth. Raises `CommandTimedOut` (`no_card`), `DeviceError`."""
        while True:
            status = self.status()
            if status.media == "present":
                return
            if status.media == "jammed":
                raise error_of(Result.JAMMED)
            if status.media == "entering":
                self._exchange.ask(Kind.MOVE_IN)
                return
            watch.check("no card was put in", "no_card")
            time.sleep(min(POLL_SECONDS, watch.remaining_seconds))

    def check_fit(self) -> None:
        """Raises what would stop the printing of a card, before its chip is touched."""
        obstacle = self.status().obstacle
        if obstacle != Result.DONE:
            raise error_of(obstacle)

    def read_chip(self) -> Slot:
        """Raises `MediaError`: `power_failed`, `wrong_card_type`."""
        valid = [slot for index in range(chip.SLOTS) if (slot := self._read_slot(index)) is not None]
        if not valid:
            raise MediaError("this card is no permit of a kind this unit knows", "wrong_card_type")
        return max(valid, key=lambda slot: slot.count)

    def authorise(self, token: bytes) -> None:
        if token:
            self._exchange.ask(Kind.AUTHORISE, token)

    def write_body(self, current: Slot, state: ChipState) -> tuple[int, bytes]:
        """Into the slot that is not valid now; the card remains what it is. Gives what `commit` needs."""
        head, body = chip.dump_slot(state, current.count + 1)
        start = (current.index + 1) % chip.SLOTS * chip.SLOT_BYTES
        for begin in range(0, len(body), commands.BLOCK_BYTES):
            self._write(start + chip.BODY_AT + begin, body[begin : begin + commands.BLOCK_BYTES])
        return start, head

    def commit(self, start: int, head: bytes) -> None:
        """With this the other slot becomes the card."""
        self._write(start, head)

    def erase(self) -> None:
        self._exchange.ask(Kind.ERASE)

    def print_line(self, number: int, text: bytes) -> None:
        self._exchange.ask(Kind.PRINT_LINE, bytes((number,)) + text)

    def eject(self) -> None:
        self._exchange.ask(Kind.EJECT)

    def retain(self) -> None:
        self._exchange.ask(Kind.RETAIN)

    def wait_removal(self, watch: Watch) -> None:
        misses = 0
        while misses < MISSES:
            misses = misses + 1 if self.status().media == "not_present" else 0
            watch.check("the card is still in the unit", "card_left")
            time.sleep(min(POLL_SECONDS, watch.remaining_seconds))

    def _read_slot(self, index: int) -> Slot | None:
        start = index * chip.SLOT_BYTES
        head = chip.parse_head(self._read(start, chip.BODY_AT))
        return None if head is None else chip.parse_slot(index, head, self._read(start + chip.BODY_AT, head.size))

    def _read(self, start: int, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = min(size - len(data), commands.CHUNK_BYTES)
            answer = self._exchange.ask(Kind.READ_CHIP, (start + len(data)).to_bytes(2) + part.to_bytes(2))
            if len(answer) != part:
                raise MediaError("the chip gave another number of bytes than it was asked for", "read_failed")
            data += answer
        return bytes(data)

    def _write(self, start: int, data: bytes) -> None:
        self._exchange.ask(Kind.WRITE_CHIP, start.to_bytes(2) + data)
