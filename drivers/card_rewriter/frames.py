"""The line of a card rewriter, a protocol of this project's own (README): frames, and single bytes between them.

A frame is STX, length (2 bytes, big-endian: number, kind and payload), number, kind, payload, ETX, CRC-16/CCITT-FALSE
over everything from the length to ETX. Between frames: ENQ, ACK, NAK. A unit's answer repeats number and kind of its
command; its payload begins with a result.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from enum import Enum
from typing import Final

STX: Final = 0x02
ETX: Final = 0x03
ENQ: Final = 0x05
ACK: Final = 0x06
NAK: Final = 0x15
LONGEST_PAYLOAD: Final = 512
HEAD_BYTES: Final = 3
TAIL_BYTES: Final = 3
LONGEST_NOISE: Final = 4096


class Control(Enum):
    """A single byte; `DAMAGED` stands for a frame whose check failed."""

    ENQ = ENQ
    ACK = ACK
    NAK = NAK
    DAMAGED = 0


@dataclass(frozen=True)
class Frame:
    number: int
    kind: int
    payload: bytes = b""


Heard = Frame | Control


def encode(frame: Frame) -> bytes:
    if len(frame.payload) > LONGEST_PAYLOAD:
        raise ValueError("a payload has 512 bytes at most")
    body = (len(frame.payload) + 2).to_bytes(2) + bytes((frame.number, frame.kind)) + frame.payload + bytes((ETX,))
    return bytes((STX,)) + body + _check(body)


class FrameParser:
    """Bytes in, frames and control bytes out. Noise is skipped; never holds more than one longest frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def clear(self) -> None:
        self._buffer[:] = bytes(len(self._buffer))
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Heard]:
        self._buffer += data
        heard: list[Heard] = []
        while self._buffer:
            first = self._buffer[0]
            if first == STX:
                size = self._frame_bytes()
                if size is None or size > len(self._buffer):
                    break
                heard.append(self._take(size))
                continue
            if first in (ENQ, ACK, NAK):
                heard.append(Control(first))
            del self._buffer[0]
        return heard

    def _frame_bytes(self) -> int | None:
        """Of the frame at the beginning; None when too little has come to tell; 1 for what is none."""
        if len(self._buffer) < HEAD_BYTES:
            return None
        length = int.from_bytes(self._buffer[1:HEAD_BYTES])
        return HEAD_BYTES + length + TAIL_BYTES if 2 <= length <= LONGEST_PAYLOAD + 2 else 1

    def _take(self, size: int) -> Heard:
        """A frame whose check fails may be noise before a true one: only its first byte is dropped."""
        raw = bytes(self._buffer[:size])
        if size > 1 and raw[-3] == ETX and _check(raw[1:-2]) == raw[-2:]:
            del self._buffer[:size]
            return Frame(raw[3], raw[4], raw[5:-3])
        del self._buffer[0]
        return Control.DAMAGED


def _check(body: bytes) -> bytes:
    return binascii.crc_hqx(body, 0xFFFF).to_bytes(2)
