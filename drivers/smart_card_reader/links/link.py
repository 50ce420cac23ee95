"""The way to a card: one reader, looked at and spoken through. Two kinds exist, PC/SC and `apdu://`.

Blocking: a link belongs to one thread, only `interrupt` may come from another. Foreign errors are renamed in the links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from drivers.errors import DeviceError, DeviceOffline, MediaError

CONTACTLESS_ATR: Final = (0x80, 0x80, 0x01)
"""T0's upper half, TD1 and TD2 that PC/SC part 3, 3.1.3.2.3, gives to every contactless card."""


@dataclass(frozen=True)
class Look:
    """What the reader sees now. `answers` False: a card whose chip does not answer to a reset."""

    reader: str
    present: bool
    answers: bool = True
    atr: bytes = b""


NOTHING: Final = Look("", present=False)


class Chip(Protocol):
    """A powered chip, held by this program alone."""

    atr: bytes

    def transmit(self, apdu: bytes, seconds: float) -> bytes:
        """The answer with its status word; 61xx and 6Cxx are not followed.

        Raises `MediaError`: `removed`, `chip_silent`, `protocol_error`; `DeviceOffline`, `DeviceAbsent` for the reader.
        """
        ...

    def is_held(self) -> bool:
        """False when its card was taken away, or another program has reset it. Raises `DeviceError`."""
        ...

    def release(self) -> None:
        """Power it down, so that it forgets every PIN. Never raises."""
        ...


class Link(Protocol):
    def look(self, seconds: float) -> Look:
        """What is seen, at once when it is news, else after so many seconds. Raises `DeviceError`."""
        ...

    def connect(self, seconds: float) -> Chip:
        """Power the chip. Raises `MediaError` (`no_card`, `power_failed`, `protocol_error`), `DeviceBusy` …"""
        ...

    def interrupt(self) -> None:
        """End a look that waits. From any thread; never raises."""
        ...

    def close(self) -> None:
        """Never raises."""
        ...


def is_contactless(atr: bytes) -> bool:
    return len(atr) >= 4 and (atr[1] & 0xF0, atr[2], atr[3]) == CONTACTLESS_ATR


def no_card() -> MediaError:
    return MediaError("no card lies on the reader", "no_card")


def removed() -> MediaError:
    return MediaError("the card was taken away too early: place it again and leave it there", "removed")


def silent() -> MediaError:
    return MediaError("the chip stopped answering: take the card out and place it again", "chip_silent")


def no_power() -> MediaError:
    return MediaError("the chip does not answer: turn the card, or wipe its contacts", "power_failed")


def unplugged(reader: str) -> DeviceError:
    return DeviceOffline(f"the card reader {reader} was unplugged or its line was cut: plug it in", "unplugged")
