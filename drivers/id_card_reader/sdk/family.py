"""What both families of vendor libraries can do, in one form; the codes of each stay in its own file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from drivers.errors import DeviceAbsent, HardwareFault

USB_PORTS: Final = range(1001, 1017)
"""Both families number USB readers so (domain.md 2.2, 2.3)."""


class CardBytes(NamedTuple):
    """What the chip holds: 256 bytes of text, up to 1,024 of photo (empty when the reader gave none)."""

    text: bytes
    photo: bytes


class VendorReader(Protocol):
    """One reader behind a library. Every call blocks and may hang or crash; codes nobody knows are failures.

    Raises `DeviceAbsent` when there is no reader, `DeviceOffline` when it left, `HardwareFault` when it or the library
    is broken, `MediaError` when the card failed.
    """

    features: frozenset[str]
    """Of `sam_id`, `new_address`, `presence`."""

    def open(self, ports: range) -> None: ...

    def close(self) -> None: ...

    def check(self) -> None:
        """Is the reader there and fit?"""
        ...

    def sam_id(self) -> str | None: ...

    def approach(self) -> bool:
        """Find and select. False when no card lies there."""
        ...

    def read(self) -> CardBytes: ...

    def new_address(self) -> bytes | None:
        """70 bytes, None when there is none."""
        ...

    def is_present(self) -> bool:
        """A card lies there, even one that was read."""
        ...

    def wipe(self) -> None: ...


def unknown_code(call: str, code: int) -> HardwareFault:
    return HardwareFault(f"{call} returned {code}, which nobody knows", "unknown_status")


def first_port(ports: range, opens: Callable[[int], bool]) -> int:
    """The first port with a reader. Raises `DeviceAbsent`."""
    for port in ports:
        if opens(port):
            return port
    raise DeviceAbsent(f"the vendor's library finds no reader on port {_named(ports)}: plug it in, or correct the port")


def _named(ports: range) -> str:
    return str(ports[0]) if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"
