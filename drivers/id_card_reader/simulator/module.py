"""A SAM module without a line: requests in, answers out (domain.md 1.3 to 1.6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from drivers.id_card_reader.sdt import commands
from drivers.id_card_reader.sdt.frames import Frame, encode_answer
from drivers.id_card_reader.simulator.cards import SampleCard

SAM_ID: Final = "05.01-20240115-0000700001-1910000001"
FIELD_OFF_SECONDS: Final = 0.5
"""A module nobody asks switches its field off; to the next question a card that stayed is new."""
IIN: Final = bytes.fromhex("00112233")
SET_LARGEST_BLOCK: Final = b"\x61\xff"


class Stage(Enum):
    """How far the card in the field has come. A card that was read is found again only after it left."""

    NEW = auto()
    FOUND = auto()
    SELECTED = auto()
    READ = auto()


class SimulatedModule:
    """Answers as a module does; `refusals` maps a command's name to the status it gives instead."""

    def __init__(self, sam_id: str = SAM_ID) -> None:
        """Raises `ValueError` for a SAM id that is none."""
        self._sam = commands.parse_sam_id(sam_id)
        self.refusals: dict[str, int] = {}
        self.refuses_all: int | None = None
        self.misstates_lengths = False
        self.knows_sam = True
        self._card: SampleCard | None = None
        self._stage = Stage.NEW
        self._idle_since = 0.0
        self._known: dict[bytes, Callable[[], bytes]] = {
            b"\x10\xff": self._done,
            b"\x11\xff": self._done,
            b"\x12\xff": self._sam_id,
            b"\x20\x01": self._find,
            b"\x20\x02": self._select,
            b"\x30\x01": self._read,
            b"\x30\x03": self._new_address,
            b"\x30\x05": self._chip_number,
            b"\x30\x10": self._read_with_fingerprint,
            SET_LARGEST_BLOCK: self._done,
        } | {bytes([0x60, speed]): self._done for speed in range(5)}

    def place(self, card: SampleCard) -> None:
        self._card, self._stage = card, Stage.NEW

    def remove(self) -> None:
        self._card = None

    def rest(self) -> None:
        """The last answer has left."""
        self._idle_since = time.monotonic()

    def answer(self, request: Frame) -> bytes:
        """The frame that answers a request whose checksum was right."""
        if time.monotonic() - self._idle_since > FIELD_OFF_SECONDS:
            self._stage = Stage.NEW
        if self.refuses_all is not None:
            return encode_answer(self.refuses_all)
        expected = 1 if request.head == SET_LARGEST_BLOCK else 0
        if len(request.data) != expected:
            return encode_answer(commands.REQUEST_LENGTH_WRONG)
        known = dict(self._known)
        if not self.knows_sam:
            del known[b"\x11\xff"], known[b"\x12\xff"]
        command = known.get(request.head)
        return command() if command else encode_answer(commands.COMMAND_WRONG)

    def _done(self) -> bytes:
        return encode_answer(commands.DONE)

    def _sam_id(self) -> bytes:
        return encode_answer(commands.DONE, self._sam)

    def _find(self) -> bytes:
        if self._card is None or self._stage is Stage.READ:
            return encode_answer(commands.NO_CARD)
        if (refusal := self.refusals.get("find")) is not None:
            return encode_answer(refusal)
        self._stage = Stage.FOUND
        return encode_answer(commands.CARD_FOUND, IIN)

    def _select(self) -> bytes:
        refusal = self.refusals.get("select")
        if self._card is None or self._stage is Stage.NEW or refusal is not None:
            self._stage = Stage.NEW if self._stage is Stage.FOUND else self._stage
            return encode_answer(refusal or commands.SELECT_FAILED)
        if self._stage is Stage.FOUND:
            self._stage = Stage.SELECTED
        return encode_answer(commands.DONE, self._card.serial)

    def _read(self) -> bytes:
        return self._read_portions()

    def _read_with_fingerprint(self) -> bytes:
        return self._read_portions(b"")

    def _read_portions(self, *further: bytes) -> bytes:
        refusal = self.refusals.get("read")
        if self._card is None or self._stage in (Stage.NEW, Stage.FOUND) or refusal is not None:
            self._stage = Stage.NEW
            return encode_answer(refusal or commands.READ_FAILED, card_status=b"\x69\x82")
        self._stage = Stage.READ
        portions = (self._card.text, self._card.photo, *further)
        told = [len(portion) - self.misstates_lengths for portion in portions]
        lengths = b"".join(length.to_bytes(commands.PORTION_LENGTH_BYTES, "big") for length in told)
        return encode_answer(commands.DONE, lengths + b"".join(portions))

    def _new_address(self) -> bytes:
        if self._card is None or self._stage not in (Stage.SELECTED, Stage.READ):
            return encode_answer(commands.READ_FAILED)
        if self._card.new_address is None:
            return encode_answer(commands.NO_CONTENT)
        return encode_answer(commands.DONE, self._card.new_address)

    def _chip_number(self) -> bytes:
        if self._card is None or self._stage not in (Stage.SELECTED, Stage.READ):
            return encode_answer(commands.READ_FAILED)
        return encode_answer(commands.DONE, IIN + self._card.serial + self._card.serial[::-1] * 2)
