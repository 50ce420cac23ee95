"""Commands of ISO/IEC 7816-4 that a social-security card knows, and its answers (domain.md 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from drivers.errors import MediaError

DONE: Final = 0x9000
WRONG_LENGTH: Final = 0x6700
MEMORY_FAILURE: Final = 0x6581
NOT_SATISFIED: Final = 0x6982
BLOCKED: Final = 0x6983
FILE_NOT_FOUND: Final = 0x6A82
RECORD_NOT_FOUND: Final = 0x6A83

SELECT: Final = 0xA4
READ_RECORD: Final = 0xB2
UPDATE_RECORD: Final = 0xDC
VERIFY: Final = 0x20
GET_RESPONSE: Final = 0xC0

PIN_INSTRUCTIONS: Final = frozenset({0x20, 0x21, 0x24, 0x2C})
"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER: each may cost the citizen a try."""
WRITING_INSTRUCTIONS: Final = frozenset(
    {0x04, 0x0C, 0x0E, 0x0F, 0x44, 0xD0, 0xD1, 0xD2, 0xD6, 0xD7, 0xDA, 0xDB, 0xDC, 0xDD, 0xE0, 0xE2, 0xE4, 0xFE}
)
"""Everything of 7816-4 and 7816-9 that changes what the card holds or what it may do."""

SHORTEST: Final = 4
LONGEST: Final = 261
"""A short command: four bytes of head, length, 255 bytes, expected length."""
LONGEST_ANSWER: Final = 65536
ROUNDS: Final = 300

Transmit = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Answer:
    """What the chip said. `status` is SW1 SW2."""

    data: bytes
    status: int

    @property
    def is_done(self) -> bool:
        return self.status == DONE

    @property
    def raw(self) -> bytes:
        return self.data + self.status.to_bytes(2)

    @property
    def tries_left(self) -> int | None:
        """63Cx (7816-4, table 6)."""
        return self.status & 0x0F if self.status & 0xFFF0 == 0x63C0 else None


def select_name(name: bytes, *, expects_answer: bool) -> bytes:
    """An application by its name; with or without the expected length, as protocols T=1 and T=0 want it."""
    return bytes((0x00, SELECT, 0x04, 0x00, len(name))) + name + (b"\x00" if expects_answer else b"")


def select_file(file: int, p1: int) -> bytes:
    """An elementary file by its identifier; P1 is 02 or 00, both are seen."""
    return bytes((0x00, SELECT, p1, 0x00, 0x02)) + file.to_bytes(2)


def read_record(record: int, reference: int, expected: int) -> bytes:
    return bytes((0x00, READ_RECORD, record, reference, expected))


def update_record(record: int, reference: int, data: bytes) -> bytes:
    return bytes((0x00, UPDATE_RECORD, record, reference, len(data))) + data


def verify(pin: bytes) -> bytes:
    """Without a PIN this asks how many tries are left and costs none (7816-4, 11.5.6)."""
    return bytes((0x00, VERIFY, 0x00, 0x00)) + (bytes((len(pin),)) + pin if pin else b"")


def exchange(transmit: Transmit, command: bytes) -> Answer:
    """Send a command and take its whole answer: 61xx is fetched, after 6Cxx it is sent again with the right length.

    Not for a command that writes: it must never be sent twice. Raises `MediaError` (`protocol_error`).
    """
    answer = split(transmit(command))
    if answer.status >> 8 == 0x6C:
        answer = split(transmit(_expecting(command, answer.status & 0xFF)))
    return _whole(transmit, answer)


def exchange_once(transmit: Transmit, command: bytes) -> Answer:
    """The same for a command that must not be sent again."""
    return _whole(transmit, split(transmit(command)))


def split(raw: bytes) -> Answer:
    """Raises `MediaError` (`protocol_error`) for what cannot be an answer."""
    if not 2 <= len(raw) <= LONGEST_ANSWER + 2 or not 0x60 <= raw[-2] < 0xA0:
        raise MediaError("the chip's answer has no status word: lift the card and place it again", "protocol_error")
    return Answer(raw[:-2], int.from_bytes(raw[-2:]))


def is_command(apdu: bytes) -> bool:
    """Four bytes, or a length that agrees with what follows. Extended lengths are not spoken."""
    if not SHORTEST <= len(apdu) <= LONGEST:
        return False
    return len(apdu) <= 5 or (apdu[4] != 0 and len(apdu) in (5 + apdu[4], 6 + apdu[4]))


def _whole(transmit: Transmit, answer: Answer) -> Answer:
    data = bytearray(answer.data)
    for _ in range(ROUNDS):
        if answer.status >> 8 != 0x61:
            return Answer(bytes(data), answer.status)
        more = bytes((0x00, GET_RESPONSE, 0x00, 0x00, answer.status & 0xFF))
        answer = split(transmit(more))
        if answer.status >> 8 == 0x6C:
            answer = split(transmit(_expecting(more, answer.status & 0xFF)))
        data += answer.data
        if len(data) > LONGEST_ANSWER:
            break
    raise MediaError("the chip's answer does not end: lift the card and place it again", "protocol_error")


def _expecting(command: bytes, length: int) -> bytes:
    """The same command with another expected length, which is its last byte, or was not there."""
    if len(command) == 4:
        return command + bytes((length,))
    has_expected = len(command) == 5 or len(command) == 6 + command[4]
    return (command[:-1] if has_expected else command) + bytes((length,))
