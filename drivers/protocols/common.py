"""What every device can do, and the peer that plays one (device-classes C.0)."""

from __future__ import annotations

from typing import Protocol

from drivers.messages import Capabilities, DeviceStatus


class Device(Protocol):
    """Common to every class (device-classes C.0)."""

    async def capabilities(self) -> Capabilities:
        """What this device can do. Does not move paper or touch a card."""
        ...

    async def status(self) -> DeviceStatus:
        """The state now. Never raises for a device that is merely broken: that is what a status says."""
        ...

    async def wipe(self) -> None:
        """Forget everything about the citizen: buffers, photos, templates, unprinted jobs. Idempotent."""
        ...

    async def close(self) -> None:
        """Release the hardware. Idempotent."""
        ...


class Simulator(Protocol):
    """The peer of a driver: speaks the device's own protocol on the other end of the wire (DESIGN 1.2).

    `drivers/<class>/simulator.py` holds one class per model, constructed with keyword options (all strings). A shipped
    terminal contains none.
    """

    faults: frozenset[str]
    """Names `order("fault", name)` understands."""

    async def start(self) -> str:
        """Begin to serve; the address a driver opens (a pty path, `socket://…`, `ipp://…`)."""
        ...

    async def order(self, verb: str, argument: str = "") -> str:
        """Change the world: `place CARD`, `remove`, `fault NAME`, `clear` … A short answer, or `ValueError`."""
        ...

    async def stop(self) -> None: ...
