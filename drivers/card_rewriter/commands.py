"""What a card rewriter can be told, and what it answers (README, "The protocol")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from drivers.errors import DeviceError, HardwareFault, MediaError, NeedsAttention

IDENTITY: Final = b"YZRW1"
"""First bytes of the answer to `VERSION`; the unit's model follows."""
BLOCK_BYTES: Final = 64
"""The most a chip takes in one write."""
CHUNK_BYTES: Final = 256
PRINT_LINES: Final = 8
LINE_BYTES: Final = 120


class Kind(IntEnum):
    VERSION = ord("V")  # never taken for a repeated command: it begins a conversation
    STATUS = ord("S")  # six bytes, see `UnitStatus`
    MOVE_IN = ord("I")  # from the mouth to the chip
    READ_CHIP = ord("R")  # offset (2), size (2)
    AUTHORISE = ord("T")  # the token, handed on to the chip
    WRITE_CHIP = ord("W")  # offset (2), up to 64 bytes
    ERASE = ord("E")  # the whole film
    PRINT_LINE = ord("P")  # line (1, from 0), text in GB 18030
    EJECT = ord("J")  # to the mouth
    RETAIN = ord("K")  # into the bin


class Result(IntEnum):
    DONE = 0
    NO_CARD = 1
    JAMMED = 2
    CHIP_MUTE = 3
    REFUSED = 4
    WRITE_FAILED = 5
    HEAD_HOT = 6
    HEAD_BROKEN = 7
    ERASER_BROKEN = 8
    BIN_FULL = 9
    COVER_OPEN = 10
    INVALID = 11


LIMITS_SECONDS: Final = {
    Kind.MOVE_IN: 5.0, Kind.EJECT: 5.0, Kind.RETAIN: 5.0, Kind.ERASE: 8.0, Kind.PRINT_LINE: 4.0, Kind.WRITE_CHIP: 2.0,
}  # fmt: skip
LIMIT_SECONDS: Final = 1.0

_ERRORS: Final[dict[int, tuple[type[DeviceError], str, str]]] = {
    Result.NO_CARD: (MediaError, "no_card", "there is no card in the unit"),
    Result.JAMMED: (NeedsAttention, "card_jammed", "the card is jammed: open the unit and take it out"),
    Result.CHIP_MUTE: (MediaError, "power_failed", "the card's chip does not answer"),
    Result.REFUSED: (MediaError, "not_authorised", "the chip did not accept the authorisation"),
    Result.WRITE_FAILED: (MediaError, "write_failed", "the chip could not be written"),
    Result.HEAD_HOT: (NeedsAttention, "head_hot", "the print head is too hot: wait a minute"),
    Result.HEAD_BROKEN: (HardwareFault, "head_broken", "the print head is out of order: replace it"),
    Result.ERASER_BROKEN: (HardwareFault, "eraser_broken", "the erasing roller is out of order: replace it"),
    Result.BIN_FULL: (NeedsAttention, "retain_bin_full", "the bin of retained cards is full: empty it"),
    Result.COVER_OPEN: (NeedsAttention, "cover_open", "the cover is open: close it"),
}


def error_of(result: int) -> DeviceError:
    kind, reason, message = _ERRORS.get(
        result, (HardwareFault, "command_refused", f"the unit refused a command with result {result}: check its model")
    )
    return kind(message, reason)


MEDIA: Final = ("not_present", "entering", "present", "jammed")
HEAD: Final = ("ok", "hot", "inoperative")
WORKS: Final = ("ok", "inoperative")
BIN: Final = ("ok", "full")
COVER: Final = ("closed", "open")
CHIP: Final = ("powered_off", "online", "hardware_error")


@dataclass(frozen=True)
class UnitStatus:
    """In the words of device-classes C.2 and C.4."""

    media: str
    chip: str
    head: str
    eraser: str
    retain_bin: str
    cover: str

    @classmethod
    def parse(cls, data: bytes) -> UnitStatus:
        """Raises `HardwareFault` (`protocol_broken`)."""
        words = (MEDIA, CHIP, HEAD, WORKS, BIN, COVER)
        if len(data) != len(words) or any(
            value >= len(known) for value, known in zip(data, words, strict=True)
        ):  # fmt: skip
            raise HardwareFault("the unit's status is none of this protocol: check its model", "protocol_broken")
        return cls(*(known[value] for value, known in zip(data, words, strict=True)))

    def dump(self) -> bytes:
        words = (MEDIA, CHIP, HEAD, WORKS, BIN, COVER)
        values = (self.media, self.chip, self.head, self.eraser, self.retain_bin, self.cover)
        return bytes(known.index(value) for value, known in zip(values, words, strict=True))

    @property
    def obstacle(self) -> int:
        """The result that any work on a card would end with now; DONE when there is none."""
        found = (
            (self.cover == "open", Result.COVER_OPEN),
            (self.media == "jammed", Result.JAMMED),
            (self.head == "inoperative", Result.HEAD_BROKEN),
            (self.eraser == "inoperative", Result.ERASER_BROKEN),
            (self.head == "hot", Result.HEAD_HOT),
        )
        return next((result for is_there, result in found if is_there), Result.DONE)
