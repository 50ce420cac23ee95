"""A Linux input event node, opened for this programme alone (source: Linux input.h, ioctl.h)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import select
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evdev import ecodes

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceOffline, HardwareFault

BY_USB: Final = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})")
NODES: Final = Path("/dev/input")
EVENT: Final = struct.Struct("@llHHi")
EVENTS_AT_ONCE: Final = 64
_IDENTITY: Final = struct.Struct("@HHHH")
_KEY_BYTES: Final = (ecodes.KEY_MAX + 1) // 8
_READ, _WRITE = 2, 1
_NEEDED_KEYS: Final = (ecodes.KEY_1, ecodes.KEY_0, ecodes.KEY_ENTER)


def _question(direction: int, number: int, size: int) -> int:
    """The _IOC macro of asm-generic/ioctl.h, group E."""
    return direction << 30 | size << 16 | ord("E") << 8 | number


_EVIOCGID: Final = _question(_READ, 0x02, _IDENTITY.size)
_EVIOCGBIT_KEY: Final = _question(_READ, 0x20 + ecodes.EV_KEY, _KEY_BYTES)
_EVIOCGRAB: Final = _question(_WRITE, 0x90, 4)


@dataclass(frozen=True)
class InputEvent:
    kind: int
    code: int
    value: int


class EventNode:
    """Raises `DeviceAbsent` (`device_absent`, `permission_denied`) or `HardwareFault` (`wrong_device`)."""

    def __init__(self, path: Path) -> None:
        try:
            self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise DeviceAbsent("the code scanner may not be opened by this account", "permission_denied") from error
            raise DeviceAbsent("there is no code scanner at its place: plug it in, or correct its name") from error
        try:
            identity = fcntl.ioctl(self.fd, _EVIOCGID, bytes(_IDENTITY.size))
            self._keys = fcntl.ioctl(self.fd, _EVIOCGBIT_KEY, bytes(_KEY_BYTES))
        except OSError as error:
            self.close()
            raise HardwareFault("the code scanner's place holds no input device: correct it", "wrong_device") from error
        _, self.vendor, self.product, _ = _IDENTITY.unpack(identity)

    @property
    def is_keyboard(self) -> bool:
        return all(self._keys[key // 8] & 1 << key % 8 for key in _NEEDED_KEYS)

    def must_be_keyboard(self) -> None:
        """Raises `HardwareFault` (`wrong_device`)."""
        if not self.is_keyboard:
            raise HardwareFault("the code scanner's place holds a device without keys: correct it", "wrong_device")

    def take(self) -> None:
        """Nobody else hears it from now on. Raises `DeviceBusy` (`port_busy`) or `HardwareFault` (`not_grabbed`)."""
        try:
            fcntl.ioctl(self.fd, _EVIOCGRAB, 1)
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise DeviceBusy("the code scanner is held by another program", "port_busy") from error
            raise HardwareFault(
                "the code scanner cannot be kept from typing into the screen: use another port or its serial mode",
                "not_grabbed",
            ) from error

    def read(self, seconds: float, wake: int) -> list[InputEvent]:
        """Events as soon as there are any; none after `seconds`, or when `wake` (an eventfd) is set.

        Raises `DeviceOffline` (`unplugged`).
        """
        try:
            ready, _, _ = select.select([self.fd, wake], [], [], seconds)
            if wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(wake)
                return []
            data = os.read(self.fd, EVENT.size * EVENTS_AT_ONCE) if ready else None
        except BlockingIOError:
            return []
        except OSError as error:
            raise _unplugged() from error
        if data is None:
            return []
        if not data:  # readable, and nothing to read
            raise _unplugged()
        whole = len(data) - len(data) % EVENT.size
        return [InputEvent(*fields[2:]) for fields in EVENT.iter_unpack(data[:whole])]

    def close(self) -> None:
        """The system takes back a grab with the descriptor."""
        with contextlib.suppress(OSError):
            os.close(self.fd)
        self.fd = -1


def open_scanner(place: str) -> EventNode:
    """The keyboard at a path, or the one of a USB vendor and product, taken exclusively. Raises `DeviceError`."""
    wanted = BY_USB.fullmatch(place)
    node = EventNode(Path(place).resolve()) if wanted is None else _found(int(wanted[1], 16), int(wanted[2], 16), place)
    try:
        node.must_be_keyboard()
        node.take()
    except Exception:
        node.close()
        raise
    return node


def _found(vendor: int, product: int, place: str) -> EventNode:
    for path in sorted(NODES.glob("event*")):
        with contextlib.suppress(DeviceAbsent, HardwareFault):
            node = EventNode(path)
            if node.is_keyboard and (node.vendor, node.product) == (vendor, product):
                return node
            node.close()
    raise DeviceAbsent(f"no keyboard {place[4:]} is plugged in: plug the code scanner in, or correct its numbers")


def _unplugged() -> DeviceOffline:
    return DeviceOffline("the code scanner was unplugged: plug it in", "unplugged")
