"""What a device can do, as async protocols. Blocking vendor code lives in the device's own process (drivers.host).

Every command may raise `DeviceError` (drivers.errors); limits are seconds. A command that runs longer than its limit
ends with `CommandTimedOut`; a cancelled asyncio task cancels the command in the device.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from drivers.messages import (
    Capabilities,
    DeviceStatus,
    DocumentJob,
    FaceProgress,
    FaceVerdict,
    IdCard,
    Preview,
    PrintJob,
    PrintResult,
    ScannedPage,
)


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


class IdCardReader(Device, Protocol):
    """Resident identity card reader (domain.md section 1; device-classes C.1)."""

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        """Wait for a card and read it.

        Raises `CommandTimedOut` when none came, `MediaError` when it could not be read (reason `read_failed`,
        `moved_too_soon`, `sam_auth_failed`, `wrong_card_type` …), `HardwareFault` when the module refuses work.
        """
        ...

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        """Return when no card lies on the reader (three misses in a row)."""
        ...

    async def decode_photo(self, photo: bytes) -> bytes | None:
        """The portrait as a PNG, or None when no decoder for this form is configured (domain.md 1.8)."""
        ...


class FaceCheck(Device, Protocol):
    """Camera and comparison engine in one process: frames and templates never leave it (spike-face 4)."""

    def verify(
        self, *, reference_png: bytes, consent_id: str, head_turn: bool = True, timeout_seconds: float = 30.0
    ) -> AsyncGenerator[FaceProgress | Preview | FaceVerdict, None]:
        """Compare the person before the camera with a reference picture; the last item is the `FaceVerdict`.

        `consent_id` names the citizen's consent in the journal; an empty one raises `ConsentRequired`.
        Leaving the iteration early stops the camera and wipes the frames.
        """
        ...


class ReceiptPrinter(Device, Protocol):
    """Thermal slip printer (device-classes C.4)."""

    async def print_receipt(self, job: PrintJob, *, timeout_seconds: float = 20.0) -> PrintResult:
        """Print and cut. `printed` only when the printer itself says the job was processed."""
        ...


class DocumentPrinter(Device, Protocol):
    """A4 page printer (device-classes C.5)."""

    async def print_document(self, job: DocumentJob, *, timeout_seconds: float = 120.0) -> PrintResult:
        """Print and follow the job to its end. A time-out or a lost link after sending gives `uncertain`."""
        ...

    async def find_job(self, job_id: str, printer_job_id: str | None) -> PrintResult:
        """What became of a job sent earlier (before a crash): printed, failed, or still uncertain."""
        ...

    async def cancel_job(self, job_id: str) -> None:
        """Take back what is not yet on paper; nothing may outlive the session."""
        ...


class DocumentScanner(Device, Protocol):
    """Overhead camera, flatbed or feeder (device-classes C.6)."""

    def preview(self) -> AsyncGenerator[Preview, None]:
        """Pictures of what lies under the camera, until the caller leaves the iteration."""
        ...

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        """One sharp page. Raises `MediaError` (`too_blurred`, `too_dark`, `no_media`) when it is not usable."""
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
