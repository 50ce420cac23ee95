"""The wire to a receipt printer: a serial line (or pty) or a TCP connection, with deadlines of our own.

Nothing here knows ESC/POS. `read` and `write` wait 0.1 s at most; after an unplug both raise `LinkLost`.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import termios
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

import serial

from drivers.errors import DeviceAbsent, DeviceBusy

READ_SECONDS = 0.1
WRITE_SECONDS = 0.1
CONNECT_SECONDS = 3.0
READ_BYTES = 256


class LinkLost(Exception):
    """The cable was pulled, the printer closed the connection, or the port died."""


class Link(Protocol):
    def write(self, data: bytes) -> int:
        """How many bytes the link took within `WRITE_SECONDS`; 0 while the printer's buffer is full."""

    def read(self) -> bytes:
        """Up to `READ_BYTES` that have arrived; empty after `READ_SECONDS` of silence. Raises `LinkLost`."""

    def close(self) -> None: ...


class SerialLink:
    def __init__(self, path: str, baud_rate: int) -> None:
        try:
            self._port = serial.Serial(path, baud_rate, timeout=READ_SECONDS, exclusive=True)
        except (OSError, termios.error) as error:
            if getattr(error, "errno", None) in (errno.EAGAIN, errno.EBUSY):
                raise DeviceBusy("receipt printer: its serial port is held by another program") from error
            raise DeviceAbsent("receipt printer: its serial port cannot be opened") from error

    def write(self, data: bytes) -> int:
        # pyserial's own write hides how much was taken before its time-out
        try:
            _, ready, _ = select.select([], [self._port.fileno()], [], WRITE_SECONDS)
            return os.write(self._port.fileno(), data) if ready else 0
        except BlockingIOError:
            return 0
        except (OSError, ValueError, TypeError) as error:  # closed in another thread
            raise LinkLost from error

    def read(self) -> bytes:
        try:
            first = self._port.read(1)
            waiting = self._port.in_waiting if first else 0
            return first + (self._port.read(min(waiting, READ_BYTES)) if waiting else b"")
        except (OSError, termios.error, TypeError) as error:  # TypeError: closed in another thread
            raise LinkLost from error

    def close(self) -> None:
        with suppress(OSError, termios.error):
            self._port.close()


class TcpLink:
    def __init__(self, host: str, port: int) -> None:
        try:
            self._socket = socket.create_connection((host, port), CONNECT_SECONDS)
        except OSError as error:
            raise DeviceAbsent("receipt printer: its network address does not answer") from error
        self._socket.settimeout(READ_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def write(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except TimeoutError:
            return 0
        except OSError as error:
            raise LinkLost from error

    def read(self) -> bytes:
        try:
            data = self._socket.recv(READ_BYTES)
        except TimeoutError:
            return b""
        except OSError as error:
            raise LinkLost from error
        if not data:
            raise LinkLost
        return data

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def open_link(address: str, baud_rate: int) -> Link:
    """Open `tcp://host:port`, `socket://host:port` or a serial path.

    Raises `DeviceAbsent` (reason `device_absent`) or `DeviceBusy`.
    """
    if "://" not in address:
        return SerialLink(address, baud_rate)
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "socket") or parts.hostname is None or parts.port is None:
        raise DeviceAbsent("receipt printer: the address must be a serial path, tcp://host:port or socket://host:port")
    return TcpLink(parts.hostname, parts.port)
