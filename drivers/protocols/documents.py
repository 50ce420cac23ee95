"""Papers before a camera, on a glass, in a feeder (device-classes C.6)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from drivers.messages import Corners, MachineReadableZone, Preview, ScannedPage, ScanOrder, ScanProgress
from drivers.protocols.common import Device


class DocumentScanner(Device, Protocol):
    """Overhead camera, flatbed or feeder (device-classes C.6)."""

    def preview(self) -> AsyncGenerator[Preview, None]:
        """Pictures of what lies under the camera, until the caller leaves the iteration."""
        ...

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        """One sharp page. Raises `MediaError` (`too_blurred`, `too_dark`, `no_media`) when it is not usable."""
        ...

    async def crop(self, corners: Corners, *, timeout_seconds: float = 10.0) -> ScannedPage:
        """The last capture's picture again, cut at corners a person has set. Raises `Unsupported`, `MediaError`."""
        ...

    async def read_zone(self, *, timeout_seconds: float = 20.0) -> MachineReadableZone:
        """What the machine-readable zone of a travel document says; the picture of it does not leave the device.

        Offered where the capabilities name the feature `reads_zone`. Raises what `capture` raises, and `MediaError`:
        `zone_not_found` (another side, another paper), `zone_unreadable` (its check digits do not hold: blurred, worn,
        light on it).
        """
        ...

    def scan(
        self, order: ScanOrder, *, timeout_seconds: float = 120.0
    ) -> AsyncGenerator[ScanProgress | ScannedPage, None]:
        """Every page of the source, each announced and then handed over.

        Raises `MediaError` (`no_media`, `multiple_feed`), `NeedsAttention` (`media_jammed`, `cover_open`) and
        `Unsupported`.
        """
        ...
