"""Printed is said only when the paper moved (device-classes B.2): shown by a witness who takes the paper away."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable

from drivers.bench.conformance import Bench, Broken, NotTried, check
from drivers.bench.conformance.printers import can_confirm, sample_page
from drivers.errors import DeviceError
from drivers.messages import DeviceClass, DocumentJob, PrintJob, PrintOutcome, PrintResult, TextLine

SHORT_SECONDS = 6.0
PRINT_SECONDS = 60.0
FIT_SECONDS = 20.0
NO_PAPER = ("paper_out", "media_empty")
ENDS_IN_THE_JOB = ("paper_out_mid_job", "media_empty_mid_job")
SENTENCE = "printed is said only when the paper moved"

Print = Callable[[float], Awaitable[PrintResult]]


@check(SENTENCE, DeviceClass.RECEIPT_PRINTER)
async def slip(bench: Bench) -> str:
    async def one(limit: float) -> PrintResult:
        job = PrintJob(job_id=_job_id(), lines=tuple(TextLine(text=f"检测凭条 test slip {line}") for line in range(12)))
        result: PrintResult = await bench.proxy.print_receipt(job, timeout_seconds=limit)
        return result

    return await _only_when_it_moved(bench, one)


@check(SENTENCE, DeviceClass.DOCUMENT_PRINTER)
async def page(bench: Bench) -> str:
    async def one(limit: float) -> PrintResult:
        pdf = sample_page()
        job = DocumentJob(job_id=_job_id(), title="check", pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest())
        try:
            result: PrintResult = await bench.proxy.print_document(job, timeout_seconds=limit)
        finally:
            await bench.proxy.cancel_job(job.job_id)  # nothing may come out later, when there is paper again
        return result

    return await _only_when_it_moved(bench, one)


async def _only_when_it_moved(bench: Bench, one: Print) -> str:
    witness = bench.witness
    if witness is None:
        raise NotTried("needs somebody who takes the paper away: --simulate, or --attended")
    if not bench.may_print:
        raise NotTried("allow paper with --print")
    endings = []
    for group in (NO_PAPER, ENDS_IN_THE_JOB):
        fault = next((name for name in group if witness.can("fault", name)), None)
        if fault is None or not await witness.order("fault", fault):
            continue
        try:
            ending = await _ending(one, SHORT_SECONDS)
        finally:
            cleared = await witness.order("clear")
        if ending == PrintOutcome.PRINTED:
            raise Broken(f"it said printed, and there was no paper ({fault})")
        endings.append(f"{fault}: {ending}")
        if not cleared:
            raise NotTried("the paper was not put back")
        await _until_fit(bench)
    if not endings:
        raise NotTried("nobody took the paper away")
    ending = await _ending(one, PRINT_SECONDS)
    if ending != (PrintOutcome.PRINTED if await can_confirm(bench) else PrintOutcome.UNCERTAIN):
        raise Broken(f"with paper it ended {ending}")
    return "; ".join(endings)


async def _ending(one: Print, limit: float) -> str:
    try:
        return (await one(limit)).outcome
    except DeviceError as error:
        return f"{error.kind}/{error.reason}"


async def _until_fit(bench: Bench) -> None:
    deadline = time.monotonic() + FIT_SECONDS
    while not (await bench.device.status()).is_fit:
        if time.monotonic() > deadline:
            raise Broken(f"with paper again it is not fit within {FIT_SECONDS:g} s")
        await asyncio.sleep(0.1)


def _job_id() -> str:
    return f"check-{secrets.token_hex(6)}"
