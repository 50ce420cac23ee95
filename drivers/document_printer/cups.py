"""Driver for A4 printers that need their vendor's driver: a queue of the local CUPS server, spoken to by IPP (C.5).

A queue is believed less than a printer (measured with CUPS 2.4): it repeats reasons of jobs long gone, counts the pages
its filters made as pages printed, invents what lies in the trays, and has no word for a printer that is switched off.
So reasons count only while a job is under way, pages never, and a job that began and did not complete is `uncertain`.
"""

from __future__ import annotations

import time
from contextlib import suppress
from urllib.parse import urlsplit

from pydantic import Field

from drivers.document_printer.ipp import IppOptions, IppPrinter
from drivers.document_printer.ipp_client import (
    POLL_ANSWER_SECONDS,
    AnswerLost,
    IppClient,
    JobView,
    Refused,
    Unreachable,
)
from drivers.document_printer.ipp_codec import Attributes, number_of, words_of
from drivers.document_printer.ipp_health import (
    DISCONNECTED,
    PROCESSING,
    QUEUE_REASONS,
    UNKNOWN_PARTS,
    PrinterHealth,
    read_health,
)
from drivers.document_printer.job_outcomes import COMPLETED, NAME_PREFIX, failed, outcome_of, uncertain
from drivers.messages import Capabilities, PrintOutcome, PrintResult

DEVICE_SECONDS = 1.0
FOLLOWING_BACKENDS = frozenset({"ipp", "ipps"})
"""They stay with a job until the printer itself says it has ended; the others end when the bytes are gone."""


class CupsOptions(IppOptions):
    """Facts of this machine's print queue."""

    address: str = Field(description="ipp://localhost:631/printers/QUEUE")
    device_address: str | None = Field(
        default=None, description="ipp://… of the printer itself, where it answers: its health is read there"
    )
    completed_is_printed: bool = Field(
        default=False, description="true only for a queue whose backend waits until the paper is out"
    )


class CupsPrinter(IppPrinter):
    """Implements `drivers.protocols.DocumentPrinter`."""

    Options = CupsOptions
    driver = "document_printer/cups"

    def __init__(self, options: CupsOptions) -> None:
        super().__init__(options)
        self._device = IppClient(options.device_address, options.user_name) if options.device_address else None
        self._follows: bool | None = True if options.completed_is_printed else None
        """Whether the queue's backend stays until the paper is out; None: not asked yet."""
        self._stale: frozenset[str] = frozenset()
        """Reasons that the queue gave while it did nothing: of earlier jobs, and not believed in the next either."""

    async def capabilities(self) -> Capabilities:
        said = await super().capabilities()
        left_out = {"job_tracking_printer", "backchannel_ipp"}
        features = {*(said.features - left_out), "print_queue"}
        features.add("job_tracking_printer" if self._follows else "job_tracking_spooler")
        return said.model_copy(
            update={
                "features": frozenset(features | ({"backchannel_ipp"} if self._device else set())),
                "status_source": "polled" if self._device else "inferred",
            }
        )

    def _seen(self, attributes: Attributes) -> None:
        if self._follows is None:
            scheme = urlsplit(next(iter(words_of(attributes, "device-uri")), "")).scheme
            self._follows = scheme in FOLLOWING_BACKENDS if scheme else None

    def _health(self, attributes: Attributes) -> PrinterHealth:
        """The queue's own state, and the printer's as far as it can be known."""
        reasons = frozenset(words_of(attributes, "printer-state-reasons"))
        is_working = number_of(attributes, "printer-state") == PROCESSING
        if not is_working:
            self._stale = reasons - QUEUE_REASONS
        believed = _with_reasons(attributes, reasons - self._stale)
        queue = read_health({name: value for name, value in believed.items() if name != "media-ready"})
        if queue.obstacle and not is_working:
            return PrinterHealth(queue.state, UNKNOWN_PARTS | {"spooler": queue.parts["spooler"]}, queue.found)
        if self._device is not None:
            return self._device_health(self._device, queue)
        known = {meaning.part: meaning.state for meaning, _ in queue.found if meaning.part}
        return PrinterHealth(queue.state, UNKNOWN_PARTS | {"spooler": "ok"} | known, queue.found)

    @staticmethod
    def _device_health(device: IppClient, queue: PrinterHealth) -> PrinterHealth:
        try:
            with device.within(time.monotonic() + DEVICE_SECONDS):
                said = read_health(device.printer(POLL_ANSWER_SECONDS))
        except (Unreachable, AnswerLost, Refused):
            return DISCONNECTED
        return PrinterHealth(said.state, said.parts | {"spooler": queue.parts["spooler"]}, said.found)

    def _outcome(self, job_id: str, job: JobView, obstacle: str) -> PrintResult:
        if not job.is_final:
            return uncertain(job_id, obstacle or "still_printing", job.number)
        if job.state != COMPLETED and not job.was_processed:
            return failed(job_id, obstacle or "cancelled").model_copy(update={"printer_job_id": str(job.number)})
        result = outcome_of(job_id, job, obstacle)
        if result.outcome is PrintOutcome.PRINTED and job.state == COMPLETED:
            return result if self._is_followed() else uncertain(job_id, "not_confirmed", job.number)
        return uncertain(job_id, result.reason or "cancelled", job.number)

    def _is_followed(self) -> bool:
        if self._follows is None:
            with suppress(Unreachable, AnswerLost, Refused):
                self._seen(self._client.printer(POLL_ANSWER_SECONDS))
        return bool(self._follows)

    def _purge(self) -> None:
        """A queue keeps documents of jobs long ended, for a day if nobody says otherwise: ours go, ended or not."""
        with suppress(Unreachable, AnswerLost, Refused):
            for which in ("not-completed", "completed"):
                for job in self._client.jobs(which):
                    if job.name.startswith(NAME_PREFIX) and job.user == self._user_name:
                        self._client.cancel(job.number, purge=True)
            self._open.clear()


def _with_reasons(attributes: Attributes, kept: frozenset[str]) -> Attributes:
    values = attributes.get("printer-state-reasons", ())
    return attributes | {"printer-state-reasons": tuple(value for value in values if value.content in kept)}
