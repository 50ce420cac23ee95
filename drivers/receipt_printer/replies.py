"""What an ESC/POS printer sends back, told apart by its fixed bits.

DLE EOT answers `0xx1xx10`; automatic status (ASB) is four bytes, `0xx1xx00` then three of `0xx0xxxx`; GS r answers
`0xx0xxxx` (low bits set when the roll is near its end); a block begins with `37` or `5F` hexadecimal and ends with NUL
(Epson, ESC/POS command reference); printers with a presenter answer DLE EOT 20 with `10 0F` and four bytes more
(manuals of the CUSTOM VKP80 and KPM families). XON and XOFF (`11`, `13`) are flow control. Anything else is noise, and
is counted: a line with noise on it confirms nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

BLOCK_HEADERS = frozenset({0x37, 0x5F})
FLOW_CONTROL = frozenset({0x11, 0x13})
BLOCK_LIMIT = 80
ASB_LENGTH = 4
PRESENTER_HEADER = b"\x10\x0f"
PRESENTER_LENGTH = 6


class ReplyKind(Enum):
    REAL_TIME = "real_time"  # one byte, answer to DLE EOT n
    AUTOMATIC = "automatic"  # four bytes, pushed
    BARRIER = "barrier"  # one byte, answer to GS r
    BLOCK = "block"  # header … NUL
    PRESENTER = "presenter"  # 10 0F and four bytes, answer to DLE EOT 20


@dataclass(frozen=True)
class Reply:
    kind: ReplyKind
    data: bytes


class ReplyReader:
    """Feeds on whatever arrives, in any split; a real-time answer inside another reply is still found.

    `presenter`: the printer was declared to have one, so `10 0F` begins its long answer and is no automatic status.
    """

    def __init__(self, *, presenter: bool = False) -> None:
        self.noise = 0
        """Bytes that are no reply of such a printer."""
        self._presenter = presenter
        self._automatic = bytearray()
        self._block = bytearray()
        self._long = bytearray()

    def feed(self, data: bytes) -> list[Reply]:
        return [reply for byte in data if (reply := self._take(byte)) is not None]

    def give_up(self) -> None:
        """What was begun and not ended in time is noise."""
        for part in (self._automatic, self._block, self._long):
            self.noise += len(part)
            part.clear()

    def _take(self, byte: int) -> Reply | None:
        if self._block:
            return self._continue_block(byte)
        if self._long:
            return self._continue_long(byte)
        if byte & 0x93 == 0x12:
            return Reply(ReplyKind.REAL_TIME, bytes((byte,)))
        if byte & 0x93 == 0x10:
            self.noise += len(self._automatic)
            self._automatic[:] = bytes((byte,))
        elif byte in BLOCK_HEADERS:
            self._block[:] = bytes((byte,))
        elif not byte & 0x90:
            return self._plain(byte)
        elif byte not in FLOW_CONTROL:
            self.noise += 1
        return None

    def _plain(self, byte: int) -> Reply | None:
        if not self._automatic:
            return Reply(ReplyKind.BARRIER, bytes((byte,)))
        self._automatic.append(byte)
        if self._presenter and self._automatic == PRESENTER_HEADER:
            self._long, self._automatic = self._automatic, bytearray()
            return None
        if len(self._automatic) < ASB_LENGTH:
            return None
        data, self._automatic = bytes(self._automatic), bytearray()
        return Reply(ReplyKind.AUTOMATIC, data)

    def _continue_long(self, byte: int) -> Reply | None:
        self._long.append(byte)
        if len(self._long) < PRESENTER_LENGTH:
            return None
        data, self._long = bytes(self._long), bytearray()
        return Reply(ReplyKind.PRESENTER, data)

    def _continue_block(self, byte: int) -> Reply | None:
        self._block.append(byte)
        if 0 < byte < 0x80 and len(self._block) < BLOCK_LIMIT:
            return None
        data, self._block = bytes(self._block), bytearray()
        if byte:
            self.noise += len(data)
            return None
        return Reply(ReplyKind.BLOCK, data)
