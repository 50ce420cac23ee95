"""Frames of the SAM/SDT protocol (domain.md 1.2): `AA AA AA 96 69`, length, head, data, exclusive-or.

The length counts everything after itself, the checksum included; the checksum covers everything from the length on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final, Literal

Framing = Literal["bulk", "hid", "two_pipe"]
"""How frames travel over USB (domain.md 2.1)."""

PREAMBLE: Final = b"\xaa\xaa\xaa\x96\x69"
PREAMBLE_WITHOUT_ONE_SYNC: Final = PREAMBLE[1:]
LENGTH_BYTES: Final = 2
LONGEST_LENGTH: Final = 4089
REQUEST_HEAD_BYTES: Final = 2
ANSWER_HEAD_BYTES: Final = 3


@dataclass(frozen=True, repr=False)
class Frame:
    """One frame whose checksum was right: CMD and Para of a request, SW1 SW2 SW3 of an answer, and the data."""

    head: bytes
    data: bytes

    @property
    def status(self) -> int:
        """SW3, the module's own word. SW1 and SW2 are the card's and decide nothing (domain.md 1.3, 1.4)."""
        return self.head[2]

    def __repr__(self) -> str:
        return f"Frame({self.head.hex(' ').upper()}, {len(self.data)} bytes)"


def checksum(body: bytes | bytearray | memoryview) -> int:
    """Exclusive-or of every byte."""
    return reduce(xor, body, 0)


def encode(head: bytes, data: bytes = b"") -> bytes:
    """One frame on the wire. Raises `ValueError` when it would be longer than any reader takes."""
    length = len(head) + len(data) + 1
    if length > LONGEST_LENGTH:
        raise ValueError(f"a frame of length {length} is longer than {LONGEST_LENGTH}")
    body = length.to_bytes(LENGTH_BYTES, "big") + head + data
    return PREAMBLE + body + bytes([checksum(body)])


def encode_request(command: int, parameter: int, data: bytes = b"") -> bytes:
    return encode(bytes([command, parameter]), data)


def encode_answer(status: int, data: bytes = b"", *, card_status: bytes = b"\0\0") -> bytes:
    return encode(card_status + bytes([status]), data)


class FrameParser:
    """Finds frames in a stream that may begin with noise, be cut anywhere, or never end.

    Never raises and never holds more than one longest frame beyond what it was just fed. A length no frame can have,
    or a wrong checksum, costs one byte: the search goes on behind it, so a good frame inside a bad one is found.
    """

    def __init__(self, head_bytes: int) -> None:
        self._head_bytes = head_bytes
        self._shortest = head_bytes + 1
        self._buffer = bytearray()
        self._at_beginning = True
        self.heard = 0
        """Bytes fed since the last reset."""
        self.rejected = 0
        """Frames since the last reset whose checksum was wrong."""

    @property
    def wanted(self) -> int:
        """Bytes the shortest good continuation still needs: never more than the next frame holds."""
        begin = self._preamble_length()
        if begin and len(self._buffer) >= begin + LENGTH_BYTES:
            return begin + LENGTH_BYTES + self._stated_length(begin) - len(self._buffer)
        return max(1, len(PREAMBLE_WITHOUT_ONE_SYNC) + LENGTH_BYTES + self._shortest - len(self._buffer))

    @property
    def has_begun(self) -> bool:
        """A preamble was seen, no impossible length, and the rest is awaited."""
        return self._preamble_length() > 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames this chunk completes, in order."""
        self.heard += len(chunk)
        self._buffer += chunk
        return self._take_all()

    def settle(self) -> list[Frame]:
        """Nothing more will come: give up beginnings that will never be whole, take the good frames behind them."""
        frames = []
        while self.has_begun:
            self._drop(1)
            frames += self._take_all()
        return frames

    def reset(self) -> None:
        """A new exchange begins. What was buffered may be a citizen's, and is overwritten."""
        self._drop(len(self._buffer))
        self._at_beginning = True
        self.heard = self.rejected = 0

    def _take_all(self) -> list[Frame]:
        frames = []
        while frame := self._take():
            frames.append(frame)
        return frames

    def _take(self) -> Frame | None:
        while True:
            self._seek()
            begin = self._preamble_length()
            if not begin or len(self._buffer) < begin + LENGTH_BYTES:
                return None
            length = self._stated_length(begin)
            if not self._shortest <= length <= LONGEST_LENGTH:
                self._drop(1)
                continue
            end = begin + LENGTH_BYTES + length
            if len(self._buffer) < end:
                return None
            if self._sums_up(begin, end):
                return self._extract(begin + LENGTH_BYTES, end)
            self.rejected += 1
            self._drop(1)

    def _seek(self) -> None:
        """Drop what cannot be the beginning of a frame."""
        if self._at_beginning and self._begins_without_one_sync():
            return
        found = self._buffer.find(PREAMBLE)
        self._drop(found if found >= 0 else len(self._buffer) - self._open_end())

    def _begins_without_one_sync(self) -> bool:
        head = bytes(self._buffer[: len(PREAMBLE_WITHOUT_ONE_SYNC)])
        return bool(head) and PREAMBLE_WITHOUT_ONE_SYNC.startswith(head)

    def _open_end(self) -> int:
        """Length of the tail that may be the first part of a preamble still arriving."""
        for length in range(min(len(PREAMBLE) - 1, len(self._buffer)), 0, -1):
            if self._buffer.endswith(PREAMBLE[:length]):
                return length
        return 0

    def _preamble_length(self) -> int:
        if self._buffer.startswith(PREAMBLE):
            return len(PREAMBLE)
        if self._at_beginning and self._buffer.startswith(PREAMBLE_WITHOUT_ONE_SYNC):
            return len(PREAMBLE_WITHOUT_ONE_SYNC)
        return 0

    def _stated_length(self, begin: int) -> int:
        return int.from_bytes(self._buffer[begin : begin + LENGTH_BYTES], "big")

    def _sums_up(self, begin: int, end: int) -> bool:
        with memoryview(self._buffer) as view, view[begin:end] as body:
            return checksum(body) == 0

    def _extract(self, begin: int, end: int) -> Frame:
        head_end = begin + self._head_bytes
        frame = Frame(bytes(self._buffer[begin:head_end]), bytes(self._buffer[head_end : end - 1]))
        self._drop(end)
        return frame

    def _drop(self, count: int) -> None:
        if count <= 0:
            return
        self._buffer[:count] = bytes(count)
        del self._buffer[:count]
        self._at_beginning = False
