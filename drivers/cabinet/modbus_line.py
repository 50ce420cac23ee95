"""A Modbus RTU master on a serial line: one request, one answer, within a limit. Blocking, for one thread.

Frames and messages are pymodbus's; the line is ours, because its client does not say why a port cannot be opened.
Source: Modbus over serial line V1.02, 2.5; Modbus application protocol V1.1b3, 6 and 7.
"""

from __future__ import annotations

import struct
import time
from typing import Final

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.cabinet.profile import Table
from drivers.errors import DeviceBusy, DeviceError, DeviceOffline, HardwareFault
from drivers.serial_line import SerialLine

READ_BYTES: Final = 512
FRAME_BYTES: Final = 264
TRIES: Final = 2
BUSY: Final = 6
FAILED: Final = frozenset({4, 5, 8, 10, 11})
_REQUESTS: Final[dict[Table, type[ModbusPDU]]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}


class ModbusLine:
    """Every method raises `DeviceOffline` (`unplugged`, `stuck`, `no_answer`), `DeviceBusy` (`controller_busy`) or
    `HardwareFault` (`wrong_device`, `register_refused`, `controller_failed`)."""

    def __init__(self, line: SerialLine, unit: int, answer_seconds: float) -> None:
        self._line = line
        self._unit = unit
        self._answer_seconds = answer_seconds
        self._framer = FramerRTU(DecodePDU(False))
        self._has_spoken = False

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """`count` bits (0 or 1) or registers."""
        answer = self._ask(_REQUESTS[table](dev_id=self._unit, address=address, count=count))
        values = answer.bits if table in ("coil", "discrete") else answer.registers
        if len(values) < count:
            raise HardwareFault("the cabinet's controller answered less than was asked", "controller_failed")
        return [int(value) for value in values[:count]]

    def write_bit(self, address: int) -> None:
        """Set a coil."""
        self._ask(WriteSingleCoilRequest(dev_id=self._unit, address=address, bits=[True]))

    def write_word(self, address: int, value: int) -> None:
        self._ask(WriteSingleRegisterRequest(dev_id=self._unit, address=address, registers=[value]))

    def close(self) -> None:
        self._line.close()

    def _ask(self, request: ModbusPDU) -> ModbusPDU:
        frame = self._framer.buildFrame(request)
        heard = b""
        for _ in range(TRIES):
            self._line.drain()
            self._line.write(frame)
            answer, heard = self._answer(request.function_code)
            if answer is not None:
                self._has_spoken = True
                return self._accepted(answer)
        if heard and not self._has_spoken:
            raise HardwareFault(
                f"what answers on {self._line.port} is not the cabinet's controller: correct the port", "wrong_device"
            )
        raise DeviceOffline(
            f"the cabinet's controller on {self._line.port} does not answer: look at its power", "no_answer"
        )

    def _answer(self, function_code: int) -> tuple[ModbusPDU | None, bytes]:
        """The answer, or None when none came whole within the limit; and the bytes that came."""
        ends_at = time.monotonic() + self._answer_seconds
        heard = b""
        while (left := ends_at - time.monotonic()) > 0 and len(heard) < FRAME_BYTES:
            heard += self._line.read(READ_BYTES, left)
            answer = self._find(heard, function_code)
            if answer is not None:
                return answer, heard
        return None, heard

    def _find(self, heard: bytes, function_code: int) -> ModbusPDU | None:
        """The frame among what came: noise may stand before it, and the framer looks at the beginning only."""
        for begin in (place for place, byte in enumerate(heard) if byte == self._unit):
            try:
                _, answer = self._framer.handleFrame(heard[begin:], self._unit, 0)
            except (ModbusException, struct.error, ValueError, IndexError):
                continue
            if answer is not None and answer.function_code & 0x7F == function_code:
                return answer
        return None

    def _accepted(self, answer: ModbusPDU) -> ModbusPDU:
        if not answer.isError():
            return answer
        raise _refusal(answer.exception_code)


def _refusal(code: int) -> DeviceError:
    if code == BUSY:
        return DeviceBusy("the cabinet's controller is busy: wait", "controller_busy")
    if code in FAILED:
        return HardwareFault(f"the cabinet's controller has failed (exception {code}): replace it", "controller_failed")
    return HardwareFault(
        f"the cabinet's controller refuses an address (exception {code}): correct the profile", "register_refused"
    )
