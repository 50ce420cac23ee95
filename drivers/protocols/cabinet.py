"""The cabinet around the screen (device-classes C.11)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from drivers.messages import CabinetEvent, Flash, Readings
from drivers.protocols.common import Device


class Cabinet(Device, Protocol):
    """Doors, lights, sensors, power. What is not fitted raises `Unsupported` (`not_fitted`)."""

    async def set_light(self, position: str, flash: Flash, colour: str = "white") -> None:
        """The light beside a device: `position` is a part named in the features as light_POSITION."""
        ...

    async def unlock(self, door: str, token: str) -> None:
        """Open a door for somebody the centre has sent. Raises `MediaError` (`token_invalid`)."""
        ...

    async def set_fan(self, percent: int) -> None: ...

    async def readings(self) -> Readings:
        """What the sensors measure now."""
        ...

    def watch(self) -> AsyncGenerator[CabinetEvent, None]:
        """Every change of a part, until the caller leaves the iteration; the present state of each part first."""
        ...
