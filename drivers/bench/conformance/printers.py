"""What receipt and document printers must keep (device-classes C.4, C.5). Nothing is printed unless allowed."""

from __future__ import annotations

import hashlib
import secrets

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import DeviceError
from drivers.messages import Align, DeviceClass, DocumentJob, PrintJob, PrintOutcome, PrintResult, RuleLine, TextLine

RECEIPT = DeviceClass.RECEIPT_PRINTER
DOCUMENT = DeviceClass.DOCUMENT_PRINTER
PRINT_SECONDS = 30.0
PAGE_SECONDS = 120.0
LOOK_SECONDS = 10.0
CANNOT_KNOW = frozenset({"back_channel_partial", "back_channel_none", "job_tracking_spooler"})
"""Features of printers that cannot say whether paper came out."""


@check("a test slip is printed, once", RECEIPT)
async def slip(bench: Bench) -> str:
    if not bench.may_print:
        raise NotTried("allow paper with --print")
    job = PrintJob(
        job_id=f"check-{secrets.token_hex(6)}",
        lines=(
            TextLine(text="驿站 Yizhan", align=Align.CENTRE, scale=2),
            RuleLine(),
            TextLine(text="检测凭条 test slip"),
        ),
    )
    result, failure, taken = await ends_within(
        bench.proxy.print_receipt(job, timeout_seconds=PRINT_SECONDS), PRINT_SECONDS
    )
    confirms = await can_confirm(bench)
    _must_be_printed(result, failure, confirms=confirms)
    again, failure, taken_again = await ends_within(
        bench.proxy.print_receipt(job, timeout_seconds=PRINT_SECONDS), PRINT_SECONDS
    )
    _must_be_printed(again, failure, confirms=confirms)
    return f"printed in {taken:.1f} s; the same id again answered in {taken_again:.1f} s: see that one slip came out"


@check("a test page is printed", DOCUMENT)
async def page(bench: Bench) -> str:
    if not bench.may_print:
        raise NotTried("allow paper with --print")
    pdf = sample_page()
    job = DocumentJob(
        job_id=f"check-{secrets.token_hex(6)}", title="check", pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest()
    )
    result, failure, taken = await ends_within(
        bench.proxy.print_document(job, timeout_seconds=PAGE_SECONDS), PAGE_SECONDS
    )
    confirms = await can_confirm(bench)
    _must_be_printed(result, failure, confirms=confirms)
    found, failure, _ = await ends_within(bench.proxy.find_job(job.job_id, result.printer_job_id), LOOK_SECONDS)
    _must_be_printed(found, failure, confirms=confirms)
    return f"printed in {taken:.1f} s, and found again"


def sample_page() -> bytes:
    """One A4 page with one line, as ISO 32000-1 wants it: objects, cross-reference table, trailer."""
    text = b"BT /F1 24 Tf 72 720 Td (Yizhan test page) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
    ]
    pdf = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return pdf + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size, table, size, len(pdf),
    )  # fmt: skip


async def can_confirm(bench: Bench) -> bool:
    """Whether this printer can say that paper came out."""
    said = await bench.device.request("capabilities")
    return not CANNOT_KNOW & said.features


def _must_be_printed(result: PrintResult | None, failure: DeviceError | None, *, confirms: bool) -> None:
    """Printed; where the printer cannot know, uncertain, and never printed."""
    if failure is not None:
        raise failure
    outcome = result.outcome if result else "without result"
    if not confirms and outcome is PrintOutcome.PRINTED:
        raise Broken("it says printed, and of its printer that it cannot confirm: say uncertain, not_confirmed")
    if outcome is not (PrintOutcome.PRINTED if confirms else PrintOutcome.UNCERTAIN):
        raise Broken(f"it ended {outcome}: {result.reason if result else ''}")


@check("bytes that are not what they should be are refused", DOCUMENT)
async def hash_mismatch(bench: Bench) -> str:
    job = DocumentJob(job_id=f"check-{secrets.token_hex(6)}", pdf=b"%PDF-1.7\n%%EOF\n", sha256="0" * 64)
    result, failure, _ = await ends_within(
        bench.proxy.print_document(job, timeout_seconds=PRINT_SECONDS), PRINT_SECONDS
    )
    if failure is not None:
        return f"{failure.kind}/{failure.reason}"
    if result.outcome is not PrintOutcome.FAILED:
        raise Broken(f"a document with the wrong SHA-256 ended {result.outcome}")
    return f"failed, {result.reason}"


@check("a job nobody knows is answered plainly", DOCUMENT)
async def unknown_job(bench: Bench) -> str:
    job_id = f"check-{secrets.token_hex(6)}"
    result, failure, _ = await ends_within(bench.proxy.find_job(job_id, None), LOOK_SECONDS)
    if failure is not None:
        raise failure
    if result.outcome is PrintOutcome.PRINTED:
        raise Broken("it says printed of a job it never got")
    _, failure, _ = await ends_within(bench.proxy.cancel_job(job_id), LOOK_SECONDS)
    if failure is not None:
        raise failure
    return f"{result.outcome}; taking it back is no error"
