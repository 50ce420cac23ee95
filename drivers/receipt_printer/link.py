"""The wire to a receipt printer: serial line (or pty), TCP connection or USB printer node, with deadlines of our own.

Nothing here knows ESC/POS. `read` and `write` wait 0.1 s at most; after an unplug both raise `LinkLost`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import select
import socket
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import serial

from drivers.errors import DeviceAbsent, DeviceBusy

READ_SECONDS = 0.1
WRITE_SECONDS = 0.1
CONNECT_SECONDS = 3.0
READ_BYTES = 256
USB_NODE = re.compile(r"lp\d+")
TAKES_NOTHING = frozenset({errno.EAGAIN, errno.ENOSPC, errno.EINTR})


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
            raise _cannot_open("serial port", error) from error

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


class UsbLink:
    """A node of the kernel's USB printer class driver (usblp), `/dev/usb/lpN`: bytes out, and bytes back."""

    def __init__(self, path: str) -> None:
        try:
            self._node = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise _cannot_open("USB node", error) from error
        self._speaks = True
        try:
            fcntl.flock(self._node, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise _cannot_open("USB node", error) from error

    def write(self, data: bytes) -> int:
        if not self._ready(select.POLLOUT, WRITE_SECONDS):
            return 0
        try:
            return os.write(self._node, data)
        except OSError as error:
            if error.errno in TAKES_NOTHING:
                return 0
            raise LinkLost from error

    def read(self) -> bytes:
        if not self._ready(select.POLLIN if self._speaks else 0, READ_SECONDS):
            return b""
        try:
            data = os.read(self._node, READ_BYTES)
        except OSError as error:
            if error.errno == errno.EINVAL:  # a printer with one endpoint only: it can never answer
                self._speaks = False
                return b""
            if error.errno in TAKES_NOTHING:
                return b""
            raise LinkLost from error
        if not data:  # an empty packet is no end of file here
            time.sleep(READ_SECONDS)
        return data

    def _ready(self, events: int, seconds: float) -> bool:
        waiting = select.poll()
        try:
            waiting.register(self._node, events)
            found = waiting.poll(seconds * 1000)
        except (OSError, ValueError) as error:  # closed in another thread
            raise LinkLost from error
        if found and found[0][1] & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
            raise LinkLost
        return bool(found)

    def close(self) -> None:
        node, self._node = self._node, -1
        if node >= 0:
            with suppress(OSError):
                os.close(node)


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
    """Open `tcp://host:port`, `socket://host:port`, a USB printer's node (a path that ends in lpN) or a serial path.

    Raises `DeviceAbsent` (`device_absent`, `permission_denied`) or `DeviceBusy`.
    """
    if "://" not in address:
        return UsbLink(address) if _is_usb(address) else SerialLink(address, baud_rate)
    try:
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "socket") and parts.hostname and parts.port:
            return TcpLink(parts.hostname, parts.port)
    except ValueError:
        pass  # a port that is no number
    raise DeviceAbsent("receipt printer: the address must be a path, tcp://host:port or socket://host:port")


def _is_usb(path: str) -> bool:
    """By its name, or by the name of what it links to (a link that the system's rules gave the printer)."""
    return any(USB_NODE.fullmatch(name) for name in (Path(path).name, Path(path).resolve().name))


def _cannot_open(word: str, error: Exception) -> DeviceAbsent | DeviceBusy:
    match getattr(error, "errno", None):
        case errno.EAGAIN | errno.EBUSY:
            return DeviceBusy(f"receipt printer: its {word} is held by another program")
        case errno.EACCES | errno.EPERM:
            return DeviceAbsent(f"receipt printer: its {word} may not be opened by this account", "permission_denied")
        case _:
            return DeviceAbsent(f"receipt printer: its {word} cannot be opened")
