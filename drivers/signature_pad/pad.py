"""A pad on its line: introduced by a query when opened, silent until told to speak. Blocking, for one thread."""

from __future__ import annotations

import contextlib
import time
from typing import Final

from drivers.errors import DeviceError, DeviceOffline, HardwareFault
from drivers.serial_line import SerialLine, open_line
from drivers.signature_pad.isdv4 import QUERY, START, STOP, PacketParser, Panel, PenPacket

CHUNK_BYTES: Final = 512
ANSWER_SECONDS: Final = 0.5
QUIET_SECONDS: Final = 0.1
HUSH_SECONDS: Final = 0.6
"""A pad that was told to stop is quiet after 250 ms."""
FOREIGN_BYTES: Final = 2048


class Pad:
    def __init__(self, port: str, baud_rate: int) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._line: SerialLine | None = None
        self._parser = PacketParser()
        self.panel: Panel | None = None

    def look(self) -> Panel:
        """Open and ask who is there. Raises `DeviceError`; the line is closed then, and opened again next time."""
        try:
            self.panel = self._introduced(self._plugged())
        except DeviceError:
            self.close()
            raise
        return self.panel

    def _plugged(self) -> SerialLine:
        """Opened again where the pad was taken away, and perhaps put back, since the last look."""
        if self._line is not None:
            try:
                self._line.drain()
            except DeviceError:
                self.close()
        if self._line is None:
            self._line = open_line(self._port, device="signature pad", baud_rate=self._baud_rate)
        return self._line

    def start(self) -> Panel:
        """From now on the pad tells where its pen is. Raises as `look` does."""
        panel = self.look()
        assert self._line is not None
        self._parser.forget()
        self._line.write(START)
        return panel

    def listen(self, seconds: float) -> tuple[list[PenPacket], int]:
        """What the pen did, and how many packets were damaged. Raises `DeviceOffline` (`unplugged`), `HardwareFault`
        (`wrong_device`): only nonsense comes."""
        if self._line is None:
            raise DeviceOffline("the signature pad was closed")
        try:
            data = self._line.read(CHUNK_BYTES, seconds)
        except DeviceError:
            self.close()
            raise
        before = self._parser.damaged
        packets = [packet for packet in self._parser.feed(data) if isinstance(packet, PenPacket)]
        damaged = self._parser.damaged - before
        if self._parser.foreign > FOREIGN_BYTES:
            self.close()
            raise _wrong_device()
        return packets, damaged

    def stop(self) -> None:
        """Hush. What it still sends is dropped by the next look. Never raises."""
        if self._line is not None:
            with contextlib.suppress(DeviceError):
                self._line.write(STOP)
                self._line.drain()
        self._parser.forget()

    def interrupt(self) -> None:
        """End a wait at once. From any thread."""
        line = self._line
        if line is not None:
            line.interrupt()

    def close(self) -> None:
        self._parser.forget()
        line, self._line = self._line, None
        self.panel = None
        if line is not None:
            line.close()

    def _introduced(self, line: SerialLine) -> Panel:
        line.write(STOP)
        line.drain()
        line.read(CHUNK_BYTES, 0)  # takes up an interrupt that came too late
        ends_at = time.monotonic() + HUSH_SECONDS
        while line.read(CHUNK_BYTES, QUIET_SECONDS):
            if time.monotonic() > ends_at:
                raise _wrong_device()
        line.write(QUERY)
        self._parser.forget()
        ends_at = time.monotonic() + ANSWER_SECONDS
        heard = False
        while (left := ends_at - time.monotonic()) > 0:
            data = line.read(CHUNK_BYTES, left)
            heard = heard or bool(data)
            for packet in self._parser.feed(data):
                if isinstance(packet, Panel) and packet.x and packet.y:
                    return packet
        if heard:
            raise _wrong_device()
        raise DeviceOffline("the signature pad does not answer: check its cable, its power and the line's speed")


def _wrong_device() -> HardwareFault:
    return HardwareFault(
        "what answers is no ISDV4 signature pad, or the line's speed is wrong: correct the port", "wrong_device"
    )
