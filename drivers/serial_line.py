"""The line to a device: a serial port, a pseudo-terminal, or a serial server behind `socket://host:port`.

Blocking; for the one thread that speaks with the device. Every wait has a limit, and `interrupt` ends a read from any
thread. Foreign errors are renamed here, once (pyserial 3.5 raises OSError, termios.error or TypeError for one and the
same unplug, and `is_open` stays true): nothing but `DeviceError` comes out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import termios
import time
from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import urlsplit

import serial

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceOffline

Parity = Literal["none", "even", "odd"]

WRITE_SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 1.5
DRAIN_SECONDS: Final = 0.05
DRAIN_BYTES: Final = 4096
SOCKET_SCHEMES: Final = frozenset({"socket", "tcp"})
_PARITIES: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


def open_line(
    port: str,
    *,
    device: str,
    baud_rate: int = 115200,
    data_bits: int = 8,
    parity: Parity = "none",
    stop_bits: float = 1,
) -> SerialLine:
    """Open a port for this programme alone. `device` is the word staff know it by, such as "code scanner".

    Raises `DeviceAbsent` (`device_absent`: nothing there; `permission_denied`; `not_a_serial_port`; `bad_address`),
    `DeviceBusy` (`port_busy`) or `DeviceOffline` (`device_offline`: an address that does not answer). Modem lines are
    not used: a pseudo-terminal has none.
    """
    if "://" in port:
        return SerialLine(port, device, _connected(port, device))
    try:
        opened = serial.Serial(
            port, baud_rate, bytesize=data_bits, parity=_PARITIES[parity], stopbits=stop_bits, timeout=0, exclusive=True
        )
    except (OSError, termios.error, ValueError) as error:
        raise _opening_error(port, device, error) from error
    return SerialLine(port, device, opened)


class SerialLine:
    """An open line. `close` it in the thread that reads, or when none does."""

    def __init__(self, port: str, device: str, opened: serial.Serial | socket.socket) -> None:
        self.port = port
        self._device = device
        self._opened = opened
        self._fd = opened.fileno()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._closed = False

    def read(self, size: int, seconds: float) -> bytes:
        """Whatever has arrived, `size` bytes at most, as soon as there is any; none after `seconds` of silence, or
        when `interrupt` was called. Raises `DeviceOffline` (`unplugged`)."""
        ends_at = time.monotonic() + seconds
        while True:
            ready = self._wait([self._fd, self._wake], [], max(ends_at - time.monotonic(), 0))
            if self._wake in ready:
                self._heed()
                return b""
            if not ready:
                return b""
            with contextlib.suppress(BlockingIOError):  # readable no more: another waits on
                return self._received(size)

    def read_exactly(self, size: int, seconds: float) -> bytes:
        """`size` bytes; fewer when they do not come within `seconds` or the read is interrupted. Raises
        `DeviceOffline` (`unplugged`)."""
        ends_at = time.monotonic() + seconds
        received = bytearray()
        while len(received) < size:
            more = self.read(size - len(received), max(ends_at - time.monotonic(), 0))
            if not more:
                break
            received += more
        return bytes(received)

    def write(self, data: bytes, seconds: float = WRITE_SECONDS) -> None:
        """All of `data` handed to the system. Raises `DeviceOffline`: `unplugged`, or `stuck` when the device has not
        taken it within `seconds`."""
        ends_at = time.monotonic() + seconds
        left = memoryview(data)
        while left:
            if self._wait([], [self._fd], max(ends_at - time.monotonic(), 0)):
                left = left[self._sent(left) :]
            elif time.monotonic() >= ends_at:
                raise DeviceOffline(f"the {self._device} on {self.port} takes no bytes: restart it", "stuck")

    def drain(self) -> None:
        """Forget what has already arrived. Gives up against a stream that never ends; raises `DeviceOffline`."""
        ends_at = time.monotonic() + DRAIN_SECONDS
        if isinstance(self._opened, serial.Serial):
            with self._naming():
                termios.tcflush(self._fd, termios.TCIFLUSH)
        while time.monotonic() < ends_at and self._wait([self._fd], [], 0):
            with contextlib.suppress(BlockingIOError):
                self._received(DRAIN_BYTES)

    def interrupt(self) -> None:
        """End the read that waits, or the next one, at once. From any thread."""
        if not self._closed:
            with contextlib.suppress(OSError):
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Idempotent; never raises."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError, termios.error):
            self._opened.close()
        os.close(self._wake)
        self._fd = self._wake = -1  # the numbers may belong to other files by now

    def _wait(self, readers: list[int], writers: list[int], seconds: float) -> list[int]:
        with self._naming():
            readable, writable, _ = select.select(readers, writers, [], seconds)
            return readable + writable

    def _heed(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _received(self, size: int) -> bytes:
        with self._naming():
            received = os.read(self._fd, size)
            if received:
                return received
        raise self._gone()  # the other end was closed

    def _sent(self, data: memoryview) -> int:
        with self._naming():
            try:
                return os.write(self._fd, data)
            except BlockingIOError:
                return 0

    @contextlib.contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except (OSError, termios.error, ValueError) as error:  # ValueError: closed, no file descriptor any more
            raise self._gone() from error

    def _gone(self) -> DeviceOffline:
        return DeviceOffline(
            f"the {self._device} on {self.port} was unplugged or its line was cut: plug it in", "unplugged"
        )


def _connected(port: str, device: str) -> socket.socket:
    """Our own socket, not pyserial's: opening theirs never ends while the other side keeps sending."""
    try:
        address = urlsplit(port)
        host, number = address.hostname, address.port
    except ValueError:
        host = number = None
    if not host or not number or address.scheme not in SOCKET_SCHEMES:
        raise DeviceAbsent(f"{port} is not an address of the form socket://host:port", "bad_address")
    try:
        connected = socket.create_connection((host, number), timeout=CONNECT_SECONDS)
    except OSError as error:
        raise DeviceOffline(
            f"the {device} on {port} cannot be reached ({error.strerror or type(error).__name__}): "
            "check the address and its power"
        ) from error
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setblocking(False)
    return connected


def _opening_error(port: str, device: str, error: Exception) -> DeviceAbsent | DeviceBusy:
    match getattr(error, "errno", None) or (error.args[0] if error.args else None):
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return DeviceAbsent(f"there is no {port}: plug the {device} in, or correct its port")
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
