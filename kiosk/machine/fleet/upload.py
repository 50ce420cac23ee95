"""The journal's way up: prefixes in order, compressed, signed; forgotten only on the server's signed word."""

from __future__ import annotations

import base64
import logging
import time

import zstandard
from pydantic import ValidationError

from kiosk.contracts.bundle import verify_ed25519
from kiosk.contracts.errors import BadSignature
from kiosk.contracts.events import JournalEntry
from kiosk.contracts.fleet import (
    MAXIMUM_BATCH_ENTRIES,
    JournalAcknowledgement,
    JournalBatch,
    JournalReceipt,
)
from kiosk.contracts.value import canonical_bytes
from kiosk.machine.fleet.client import Answer, FleetClient
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.journal import Journal

BATCH_BYTES = 1024 * 1024
RECEIPT_BYTES = 64 * 1024
TRIM_SECONDS = 3600.0

log = logging.getLogger(__name__)


class UploadFailed(Exception):
    """Nothing was acknowledged; try later. `retry_after` is the server's own wish in seconds, or empty."""

    def __init__(self, message: str, retry_after: str = "") -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Uploader:
    """Sends what the server does not hold yet. `alarm` is empty, or says what staff must look at.

    A fork is alarmed and sent again only slowly: the server keeps the second telling in quarantine, and nothing is
    deleted here.
    """

    def __init__(self, client: FleetClient, identity: Identity, journal: Journal) -> None:
        self._client = client
        self._identity = identity
        self._journal = journal
        self._continue_from: int | None = None
        self._entries_at_once = MAXIMUM_BATCH_ENTRIES
        self._acknowledged_at = 0.0
        self._trimmed_at = time.monotonic()
        self.alarm = ""

    @property
    def waiting(self) -> int:
        """Entries the server has not acknowledged."""
        return self._journal.head().sequence - self._after()

    async def send(self) -> int:
        """Send one batch; returns how many entries were acknowledged (0: nothing was waiting, or the server rewound).

        Raises `UploadFailed`, and `Unreachable` from the client.
        """
        after = self._after()
        entries = _within(self._journal.entries(after, self._entries_at_once), BATCH_BYTES)
        if not entries:
            return 0
        if entries[0].sequence != after + 1:
            return self._lost(after + 1, entries[0].sequence)
        batch = JournalBatch(
            journal_id=self._journal.journal_id, first_sequence=entries[0].sequence, entries=tuple(entries),
            checkpoint=self._journal.checkpoint(self._identity.key, entries[-1].sequence),
        )  # fmt: skip
        body = zstandard.compress(batch.model_dump_json().encode())
        answer = await self._client.post(
            f"journals/{batch.journal_id}/batches", body, headers={"content-encoding": "zstd"}, limit=RECEIPT_BYTES
        )
        match answer.status:
            case 200 | 201:
                return self._received(answer, after)
            case 409:
                return self._contradicted(answer, after)
            case 413 if self._entries_at_once > 1:
                self._entries_at_once = max(1, self._entries_at_once // 2)
                return 0
            case _:
                title = answer.problem.title
                raise UploadFailed(f"the journal was not taken: {title}", answer.headers.get("retry-after", ""))

    def hear(self, word: JournalAcknowledgement, asked_at: float) -> None:
        """The acknowledgement every heartbeat repeats. One older than the last receipt says nothing new."""
        if asked_at < self._acknowledged_at:
            return
        if word.journal_id != self._journal.journal_id:
            return
        if self._journal.acknowledge(word):
            self._continue_from = None
        else:
            self._raise_alarm(f"the server holds another entry {word.acked_sequence} than this journal")

    def _after(self) -> int:
        return self._continue_from if self._continue_from is not None else self._journal.acknowledged()[0]

    def _received(self, answer: Answer, after: int) -> int:
        receipt = self._verified(answer)
        word = JournalAcknowledgement(
            journal_id=receipt.journal_id, acked_sequence=receipt.acked_sequence, acked_hash=receipt.acked_hash
        )
        if not self._journal.acknowledge(word):
            self._raise_alarm(f"the receipt names another entry {receipt.acked_sequence} than this journal holds")
            raise UploadFailed(self.alarm)
        self._continue_from = None
        self._acknowledged_at = time.monotonic()
        if receipt.acked_sequence > after:
            self.alarm = ""
        self._trim_sometimes()
        return max(0, receipt.acked_sequence - after)

    def _verified(self, answer: Answer) -> JournalReceipt:
        enrolment = self._identity.enrolment
        assert enrolment is not None
        try:
            receipt = JournalReceipt.model_validate_json(answer.content)
            content = canonical_bytes(receipt.model_dump(mode="json", exclude={"signature"}))
            signature = base64.b64decode(receipt.signature, validate=True)
            verify_ed25519(base64.b64decode(enrolment.director_key), signature, content)
        except (ValidationError, ValueError, BadSignature) as error:
            raise UploadFailed("the receipt is not the director's word: nothing counts as acknowledged") from error
        return receipt

    def _contradicted(self, answer: Answer, after: int) -> int:
        expected = answer.problem.expected_sequence
        head = self._journal.head()
        if expected is None or expected > head.sequence + 1 or expected == after + 1:
            self._raise_alarm(f"the server's journal contradicts this one: {answer.problem.code or 'fork'}")
            raise UploadFailed(self.alarm)
        if expected <= head.base_sequence:
            return self._lost(expected, head.base_sequence + 1)
        self._continue_from = expected - 1
        return 0

    def _lost(self, expected: int, first_kept: int) -> int:
        self._raise_alarm(f"the server asks for entry {expected}; this machine keeps them from {first_kept} on")
        raise UploadFailed(self.alarm)

    def _raise_alarm(self, sentence: str) -> None:
        """The first sentence stands until entries flow again."""
        if not self.alarm:
            log.error("journal alarm: %s", sentence)
            self.alarm = sentence

    def _trim_sometimes(self) -> None:
        if time.monotonic() - self._trimmed_at > TRIM_SECONDS:
            self._trimmed_at = time.monotonic()
            self._journal.trim()


def _within(entries: list[JournalEntry], limit: int) -> list[JournalEntry]:
    """The longest prefix whose JSON fits the limit, one entry at least."""
    total = 0
    for index, entry in enumerate(entries):
        total += len(canonical_bytes(entry.data)) + 400
        if total > limit and index > 0:
            return entries[:index]
    return entries
