"""Taking a journal in: durable first, acknowledged after (DESIGN 2.3).

One transaction holds the batch's exact bytes, the head and the searchable facts. The same batch twice is stored once
and answered the same. A gap is 409 with the number expected. The same number with other content is a fork: the batch is
kept in quarantine and alarmed; the stored chain stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session, col

from fleet_server.database import Database, now
from fleet_server.journal.facts import extract
from fleet_server.journal.models import JournalHead, JournalSegment, Quarantine
from fleet_server.journal.reading import ChainBroken, ReceivedBatch, entries_in, read_batch
from fleet_server.problems import ProblemError
from fleet_server.security import Director, TerminalIdentity
from fleet_server.security.director import sign_value
from kiosk.contracts.events import GENESIS
from kiosk.contracts.fleet import JournalAcknowledgement, JournalReceipt
from kiosk.contracts.value import sha256_hex

MAXIMUM_QUARANTINED = 50
"""Different contradicting batches kept per journal; the alarm is given by the first."""


@dataclass(frozen=True)
class _Contradiction:
    kind: str
    sequence: int
    stored_hash: str
    received_hash: str
    detail: str


def take_in(
    database: Database,
    director: Director,
    terminal: TerminalIdentity,
    *,
    journal_id: str,
    content: bytes,
    encoding: str,
) -> JournalReceipt:
    """Check, store, commit, and only then sign the receipt."""
    try:
        batch = read_batch(content, encoding, journal_id=journal_id, public_key=terminal.public_key)
    except ChainBroken as error:
        broken = _Contradiction("broken", error.sequence, "", "", str(error))
        with database.writing() as session:
            _quarantine(session, terminal, journal_id, broken, content=content, encoding=encoding)
        raise ProblemError(422, "chain_broken", str(error), sequence=error.sequence) from error
    with database.writing() as session:
        outcome = _store(session, terminal, batch)
        if isinstance(outcome, _Contradiction):
            _quarantine(session, terminal, journal_id, outcome, content=content, encoding=encoding)
    if isinstance(outcome, _Contradiction):
        raise ProblemError(409, outcome.kind, outcome.detail, sequence=outcome.sequence)
    return signed_receipt(director, outcome)


def acknowledgement(session: Session, terminal: str, journal_id: str) -> JournalAcknowledgement | None:
    """What is durable of this journal; repeated in every heartbeat's answer."""
    head = session.get(JournalHead, journal_id)
    if head is None or head.terminal != terminal:
        return None
    return JournalAcknowledgement(journal_id=journal_id, acked_sequence=head.head_sequence, acked_hash=head.head_hash)


def settle(session: Session, quarantine: int, *, by: str) -> Quarantine:
    """A person has looked at it: the alarm ends, the row stays."""
    row = session.get(Quarantine, quarantine)
    if row is None:
        raise ProblemError(404, "no_quarantine", "nothing is set aside under this number")
    row.settled_by, row.settled_at = by, now()
    return row


def _store(session: Session, terminal: TerminalIdentity, batch: ReceivedBatch) -> JournalReceipt | _Contradiction:
    head = session.get(JournalHead, batch.journal_id, with_for_update=True)
    if head is None:
        if batch.first != 1:
            raise _gap(1)
        if batch.entries[0].get("event") != "journal_opened":
            return _Contradiction("not_opened", 1, "", batch.entries[0]["hash"], "a journal begins with journal_opened")
        head = _opened(session, terminal.terminal, batch.journal_id)
    if head.terminal != terminal.terminal:
        return _Contradiction(
            "other_terminal", batch.first, "", batch.entries[0]["hash"], "this journal belongs to another terminal"
        )
    if batch.first > head.head_sequence + 1:
        raise _gap(head.head_sequence + 1)
    fork = _fork(session, head, batch)
    if fork is not None:
        return fork
    fresh = [entry for entry in batch.entries if entry["sequence"] > head.head_sequence]
    if fresh:
        _append(session, terminal, head, batch, fresh)
    return JournalReceipt(
        journal_id=head.journal_id, acked_sequence=head.head_sequence, acked_hash=head.head_hash,
        stored_at=head.stored_at, key_id="", signature="",
    )  # fmt: skip


def _opened(session: Session, terminal: str, journal_id: str) -> JournalHead:
    """The head of a new journal, locked; when another upload opened it in the same moment, the one it made."""
    database: Database = session.info["database"]
    insert = sqlite_insert if database.is_sqlite else postgresql_insert
    row = insert(JournalHead).values(
        journal_id=journal_id, terminal=terminal, head_sequence=0, head_hash=GENESIS, stored_at=now(), opened_at=now()
    )
    session.execute(row.on_conflict_do_nothing())
    return session.get_one(JournalHead, journal_id, with_for_update=True)


def _append(
    session: Session,
    terminal: TerminalIdentity,
    head: JournalHead,
    batch: ReceivedBatch,
    fresh: list[dict[str, Any]],
) -> None:
    stored_at = now()
    session.add(
        JournalSegment(
            journal_id=batch.journal_id,
            first_sequence=head.head_sequence + 1,
            last_sequence=batch.last,
            batch_first=batch.first,
            head_hash=batch.entries[-1]["hash"],
            encoding=batch.encoding,
            content=batch.content,
            evidence=terminal.evidence,
            received_at=stored_at,
        )
    )
    head.head_sequence, head.head_hash, head.stored_at = batch.last, batch.entries[-1]["hash"], stored_at
    extract(session, terminal.terminal, batch.journal_id, fresh)


def _fork(session: Session, head: JournalHead, batch: ReceivedBatch) -> _Contradiction | None:
    """Compare what the batch repeats with what is stored, and the first new entry with the stored head."""
    overlapping = [entry for entry in batch.entries if entry["sequence"] <= head.head_sequence]
    if overlapping:
        stored = stored_hashes(session, head.journal_id, batch.first, overlapping[-1]["sequence"])
        for entry in overlapping:
            if stored[entry["sequence"]] != entry["hash"]:
                return _Contradiction(
                    "fork", entry["sequence"], stored[entry["sequence"]], entry["hash"],
                    "this number is stored with other content",
                )  # fmt: skip
    elif batch.entries[0]["previous_hash"] != head.head_hash:
        return _Contradiction(
            "fork", head.head_sequence, head.head_hash, batch.entries[0]["previous_hash"],
            "this does not continue what is stored",
        )  # fmt: skip
    return None


def stored_hashes(session: Session, journal_id: str, first: int, last: int) -> dict[int, str]:
    return {entry["sequence"]: entry["hash"] for entry in stored_entries(session, journal_id, first, last)}


def stored_entries(session: Session, journal_id: str, first: int, last: int) -> list[dict[str, Any]]:
    """Entries `first` to `last` out of the stored bytes."""
    return [
        entry
        for segment in segments(session, journal_id, first, last)
        for entry in entries_in(segment.content, segment.encoding)
        if max(first, segment.first_sequence) <= entry["sequence"] <= min(last, segment.last_sequence)
    ]


def segments(session: Session, journal_id: str, first: int, last: int) -> list[JournalSegment]:
    query = (
        select(JournalSegment)
        .where(
            col(JournalSegment.journal_id) == journal_id,
            col(JournalSegment.last_sequence) >= first,
            col(JournalSegment.first_sequence) <= last,
        )
        .order_by(col(JournalSegment.last_sequence))
    )
    return list(session.scalars(query))


def _quarantine(
    session: Session, terminal: TerminalIdentity, journal_id: str, why: _Contradiction, *, content: bytes, encoding: str
) -> None:
    """Once per different batch, however often it is sent."""
    digest = sha256_hex(content)
    known = session.scalars(
        select(col(Quarantine.content_sha256)).where(
            col(Quarantine.journal_id) == journal_id, col(Quarantine.terminal) == terminal.terminal
        )
    ).all()
    if digest in known or len(known) >= MAXIMUM_QUARANTINED:
        return
    session.add(
        Quarantine(
            journal_id=journal_id,
            terminal=terminal.terminal,
            kind=why.kind,
            sequence=why.sequence,
            stored_hash=why.stored_hash,
            received_hash=why.received_hash,
            content_sha256=digest,
            encoding=encoding,
            content=content,
            evidence=terminal.evidence,
            received_at=now(),
        )
    )


def _gap(expected: int) -> ProblemError:
    return ProblemError(409, "gap", f"the next entry expected is {expected}", expected_sequence=expected)


def signed_receipt(director: Director, receipt: JournalReceipt) -> JournalReceipt:
    receipt = receipt.model_copy(update={"key_id": director.key_id})
    content = receipt.model_dump(mode="json", exclude={"signature"})
    return receipt.model_copy(update={"signature": sign_value(director, content)})
