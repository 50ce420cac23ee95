"""What staff ask of the journal: transactions by number, one's timeline, its proof, and what is still missing."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlmodel import Session, col

from fleet_server.journal.models import (
    ChainProof,
    JournalHead,
    Lag,
    Quarantine,
    TimelineEntry,
    Transaction,
)
from fleet_server.journal.reading import ChainBroken, check_chain, decoded
from fleet_server.journal.service import segments, signed_receipt, stored_entries
from fleet_server.problems import ProblemError
from fleet_server.security import Director, TerminalKey
from fleet_server.terminals.models import TerminalStatus
from kiosk.contracts.bundle import verify_ed25519
from kiosk.contracts.errors import BadSignature
from kiosk.contracts.events import EVENTS
from kiosk.contracts.fleet import Checkpoint, JournalReceipt
from kiosk.contracts.value import canonical_bytes


def transactions(
    session: Session, *, number: str | None = None, terminal: str | None = None, matter: str | None = None,
    disposition: str | None = None, limit: int = 100, skip: int = 0,
) -> list[Transaction]:  # fmt: skip
    """Newest first; a number may be given by its beginning."""
    query = select(Transaction).order_by(col(Transaction.begun_at).desc()).limit(limit).offset(skip)
    if number:
        query = query.where(col(Transaction.number) >= number, col(Transaction.number) < number + "\U0010ffff")
    if terminal:
        query = query.where(col(Transaction.terminal) == terminal)
    if matter:
        query = query.where(col(Transaction.matter) == matter)
    if disposition:
        query = query.where(col(Transaction.disposition) == disposition)
    return list(session.scalars(query))


def find_transaction(session: Session, number: str, journal_id: str | None = None) -> Transaction:
    query = select(Transaction).where(col(Transaction.number) == number).order_by(col(Transaction.begun_at).desc())
    if journal_id is not None:
        query = query.where(col(Transaction.journal_id) == journal_id)
    row = session.scalars(query.limit(1)).first()
    if row is None:
        raise ProblemError(404, "no_transaction", "there is no transaction of this number")
    return row


def timeline(session: Session, row: Transaction) -> list[TimelineEntry]:
    """The entries of one transaction in order, out of the stored bytes."""
    entries = stored_entries(session, row.journal_id, row.first_sequence, row.last_sequence)
    return [_told(entry) for entry in entries if entry.get("transaction_number") == row.number]


def proof(session: Session, row: Transaction) -> ChainProof:
    """Recompute every link from the stored bytes, from this transaction's first entry to its last."""
    head = session.get_one(JournalHead, row.journal_id)
    entries = stored_entries(session, row.journal_id, row.first_sequence, row.last_sequence)
    broken_at = _broken_at(entries, row)
    last_segment = segments(session, row.journal_id, row.last_sequence, row.last_sequence)[-1]
    batch = msgspec.json.decode(decoded(last_segment.content, last_segment.encoding))
    checkpoint = Checkpoint.model_validate(batch["checkpoint"])
    if broken_at is None and not _is_signed(session, row.terminal, checkpoint):
        broken_at = checkpoint.sequence
    return ChainProof(
        journal_id=row.journal_id, terminal=row.terminal, first_sequence=row.first_sequence,
        last_sequence=row.last_sequence, hashes=[str(entry["hash"]) for entry in entries],
        previous_hash=str(entries[0]["previous_hash"]), head_sequence=head.head_sequence, head_hash=head.head_hash,
        stored_at=last_segment.received_at, checkpoint_signature=checkpoint.signature, is_whole=broken_at is None,
        broken_at=broken_at,
    )  # fmt: skip


def receipt(session: Session, director: Director, row: Transaction) -> JournalReceipt:
    """The server's word for the batch that brought this transaction's last entry, as the terminal was given it."""
    segment = segments(session, row.journal_id, row.last_sequence, row.last_sequence)[-1]
    given = JournalReceipt(
        journal_id=row.journal_id, acked_sequence=segment.last_sequence, acked_hash=segment.head_hash,
        stored_at=segment.received_at, key_id="", signature="",
    )  # fmt: skip
    return signed_receipt(director, given)


def endings_since(session: Session, moment: dt.datetime) -> dict[str, int]:
    """How many transactions begun since then ended how; those under way count as `open`."""
    query = (
        select(col(Transaction.disposition), func.count())
        .where(col(Transaction.begun_at) >= moment)
        .group_by(col(Transaction.disposition))
    )
    return {disposition or "open": count for disposition, count in session.execute(query).all()}


def lags(session: Session) -> list[Lag]:
    """Heard minus acknowledged, per terminal, greatest first."""
    heads = {head.journal_id: head for head in session.scalars(select(JournalHead))}
    found = []
    for status in session.scalars(select(TerminalStatus)):
        journal_id, heard = status.heartbeat["journal_id"], status.heartbeat["journal_sequence"]
        acknowledged = heads[journal_id].head_sequence if journal_id in heads else 0
        found.append(
            Lag(
                terminal=status.terminal,
                journal_id=journal_id,
                heard_sequence=heard,
                acknowledged_sequence=acknowledged,
                missing=max(0, heard - acknowledged),
                heard_at=status.heard_at,
            )
        )
    return sorted(found, key=lambda lag: -lag.missing)


def entry_count(session: Session) -> int:
    """Entries stored, of all journals."""
    return session.scalar(select(func.coalesce(func.sum(JournalHead.head_sequence), 0))) or 0


def transaction_count(session: Session) -> int:
    """Transactions known, of all journals."""
    return session.scalar(select(func.count()).select_from(Transaction)) or 0


def quarantined(session: Session, *, open_only: bool = True) -> list[Quarantine]:
    query = select(Quarantine).order_by(col(Quarantine.id).desc()).limit(200)
    if open_only:
        query = query.where(col(Quarantine.settled_at).is_(None))
    return list(session.scalars(query))


def _broken_at(entries: list[dict[str, Any]], row: Transaction) -> int | None:
    try:
        check_chain(entries, journal_id=row.journal_id, first=row.first_sequence)
    except ChainBroken as error:
        return error.sequence
    return None if len(entries) == row.last_sequence - row.first_sequence + 1 else row.first_sequence


def _is_signed(session: Session, terminal: str, checkpoint: Checkpoint) -> bool:
    """By the machine key of now: after a new enrolment older checkpoints can no longer be checked here."""
    key = session.get(TerminalKey, terminal)
    content = canonical_bytes(checkpoint.model_dump(mode="json", exclude={"signature"}))
    try:
        verify_ed25519(key.public_key if key else b"", base64.b64decode(checkpoint.signature), content)
    except BadSignature:
        return False
    return True


def _told(entry: dict[str, Any]) -> TimelineEntry:
    event = EVENTS.get(str(entry.get("event")))
    data = entry.get("data")
    return TimelineEntry(
        sequence=entry["sequence"], occurred_at=str(entry.get("occurred_at", "")), event=str(entry.get("event", "")),
        severity=event.severity if event else "info", sentence=event.sentence if event else "Not known here.",
        data=data if isinstance(data, dict) else {}, hash=entry["hash"],
    )  # fmt: skip
