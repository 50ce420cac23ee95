"""The few facts staff search for, drawn from entries into tables of their own. What cannot be read is set aside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DataError
from sqlmodel import Session

from fleet_server.database import now
from fleet_server.journal.models import Poison, Transaction
from kiosk.contracts.events import EVENTS, JournalEntry

NUMBER_LENGTH = 40


def extract(session: Session, terminal: str, journal_id: str, entries: Iterable[dict[str, Any]]) -> None:
    """Never fails for what an entry says: the rest must flow."""
    for raw in entries:
        reason = _mistake_in(session, terminal, raw)
        if reason is not None:
            sequence = raw["sequence"]
            session.add(Poison(journal_id=journal_id, sequence=sequence, reason=reason[:200], noticed_at=now()))


def _mistake_in(session: Session, terminal: str, raw: dict[str, Any]) -> str | None:
    """Note the entry's facts; the reason when that cannot be done."""
    try:
        entry = JournalEntry.model_validate(raw)
        if entry.transaction_number is not None:
            with session.begin_nested():
                _note(session, terminal, entry)
    except ValidationError as error:
        return f"{error.error_count()} members do not fit"
    except (ValueError, TypeError, OverflowError, DataError) as error:
        return f"its facts cannot be read: {type(error).__name__}"
    return None if entry.event in EVENTS else "this event is not known here"


def _note(session: Session, terminal: str, entry: JournalEntry) -> None:
    number = entry.transaction_number
    if number is None or not 1 <= len(number) <= NUMBER_LENGTH or not number.isprintable():
        raise ValueError("the transaction number does not fit")
    moment = _moment(entry.occurred_at)
    row = session.get(Transaction, (entry.journal_id, number))
    if row is None:
        row = Transaction(
            journal_id=entry.journal_id, number=number, terminal=terminal, first_sequence=entry.sequence,
            last_sequence=entry.sequence,
        )  # fmt: skip
        session.add(row)
    row.last_sequence = entry.sequence
    data = entry.data
    match entry.event:
        case "transaction_begun":
            row.begun_at = moment
            row.matter, row.bundle = _text(data.get("matter"), 48) or "", _text(data.get("bundle"), 64) or ""
            row.version = _number(data.get("version"))
        case "transaction_ended":
            row.ended_at = moment
            row.disposition = _text(data.get("disposition"), 16)
            row.fault = _text(data.get("fault"), 16) or row.fault
            row.holder = _text(data.get("holder"), 40)
            row.case_number = _text(data.get("case_number"), 80) or row.case_number
        case "service_ended":
            row.case_number = _text(data.get("case_number"), 80) or row.case_number
        case "citizen_told":
            row.fault = _text(data.get("fault"), 16) or row.fault
        case "rating_given":
            _note_rating(row, data, moment)
        case "print_ended" | "print_reconciled":
            row.printed = [*row.printed, _text(data.get("disposition"), 16) or "unknown"]
        case _:
            pass


def _note_rating(row: Transaction, data: dict[str, Any], moment: dt.datetime) -> None:
    """Once per transaction: a second rating changes nothing."""
    if row.rated_at is None:
        row.rating, row.rated_at = _number(data.get("grade")), moment
        row.rating_reasons = [each for each in (_text(data.get("reasons"), 80) or "").split(",") if each]


def _moment(stated: dt.datetime) -> dt.datetime:
    """A wrong clock is taken as it is. Within a day of the calendar's ends no other time zone could show it."""
    moment = (stated if stated.tzinfo else stated.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    if not dt.MINYEAR < moment.year < dt.MAXYEAR:
        raise ValueError("a moment at the end of the calendar")
    return moment


def _text(value: object, length: int) -> str | None:
    """PostgreSQL stores no NUL in a text."""
    return None if value is None else str(value).replace("\0", "")[:length]


def _number(value: object) -> int | None:
    number = None if value is None else int(str(value))
    if number is not None and not 0 <= number < 2**31:
        raise ValueError("a number out of range")
    return number
