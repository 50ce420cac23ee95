"""What an ESC/POS printer sends back, told apart by its fixed bits.

DLE EOT answers `0xx1xx10`; automatic status (ASB) is four bytes, `0xx1xx00` then three of `0xx0xxxx`; GS r answers
`0xx0xxxx` (low bits set when the roll is near its end); a block begins with `37` or `5F` hexadecimal and ends with NUL.
XON and XOFF (`11`, `13`) are flow control. Anything else is noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

BLOCK_HEADERS = frozenset({0x37, 0x5F})
BLOCK_LIMIT = 80
ASB_LENGTH = 4


class ReplyKind(Enum):
    REAL_TIME = "real_time"  # one byte, answer to DLE EOT n
    AUTOMATIC = "automatic"  # four bytes, pushed
    BARRIER = "barrier"  # one byte, answer to GS r
    BLOCK = "block"  # header … NUL


@dataclass(frozen=True)
class Reply:
    kind: ReplyKind
    data: bytes


class ReplyReader:
    """Feeds on whatever arrives, in any split; a real-time answer inside another reply is still found."""

    def __init__(self) -> None:
        self._automatic = bytearray()
        self._block = bytearray()

    def feed(self, data: bytes) -> list[Reply]:
        return [reply for byte in data if (reply := self._take(byte)) is not None]

    def _take(self, byte: int) -> Reply | None:
        if self._block:
            return self._continue_block(byte)
        if byte & 0x93 == 0x12:
            return Reply(ReplyKind.REAL_TIME, bytes((byte,)))
        if byte & 0x93 == 0x10:
            self._automatic[:] = bytes((byte,))
        elif byte in BLOCK_HEADERS:
            self._block[:] = bytes((byte,))
        elif not byte & 0x90:
            return self._plain(byte)
        return None

    def _plain(self, byte: int) -> Reply | None:
        if not self._automatic:
            return Reply(ReplyKind.BARRIER, bytes((byte,)))
        self._automatic.append(byte)
        if len(self._automatic) < ASB_LENGTH:
            return None
        data, self._automatic = bytes(self._automatic), bytearray()
        return Reply(ReplyKind.AUTOMATIC, data)

    def _continue_block(self, byte: int) -> Reply | None:
        self._block.append(byte)
        if byte != 0 and len(self._block) < BLOCK_LIMIT:
            return None
        data, self._block = bytes(self._block), bytearray()
        return Reply(ReplyKind.BLOCK, data)
