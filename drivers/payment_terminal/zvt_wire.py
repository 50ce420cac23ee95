"""Apdus over TCP as they are, and over a serial line with acknowledgements. Blocking, for the terminal's own thread."""

from __future__ import annotations

import time
from collections import deque
from typing import Final, Protocol

from drivers.errors import DeviceOffline, HardwareFault
from drivers.payment_terminal.zvt_apdu import Apdu, ApduReader, NotZvt, decode
from drivers.payment_terminal.zvt_serial import ACK, NAK, FrameReader, Signal, encode_frame
from drivers.serial_line import SerialLine, open_line

DEVICE: Final = "card terminal"
READ_BYTES: Final = 2048
ACK_SECONDS: Final = 1.5
TRIES: Final = 3
NOISE_LIMIT: Final = 4096
IN_VAIN_LIMIT: Final = 64 * 1024
"""Bytes without one whole frame among them."""


class Wire(Protocol):
    """Every method raises `DeviceOffline` (`unplugged`, `stuck`, `no_answer`) or `HardwareFault` (`wrong_device`)."""

    def send(self, apdu: Apdu) -> None: ...

    def receive(self, seconds: float) -> Apdu | None:
        """The next one; None when none came in time."""
        ...

    def is_strange(self) -> bool:
        """Bytes have come, but never a frame."""
        ...

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


def open_wire(port: str, baud_rate: int, stop_bits: float) -> Wire:
    """Raises `DeviceError` as `serial_line.open_line`."""
    line = open_line(port, device=DEVICE, baud_rate=baud_rate, stop_bits=stop_bits)
    line.drain()
    return TcpWire(line) if "://" in port else SerialWire(line)


class TcpWire:
    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._reader = ApduReader()
        self._arrived: deque[Apdu] = deque()

    def send(self, apdu: Apdu) -> None:
        self._line.write(apdu.encode())

    def receive(self, seconds: float) -> Apdu | None:
        if not self._arrived and (data := self._line.read(READ_BYTES, seconds)):
            try:
                self._arrived.extend(self._reader.feed(data))
            except NotZvt as error:
                raise wrong_device(self._line.port) from error
        return self._arrived.popleft() if self._arrived else None

    def is_strange(self) -> bool:
        return False

    def interrupt(self) -> None:
        self._line.interrupt()

    def close(self) -> None:
        self._line.close()


class SerialWire:
    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._reader = FrameReader()
        self._arrived: deque[bytes | Signal] = deque()
        self._in_vain = 0
        self._has_spoken = False

    def send(self, apdu: Apdu) -> None:
        """Again after a NAK or silence, three times in all."""
        frame = encode_frame(apdu.encode())
        for _ in range(TRIES):
            self._line.write(frame)
            if self._acknowledged():
                return
        if self.is_strange():
            raise wrong_device(self._line.port)
        raise DeviceOffline(f"the {DEVICE} on {self._line.port} does not answer: is it switched on?", "no_answer")

    def receive(self, seconds: float) -> Apdu | None:
        ends_at = time.monotonic() + seconds
        while True:
            while self._arrived:
                item = self._arrived.popleft()
                if isinstance(item, Signal):
                    if item is Signal.DAMAGED:
                        self._line.write(bytes([NAK]))
                    continue
                try:
                    apdu = decode(item)
                except NotZvt:
                    self._line.write(bytes([NAK]))
                    continue
                self._line.write(bytes([ACK]))
                self._in_vain, self._has_spoken = 0, True
                return apdu
            if not self._read(max(ends_at - time.monotonic(), 0)):
                return None

    def _acknowledged(self) -> bool:
        """A frame that comes first is kept for `receive`."""
        ends_at = time.monotonic() + ACK_SECONDS
        while True:
            signals = [item for item in self._arrived if item in (Signal.ACK, Signal.NAK)]
            if signals:
                self._arrived.remove(signals[0])
                return signals[0] is Signal.ACK
            if not self._read(max(ends_at - time.monotonic(), 0)) and time.monotonic() >= ends_at:
                return False

    def _read(self, seconds: float) -> bool:
        data = self._line.read(READ_BYTES, seconds)
        self._arrived.extend(self._reader.feed(data))
        self._in_vain += len(data)
        if self._reader.noise > NOISE_LIMIT or self._in_vain > IN_VAIN_LIMIT:
            raise wrong_device(self._line.port)
        return bool(data)

    def is_strange(self) -> bool:
        return self._in_vain > 1 and not self._has_spoken

    def interrupt(self) -> None:
        self._line.interrupt()

    def close(self) -> None:
        self._line.close()


def wrong_device(port: str) -> HardwareFault:
    return HardwareFault(f"what answers on {port} is no {DEVICE} that speaks ZVT: correct the port", "wrong_device")
