"""One command, one answer, whatever the line does to them (README, "The protocol")."""

from __future__ import annotations

import secrets
import time
from typing import Final

from drivers.card_rewriter.commands import IDENTITY, LIMIT_SECONDS, LIMITS_SECONDS, Kind, Result, error_of
from drivers.card_rewriter.frames import ACK, ENQ, NAK, Control, Frame, FrameParser, Heard, encode
from drivers.errors import DeviceError, DeviceOffline, HardwareFault
from drivers.serial_line import SerialLine, open_line

DEVICE: Final = "card rewriter"
ACK_SECONDS: Final = 0.4
ENQ_SECONDS: Final = 0.6
ATTEMPTS: Final = 3
READ_BYTES: Final = 600


class Exchange:
    """Blocking; on the thread of the commands. A line that failed is opened again by the next command."""

    def __init__(self, port: str, baud_rate: int) -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._line: SerialLine | None = None
        self._parser = FrameParser()
        self._waiting: list[Heard] = []
        self._number = secrets.randbelow(256)
        self._heard_nonsense = False
        self.model = ""

    def ask(self, kind: Kind, payload: bytes = b"") -> bytes:
        """What the unit answers after its result. Raises the `DeviceError` its result means, `DeviceOffline`,
        `DeviceAbsent`, `HardwareFault` (`wrong_device`)."""
        if self._line is None:
            self._open()
        try:
            answer = self._converse(kind, payload)
        except (DeviceOffline, HardwareFault):
            self.close()
            raise
        if not answer or answer[0] != Result.DONE:
            raise error_of(answer[0] if answer else Result.INVALID)
        return answer[1:]

    def wipe(self) -> None:
        self._parser.clear()
        self._waiting.clear()

    def close(self) -> None:
        self.wipe()
        if self._line is not None:
            self._line.close()
            self._line = None

    def _open(self) -> None:
        self._line = open_line(self._port, device=DEVICE, baud_rate=self._baud_rate)
        try:
            self._line.drain()
            answer = self._converse(Kind.VERSION, b"")
        except DeviceError:
            self.close()
            raise
        if answer[1 : 1 + len(IDENTITY)] != IDENTITY:
            self.close()
            raise self._wrong_device()
        self.model = answer[1 + len(IDENTITY) :].decode("ascii", "replace").strip()

    def _converse(self, kind: Kind, payload: bytes) -> bytes:
        self.wipe()
        self._heard_nonsense = False
        self._number = (self._number + 1) % 256
        command = encode(Frame(self._number, kind, payload))
        early = self._handed_over(command)
        limit = LIMITS_SECONDS.get(kind, LIMIT_SECONDS)
        return early if early is not None else self._answer(kind, limit)

    def _handed_over(self, command: bytes) -> bytes | None:
        """Until the unit says that it has the command; its answer, when that was quicker than its word."""
        for _ in range(ATTEMPTS):
            self._write(command)
            ends_at = time.monotonic() + ACK_SECONDS
            while (heard := self._next(ends_at)) is not None:
                if heard is Control.ACK:
                    return None
                if heard is Control.NAK:
                    break
                if isinstance(heard, Frame) and heard.number == self._number:
                    self._write(bytes((ACK,)))
                    return heard.payload
        if self._heard_nonsense:
            raise self._wrong_device()
        raise DeviceOffline(f"the {DEVICE} on {self._port} does not answer: switch it on", "device_offline")

    def _answer(self, kind: Kind, limit: float) -> bytes:
        """Asked for again when it is damaged, or does not come: a unit that has restarted knows of none."""
        ends_at = time.monotonic() + limit
        attempts = 0
        while attempts < ATTEMPTS:
            heard = self._next(ends_at)
            if isinstance(heard, Frame):
                if (heard.number, heard.kind) == (self._number, kind):
                    self._write(bytes((ACK,)))
                    return heard.payload
            elif heard is Control.NAK:
                raise DeviceOffline(f"the {DEVICE} on {self._port} was without power meanwhile", "unit_restarted")
            elif heard is Control.ACK:  # it is still at work
                ends_at = time.monotonic() + limit
            elif heard is Control.DAMAGED:
                attempts += 1
                self._write(bytes((NAK,)))
                ends_at = time.monotonic() + ENQ_SECONDS
            elif heard is None:
                attempts += 1
                self._parser.clear()
                self._write(bytes((ENQ,)))
                ends_at = time.monotonic() + ENQ_SECONDS
        raise DeviceOffline(f"the {DEVICE} on {self._port} stopped answering: switch it off and on", "device_offline")

    def _next(self, ends_at: float) -> Heard | None:
        """None when nothing came in time."""
        while not self._waiting:
            remaining = ends_at - time.monotonic()
            if remaining <= 0:
                return None
            data = self._opened().read(READ_BYTES, remaining)
            heard = self._parser.feed(data)
            self._heard_nonsense = self._heard_nonsense or (bool(data) and not heard)
            self._waiting += heard
        return self._waiting.pop(0)

    def _write(self, data: bytes) -> None:
        self._opened().write(data)

    def _opened(self) -> SerialLine:
        if self._line is None:
            raise DeviceOffline(f"the line to the {DEVICE} on {self._port} is closed")
        return self._line

    def _wrong_device(self) -> HardwareFault:
        return HardwareFault(
            f"what is on {self._port} is no {DEVICE} of this protocol: correct the port", "wrong_device"
        )
