"""ZVT over a serial line: DLE STX apdu DLE ETX crc ("ZVT transport protocol", PA00P016, serial connection).

A DLE inside the apdu is doubled. The checksum is CRC-16 with x^16+x^12+x^5+1, least bit first, from 0, over the apdu
(not doubled) and ETX, low byte first. Every frame is answered by one ACK or NAK; a NAK or silence brings it again.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

DLE, STX, ETX, ACK, NAK = 0x10, 0x02, 0x03, 0x06, 0x15
FRAME_LIMIT: Final = 20 * 1024


class Signal(Enum):
    ACK = ACK
    NAK = NAK
    DAMAGED = 0


def crc16(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
    return value


def encode_frame(apdu: bytes) -> bytes:
    doubled = apdu.replace(bytes([DLE]), bytes([DLE, DLE]))
    checksum = crc16(apdu + bytes([ETX])).to_bytes(2, "little")
    return bytes([DLE, STX]) + doubled + bytes([DLE, ETX]) + checksum


class FrameReader:
    """What arrives on the line, as apdus (bytes) and signals. Noise between frames is passed over; never grows."""

    def __init__(self) -> None:
        self._frame: bytearray | None = None
        self._escaped = False
        self._checksum: bytearray | None = None
        self.noise = 0
        """Bytes since the last frame or signal that were part of none."""

    def feed(self, data: bytes) -> list[bytes | Signal]:
        found = []
        for byte in data:
            item = self._outside(byte) if self._frame is None else self._inside(byte, self._frame)
            if item is not None:
                self.noise = 0
                found.append(item)
        return found

    def _outside(self, byte: int) -> Signal | None:
        if self._escaped:
            self._escaped = byte == DLE
            if byte == STX:
                self._frame, self._checksum = bytearray(), None
                return None
        elif byte == DLE:
            self._escaped = True
            return None
        elif byte in (ACK, NAK):
            return Signal(byte)
        self.noise += 1
        return None

    def _inside(self, byte: int, frame: bytearray) -> bytes | Signal | None:
        if self._checksum is not None:
            self._checksum.append(byte)
            return self._closed(frame, self._checksum) if len(self._checksum) == 2 else None
        if self._escaped:
            self._escaped = False
            if byte == DLE:
                frame.append(byte)
            elif byte == ETX:
                self._checksum = bytearray()
            elif byte == STX:
                frame.clear()  # the frame before lost its end
            else:
                return self._lost()
        elif byte == DLE:
            self._escaped = True
        else:
            frame.append(byte)
        return self._lost() if len(frame) > FRAME_LIMIT else None

    def _closed(self, frame: bytearray, checksum: bytearray) -> bytes | Signal:
        apdu = bytes(frame)
        self._lost()
        return apdu if crc16(apdu + bytes([ETX])) == int.from_bytes(checksum, "little") else Signal.DAMAGED

    def _lost(self) -> Signal:
        self._frame = self._checksum = None
        self._escaped = False
        return Signal.DAMAGED
