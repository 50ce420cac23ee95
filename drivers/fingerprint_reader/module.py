"""The module behind the line: one instruction, one confirmation, templates up and down, all within limits.

Blocking; used by the driver's own thread only. Templates live in the module's character buffers (volatile memory) and
nowhere else in it: nothing is ever stored in its flash.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import Final, NamedTuple

from drivers.errors import CommandCancelled, DeviceError, DeviceOffline, HardwareFault
from drivers.fingerprint_reader.commands import (
    OK,
    PACKET_DAMAGED,
    PASSWORD_FIRST,
    Instruction,
    Light,
    SystemParameters,
    fits,
    parse_system_parameters,
    refusal,
)
from drivers.fingerprint_reader.packets import Kind, Packet, PacketParser, encode
from drivers.serial_line import SerialLine, open_line

ANSWER_SECONDS: Final = 1.5
CAPTURE_SECONDS: Final = 2.0
TRANSFER_SECONDS: Final = 3.0
GREETING_SECONDS: Final = 1.0
SETTLE_SECONDS: Final = 0.3
LONGEST_SETTLE_SECONDS: Final = 1.0
LIGHT_SECONDS: Final = 0.3
TRIES: Final = 3
READ_BYTES: Final = 512
LARGEST_TEMPLATE_BYTES: Final = 8192
FLOOD_BYTES: Final = 20_000


class Answer(NamedTuple):
    code: int
    data: bytes


class FingerModule:
    """`cancelled` ends a wait within one poll. Raises `DeviceError`; a module that left is opened again next time."""

    def __init__(self, port: str, baud_rate: int, address: int, password: int, template_bytes: int) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._address = address.to_bytes(4, "big")
        self._password = password.to_bytes(4, "big")
        self._line: SerialLine | None = None
        self._parser = PacketParser(self._address)
        self._data: list[Packet] = []
        self._has_light = True
        self.cancelled = threading.Event()
        self.parameters: SystemParameters | None = None
        self.stored: int | None = None
        """Templates in the module's flash."""
        self.used_buffers: set[int] = set()
        """Character buffers a finger was in since they were last overwritten."""
        self.template_bytes = template_bytes

    @property
    def is_open(self) -> bool:
        return self._line is not None

    def open(self) -> None:
        """Idempotent. Gives the password, asks what it is, and deletes what others may have stored in its flash.

        Raises also `HardwareFault` (`wrong_device`, `wrong_password`, `line_fault`).
        """
        if self._line is not None:
            return
        self._line = open_line(self._port, device="fingerprint reader", baud_rate=self._baud_rate)
        try:
            self._greet()
            self.look_up()
        except DeviceError:
            self.close()
            raise

    def close(self) -> None:
        self._parser.reset()
        self._data.clear()
        self.used_buffers.clear()
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def forget(self) -> None:
        """What the host's side holds of a citizen."""
        self._parser.reset()
        self._data.clear()

    def look_up(self) -> None:
        """Its parameters; what others stored in its flash is deleted. Also tells that it answers."""
        answer = self.expect(Instruction.READ_SYS_PARA)
        self.parameters = parse_system_parameters(answer)
        if self.parameters is None:
            raise HardwareFault(f"what answers on {self._port} is no fingerprint reader", "wrong_device")
        held = self.expect(Instruction.TEMPLATE_NUM)
        self.stored = int.from_bytes(held, "big")
        if self.stored:
            self.expect(Instruction.EMPTY, seconds=TRANSFER_SECONDS)
            self.stored = int.from_bytes(self.expect(Instruction.TEMPLATE_NUM), "big")

    def _greet(self) -> None:
        code = self.ask(Instruction.VFY_PWD, self._password, seconds=GREETING_SECONDS).code
        if code != OK:
            raise refusal(Instruction.VFY_PWD, code)

    def expect(self, instruction: Instruction, parameters: bytes = b"", *, seconds: float = ANSWER_SECONDS) -> bytes:
        """The answer to an instruction that has but one good confirmation."""
        answer = self.ask(instruction, parameters, seconds=seconds)
        if answer.code != OK:
            raise refusal(instruction, answer.code)
        return answer.data

    def ask(self, instruction: Instruction, parameters: bytes = b"", *, seconds: float = ANSWER_SECONDS) -> Answer:
        """One confirmation, asked for again when it was damaged or lost.

        Raises `DeviceOffline` (`device_offline`, `unplugged`), `HardwareFault` (`line_fault`, `wrong_device`),
        `CommandCancelled`.
        """
        heard = rejected = 0
        request = encode(Kind.COMMAND, bytes([instruction]) + parameters, self._address)
        for attempt in range(TRIES):
            self._send(request, fresh=True)
            answer = self._answer(instruction, time.monotonic() + seconds)
            heard, rejected = heard + self._parser.heard, rejected + self._parser.rejected
            if answer is not None and answer.code != PACKET_DAMAGED:
                if attempt:
                    self._settle()
                if answer.code != PASSWORD_FIRST or instruction is Instruction.VFY_PWD:
                    return answer
                self._greet()  # it lost its power for a moment
                continue
            rejected += answer is not None
        self.close()
        if rejected:
            raise HardwareFault(
                f"the fingerprint reader on {self._port} answers damaged: check its cable", "line_fault"
            )
        if heard:
            raise HardwareFault(
                f"what answers on {self._port} is no fingerprint reader: correct the port or the speed", "wrong_device"
            )
        raise DeviceOffline(f"the fingerprint reader on {self._port} does not answer: check its power and its cable")

    def _answer(self, instruction: Instruction, ends_at: float) -> Answer | None:
        while (packet := self._next(ends_at, Kind.ANSWER)) is not None:
            answer = Answer(packet.content[0], packet.content[1:])
            if fits(instruction, *answer):
                return answer
        return None

    def _settle(self) -> None:
        """An instruction sent twice may be answered twice: the second answer must not be taken for the next one's."""
        until = time.monotonic() + LONGEST_SETTLE_SECONDS
        while self._line is not None and time.monotonic() < until and self._line.read(READ_BYTES, SETTLE_SECONDS):
            pass
        self.forget()

    def upload(self, buffer: int) -> bytes:
        """The template in a character buffer. Raises as `ask`, and `HardwareFault` (`transfer_failed`)."""
        for _ in range(TRIES):
            self.expect(Instruction.UP_CHAR, bytes([buffer]))
            template = bytearray()
            ends_at = time.monotonic() + TRANSFER_SECONDS
            while (packet := self._next(ends_at, Kind.DATA, Kind.LAST_DATA)) is not None and not self._parser.rejected:
                template += packet.content
                if packet.kind is Kind.LAST_DATA:
                    return bytes(template)
                if len(template) > LARGEST_TEMPLATE_BYTES:
                    break
            template[:] = bytes(len(template))
        raise HardwareFault("the fingerprint template did not arrive whole: check the cable", "transfer_failed")

    def download(self, buffer: int, template: bytes) -> None:
        """Into a character buffer, and read back: data packets are not confirmed, and a lost one would leave another
        finger's template to be compared with. Raises as `upload`."""
        for _ in range(TRIES):
            self._hand_over(buffer, template)
            with contextlib.suppress(HardwareFault):
                if self.upload(buffer)[: len(template)] == template:
                    return
        raise HardwareFault("the fingerprint reader did not take the template: replace it", "transfer_failed")

    def clear_buffers(self) -> None:
        """Overwrite every character buffer a finger was in."""
        for buffer in sorted(self.used_buffers):
            self._hand_over(buffer, bytes(self.template_bytes))
            self.used_buffers.discard(buffer)

    def _hand_over(self, buffer: int, template: bytes) -> None:
        self.used_buffers.add(buffer)
        self.expect(Instruction.DOWN_CHAR, bytes([buffer]))
        size = self.parameters.packet_bytes if self.parameters else 128
        parts = [template[begin : begin + size] for begin in range(0, len(template), size)]
        for part in parts[:-1]:
            self._send(encode(Kind.DATA, part, self._address))
        self._send(encode(Kind.LAST_DATA, parts[-1], self._address))

    def show(self, light: Light) -> None:
        """Modules without a ring refuse or stay silent: they are not asked again."""
        if not self._has_light or self._line is None:
            return
        self._send(encode(Kind.COMMAND, bytes([Instruction.AURA_LED, *light]), self._address), fresh=True)
        packet = self._next(time.monotonic() + LIGHT_SECONDS, Kind.ANSWER)
        self._has_light = packet is not None and packet.content[0] == OK

    def _send(self, data: bytes, *, fresh: bool = False) -> None:
        if self._line is None:
            raise DeviceOffline(f"the line to {self._port} is closed")
        if self.cancelled.is_set():
            raise CommandCancelled("the command was taken back")
        try:
            if fresh:
                self.forget()
                self._line.drain()
            self._line.write(data)
        except DeviceOffline:
            self.close()
            raise

    def _next(self, ends_at: float, *kinds: Kind) -> Packet | None:
        """The next packet of these kinds, or None at the end, or after more bytes than any answer has."""
        while True:
            while self._data:
                packet = self._data.pop(0)
                if packet.kind in kinds:
                    return packet
            remaining = ends_at - time.monotonic()
            if remaining <= 0 or self._parser.heard > FLOOD_BYTES or self._line is None:
                return None
            try:
                self._data += self._parser.feed(self._line.read(READ_BYTES, min(remaining, 0.1)))
            except DeviceOffline:
                self.close()
                raise
            if self.cancelled.is_set():
                raise CommandCancelled("the command was taken back")
