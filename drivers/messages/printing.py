"""Receipts and documents (device-classes C.4, C.5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from drivers.messages.common import ActResult, Message


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"


class TextLine(Message):
    kind: Literal["text"] = "text"
    text: str = Field(repr=False)
    align: Align = Align.LEFT
    scale: Literal[1, 2] = 1
    bold: bool = False


class PairLine(Message):
    """A label at the left and its value at the right; wraps when both do not fit."""

    kind: Literal["pair"] = "pair"
    label: str
    value: str = Field(repr=False)


class RuleLine(Message):
    kind: Literal["rule"] = "rule"


class SpaceLine(Message):
    kind: Literal["space"] = "space"
    millimetres: int = 3


class QrLine(Message):
    kind: Literal["qr"] = "qr"
    content: str = Field(repr=False)
    caption: str = ""


Line = Annotated[TextLine | PairLine | RuleLine | SpaceLine | QrLine, Field(discriminator="kind")]


class PrintJob(Message):
    """A receipt, independent of the printer. `job_id` is the caller's, kept on disk: the same id never prints twice."""

    job_id: str
    lines: tuple[Line, ...]


class DocumentJob(Message):
    """A sealed PDF to print on A4. The driver refuses bytes whose SHA-256 is not the one stated."""

    job_id: str
    title: str = Field(default="document", description="shown in the printer's queue: never a personal value")
    pdf: bytes = Field(repr=False)
    sha256: str
    copies: int = 1
    two_sided: bool = False

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class PrintOutcome(StrEnum):
    PRINTED = "printed"  # the printer said so
    FAILED = "failed"  # nothing came out
    UNCERTAIN = "uncertain"  # it may have: reconcile with find_job, never repeat


class PrintResult(ActResult):
    job_id: str
    outcome: PrintOutcome
    reason: str = Field(default="", description="error code of the class when not printed, for example paper_out")
    pages_printed: int | None = None
    printer_job_id: str | None = Field(
        default=None, description="the printer's own number of the job, to ask for later"
    )

    @classmethod
    def uncertain(cls, arguments: Mapping[str, Any], reason: str) -> Self:
        job = arguments.get("job")
        job_id = str(arguments["job_id"]) if "job_id" in arguments else str(job.job_id if job is not None else "")
        printer_job_id = arguments.get("printer_job_id")
        return cls(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason=reason, printer_job_id=printer_job_id)
