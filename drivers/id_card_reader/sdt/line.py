"""The line to a module: a serial device, a pseudo-terminal, a serial server behind `socket://host:port`, or USB.

Blocking; used by the reader's own thread only. Reads return within `POLL_SECONDS`, so limits and cancelling are kept
by the caller. Foreign errors are renamed here, once.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import termios
import time
from collections.abc import Iterator
from typing import Final, Protocol
from urllib.parse import urlsplit

import serial

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceOffline
from drivers.id_card_reader.sdt.frames import Framing

POLL_SECONDS: Final = 0.05
WRITE_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 1.5
DRAIN_SECONDS: Final = 0.02
DRAIN_BYTES: Final = 4096
LINE_LOST: Final = "unplugged"


class Line(Protocol):
    """Bytes to and from a module. Every method may raise `DeviceOffline` once the other end is gone."""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer, or none, when they do not come within `POLL_SECONDS`."""
        ...

    def write(self, data: bytes) -> None: ...

    def drain(self) -> None:
        """Forget what has already arrived. Gives up against a stream that never ends."""
        ...

    def close(self) -> None: ...


def open_line(port: str, baud_rate: int, usb_framing: Framing = "bulk") -> Line:
    """Raises `DeviceAbsent` (nothing there, or no serial port), `DeviceBusy`, `DeviceOffline` (address refuses)."""
    match urlsplit(port).scheme:
        case "socket":
            return SocketLine(port)
        case "usb":
            return _usb_line(port, usb_framing)
        case _:
            return SerialLine(port, baud_rate)


def _usb_line(port: str, framing: Framing) -> Line:
    try:
        from drivers.id_card_reader.sdt.usb_line import UsbLine  # noqa: PLC0415 - readers on other lines do without
    except ImportError as error:
        raise DeviceAbsent("readers on USB need the Python package pyusb: install it", "library_missing") from error
    return UsbLine(port, framing)


class SerialLine:
    """8 data bits, no parity, 1 stop bit (domain.md 1.1); modem lines are not used."""

    def __init__(self, port: str, baud_rate: int) -> None:
        self._name = port
        try:
            self._port = serial.serial_for_url(
                port, baudrate=baud_rate, timeout=POLL_SECONDS, write_timeout=WRITE_SECONDS, exclusive=True
            )
        except (OSError, termios.error, ValueError, AttributeError) as error:
            raise _opening_error(port, error) from error

    def read(self, size: int) -> bytes:
        with self._naming():
            return bytes(self._port.read(size))

    def write(self, data: bytes) -> None:
        with self._naming():
            self._port.write(data)

    def drain(self) -> None:
        with self._naming():
            self._port.reset_input_buffer()

    def close(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            self._port.close()

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        # pyserial raises termios.error, which is no OSError, from a port that was unplugged.
        try:
            yield
        except (OSError, termios.error, TypeError) as error:
            raise _gone(self._name) from error


class SocketLine:
    """A plain TCP connection. Not pyserial's, whose opening never ends while the other side keeps sending."""

    def __init__(self, port: str) -> None:
        self._name = port
        try:
            address = urlsplit(port)
            host, number = address.hostname, address.port
        except ValueError as error:
            raise DeviceAbsent(f"{port} is not an address of the form socket://host:port", "bad_address") from error
        if not host or not number:
            raise DeviceAbsent(f"{port} is not an address of the form socket://host:port", "bad_address")
        try:
            self._socket = socket.create_connection((host, number), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise DeviceOffline(
                f"{port} cannot be reached ({error.strerror or type(error).__name__}): check the address and its power"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(WRITE_SECONDS)

    def read(self, size: int) -> bytes:
        try:
            if not select.select([self._socket], [], [], POLL_SECONDS)[0]:
                return b""
            received = self._socket.recv(size)
        except OSError as error:
            raise _gone(self._name) from error
        if not received:
            raise _gone(self._name)
        return received

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise _gone(self._name) from error

    def drain(self) -> None:
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until and select.select([self._socket], [], [], 0)[0]:
            self.read(DRAIN_BYTES)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


def _gone(port: str) -> DeviceOffline:
    return DeviceOffline(f"the reader on {port} was unplugged or its line was cut: check its cable", LINE_LOST)


def _opening_error(port: str, error: Exception) -> DeviceAbsent | DeviceBusy:
    number = getattr(error, "errno", None) or (error.args[0] if error.args else None)
    match number:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return DeviceAbsent(f"there is no {port}: plug the reader in, or correct the port")
        case errno.EAGAIN | errno.EBUSY:
            return DeviceBusy(f"{port} is held by another program: end that first", "port_busy")
        case errno.EACCES | errno.EPERM:
            return DeviceAbsent(
                f"{port} may not be opened by this account: add it to the group that owns the port", "permission_denied"
            )
        case _:
            return DeviceAbsent(
                f"{port} is not a serial port that can be opened: correct the port", "not_a_serial_port"
            )
