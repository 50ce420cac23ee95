"""Printers of receipts and of documents (device-classes C.4, C.5)."""

from __future__ import annotations

from typing import Protocol

from drivers.messages import DocumentJob, PrintJob, PrintResult
from drivers.protocols.common import Device


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
