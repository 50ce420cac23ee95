"""A virtual card served on this machine, `apdu://127.0.0.1:PORT`, instead of a reader: for bench, demo and tests.

Wire: that of vpcd, with the driver in the reader's place. Two bytes of length, big-endian, then the payload. A payload
of one byte is an order: 0 power off, 1 power on, 2 reset (not answered), 4 the answer to reset. Anything longer is an
APDU and is answered. An empty answer means that no card is there; an answer to reset of one byte: its chip is mute.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from typing import Final
from urllib.parse import urlsplit

from drivers.errors import DeviceAbsent, DeviceOffline, HardwareFault
from drivers.smart_card_reader.links.link import Look, no_card, no_power, removed, silent, unplugged

POWER_OFF: Final = b"\x00"
POWER_ON: Final = b"\x01"
GET_ATR: Final = b"\x04"
LONGEST_ATR: Final = 33
CONNECT_SECONDS: Final = 1.5
LOOK_SECONDS: Final = 1.0
"""A reader that keeps silent so long about its card is out of order."""


class _Wire:
    def __init__(self, address: str) -> None:
        self.address = address
        host, port = _place(address)
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise DeviceAbsent(f"no virtual card is served at {address}: start its simulator") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def tell(self, payload: bytes) -> None:
        try:
            self._socket.sendall(len(payload).to_bytes(2) + payload)
        except OSError as error:
            raise unplugged(self.address) from error

    def ask(self, payload: bytes, seconds: float) -> bytes:
        """Raises `TimeoutError`; then answers can no longer be told apart, and the wire is of no more use."""
        ends_at = time.monotonic() + seconds
        self.tell(payload)
        return self._received(int.from_bytes(self._received(2, ends_at)), ends_at)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()

    def _received(self, size: int, ends_at: float) -> bytes:
        received = bytearray()
        while len(received) < size:
            remaining = ends_at - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._socket.settimeout(remaining)
            try:
                more = self._socket.recv(size - len(received))
            except TimeoutError:
                raise
            except OSError as error:
                raise unplugged(self.address) from error
            if not more:
                raise unplugged(self.address)
            received += more
        return bytes(received)


class ApduLink:
    def __init__(self, address: str) -> None:
        self._address = address
        self._wire = _Wire(address)
        self._seen: Look | None = None

    def look(self, seconds: float) -> Look:
        if self._seen is not None:
            time.sleep(seconds)
        try:
            atr = self._wire.ask(GET_ATR, LOOK_SECONDS)
        except TimeoutError:
            raise DeviceOffline(
                f"{self._address} does not answer: start its simulator again", "reader_silent"
            ) from None
        if len(atr) > LONGEST_ATR:
            raise HardwareFault(f"{self._address} is no virtual card: correct the reader's name", "wrong_device")
        self._seen = Look(self._address, present=bool(atr), answers=len(atr) > 1, atr=atr if len(atr) > 1 else b"")
        return self._seen

    def connect(self, seconds: float) -> ApduChip:
        return ApduChip(self._address, seconds)

    def interrupt(self) -> None:
        """A look ends soon by itself."""

    def close(self) -> None:
        self._wire.close()


class ApduChip:
    """Has a connection of its own, which dies with the card's visit: another card never answers in its place."""

    def __init__(self, address: str, seconds: float) -> None:
        self._wire = _Wire(address)
        try:
            self._wire.tell(POWER_ON)
            self.atr = self._wire.ask(GET_ATR, seconds)
        except TimeoutError:
            self._wire.close()
            raise no_power() from None
        if len(self.atr) < 2:
            self._wire.close()
            raise no_power() if self.atr else no_card()

    def transmit(self, apdu: bytes, seconds: float) -> bytes:
        try:
            answer = self._wire.ask(apdu, seconds)
        except TimeoutError:
            self._wire.close()
            raise silent() from None
        if not answer:
            raise removed()
        return answer

    def is_held(self) -> bool:
        try:
            return bool(self._wire.ask(GET_ATR, LOOK_SECONDS))
        except TimeoutError:
            raise silent() from None

    def release(self) -> None:
        with contextlib.suppress(DeviceOffline):
            self._wire.tell(POWER_OFF)
        self._wire.close()


def _place(address: str) -> tuple[str, int]:
    """Only this machine: such an address is a simulator, and settings refuse those outside development."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here, port = False, None
    if not is_here or not port:
        raise HardwareFault(f"{address} is not of the form apdu://127.0.0.1:PORT", "bad_address")
    return host, port
