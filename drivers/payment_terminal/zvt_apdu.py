"""ZVT application frames and their fields, bytes in and out ("ECR-Interface, ZVT-Protocol", revision 13, VdTH).

APDU: control field (class, instruction), length (one byte; FF and two bytes, low first, from 255), data. Fields (BMP)
are a tag and a value of fixed length, or LLVAR and LLLVAR with a length digit in the low half of F0…F9, or the TLV
container 06 with a BER length. Amounts, traces and receipts are packed BCD.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LONG_LENGTH: Final = 0xFF
DATA_LIMIT: Final = 16 * 1024
CLASSES: Final = frozenset({0x04, 0x05, 0x06, 0x08, 0x0F, 0x80, 0x84})
CURRENCIES: Final = {"CNY": 156}
"""ISO 4217, numeric."""

REGISTRATION: Final = b"\x06\x00"
AUTHORISATION: Final = b"\x06\x01"
COMPLETION: Final = b"\x06\x0f"
ABORTED: Final = b"\x06\x1e"  # the terminal tells that it has ended the transaction
REPEAT_RECEIPT: Final = b"\x06\x20"
REVERSAL: Final = b"\x06\x30"
END_OF_DAY: Final = b"\x06\x50"
DIAGNOSIS: Final = b"\x06\x70"
ABORT: Final = b"\x06\xb0"  # the register asks the terminal to end
STATUS_ENQUIRY: Final = b"\x05\x01"
STATUS_INFORMATION: Final = b"\x04\x0f"
INTERMEDIATE_STATUS: Final = b"\x04\xff"
PRINT_LINE: Final = b"\x06\xd1"
PRINT_TEXT: Final = b"\x06\xd3"
DONE_CLASS: Final = 0x80
REFUSED_CLASS: Final = 0x84

AMOUNT: Final = 0x04
TLV: Final = 0x06
TRACE: Final = 0x0B
RESULT: Final = 0x27
TERMINAL_ID: Final = 0x29
ORIGINAL_TRACE: Final = 0x37
CURRENCY: Final = 0x49
RECEIPT: Final = 0x87
LL, LLL, BER = -2, -3, -1
LENGTHS: Final = {
    0x01: 1, 0x02: 1, 0x03: 1, 0x04: 6, 0x05: 1, 0x06: BER, 0x0B: 3, 0x0C: 3, 0x0D: 2, 0x0E: 2, 0x17: 2, 0x19: 1,
    0x22: LL, 0x23: LL, 0x24: LLL, 0x27: 1, 0x29: 4, 0x2A: 15, 0x2D: LL, 0x2E: LLL, 0x37: 3, 0x3A: 2, 0x3B: 8,
    0x3C: LLL, 0x3D: 3, 0x49: 2, 0x60: LLL, 0x87: 2, 0x88: 3, 0x8A: 1, 0x8B: LL, 0x8C: 1, 0x92: LLL, 0x9A: LLL,
    0xA0: 1, 0xA7: LL, 0xAA: 3, 0xAF: LLL, 0xBA: 5,
}  # fmt: skip
"""Length of each field in a status information (chapter "Summary of utilised BMPs")."""


class NotZvt(Exception):
    """These bytes are no ZVT frame, or no fields."""


@dataclass(frozen=True)
class Apdu:
    control: bytes
    data: bytes = b""

    @property
    def refusal(self) -> int | None:
        """The error code of a negative acknowledgement (84 xx); None of anything else."""
        return self.control[1] if self.control[0] == REFUSED_CLASS and self.control[1] else None

    @property
    def is_done(self) -> bool:
        return self.control in (b"\x80\x00", b"\x84\x00")

    def encode(self) -> bytes:
        length = len(self.data)
        head = bytes([length]) if length < LONG_LENGTH else bytes([LONG_LENGTH]) + length.to_bytes(2, "little")
        return self.control + head + self.data


DONE: Final = Apdu(b"\x80\x00")


class ApduReader:
    """Apdus out of a stream (TCP). Raises `NotZvt` at the first byte that cannot begin one; keeps at most one."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Apdu]:
        self._pending += data
        found = []
        while (length := self._length()) is not None and len(self._pending) >= length:
            found.append(decode(bytes(self._pending[:length])))
            del self._pending[:length]
        return found

    def _length(self) -> int | None:
        pending = self._pending
        if pending and pending[0] not in CLASSES:
            raise NotZvt(f"no ZVT frame begins with {pending[0]:02x}")
        if len(pending) < 3:
            return None
        if pending[2] != LONG_LENGTH:
            return 3 + pending[2]
        if len(pending) < 5:
            return None
        length = int.from_bytes(pending[3:5], "little")
        if length > DATA_LIMIT:
            raise NotZvt(f"a frame of {length} bytes")
        return 5 + length


def decode(frame: bytes) -> Apdu:
    """One whole frame. Raises `NotZvt`."""
    if len(frame) < 3 or frame[0] not in CLASSES:
        raise NotZvt("too short, or of no known class")
    begin = 3 if frame[2] != LONG_LENGTH else 5
    length = frame[2] if begin == 3 else int.from_bytes(frame[3:5], "little")
    if len(frame) < begin or len(frame) - begin != length:
        raise NotZvt("its length does not fit")
    return Apdu(frame[:2], frame[begin:])


def parse_fields(data: bytes) -> dict[int, bytes]:
    """Tag → value; the last one of a tag counts. Raises `NotZvt` at what cannot be measured."""
    found: dict[int, bytes] = {}
    place = 0
    while place < len(data):
        tag = data[place]
        begin, length = _measure(data, place + 1, tag)
        if begin + length > len(data):
            raise NotZvt(f"field {tag:02x} is cut off")
        found[tag] = data[begin : begin + length]
        place = begin + length
    return found


def _measure(data: bytes, place: int, tag: int) -> tuple[int, int]:
    """Where the value begins, and its length."""
    kind = LENGTHS.get(tag)
    if kind is None:
        raise NotZvt(f"field {tag:02x} is not known")
    if kind >= 0:
        return place, kind
    if kind == BER:
        return _measure_ber(data, place)
    digits = data[place : place - kind]
    if len(digits) != -kind or any(digit >> 4 != 0xF or digit & 0xF > 9 for digit in digits):
        raise NotZvt(f"the length of field {tag:02x} is no number")
    return place - kind, int("".join(str(digit & 0xF) for digit in digits))


def _measure_ber(data: bytes, place: int) -> tuple[int, int]:
    first = data[place] if place < len(data) else 0xFF
    if first < 0x80:
        return place + 1, first
    count = first & 0x7F
    if count not in (1, 2) or place + 1 + count > len(data):
        raise NotZvt("the length of the TLV container is no length")
    return place + 1 + count, int.from_bytes(data[place + 1 : place + 1 + count], "big")


def encode_fields(fields: Mapping[int, bytes]) -> bytes:
    """Fields of fixed length, LLVAR and LLLVAR, in the order given."""
    return b"".join(bytes([tag]) + _length_of(tag, value) + value for tag, value in fields.items())


def _length_of(tag: int, value: bytes) -> bytes:
    kind = LENGTHS[tag]
    if kind in (LL, LLL):
        return bytes(0xF0 | int(digit) for digit in str(len(value)).zfill(-kind))
    if kind != len(value):
        raise ValueError(f"field {tag:02x} has {kind} bytes")
    return b""


def bcd(number: int, length: int) -> bytes:
    """Packed BCD in `length` bytes. Raises `ValueError` when it does not fit."""
    text = str(number).zfill(2 * length)
    if number < 0 or len(text) != 2 * length:
        raise ValueError(f"{number} does not fit {length} bytes of BCD")
    return bytes.fromhex(text)


def from_bcd(value: bytes) -> int:
    """Raises `NotZvt` at a half byte above 9."""
    text = value.hex()
    if not text.isdigit():
        raise NotZvt("no packed BCD")
    return int(text)


def software_and_status(data: bytes) -> int | None:
    """The terminal status that ends a completion after a status enquiry; 0 is ready. None when none was sent."""
    if not data:
        return None
    if data[0] >> 4 == 0xF and len(data) >= 3:  # LLLVAR with the software's version first
        begin, length = _measure(data, 0, 0x3C)
        data = data[begin + length :]
    return data[0] if data else None
