"""A driver, its unit and an invented permit, for one scene."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.card_rewriter.chip import BODY_AT, SLOT_BYTES, Slot, parse_head, parse_slot
from drivers.card_rewriter.serial_rewriter import SerialRewriter
from drivers.card_rewriter.simulator import RewriterSimulator
from drivers.card_rewriter.simulator.cards import PermitCard
from drivers.messages import Endorsement, RewriteJob

JOB = RewriteJob(
    job_id="job-1",
    card_number="C00000001",
    endorsement=Endorsement(kind="T", valid_from=dt.date(1931, 1, 1), valid_until=dt.date(1931, 6, 30)),
    print_lines=("往来台湾签注", "1931-01-01 至 1931-06-30", "一次有效"),
    token=b"sample token",
)


@asynccontextmanager
async def rewriter_with(
    card: str = "lin", *faults: str, state: Path | None = None
) -> AsyncIterator[tuple[SerialRewriter, RewriterSimulator]]:
    peer = RewriterSimulator(card=card, state=str(state or ""))
    rewriter = SerialRewriter(SerialRewriter.Options(port=await peer.start()))
    try:
        for fault in faults:
            await peer.order("fault", fault)
        yield rewriter, peer
    finally:
        await rewriter.close()
        await peer.stop()


def chip_of(card: PermitCard) -> Slot:
    """What is valid on the chip, read without any driver."""
    slots = []
    for index in (0, 1):
        start = index * SLOT_BYTES
        head = parse_head(bytes(card.chip[start : start + BODY_AT]))
        if head is not None:
            body = bytes(card.chip[start + BODY_AT : start + BODY_AT + head.size])
            slots.append(parse_slot(index, head, body))
    return max((slot for slot in slots if slot is not None), key=lambda slot: slot.count)


def endorsed(card: PermitCard, job: RewriteJob = JOB) -> int:
    """How often a job stands on the chip."""
    return chip_of(card).state.jobs.count(job.job_id)
