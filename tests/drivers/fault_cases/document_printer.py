"""What befalls a document printer, and the queue before one (device-classes C.5)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
from functools import cache, partial
from typing import Any

from PIL import Image

from drivers.document_printer.cups_simulator import is_installed
from drivers.messages import DeviceState, DocumentJob, FaultAction
from tests.drivers.fault_cases.case import FaultCase

PRINT_SECONDS = 3.0
QUEUE_SECONDS = 6.0
UNDER_WAY_SECONDS = 0.8


@cache
def _pdf() -> bytes:
    sheets = [Image.new("1", (210, 297), 1) for _ in range(2)]
    buffer = io.BytesIO()
    sheets[0].save(buffer, "PDF", save_all=True, append_images=sheets[1:])
    return buffer.getvalue()


async def _print(printer: Any, seconds: float = PRINT_SECONDS) -> object:
    job = DocumentJob(job_id=uuid.uuid4().hex, pdf=_pdf(), sha256=hashlib.sha256(_pdf()).hexdigest())
    return await printer.print_document(job, timeout_seconds=seconds)


async def _print_as_the_session_ends(printer: Any) -> object:
    """A late attempt: the session is over before the page has come."""
    printing = asyncio.create_task(_print(printer, 30.0))
    await asyncio.sleep(UNDER_WAY_SECONDS)
    await printer.wipe()
    return await printing


_case = partial(FaultCase, "document_printer/ipp", deed=_print)
_obstacle = partial(_case, device=DeviceState.USER_ERROR, action=FaultAction.CLEAR)
_part = partial(_case, device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE)
_unheard = partial(
    _case, device=DeviceState.OFFLINE, code="disconnected", action=FaultAction.CLEAR,
    parts={"spooler": "unreachable", "paper": "unknown"},
)  # fmt: skip
_queue = partial(
    FaultCase, "document_printer/cups", deed=partial(_print, seconds=QUEUE_SECONDS),
    unplayable="" if is_installed() else "a private CUPS server needs root and cups-daemon",
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (
    _obstacle("media_empty", completion="failed/paper_out", code="paper_out", parts={"paper": "out"}),
    _obstacle("wrong_media", completion="failed/wrong_media", code="wrong_media", parts={"paper": "out"}),
    _case("media_low", completion="done", code="paper_low", action=FaultAction.CLEAR, parts={"paper": "low"}),
    _case("toner_low", completion="done", code="toner_low", action=FaultAction.MAINTENANCE, parts={"toner": "low"}),
    _part("toner_empty", completion="failed/toner_out", code="toner_out", parts={"toner": "out"}),
    _part("waste_full", completion="failed/waste_full", code="waste_full"),
    _case("jam", completion="failed/media_jammed"),
    _case("cover_open", completion="failed/cover_open"),
    _case("media_empty_mid_job", completion="uncertain/paper_out"),
    _case("slow", completion="failed/timed_out"),
    _case("slow", deed=_print_as_the_session_ends, completion="uncertain/cancelled"),
    _case("abort", completion="failed/aborted"),
    _unheard("offline", completion="failed/disconnected"),
    _unheard("unplug_mid_job", completion="uncertain/disconnected"),
    _queue("jam", completion="uncertain/media_jammed", parts={"paper": "unknown"}),
    _queue("media_empty_mid_job", completion="uncertain/paper_out", parts={"paper": "unknown"}),
    _queue("offline", completion="uncertain/timed_out", device=DeviceState.BUSY, parts={"spooler": "ok"}),
    _queue("slow", deed=_print_as_the_session_ends, completion="uncertain/cancelled"),
    _queue(
        "queue_paused", completion="failed/spooler_stalled", code="spooler_stalled", device=DeviceState.USER_ERROR,
        action=FaultAction.CONFIGURATION, parts={"spooler": "stalled"},
    ),
    _queue(
        "queue_rejects", completion="failed/offline", code="offline", device=DeviceState.OFFLINE,
        action=FaultAction.CLEAR, parts={"paper": "unknown"},
    ),
)  # fmt: skip
