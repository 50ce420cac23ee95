"""The inside of the simulated A4 printer: what ippeveprinter runs for every document it received.

Keeps the document, obeys the fault named in the control directory, reports pages and states on standard error, and ends
when the job is cancelled. Run as `python simulator_command.py CONTROL OUT FILE`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

POLL_SECONDS = 0.05
LONGEST_SECONDS = 300.0
STUCK = {
    "media_empty_mid_job": "media-empty",
    "media_empty": "media-empty",
    "jam": "media-jam",
    "cover_open": "cover-open",
}
ABORTED = 1


def is_raster(document: Path) -> bool:
    with document.open("rb") as opened:
        return opened.read(4) == b"RaS2"


def count_pages(document: Path) -> int:
    """Of a PDF, or of a PWG Raster document; 0 when it is neither."""
    if is_raster(document):
        from drivers.document_printer.simulator_raster import NotRaster, read_raster  # noqa: PLC0415

        try:
            return len(read_raster(document.read_bytes()))
        except NotRaster:
            return 0
    try:
        import pypdfium2  # noqa: PLC0415
    except ImportError:
        return max(1, len(re.findall(rb"/Type\s*/Page\b", document.read_bytes())))
    try:
        with pypdfium2.PdfDocument(document) as opened:  # type: ignore[no-untyped-call]
            return len(opened)
    except pypdfium2.PdfiumError:
        return 0


def report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def is_cancelled() -> bool:
    """Whether the printer was told to cancel this very job: asked of itself, by IPP."""
    from drivers.document_printer.ipp_client import AnswerLost, IppClient, Refused, Unreachable  # noqa: PLC0415

    try:
        job = IppClient(os.environ["IPP_JOB_PRINTER_URI"], "simulator").job(int(os.environ["IPP_JOB_ID"]))
    except (Unreachable, AnswerLost, Refused, KeyError):
        return True
    return job is None or job.is_final or "processing-to-stop-point" in job.reasons


def faults(control: Path) -> set[str]:
    return {entry.name for entry in control.iterdir()} if control.is_dir() else {"gone"}


def wait_out(control: Path, names: set[str], *, ask: bool = True) -> bool:
    """Until none of the faults is left: True. Cancelled (when that is asked), or the printer gone: False."""
    parent = os.getppid()
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        now = faults(control)
        if "gone" in now or os.getppid() != parent or (ask and is_cancelled()):
            return False
        if not now & names:
            return True
        time.sleep(POLL_SECONDS)
    return False


def main(control: Path, out: Path, document: Path) -> int:
    try:
        return print_document(control, out, document)
    finally:
        document.unlink(missing_ok=True)  # nothing stays in the spool


def print_document(control: Path, out: Path, document: Path) -> int:
    pages = count_pages(document)
    copies = int(os.environ.get("IPP_COPIES", "1"))
    sheets = pages * copies
    report(f"ATTR: job-impressions={pages} job-impressions-completed=0")
    now = faults(control)
    if "abort" in now or pages == 0:
        return ABORTED
    done = 1 if now & {"media_empty_mid_job", "unplug_mid_job"} and sheets > 1 else 0
    if done:
        report(f"ATTR: job-impressions-completed={done}")
    if "unplug_mid_job" in now:
        os.kill(os.getppid(), signal.SIGSTOP)  # no answer to anybody from now on
        if not wait_out(control, {"unplug_mid_job"}, ask=False):
            return 0
    for name in sorted(now & set(STUCK)):
        report(f"STATE: +{STUCK[name]}-error")
        freed = wait_out(control, {name})
        report(f"STATE: -{STUCK[name]}-error")
        if not freed:
            return 0
    if "slow" in now and not wait_out(control, {"slow"}):
        return 0
    suffix = ".pwg" if is_raster(document) else ".pdf"
    for target in {out / f"document{suffix}", out / f"document-{int(os.environ.get('IPP_JOB_ID', '0')):04d}{suffix}"}:
        part = target.with_suffix(".part")
        shutil.copyfile(document, part)
        part.replace(target)
    report(f"ATTR: job-impressions-completed={sheets} job-media-sheets-completed={sheets}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
