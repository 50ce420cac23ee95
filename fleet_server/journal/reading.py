"""From the bytes of a batch to checked entries. Tolerant of what entries mean, strict about how they hang together.

The hash of an entry covers the members exactly as they were sent, so an entry of a newer terminal, with members and
events this server has never heard of, verifies like any other.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard

from fleet_server.problems import ProblemError
from kiosk.contracts.bundle import verify_ed25519
from kiosk.contracts.errors import BadSignature
from kiosk.contracts.events import GENESIS
from kiosk.contracts.fleet import MAXIMUM_BATCH_ENTRIES, Checkpoint
from kiosk.contracts.value import canonical_bytes, sha256_hex

MAXIMUM_DECOMPRESSED_BYTES = 8 * 1024 * 1024
HASH_LENGTH = 64
MAXIMUM_SEQUENCE = 2**31

Entry = dict[str, Any]


class _Batch(msgspec.Struct):
    journal_id: str
    first_sequence: int
    entries: list[Entry]
    checkpoint: dict[str, Any]


@dataclass(frozen=True)
class ReceivedBatch:
    """A batch whose own chain and checkpoint hold, and the bytes it came in."""

    journal_id: str
    entries: list[Entry]
    checkpoint: Checkpoint
    encoding: str
    content: bytes

    @property
    def first(self) -> int:
        return int(self.entries[0]["sequence"])

    @property
    def last(self) -> int:
        return int(self.entries[-1]["sequence"])


class ChainBroken(Exception):
    """The batch does not hold together at `sequence`."""

    def __init__(self, message: str, sequence: int) -> None:
        super().__init__(message)
        self.sequence = sequence


def decoded(content: bytes, encoding: str) -> bytes:
    """Decompress within a bound. 415 for an unknown encoding, 413 for a bomb, 422 for garbage."""
    if encoding in ("", "identity"):
        return content
    if encoding != "zstd":
        raise ProblemError(415, "encoding", "send batches as they are or with Content-Encoding: zstd")
    try:
        with zstandard.ZstdDecompressor(max_window_size=2**24).stream_reader(content) as reader:
            plain: bytes = reader.read(MAXIMUM_DECOMPRESSED_BYTES + 1)
    except zstandard.ZstdError as error:
        raise ProblemError(422, "malformed", "the body is not zstd") from error
    if len(plain) > MAXIMUM_DECOMPRESSED_BYTES:
        raise ProblemError(413, "too_large", f"a batch may unfold to {MAXIMUM_DECOMPRESSED_BYTES} bytes")
    return plain


def entries_in(content: bytes, encoding: str) -> list[Entry]:
    """The entries of a stored segment, which was checked when it came."""
    return msgspec.json.decode(decoded(content, encoding), type=_Batch).entries


def read_batch(content: bytes, encoding: str, *, journal_id: str, public_key: bytes) -> ReceivedBatch:
    """422 `malformed` when it is no batch of this journal; `ChainBroken` when the chain or checkpoint do not hold."""
    try:
        batch = msgspec.json.decode(decoded(content, encoding), type=_Batch)
        checkpoint = Checkpoint.model_validate(batch.checkpoint)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ProblemError(422, "malformed", f"the body is not a journal batch: {type(error).__name__}") from error
    if batch.journal_id != journal_id or checkpoint.journal_id != journal_id:
        raise ProblemError(422, "malformed", "the batch names another journal than the address")
    if not 1 <= len(batch.entries) <= MAXIMUM_BATCH_ENTRIES:
        raise ProblemError(422, "malformed", f"a batch holds 1 to {MAXIMUM_BATCH_ENTRIES} entries")
    last_sequence = batch.first_sequence + len(batch.entries) - 1
    if not all(1 <= each < MAXIMUM_SEQUENCE for each in (batch.first_sequence, last_sequence, checkpoint.sequence)):
        raise ProblemError(422, "malformed", f"entries are numbered from 1 to {MAXIMUM_SEQUENCE - 1}")
    check_chain(batch.entries, journal_id=journal_id, first=batch.first_sequence)
    _check_checkpoint(checkpoint, batch.entries, public_key)
    return ReceivedBatch(journal_id, batch.entries, checkpoint, encoding, content)


def check_chain(entries: list[Entry], *, journal_id: str, first: int) -> None:
    """Each entry has the next number, names the hash before it and carries its own. Raises `ChainBroken`."""
    previous: str | None = GENESIS if first == 1 else None
    for sequence, entry in enumerate(entries, start=first):
        stated_sequence = entry.get("sequence")
        if type(stated_sequence) is not int or stated_sequence != sequence:
            raise ChainBroken("the numbers do not follow each other", sequence)
        if entry.get("journal_id") != journal_id:
            raise ChainBroken("the entry is of another journal", sequence)
        stated_previous, stated = entry.get("previous_hash"), entry.get("hash")
        if previous is not None and stated_previous != previous:
            raise ChainBroken("the entry does not follow the one before it", sequence)
        if not isinstance(stated_previous, str) or len(stated_previous) != HASH_LENGTH:
            raise ChainBroken("the entry names no entry before it", sequence)
        if stated != computed_hash(entry, sequence):
            raise ChainBroken("the entry's hash is not of its content", sequence)
        previous = stated


def computed_hash(entry: Entry, sequence: int) -> str:
    try:
        return sha256_hex(canonical_bytes({name: value for name, value in entry.items() if name != "hash"}))
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ChainBroken("the entry has no canonical form", sequence) from error


def _check_checkpoint(checkpoint: Checkpoint, entries: list[Entry], public_key: bytes) -> None:
    """The machine's own signature over how far its journal goes: the end of this batch, or beyond it."""
    last = entries[-1]
    if checkpoint.sequence < last["sequence"]:
        raise ChainBroken("the checkpoint does not cover this batch", checkpoint.sequence)
    if checkpoint.sequence == last["sequence"] and checkpoint.hash != last["hash"]:
        raise ChainBroken("the checkpoint names another hash", checkpoint.sequence)
    content = canonical_bytes(checkpoint.model_dump(mode="json", exclude={"signature"}))
    try:
        verify_ed25519(public_key, base64.b64decode(checkpoint.signature, validate=True), content)
    except (BadSignature, ValueError) as error:
        raise ChainBroken("the checkpoint is not signed by this machine", checkpoint.sequence) from error
