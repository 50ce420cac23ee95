"""What a printer's account of a job means for the citizen: printed, failed, or uncertain."""

from __future__ import annotations

import hashlib
import re

from drivers.document_printer.ipp_client import JobView
from drivers.messages import PrintOutcome, PrintResult

NAME_PREFIX = "yizhan-"
PLAIN_ID = re.compile(r"[A-Za-z0-9._:-]{1,120}")
CANCELLED, ABORTED, COMPLETED = 7, 8, 9
REASONS = {
    "document-format-error": "document_refused",
    "unsupported-document-format": "document_refused",
    "document-unprintable-error": "document_refused",
    "document-password-error": "document_refused",
    "job-canceled-by-user": "cancelled",
    "job-canceled-by-operator": "cancelled",
    "job-canceled-at-device": "cancelled",
}


def job_name(job_id: str) -> str:
    """The name of a job in the printer's queue, by which it is found again after a crash; never a personal value."""
    safe = job_id if PLAIN_ID.fullmatch(job_id) else hashlib.sha256(job_id.encode()).hexdigest()
    return NAME_PREFIX + safe


def outcome_of(job_id: str, job: JobView, obstacle: str = "") -> PrintResult:
    """`obstacle` is the printer's fault at the time: it names the reason when the job's own account does not."""
    outcome, reason = _judge(job, obstacle)
    return PrintResult(
        job_id=job_id,
        outcome=outcome,
        reason=reason,
        pages_printed=job.impressions_completed or (0 if outcome is PrintOutcome.FAILED else None),
        printer_job_id=str(job.number),
    )


def uncertain(job_id: str, reason: str, number: int | None = None) -> PrintResult:
    printer_job_id = str(number) if number else None
    return PrintResult(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason=reason, printer_job_id=printer_job_id)


def failed(job_id: str, reason: str) -> PrintResult:
    """Nothing was sent, or the printer refused it."""
    return PrintResult(job_id=job_id, outcome=PrintOutcome.FAILED, reason=reason, pages_printed=0)


def _judge(job: JobView, obstacle: str) -> tuple[PrintOutcome, str]:
    done = job.impressions_completed
    if job.state == COMPLETED:
        if "job-completed-with-errors" in job.reasons or (done and job.impressions and done < job.impressions):
            return PrintOutcome.UNCERTAIN, obstacle or "incomplete"
        return PrintOutcome.PRINTED, ""
    if not job.is_final:
        return PrintOutcome.UNCERTAIN, obstacle or "still_printing"
    if done and job.impressions and done >= job.impressions * job.copies:
        return PrintOutcome.PRINTED, ""  # taken back too late: every page is out
    stated = next((REASONS[reason] for reason in job.reasons if reason in REASONS), "")
    reason = obstacle or stated or ("cancelled" if job.state == CANCELLED else "aborted")
    if done == 0 or (done is None and not job.was_processed):
        return PrintOutcome.FAILED, reason
    return PrintOutcome.UNCERTAIN, reason
