"""The two devices that write cards, in one shape: a permit's rewriter and the social-security card's reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from drivers.messages import (
    DeviceClass,
    Endorsement,
    RecordWrite,
    RewriteJob,
    RewriteOutcome,
    RewriteResult,
    WriteOutcome,
)
from drivers.protocols import CardRewriter, SmartCardReader
from kiosk.contracts.effect_steps import CardRecord, PermitJob, SocialSecurityJob

_OUTCOMES: dict[RewriteOutcome, Literal["written", "print_pending", "failed", "uncertain"]] = {
    RewriteOutcome.COMPLETED: "written",
    RewriteOutcome.PRINT_PENDING: "print_pending",
    RewriteOutcome.FAILED: "failed",
    RewriteOutcome.UNCERTAIN: "uncertain",
}


@dataclass(frozen=True)
class Written:
    """`failed`: the card holds what it held before. `uncertain`: it must be read before anything else."""

    job_id: str
    outcome: Literal["written", "print_pending", "failed", "uncertain"]
    reason: str = ""


class CardWriter(Protocol):
    device_class: DeviceClass
    insert_word: str

    async def inserted(self, timeout_seconds: float) -> bool:
        """Wait for a card; False when it is not the one the job is for. Raises `DeviceError`."""
        ...

    async def write(self, job_id: str) -> Written: ...

    async def find(self, job_id: str) -> Written:
        """What became of a write, read from the card. Changes nothing."""
        ...

    async def hand_back(self) -> None: ...

    async def removed(self, timeout_seconds: float) -> None: ...


class PermitWriter:
    """The chip is written once per job id, whatever happens; a print that failed is told, never repaid by a write."""

    device_class = DeviceClass.CARD_REWRITER
    insert_word = "card_insert_permit"

    def __init__(self, rewriter: CardRewriter, job: PermitJob) -> None:
        self._rewriter = rewriter
        self._job = job

    async def inserted(self, timeout_seconds: float) -> bool:
        card = await self._rewriter.read_card(timeout_seconds=timeout_seconds)
        return card.card_number == self._job.card_number

    async def write(self, job_id: str) -> Written:
        return _written(await self._rewriter.rewrite(self._rewrite_job(job_id)))

    async def find(self, job_id: str) -> Written:
        return _written(await self._rewriter.find_rewrite(self._rewrite_job(job_id)))

    async def hand_back(self) -> None:
        await self._rewriter.eject()

    async def removed(self, timeout_seconds: float) -> None:
        await self._rewriter.wait_removal(timeout_seconds=timeout_seconds)

    def _rewrite_job(self, job_id: str) -> RewriteJob:
        job = self._job
        endorsement = Endorsement(
            kind=job.kind, valid_from=job.valid_from, valid_until=job.valid_until, journeys=job.journeys
        )
        return RewriteJob(
            job_id=job_id, card_number=job.card_number, endorsement=endorsement, print_lines=job.print_lines,
            token=job.token,
        )  # fmt: skip


def _written(result: RewriteResult) -> Written:
    return Written(result.job_id, _OUTCOMES[result.outcome], result.reason)


class SocialSecurityWriter:
    """Record by record, each under an id of its own; what an earlier try wrote is found on the card and left alone."""

    device_class = DeviceClass.SMART_CARD_READER
    insert_word = "card_insert_social_security"

    def __init__(self, reader: SmartCardReader, job: SocialSecurityJob) -> None:
        self._reader = reader
        self._job = job

    async def inserted(self, timeout_seconds: float) -> bool:
        await self._reader.wait_card(timeout_seconds=timeout_seconds)
        profile = await self._reader.read_profile()
        return profile.identification_code.upper() == self._job.identification_code

    async def write(self, job_id: str) -> Written:
        for index, record in enumerate(self._job.records):
            result = await self._reader.write_record(self._record_write(job_id, index, record))
            if result.outcome is not WriteOutcome.WRITTEN:
                is_failed = result.outcome is WriteOutcome.FAILED and index == 0
                return Written(job_id, "failed" if is_failed else "uncertain", result.reason)
        return Written(job_id, "written")

    async def find(self, job_id: str) -> Written:
        """Written when every record is. A job cut in its middle is finished: its later records were never begun."""
        for index, record in enumerate(self._job.records):
            write = self._record_write(job_id, index, record)
            result = await self._reader.find_write(write)
            if result.outcome is WriteOutcome.FAILED and index:
                result = await self._reader.write_record(write)
            if result.outcome is WriteOutcome.UNCERTAIN:
                return Written(job_id, "uncertain", result.reason)
            if result.outcome is WriteOutcome.FAILED:
                return Written(job_id, "uncertain" if index else "failed", result.reason)
        return Written(job_id, "written")

    async def hand_back(self) -> None:
        """The citizen pulls this card out."""

    async def removed(self, timeout_seconds: float) -> None:
        await self._reader.wait_removal(timeout_seconds=timeout_seconds)

    def _record_write(self, job_id: str, index: int, record: CardRecord) -> RecordWrite:
        return RecordWrite(
            write_id=f"{job_id}-{index}", file=record.file, record=record.record, value=bytes.fromhex(record.value),
            expected_before=bytes.fromhex(record.before) if record.before is not None else None,
            identification_code=self._job.identification_code,
        )  # fmt: skip
