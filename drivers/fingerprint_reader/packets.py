"""Packets of the serial fingerprint modules R503, AS608, ZFM-20/60/70 and their relatives.

    EF 01 | address, 4 bytes | identifier | length, 2 bytes | content | checksum, 2 bytes

Big-endian. The length counts the content and the checksum; the checksum is the sum of identifier, length and content
modulo 65,536. Identifiers: 01 a command (content: instruction and parameters), 07 its acknowledgement (content:
confirmation code and answer), 02 data that more data follows, 08 the last data. The module answers only to its own
address (FF FF FF FF as delivered). Source: R503 user manual 1.1 (Hangzhou Grow, 2019), section 4; ZFM user manual 1.3,
section 5.1; both agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

HEADER: Final = b"\xef\x01"
ADDRESS_BYTES: Final = 4
ANY_ADDRESS: Final = b"\xff\xff\xff\xff"
CHECKSUM_BYTES: Final = 2
BEGINNING_BYTES: Final = len(HEADER) + ADDRESS_BYTES + 3
"""Up to the content: header, address, identifier, length."""
SHORTEST_LENGTH: Final = 1 + CHECKSUM_BYTES
LONGEST_LENGTH: Final = 256 + CHECKSUM_BYTES


class Kind(IntEnum):
    COMMAND = 0x01
    DATA = 0x02
    ANSWER = 0x07
    LAST_DATA = 0x08


_KINDS: Final = frozenset(int(kind) for kind in Kind)


@dataclass(frozen=True, repr=False)
class Packet:
    """One packet whose checksum was right. Its content may be a citizen's and is never shown."""

    kind: Kind
    content: bytes

    def __repr__(self) -> str:
        return f"Packet({self.kind.name}, {len(self.content)} bytes)"


def encode(kind: Kind, content: bytes, address: bytes = ANY_ADDRESS) -> bytes:
    """Raises `ValueError` for a content no module takes."""
    length = len(content) + CHECKSUM_BYTES
    if not SHORTEST_LENGTH <= length <= LONGEST_LENGTH:
        raise ValueError(f"a content of {len(content)} bytes is none")
    summed = bytes([kind]) + length.to_bytes(2, "big") + content
    return HEADER + address + summed + (sum(summed) & 0xFFFF).to_bytes(CHECKSUM_BYTES, "big")


class PacketParser:
    """Finds packets in a stream that may begin with noise, be cut anywhere, or never end.

    Never raises, and never holds more than one longest packet beyond what it was just fed: an impossible beginning or a
    wrong checksum costs one byte, and the search goes on behind it.
    """

    def __init__(self, address: bytes = ANY_ADDRESS) -> None:
        self._begin = HEADER + address
        self._buffer = bytearray()
        self.heard = 0
        """Bytes fed since the last reset."""
        self.rejected = 0
        """Packets since the last reset whose checksum was wrong."""

    @property
    def held(self) -> int:
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[Packet]:
        """The packets this chunk completes, in order."""
        self.heard += len(chunk)
        self._buffer += chunk
        packets = []
        while packet := self._take():
            packets.append(packet)
        return packets

    def reset(self) -> None:
        """A new exchange begins. What was buffered may be a citizen's, and is overwritten."""
        self._drop(len(self._buffer))
        self.heard = self.rejected = 0

    def _take(self) -> Packet | None:
        while True:
            found = self._buffer.find(self._begin)
            self._drop(found if found >= 0 else len(self._buffer) - self._open_end())
            if len(self._buffer) < BEGINNING_BYTES:
                return None
            kind, length = self._buffer[6], int.from_bytes(self._buffer[7:9], "big")
            if kind not in _KINDS or not SHORTEST_LENGTH <= length <= LONGEST_LENGTH:
                self._drop(1)
                continue
            end = BEGINNING_BYTES + length
            if len(self._buffer) < end:
                return None
            content_end = end - CHECKSUM_BYTES
            if sum(self._buffer[6:content_end]) & 0xFFFF == int.from_bytes(self._buffer[content_end:end], "big"):
                packet = Packet(Kind(kind), bytes(self._buffer[BEGINNING_BYTES:content_end]))
                self._drop(end)
                return packet
            self.rejected += 1
            self._drop(1)

    def _open_end(self) -> int:
        """Length of the tail that may be the first part of a packet still arriving."""
        for length in range(min(len(self._begin) - 1, len(self._buffer)), 0, -1):
            if self._buffer.endswith(self._begin[:length]):
                return length
        return 0

    def _drop(self, count: int) -> None:
        if count > 0:
            self._buffer[:count] = bytes(count)
            del self._buffer[:count]
