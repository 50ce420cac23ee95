"""One record written once, and read back; and what became of a write whose end nobody saw (device-classes C.2)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from drivers.errors import DeviceError, MediaError
from drivers.messages import RecordWrite, WriteOutcome, WriteResult
from drivers.smart_card_reader import apdu
from drivers.smart_card_reader.session import CardSession
from drivers.smart_card_reader.social_security import join_record, split_record

REMEMBERED: Final = 64
READ_ALL: Final = 0x00
LONGEST_VALUE: Final = 253
REFUSALS: Final = {
    apdu.NOT_SATISFIED: "auth_needed",
    apdu.BLOCKED: "auth_needed",
    0x6985: "auth_needed",
    0x6A84: "not_enough_space",
}


@dataclass
class _Attempt:
    """What this driver knows of a write it sent: on which card, what was there, how it ended."""

    card: bytes
    before: bytes
    result: WriteResult | None = None

    @property
    def is_open(self) -> bool:
        return self.result is None or self.result.outcome is WriteOutcome.UNCERTAIN


class RecordWriter:
    """Knows the writes since the last wipe. Blocking; on the thread of the commands."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, _Attempt] = OrderedDict()

    @property
    def has_open(self) -> bool:
        return any(attempt.is_open for attempt in self._attempts.values())

    def forget(self) -> None:
        self._attempts.clear()

    def write(self, session: CardSession, write: RecordWrite) -> WriteResult:
        """Never raises for a card: nothing was sent yet is `failed`, afterwards `uncertain`."""
        known = self._attempts.get(write.write_id)
        if known is not None:
            return known.result if known.result and not known.is_open else self.find(session, write)
        try:
            attempt, tag = self._prepare(session, write)
        except _Refused as refused:
            return refused.result
        except MediaError as error:
            return _result(write, WriteOutcome.FAILED, error.reason)
        self._attempts[write.write_id] = attempt
        attempt.result = self._send(session, write, attempt, tag)
        return attempt.result

    def find(self, session: CardSession, write: RecordWrite) -> WriteResult:
        """From the card alone; changes nothing. Raises `MediaError` when the card cannot be read."""
        attempt = self._attempts.get(write.write_id)
        card = _fingerprint(session.identification())
        if not _is_card_of(write, session, attempt, card):
            return _result(write, WriteOutcome.UNCERTAIN, "other_card")
        before = write.expected_before if write.expected_before is not None else attempt.before if attempt else None
        held = _held(session, write)[1]
        if held == write.value:
            result = _result(write, WriteOutcome.WRITTEN)
        elif before is None:
            result = _result(write, WriteOutcome.UNCERTAIN, "before_unknown")
        elif held == before:
            result = _result(write, WriteOutcome.FAILED, "not_written")
        else:
            result = _result(write, WriteOutcome.UNCERTAIN, "verify_failed")
        if attempt is not None:
            attempt.result = result
        return result

    def _prepare(self, session: CardSession, write: RecordWrite) -> tuple[_Attempt, int]:
        """Everything that can be refused is refused before the card is touched."""
        card = _fingerprint(session.identification())
        if not _is_card_of(write, session, None, card):
            raise _Refused(write, "other_card")
        if any(attempt.is_open and attempt.card == card for attempt in self._attempts.values()):
            raise _Refused(write, "reconcile_first")
        tag, before = _held(session, write)
        if before == write.value:
            raise _Refused(write, "", WriteOutcome.WRITTEN)
        if write.expected_before is not None and before != write.expected_before:
            raise _Refused(write, "precondition_failed")
        if len(write.value) != len(before) or len(before) > LONGEST_VALUE:
            raise _Refused(write, "invalid_data")
        session.prepare_write(_file(write))
        while len(self._attempts) >= REMEMBERED:
            self._attempts.popitem(last=False)
        return _Attempt(card, before), tag

    def _send(self, session: CardSession, write: RecordWrite, attempt: _Attempt, tag: int) -> WriteResult:
        try:
            answer = session.write_record(_file(write), write.record, join_record(tag, write.value))
            if 0x69 <= answer.status >> 8 <= 0x6F:  # a checking error: nothing was changed (7816-4, 5.6)
                return _result(write, WriteOutcome.FAILED, REFUSALS.get(answer.status, "write_failed"))
            held = _held(session, write)[1]
        except DeviceError as error:
            return _result(write, WriteOutcome.UNCERTAIN, error.reason)
        if held == write.value:
            return _result(write, WriteOutcome.WRITTEN)
        return _result(
            write, WriteOutcome.FAILED if held == attempt.before else WriteOutcome.UNCERTAIN, "verify_failed"
        )


class _Refused(Exception):
    def __init__(self, write: RecordWrite, reason: str, outcome: WriteOutcome = WriteOutcome.FAILED) -> None:
        self.result = _result(write, outcome, reason)


def _result(write: RecordWrite, outcome: WriteOutcome, reason: str = "") -> WriteResult:
    return WriteResult(write_id=write.write_id, outcome=outcome, reason=reason)


def _held(session: CardSession, write: RecordWrite) -> tuple[int, bytes]:
    """Tag and value of the record as the card holds it now."""
    record = session.read_record(_file(write), write.record, READ_ALL)
    if record is None:
        raise MediaError("the card has no such record", "record_not_found")
    return split_record(record)


def _is_card_of(write: RecordWrite, session: CardSession, attempt: _Attempt | None, card: bytes) -> bool:
    """By the caller's word, else by the memory of the write; with neither, a write goes to the card that is there."""
    if write.identification_code is not None:
        return session.identification().hex().upper() == write.identification_code.upper()
    return attempt is None or attempt.card == card


def _fingerprint(identification: bytes) -> bytes:
    return hashlib.sha256(identification).digest()


def _file(write: RecordWrite) -> int:
    return int(write.file, 16)
