"""Driver for A4 printers that speak IPP, on the network or behind ipp-usb (device-classes C.5).

They get the PDF itself when they take it, else pictures of its pages (PWG Raster), which every certified printer takes.

A job is followed to its end. Its name in the printer's queue is made from the caller's `job_id`, so that it is found
again after a crash and is never sent twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pydantic import Field

from drivers.document_printer.ipp_client import (
    POLL_ANSWER_SECONDS,
    AnswerLost,
    IppClient,
    JobView,
    Refused,
    Unreachable,
    a4_template,
)
from drivers.document_printer.ipp_codec import Attributes, words_of
from drivers.document_printer.ipp_health import DISCONNECTED, MISCONFIGURED, FaultBook, PrinterHealth, read_health
from drivers.document_printer.job_outcomes import NAME_PREFIX, failed, job_name, outcome_of, uncertain
from drivers.document_printer.pages import PDF, Form, Unprintable, form_for, in_form
from drivers.errors import MediaError
from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceStatus,
    DocumentJob,
    Message,
    PrintOutcome,
    PrintResult,
)

REMEMBERED_JOBS = 512
POLL_SECONDS = 0.25
CANCEL_SECONDS = 8.0  # of the caller's time, to hear how a job ends that was taken back
CANCEL_SHARE = 0.25
OVERTIME_SECONDS = 0.5
STOP_SECONDS = 1.0
FIND_SECONDS = 8.0
STATUS_SECONDS = 1.8
CAPABILITIES_SECONDS = 4.0
PURGE_SECONDS = 2.5
SEARCH_SECONDS = 3.0

T = TypeVar("T")


class IppOptions(Message):
    """Facts of this machine's document printer."""

    address: str = Field(description="ipp://host[:port]/path or ipps://host[:port]/path")
    user_name: str = Field(default="yizhan", description="owner of our jobs in the printer's queue")
    ca_file: str | None = Field(default=None, description="for ipps: certificates to trust beside the system's")
    certificate_sha256: str | None = Field(default=None, description="for ipps: the one certificate to accept, in hex")


class IppPrinter:
    """Implements `drivers.protocols.DocumentPrinter`. Requests run on worker threads; one job at a time."""

    Options: type[IppOptions] = IppOptions
    driver = "document_printer/ipp"

    def __init__(self, options: IppOptions) -> None:
        self._client = IppClient(
            options.address,
            options.user_name,
            ca_file=options.ca_file,
            certificate_sha256=options.certificate_sha256,
        )
        self._user_name = options.user_name
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._results: OrderedDict[str, PrintResult] = OrderedDict()
        self._open: dict[str, int | None] = {}
        """Jobs sent and not known to have ended, with the printer's number where it is known."""
        self._faults = FaultBook()

    # --- the device ------------------------------------------------------------------------------------------------

    async def capabilities(self) -> Capabilities:
        attributes = await asyncio.to_thread(self._attributes)
        self._seen(attributes)
        device_id = dict(
            pair.partition(":")[::2] for pair in "".join(words_of(attributes, "printer-device-id")).split(";")
        )
        features = {"a4", "job_tracking_printer", "backchannel_ipp"}
        form = form_for(attributes)
        if form is not None:
            features.add("pdf" if form.mime == PDF else "pwg_raster")
        if any(side.startswith("two-sided") for side in words_of(attributes, "sides-supported")):
            features.add("two_sided")
        if any(value.content is True for value in attributes.get("color-supported", ())):
            features.add("colour")
        return Capabilities(
            device_class=DeviceClass.DOCUMENT_PRINTER,
            driver=self.driver,
            version="2",
            vendor=device_id.get("MFG") or device_id.get("MANUFACTURER"),
            model=next(iter(words_of(attributes, "printer-make-and-model")), None),
            serial=device_id.get("SN") or device_id.get("SERN"),
            firmware=next(iter(words_of(attributes, "printer-firmware-string-version")), None),
            status_source="polled",
            poll_safe_in_motion=True,
            cancellable=frozenset({"print_document"}),
            features=frozenset(features),
        )

    def _attributes(self) -> Attributes:
        with suppress(Unreachable, AnswerLost, Refused), self._client.within(time.monotonic() + CAPABILITIES_SECONDS):
            return self._client.printer()
        return {}

    async def status(self) -> DeviceStatus:
        return await asyncio.to_thread(self._status)

    def _status(self) -> DeviceStatus:
        if not self._client.is_usable:
            return self._faults.status(MISCONFIGURED)
        try:
            with self._client.within(time.monotonic() + STATUS_SECONDS):
                return self._faults.status(self._health(self._client.printer(POLL_ANSWER_SECONDS)))
        except (Unreachable, AnswerLost, Refused):
            return self._faults.status(DISCONNECTED)

    async def wipe(self) -> None:
        """Cancel whatever of ours the printer still holds: no job may outlive its session."""
        self._stop.set()
        await self._soon(PURGE_SECONDS, self._purge)

    async def close(self) -> None:
        self._stop.set()

    # --- jobs ------------------------------------------------------------------------------------------------------

    async def print_document(self, job: DocumentJob, *, timeout_seconds: float = 120.0) -> PrintResult:
        """Print and follow to the end. The same `job_id` again never prints: it is looked up in the printer.

        Raises `MediaError` (`hash_mismatch`) before anything is sent. A job that failed before it was sent may be
        tried again under its id.
        """
        if hashlib.sha256(job.pdf).hexdigest() != job.sha256.lower():
            raise MediaError("document printer: the document is not the one that was to be printed", "hash_mismatch")
        stop = threading.Event()
        deadline = time.monotonic() + timeout_seconds
        return await _in_thread(lambda: self._print(job, deadline, stop), stop, self._client.interrupt)

    async def find_job(self, job_id: str, printer_job_id: str | None) -> PrintResult:
        return await self._soon(FIND_SECONDS, lambda: self._find_result(job_id, printer_job_id))

    async def cancel_job(self, job_id: str) -> None:
        await self._soon(FIND_SECONDS, lambda: self._cancel(job_id))

    async def _soon(self, seconds: float, work: Callable[[], T]) -> T:
        def bounded() -> T:
            with self._client.within(time.monotonic() + seconds):
                return work()

        return await asyncio.to_thread(bounded)

    # --- on worker threads -----------------------------------------------------------------------------------------

    def _print(self, job: DocumentJob, deadline: float, stop: threading.Event) -> PrintResult:
        with self._lock, self._client.within(deadline + OVERTIME_SECONDS):
            self._stop = stop
            known = self._results.get(job.job_id)
            if known is not None and known.outcome is not PrintOutcome.UNCERTAIN:
                return known
            result = self._send(job, deadline, stop, sent_before=known is not None)
            was_sent = known is not None or result.printer_job_id is not None
            return self._remember(result) if was_sent or result.outcome is not PrintOutcome.FAILED else result

    def _send(self, job: DocumentJob, deadline: float, stop: threading.Event, *, sent_before: bool) -> PrintResult:
        name = job_name(job.job_id)
        try:
            attributes = self._client.printer()
            earlier = self._search(name)
            if earlier is not None:
                return self._follow(job.job_id, earlier, deadline, stop)
            if sent_before:
                return self._results[job.job_id]
            form = form_for(attributes)
            refusal = "format_unsupported" if form is None else self._why_not(attributes)
            template = a4_template(job.copies, _sides(attributes, two_sided=job.two_sided))
            if form is not None and not refusal:
                self._client.validate(name, form.mime, template)
        except Refused as error:
            refusal = _why_refused(error)
        except (Unreachable, AnswerLost):
            refusal = "disconnected"
        if not refusal and (stop.is_set() or time.monotonic() >= deadline):
            refusal = "cancelled" if stop.is_set() else "timed_out"
        if refusal or form is None:
            return self._results.get(job.job_id) or failed(job.job_id, refusal)
        return self._submit(job, form, template, deadline, stop)

    def _submit(
        self, job: DocumentJob, form: Form, template: Attributes, deadline: float, stop: threading.Event
    ) -> PrintResult:
        name = job_name(job.job_id)
        try:
            document = in_form(job.pdf, form, two_sided=job.two_sided)
        except Unprintable:
            return failed(job.job_id, "document_refused")
        if stop.is_set() or time.monotonic() >= deadline:
            return failed(job.job_id, "cancelled" if stop.is_set() else "timed_out")
        self._open[job.job_id] = None
        try:
            view = self._client.submit(name, form.mime, template, document)
        except (Refused, Unreachable) as error:
            self._open.pop(job.job_id, None)
            return failed(job.job_id, _why_refused(error) if isinstance(error, Refused) else "disconnected")
        except AnswerLost:
            found = self._search_patiently(name, min(deadline, time.monotonic() + SEARCH_SECONDS))
            if found is None:
                return uncertain(job.job_id, "disconnected")
            view = found
        return self._follow(job.job_id, view, deadline, stop)

    def _follow(self, job_id: str, job: JobView, deadline: float, stop: threading.Event) -> PrintResult:
        """Until the printer says that the job has ended; before the limit it is taken back, and its end awaited."""
        self._open[job_id] = job.number
        limit = deadline + OVERTIME_SECONDS
        take_back_at = deadline - min(CANCEL_SECONDS, CANCEL_SHARE * max(0.0, deadline - time.monotonic()))
        taken_back, reason, unheard = False, "", False
        self._client.hurry(take_back_at)
        while not job.is_final:
            now = time.monotonic()
            if not taken_back and (stop.is_set() or now >= take_back_at):
                taken_back = True
                limit = now + STOP_SECONDS if stop.is_set() else limit
                self._client.hurry(limit)
                reason = self._take_back(job.number, stop)
            elif taken_back and now >= limit:
                return uncertain(job_id, "disconnected" if unheard else reason, job.number)
            _pause(stop if not taken_back else None)
            unheard = True
            with suppress(AnswerLost, Refused, Unreachable):
                seen = self._client.job(job.number)
                if seen is None or seen.name != job_name(job_id):
                    return uncertain(job_id, "job_unknown", job.number)
                job, unheard = seen, False
        self._open.pop(job_id, None)
        return self._outcome(job_id, job, reason)

    def _take_back(self, number: int, stop: threading.Event) -> str:
        """Cancel; why it had to be."""
        reason = "cancelled" if stop.is_set() else self._obstacle() or "timed_out"
        with suppress(Unreachable, AnswerLost, Refused):
            self._client.cancel(number)
        return reason

    def _find_result(self, job_id: str, printer_job_id: str | None) -> PrintResult:
        known = self._results.get(job_id)
        if known is not None and known.outcome is not PrintOutcome.UNCERTAIN:
            return known
        number = int(printer_job_id) if printer_job_id and printer_job_id.isdecimal() else self._open.get(job_id)
        try:
            job = self._client.job(number) if number else None
            if job is None or job.name != job_name(job_id):  # numbers begin anew when a printer restarts
                job = self._search(job_name(job_id))
        except (Unreachable, AnswerLost, Refused):
            return uncertain(job_id, "disconnected", number)
        if job is None:
            return uncertain(job_id, known.reason if known else "job_unknown", number)
        if job.is_final:
            self._open.pop(job_id, None)
        else:
            self._open[job_id] = job.number
        return self._remember(self._outcome(job_id, job, "" if job.is_final else self._obstacle()))

    def _cancel(self, job_id: str) -> None:
        number = self._open.get(job_id)
        with suppress(Unreachable, AnswerLost, Refused):
            if number is None:
                job = self._search(job_name(job_id))
                number = job.number if job and not job.is_final else None
            if number is not None:
                self._client.cancel(number)

    def _purge(self) -> None:
        with suppress(Unreachable, AnswerLost, Refused):
            for job in self._client.jobs("not-completed"):
                if job.name.startswith(NAME_PREFIX) and job.user == self._user_name:
                    self._client.cancel(job.number)
            self._open.clear()

    def _search(self, name: str) -> JobView | None:
        """The job of that name, unfinished ones first. Raises as the client does."""
        for which in ("not-completed", "completed"):
            for job in self._client.jobs(which):
                if job.name == name:
                    return job
        return None

    def _search_patiently(self, name: str, deadline: float) -> JobView | None:
        while True:
            with suppress(Unreachable, AnswerLost, Refused):
                found = self._search(name)
                if found is not None:
                    return found
            if time.monotonic() >= deadline:
                return None
            _pause(None)

    def _obstacle(self) -> str:
        with suppress(Unreachable, AnswerLost, Refused):
            return self._health(self._client.printer(POLL_ANSWER_SECONDS)).obstacle
        return "disconnected"

    # --- what another kind of IPP printer sees otherwise -------------------------------------------------------------

    def _seen(self, attributes: Attributes) -> None:
        """Note what the printer says of itself."""

    def _health(self, attributes: Attributes) -> PrinterHealth:
        return read_health(attributes)

    def _why_not(self, attributes: Attributes) -> str:
        """The code that forbids sending now; empty when nothing does."""
        return self._health(attributes).obstacle

    def _outcome(self, job_id: str, job: JobView, obstacle: str) -> PrintResult:
        return outcome_of(job_id, job, obstacle)

    def _remember(self, result: PrintResult) -> PrintResult:
        self._results[result.job_id] = result
        while len(self._results) > REMEMBERED_JOBS:
            self._results.popitem(last=False)
        return result


def _why_refused(refusal: Refused) -> str:
    return "offline" if refusal.is_for_now else "document_refused"


def _sides(attributes: Attributes, *, two_sided: bool) -> str:
    wanted = "two-sided-long-edge" if two_sided else "one-sided"
    return wanted if wanted in words_of(attributes, "sides-supported") else "one-sided"


def _pause(stop: threading.Event | None) -> None:
    if stop is None:
        time.sleep(POLL_SECONDS)
    else:
        stop.wait(POLL_SECONDS)


async def _in_thread(work: Callable[[], T], stop: threading.Event, interrupt: Callable[[], None]) -> T:
    """Run blocking work; when the task is cancelled, tell the work to stop and wait until it has."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        stop.set()
        interrupt()
        await asyncio.wait({running})
        raise
