"""A fingerprint module without a line: instructions in, packets out; volatile buffers and a flash library."""

from __future__ import annotations

import random
from typing import Final

from drivers.fingerprint_reader.commands import (
    COMBINE_FAILED,
    NO_FINGER,
    NO_MATCH,
    OK,
    PASSWORD_FIRST,
    WRONG_PASSWORD,
    Instruction,
)
from drivers.fingerprint_reader.packets import Kind, Packet, encode
from drivers.fingerprint_reader.simulator.fingers import combine, finger, pack, press, score, unpack

PACKET_BYTES: Final = 128
BUFFERS: Final = range(1, 7)
LIBRARY_SIZE: Final = 200
MATCH_AT: Final = 30
NO_SUCH_INSTRUCTION: Final = 0x19
NO_PICTURE: Final = 0x15
UPLOAD_FAILED: Final = 0x0D
INVALID_REGISTER: Final = 0x1A


class SimulatedModule:
    """`finger_name` lies on the sensor. `picture_code`, `feature_code` are what it confirms instead, while set."""

    def __init__(self, template_bytes: int, address: bytes) -> None:
        self.finger_name = ""
        self.picture_code: int | None = None
        self.feature_codes: list[int] = []
        self.feature_code: int | None = None
        self.password = bytes(4)
        self.stored = 0
        self.loses_downloads = False
        self.other_finger_next = False
        self.has_light = True
        self.is_greeted = False
        self.buffers: dict[int, bytes] = {}
        self.instructions: list[Instruction] = []
        self._picture: str | None = None
        self._template_bytes = template_bytes
        self._address = address
        self._chance = random.Random(1910)
        self.good = self._confirm(OK)
        self._incoming: tuple[int, bytearray] | None = None

    def lose_power(self) -> None:
        """For a moment: what was volatile is gone, and the password is wanted again."""
        self.is_greeted, self._picture, self._incoming = False, None, None
        self.buffers.clear()

    def hear(self, packet: Packet) -> list[bytes]:
        """The packets that answer it, each whole."""
        if packet.kind in (Kind.DATA, Kind.LAST_DATA):
            self._take_in(packet)
            return []
        if packet.kind is not Kind.COMMAND:
            return []
        try:
            instruction = Instruction(packet.content[0])
        except ValueError:
            return [self._confirm(NO_SUCH_INSTRUCTION)]
        self.instructions.append(instruction)
        if not self.is_greeted and instruction is not Instruction.VFY_PWD:
            return [self._confirm(PASSWORD_FIRST)]
        return self._obey(instruction, packet.content[1:])

    def _obey(self, instruction: Instruction, parameters: bytes) -> list[bytes]:  # noqa: PLR0911 - one per instruction
        match instruction:
            case Instruction.VFY_PWD:
                self.is_greeted = parameters == self.password
                return [self._confirm(OK if self.is_greeted else WRONG_PASSWORD)]
            case Instruction.GEN_IMG:
                return [self._confirm(self._take_picture())]
            case Instruction.IMG_2_TZ:
                return [self._confirm(self._take_features(parameters[0]))]
            case Instruction.MATCH:
                found = score(*(unpack(self.buffers.get(buffer, b"")) for buffer in (1, 2)))
                return [self._confirm(OK, found.to_bytes(2, "big")) if found >= MATCH_AT else self._confirm(NO_MATCH)]
            case Instruction.REG_MODEL:
                return [self._confirm(self._combine())]
            case Instruction.UP_CHAR:
                return self._upload(parameters[0])
            case Instruction.DOWN_CHAR:
                self._incoming = (parameters[0], bytearray())
                return [self._confirm(OK)]
            case Instruction.EMPTY:
                self.stored = 0
                return [self._confirm(OK)]
            case Instruction.READ_SYS_PARA:
                numbers = (0, 9, LIBRARY_SIZE, 3)
                told = b"".join(number.to_bytes(2, "big") for number in numbers)
                return [self._confirm(OK, told + self._address + b"\0\2\0\6")]
            case Instruction.TEMPLATE_NUM:
                return [self._confirm(OK, self.stored.to_bytes(2, "big"))]
            case Instruction.AURA_LED:
                return [self._confirm(OK if self.has_light else NO_SUCH_INSTRUCTION)]

    def _take_picture(self) -> int:
        if self.picture_code is not None:
            return self.picture_code
        self._picture = self.finger_name or None
        return OK if self._picture else NO_FINGER

    def _take_features(self, buffer: int) -> int:
        if self._picture is None or buffer not in BUFFERS:
            return NO_PICTURE if buffer in BUFFERS else INVALID_REGISTER
        if self.feature_codes:
            return self.feature_codes.pop(0)
        if self.feature_code is not None:
            return self.feature_code
        name = f"{self._picture} and another" if self.other_finger_next and buffer == 2 else self._picture
        self.buffers[buffer] = pack(press(finger(name), self._chance), self._template_bytes)
        return OK

    def _combine(self) -> int:
        captures = [unpack(self.buffers.get(buffer, b"")) for buffer in (1, 2)]
        if score(*captures) < MATCH_AT:
            return COMBINE_FAILED
        combined = pack(combine(*captures), self._template_bytes)
        self.buffers[1] = self.buffers[2] = combined
        return OK

    def _upload(self, buffer: int) -> list[bytes]:
        template = self.buffers.get(buffer)
        if template is None:
            return [self._confirm(UPLOAD_FAILED)]
        parts = [template[begin : begin + PACKET_BYTES] for begin in range(0, len(template), PACKET_BYTES)]
        kinds = [Kind.DATA] * (len(parts) - 1) + [Kind.LAST_DATA]
        packets = [encode(kind, part, self._address) for kind, part in zip(kinds, parts, strict=True)]
        return [self._confirm(OK), *packets]

    def _take_in(self, packet: Packet) -> None:
        if self._incoming is None:
            return
        buffer, received = self._incoming
        received += packet.content
        if packet.kind is Kind.LAST_DATA:
            self._incoming = None
            if not self.loses_downloads:
                self.buffers[buffer] = bytes(received)

    def _confirm(self, code: int, data: bytes = b"") -> bytes:
        return encode(Kind.ANSWER, bytes([code]) + data, self._address)
