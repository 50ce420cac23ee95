"""What a network scanner says about itself over eSCL (Mopria eSCL 2.97, ScannerStatus): feeder, cover, busy or broken.

SANE has no such question. Read by searching for the few words that matter: no XML parser meets what a network sends.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

LONGEST_ANSWER = 64 * 1024
ANSWER_SECONDS = 1.4
_STATE = re.compile(rb"<(?:[A-Za-z]{1,16}:)?State>\s*([A-Za-z]{1,32})\s*<")
_FEEDER = re.compile(rb"<(?:[A-Za-z]{1,16}:)?AdfState>\s*([A-Za-z]{1,48})\s*<")
_END = re.compile(rb"</(?:[A-Za-z]{1,16}:)?ScannerStatus>")
"""Some keep the connection open whatever they are asked."""
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})")
FEEDER_WORDS = {
    b"ScannerAdfEmpty": "empty", b"ScannerAdfLoaded": "loaded", b"ScannerAdfProcessing": "loaded",
    b"ScannerAdfJam": "jammed", b"ScannerAdfMispick": "jammed", b"ScannerAdfMultipickDetected": "jammed",
}  # fmt: skip
FAULT_WORDS = {
    b"ScannerAdfJam": "media_jammed", b"ScannerAdfMispick": "media_jammed",
    b"ScannerAdfMultipickDetected": "multiple_feed", b"ScannerAdfHatchOpen": "cover_open",
    b"ScannerAdfDoorOpen": "cover_open", b"ScannerAdfCoverOpen": "cover_open",
}  # fmt: skip


@dataclass(frozen=True)
class EsclStatus:
    """`fault` is a code of sane_status.FAULTS or empty; `feeder` in the words of device-classes C.6."""

    fault: str = ""
    feeder: str = "unknown"
    cover: str = "unknown"


LOST = EsclStatus("scanner_lost")


def status_in(answer: bytes) -> EsclStatus:
    """Read an HTTP answer; whatever cannot be understood is a scanner that does not answer. Never raises."""
    head, _, body = answer[:LONGEST_ANSWER].partition(b"\r\n\r\n")
    line = _STATUS_LINE.match(head)
    if line is None:
        return LOST
    if line[1] == b"503":
        return EsclStatus("scanner_busy")
    state, feeder = _STATE.search(body), _FEEDER.search(body)
    if line[1] != b"200" or state is None:
        return LOST
    word = feeder[1] if feeder is not None else b""
    fault = FAULT_WORDS.get(word, "")
    if state[1] in (b"Stopped", b"Down"):
        fault = fault or "scanner_stopped"
    elif state[1] in (b"Processing", b"Testing"):
        fault = fault or "scanner_busy"
    cover = "open" if fault == "cover_open" else "unknown"
    return EsclStatus(fault, FEEDER_WORDS.get(word, "unknown" if word else "not_fitted"), cover)


async def ask(address: str) -> EsclStatus:
    """One question, one answer, within `ANSWER_SECONDS`. Never raises."""
    place = urlsplit(address)
    secure = place.scheme == "https"
    port = place.port or (443 if secure else 80)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(
                place.hostname, port, ssl=_own_certificate() if secure else None, limit=LONGEST_ANSWER
            )
            try:
                request = f"GET {place.path.rstrip('/')}/ScannerStatus HTTP/1.1\r\nHost: {place.netloc}\r\n"
                request += "Connection: close\r\n\r\n"
                writer.write(request.encode("ascii", "replace"))
                return status_in(await _all(reader))
            finally:
                writer.transport.abort()
    except TimeoutError:
        return EsclStatus("scanner_stalled")
    except (OSError, ValueError):
        return EsclStatus("scanner_absent")


async def _all(reader: asyncio.StreamReader) -> bytes:
    answer = bytearray()
    with contextlib.suppress(ConnectionError):
        while len(answer) < LONGEST_ANSWER and not _END.search(answer) and (chunk := await reader.read(8192)):
            answer += chunk
    return bytes(answer)


def _own_certificate() -> ssl.SSLContext:
    """Scanners sign their certificates themselves; the shop's network is what is trusted (Decision 7)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
