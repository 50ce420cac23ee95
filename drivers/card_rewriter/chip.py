"""What lies on the chip of a re-writable card, and how it is replaced so that no power loss can tear it.

The chip has two slots. The valid slot with the higher count is the card; a new state is written into the other one,
its body first and its head last. A head that was not written whole fails its check, and the card is what it was.
Layout of this project's own: a permit's true one belongs to its issuer.
"""

from __future__ import annotations

import datetime as dt
import json
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any, Final

from drivers.errors import MediaError
from drivers.messages import Endorsement, RewritableCard, RewriteJob

SLOT_BYTES: Final = 1024
SLOTS: Final = 2
CHIP_BYTES: Final = SLOT_BYTES * SLOTS
MAGIC: Final = b"YZEC"
HEAD: Final = struct.Struct(">4sIHI")
"""Magic, count, size of the body, CRC-32 over count, size and body."""
BODY_AT: Final = 16
LONGEST_JOB_ID: Final = 64


@dataclass(frozen=True)
class ChipState:
    """`jobs` are the job ids of `endorsements`, one each: what is among them is never written again."""

    card_number: str
    holder: str
    endorsements: tuple[Endorsement, ...] = ()
    jobs: tuple[str, ...] = ()
    print_pending: bool = False

    @property
    def last_job(self) -> str:
        return self.jobs[-1] if self.jobs else ""

    def as_card(self) -> RewritableCard:
        return RewritableCard(
            card_number=self.card_number,
            holder=self.holder,
            endorsements=self.endorsements,
            last_job_id=self.last_job,
            print_pending=self.print_pending,
        )

    def endorsed(self, job: RewriteJob) -> ChipState:
        return replace(
            self,
            endorsements=(*self.endorsements, job.endorsement),
            jobs=(*self.jobs, job.job_id),
            print_pending=True,
        )

    def printed(self) -> ChipState:
        return replace(self, print_pending=False)


@dataclass(frozen=True)
class Slot:
    """A valid slot. `index` 0 or 1."""

    index: int
    count: int
    state: ChipState


@dataclass(frozen=True)
class Head:
    count: int
    size: int
    check: int


def parse_head(data: bytes) -> Head | None:
    """None for a slot that was never written, or whose head makes no sense."""
    if len(data) < HEAD.size:
        return None
    magic, count, size, check = HEAD.unpack(data[: HEAD.size])
    return Head(count, size, check) if magic == MAGIC and 0 < size <= SLOT_BYTES - BODY_AT else None


def parse_slot(index: int, head: Head, body: bytes) -> Slot | None:
    """None when the check fails: it was being written when the power went."""
    if _check(head.count, body) != head.check:
        return None
    try:
        return Slot(index, head.count, _load(json.loads(body)))
    except (ValueError, KeyError, TypeError, IndexError):  # checked, and not of this layout
        raise MediaError("the chip holds something this unit does not know", "wrong_card_type") from None


def dump_slot(state: ChipState, count: int) -> tuple[bytes, bytes]:
    """Head and body. Raises `MediaError` (`chip_full`)."""
    body = json.dumps(_dump(state), ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > SLOT_BYTES - BODY_AT:
        raise MediaError("the chip has no room for another endorsement", "chip_full")
    return HEAD.pack(MAGIC, count, len(body), _check(count, body)).ljust(BODY_AT, b"\x00"), body


def _check(count: int, body: bytes) -> int:
    return zlib.crc32(struct.pack(">IH", count, len(body)) + body)


def _dump(state: ChipState) -> dict[str, Any]:
    endorsements = [
        [item.kind, item.valid_from.isoformat(), item.valid_until.isoformat(), item.journeys, job]
        for item, job in zip(state.endorsements, state.jobs, strict=True)
    ]
    return {"n": state.card_number, "h": state.holder, "e": endorsements, "p": int(state.print_pending)}


def _load(tree: dict[str, Any]) -> ChipState:
    endorsements = tuple(
        Endorsement(
            kind=kind,
            valid_from=dt.date.fromisoformat(valid_from),
            valid_until=dt.date.fromisoformat(valid_until),
            journeys=journeys,
        )
        for kind, valid_from, valid_until, journeys, _ in tree["e"]
    )
    jobs = tuple(str(item[4]) for item in tree["e"])
    return ChipState(str(tree["n"]), str(tree["h"]), endorsements, jobs, bool(tree["p"]))
