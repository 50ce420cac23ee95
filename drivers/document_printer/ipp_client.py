"""A small IPP client (RFC 8011) over HTTP: seven operations, bounded answers, honest about what was sent.

Errors
  Unreachable   nothing was sent: refused connection, no route, untrusted certificate
  AnswerLost    something was sent, and no whole answer came: what the printer did is not known
  Refused       the printer answered, and said no
"""

from __future__ import annotations

import hashlib
import http.client
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from drivers.document_printer.ipp_codec import (
    MOST_BYTES,
    Attributes,
    Group,
    IppMessage,
    Malformed,
    Tag,
    Value,
    decode,
    encode,
    integer,
    keyword,
    name,
    number_of,
    uri,
    words_of,
)

PRINT_JOB = 0x0002
VALIDATE_JOB = 0x0004
CANCEL_JOB = 0x0008
GET_JOB_ATTRIBUTES = 0x0009
GET_JOBS = 0x000A
GET_PRINTER_ATTRIBUTES = 0x000B

FIRST_ERROR_STATUS = 0x0400
NOT_FOUND = 0x0406
NOT_POSSIBLE = 0x0404
NOT_SUPPORTED = 0x0501
SERVICE_UNAVAILABLE, VERSION_NOT_SUPPORTED, NOT_ACCEPTING_JOBS, BUSY = 0x0502, 0x0503, 0x0506, 0x0507
VERSIONS = ((2, 0), (1, 1))
DEFAULT_PORT = 631
LEAST_SECONDS = 0.2
CONNECT_SECONDS = 4.0
ANSWER_SECONDS = 10.0  # a sleeping printer wakes up first
POLL_ANSWER_SECONDS = 2.0
UPLOAD_SECONDS = 60.0
A4 = (21_000, 29_700)  # hundredths of a millimetre
JOB_ATTRIBUTES = (
    "job-id", "job-name", "job-state", "job-state-reasons", "job-impressions", "job-impressions-completed",
    "job-originating-user-name", "time-at-processing", "copies",
)  # fmt: skip
PRINTER_ATTRIBUTES = (
    "printer-state", "printer-state-reasons", "printer-is-accepting-jobs", "printer-make-and-model",
    "printer-firmware-string-version", "printer-device-id", "document-format-supported", "sides-supported",
    "color-supported", "media-supported", "operations-supported", "printer-supply", "pages-per-minute", "media-ready",
    "printer-input-tray",
    "pwg-raster-document-resolution-supported", "pwg-raster-document-sheet-back",
    "pwg-raster-document-type-supported", "printer-resolution-supported", "device-uri",
)  # fmt: skip


class Unreachable(Exception):
    """Nothing was sent."""


class AnswerLost(Exception):
    """Sent, and no whole answer came."""


class Refused(Exception):
    """The printer said no: `status` is its IPP status code, or an HTTP one below 600."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status:#06x}")
        self.status = status

    @property
    def is_for_now(self) -> bool:
        """The printer takes no job at all at the moment, whatever it is."""
        return self.status in (SERVICE_UNAVAILABLE, NOT_ACCEPTING_JOBS, BUSY)


@dataclass(frozen=True)
class JobView:
    """What the printer says of one job (RFC 8011 section 5.3). `impressions` is of one copy, `…_completed` of all.

    `was_processed` is false only when the printer says so: one that does not tell may have begun.
    """

    number: int
    name: str
    state: int
    reasons: tuple[str, ...]
    impressions: int | None
    impressions_completed: int | None
    user: str
    was_processed: bool
    copies: int

    @property
    def is_final(self) -> bool:
        return self.state >= 7


def read_job(attributes: Attributes) -> JobView:
    return JobView(
        number=number_of(attributes, "job-id") or 0,
        name=next(iter(words_of(attributes, "job-name")), ""),
        state=number_of(attributes, "job-state") or 0,
        reasons=words_of(attributes, "job-state-reasons"),
        impressions=number_of(attributes, "job-impressions"),
        impressions_completed=number_of(attributes, "job-impressions-completed"),
        user=next(iter(words_of(attributes, "job-originating-user-name")), ""),
        was_processed="time-at-processing" not in attributes or number_of(attributes, "time-at-processing") is not None,
        copies=number_of(attributes, "copies") or 1,
    )


class IppClient:
    """Blocking; one connection per request, so that a half-dead one is never reused."""

    def __init__(
        self, address: str, user_name: str, *, ca_file: str | None = None, certificate_sha256: str | None = None
    ) -> None:
        parts = urlsplit(address)
        self.is_usable = parts.scheme in ("ipp", "ipps") and parts.hostname is not None
        self._secure = parts.scheme == "ipps"
        self._host = parts.hostname or ""
        self._port = parts.port or DEFAULT_PORT
        self._path = parts.path or "/ipp/print"
        self._uri = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._user_name = user_name
        self._ca_file = ca_file
        self._pin = certificate_sha256.replace(":", "").lower() if certificate_sha256 else None
        self._numbers = itertools.count(1)
        self._version = VERSIONS[0]
        self._limits = threading.local()
        self._under_way: set[http.client.HTTPConnection] = set()

    @contextmanager
    def within(self, ends_at: float) -> Iterator[None]:
        """No request of this thread outlives that moment (`time.monotonic`) by more than `LEAST_SECONDS`."""
        before = getattr(self._limits, "ends_at", None)
        self.hurry(ends_at)
        try:
            yield
        finally:
            self._limits.ends_at = before

    def hurry(self, ends_at: float) -> None:
        """From now on this thread has less time."""
        self._limits.ends_at = ends_at

    def interrupt(self) -> None:
        """Cut what is under way, from any thread: its answer is lost."""
        for connection in tuple(self._under_way):
            _cut(connection)

    def _bounded(self, seconds: float) -> float:
        ends_at: float | None = getattr(self._limits, "ends_at", None)
        return seconds if ends_at is None else max(LEAST_SECONDS, min(seconds, ends_at - time.monotonic()))

    # --- operations ------------------------------------------------------------------------------------------------

    def printer(self, seconds: float = ANSWER_SECONDS) -> Attributes:
        wanted = {"requested-attributes": keyword(*PRINTER_ATTRIBUTES)}
        return self._request(GET_PRINTER_ATTRIBUTES, wanted, seconds=seconds).group(Tag.PRINTER)

    def validate(self, job_name: str, mime: str, template: Attributes) -> None:
        """Raises `Refused` when the printer would not take such a job."""
        self._request(VALIDATE_JOB, _naming(job_name, mime), template)

    def submit(self, job_name: str, mime: str, template: Attributes, document: bytes) -> JobView:
        """Print-Job. After `AnswerLost` the printer may have the job."""
        answer = self._request(PRINT_JOB, _naming(job_name, mime), template, document, UPLOAD_SECONDS)
        return read_job(answer.group(Tag.JOB))

    def job(self, number: int) -> JobView | None:
        """None when the printer does not know this number (any more)."""
        try:
            answer = self._request(
                GET_JOB_ATTRIBUTES,
                {"job-id": integer(number), "requested-attributes": keyword(*JOB_ATTRIBUTES)},
                seconds=POLL_ANSWER_SECONDS,
            )
        except Refused as refusal:
            if refusal.status == NOT_FOUND:
                return None
            raise
        return read_job(answer.group(Tag.JOB))

    def jobs(self, which: str) -> list[JobView]:
        """`which`: completed or not-completed. Empty when the printer keeps no list."""
        wanted = {"limit": integer(500), "requested-attributes": keyword(*JOB_ATTRIBUTES), "which-jobs": keyword(which)}
        try:
            answer = self._request(GET_JOBS, wanted)
        except Refused as refusal:
            if refusal.status == NOT_SUPPORTED:
                return []
            raise
        return [read_job(group.attributes) for group in answer.groups if group.tag == Tag.JOB]

    def cancel(self, number: int, *, purge: bool = False) -> None:
        """Idempotent: a job that is finished or unknown stays so. `purge` (CUPS): forget document and history too."""
        wanted: Attributes = {"job-id": integer(number)}
        if purge:
            wanted["purge-job"] = (Value(Tag.BOOLEAN, True),)
        try:
            self._request(CANCEL_JOB, wanted, seconds=POLL_ANSWER_SECONDS)
        except Refused as refusal:
            if refusal.status not in (NOT_FOUND, NOT_POSSIBLE):
                raise

    # --- transfer --------------------------------------------------------------------------------------------------

    def _request(
        self,
        operation: int,
        attributes: Attributes,
        template: Attributes | None = None,
        document: bytes = b"",
        seconds: float = ANSWER_SECONDS,
    ) -> IppMessage:
        try:
            return self._ask(operation, attributes, template, document, seconds)
        except Refused as refusal:
            if refusal.status != VERSION_NOT_SUPPORTED or self._version == VERSIONS[-1]:
                raise
            self._version = VERSIONS[-1]
            return self._ask(operation, attributes, template, document, seconds)

    def _ask(
        self, operation: int, attributes: Attributes, template: Attributes | None, document: bytes, seconds: float
    ) -> IppMessage:
        number = next(self._numbers)
        fixed: Attributes = {
            "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),
            "attributes-natural-language": (Value(Tag.LANGUAGE, "en"),),
            "printer-uri": uri(self._uri),
        }
        # RFC 8011 4.1.5: the target comes third, a job's number beside its printer
        target = {key: attributes[key] for key in ("job-id",) if key in attributes}
        groups = [Group(Tag.OPERATION, fixed | target | {"requesting-user-name": name(self._user_name)} | attributes)]
        if template:
            groups.append(Group(Tag.JOB, template))
        asked = IppMessage(operation, number, tuple(groups), version=self._version)
        answer = self._exchange(encode(asked) + document, seconds)
        if answer.request_id != number:
            raise AnswerLost("the answer belongs to another request")
        if answer.code >= FIRST_ERROR_STATUS:
            raise Refused(answer.code)
        return answer

    def _exchange(self, body: bytes, seconds: float) -> IppMessage:
        connection = self._connect()
        watchdog = threading.Timer(self._bounded(seconds), _cut, (connection,))
        watchdog.daemon = True
        watchdog.start()
        self._under_way.add(connection)
        try:
            connection.request("POST", self._path, body, {"Content-Type": "application/ipp", "Connection": "close"})
            response = connection.getresponse()
            if response.status != http.client.OK:
                if 400 <= response.status < 500:
                    raise Refused(response.status)
                raise AnswerLost("the printer's HTTP server failed")
            return decode(response.read(MOST_BYTES + 1))
        except (OSError, http.client.HTTPException, Malformed, ValueError) as error:
            raise AnswerLost("no whole answer") from error
        finally:
            watchdog.cancel()
            self._under_way.discard(connection)
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if not self.is_usable:
            raise Unreachable("the address must be ipp://host or ipps://host")
        patience = self._bounded(CONNECT_SECONDS)
        try:
            if not self._secure:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=patience)
            else:
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=patience, context=self._trust()
                )
            connection.connect()
            self._check_pin(connection)
        except (OSError, ValueError) as error:
            raise Unreachable("no connection") from error
        connection.sock.settimeout(ANSWER_SECONDS)
        return connection

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._ca_file)
        if self._pin:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # the pin is checked instead, before anything is sent
        return context

    def _check_pin(self, connection: http.client.HTTPConnection) -> None:
        if self._pin is None or not isinstance(connection.sock, ssl.SSLSocket):
            return
        certificate = connection.sock.getpeercert(binary_form=True) or b""
        if hashlib.sha256(certificate).hexdigest() != self._pin:
            connection.close()
            raise ValueError("the printer's certificate is not the pinned one")


def _cut(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _naming(job_name: str, mime: str) -> Attributes:
    return {"job-name": name(job_name), "document-format": (Value(Tag.MIME, mime),)}


def a4_template(copies: int, sides: str) -> Attributes:
    """Job attributes: A4 said explicitly (many printers default to US Letter)."""
    size = {"x-dimension": integer(A4[0]), "y-dimension": integer(A4[1])}
    return {
        "copies": integer(copies),
        "sides": keyword(sides),
        "media-col": (Value(Tag.COLLECTION, {"media-size": (Value(Tag.COLLECTION, size),)}),),
    }
