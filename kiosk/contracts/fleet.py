"""Messages of the terminal API, `/terminal/v1` (DESIGN 2.4). Errors are problem+json (RFC 9457).

| request                                     | body → answer                                                |
|---|---|
| POST enrolments                             | EnrolmentRequest → EnrolmentAnswer (unsigned; one-time code)  |
| GET  desired-state                          | – → SignedDesiredState, ETag; 304 when unchanged; 404 none    |
| GET  repository/metadata/…, repository/targets/… | – → files of the TUF repository                          |
| POST heartbeats                             | Heartbeat → HeartbeatAnswer                                   |
| POST journals/{journal_id}/batches          | JournalBatch (zstd allowed) → JournalReceipt; 409 GapProblem  |
| POST services/{operation}                   | ServiceRequest → ServiceAnswer                                |
| POST requests/{request_id}/outcome          | – → RequestOutcome; an id that never arrived is barred       |
| GET  documents/{document_id}                | – → application/pdf                                           |
| handovers/…                                 | kiosk/contracts/handover.py                                  |
| assistance/…                                | kiosk/contracts/assistance.py                                |
| WS   channel                                | server sends {"look": WHAT}: desired-state, commands, handover, … |

Every request but the enrolment carries an HTTP message signature (RFC 9421), label `terminal`, Ed25519, over
`@method`, `@path`, `@query`, `date` and, with a body, `content-digest` (RFC 9530); parameters created, nonce, keyid
(= the terminal's id).
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from drivers.messages import DeviceStatus
from kiosk.contracts.events import JournalEntry
from kiosk.contracts.value import Collected, Contract

SIGNED_COMPONENTS = ("@method", "@path", "@query", "date", "content-digest")
SIGNATURE_LABEL = "terminal"
SIGNATURE_WINDOW_SECONDS = 120
MAXIMUM_BODY_BYTES = 2 * 1024 * 1024
MAXIMUM_BATCH_ENTRIES = 500


class EnrolmentRequest(Contract):
    """`code` is the one-time code; `public_key` the machine's raw Ed25519 key, base64. It was born on the machine."""

    code: str = Field(min_length=8, max_length=64)
    public_key: str = Field(min_length=40, max_length=64)
    machine: str = Field(default="", max_length=80, description="host name or serial, for staff")


class EnrolmentAnswer(Contract):
    terminal: str
    site: str = Field(description="the site's name, as citizens read it")
    director_key: str = Field(description="raw Ed25519 public key of the director, base64")
    director_key_id: str
    repository_root: str = Field(description="TUF root metadata, first version, as JSON text: the terminal's trust")
    seal_authority: str = Field(description="PEM certificates of the seal authorities documents are checked against")
    server_time: dt.datetime


class ReportedState(Contract):
    """What the terminal truly runs. Converged means `bundle` equals the desired one."""

    generation: int
    bundle: str | None
    result: Literal["installed", "refused", "rolled_back", "none"]
    reason: str = Field(default="", description="stable word of BundleRejected when refused")
    detail: str = ""
    refused_bundle: str | None = None
    applied_at_sequence: int = 0


class Heartbeat(Collected):
    """I am here, this is my state, this is what I know. Carries the whole current fault set."""

    terminal: str
    boot_id: str
    sent_at: dt.datetime
    version: str
    contract_version: int
    step_kinds: tuple[str, ...]
    stage: str
    stage_reasons: tuple[str, ...] = ()
    devices: dict[str, DeviceStatus] = {}
    reported: ReportedState
    journal_id: str
    journal_sequence: int
    acknowledged_sequence: int
    clock_offset_ms: int = 0


class JournalAcknowledgement(Contract):
    """Durable up to here. The terminal deletes only what is acknowledged with its own hash."""

    journal_id: str
    acked_sequence: int
    acked_hash: str


class HeartbeatAnswer(Contract):
    server_time: dt.datetime
    next_heartbeat_seconds: int
    journal: JournalAcknowledgement | None = None
    commands_waiting: bool = False


class Checkpoint(Contract):
    """The terminal's own statement about its journal, signed with the machine key over the other members."""

    journal_id: str
    sequence: int
    hash: str
    signature: str = ""


class JournalBatch(Contract):
    """A prefix that continues what the server holds, at most MAXIMUM_BATCH_ENTRIES entries, in order."""

    journal_id: str
    first_sequence: int
    entries: tuple[JournalEntry, ...] = Field(min_length=1, max_length=MAXIMUM_BATCH_ENTRIES)
    checkpoint: Checkpoint


class JournalReceipt(Contract):
    """The server's signed word: stored and durable. Signed by the director key over the other members."""

    journal_id: str
    acked_sequence: int
    acked_hash: str
    stored_at: dt.datetime
    key_id: str
    signature: str


class ServiceRequest(Contract):
    """A call to an authority through the centre. `request_id` is the caller's: the same id is answered the same."""

    request_id: str
    transaction_number: str | None = None
    matter: str | None = None
    purpose: str = ""
    payload: dict[str, Any] = {}


class ServiceAnswer(Contract):
    """`data` is personal: it passes through and is stored nowhere in clear."""

    request_id: str
    outcome: Literal["done", "accepted", "refused"]
    reason: str = ""
    message: dict[str, str] = Field(default={}, description="the authority's own sentence, per language")
    case_number: str | None = None
    data: dict[str, Any] = {}


class RequestOutcome(Contract):
    """What became of a request nobody saw the end of. `failed`: not done, and never will be under this id."""

    request_id: str
    outcome: Literal["begun", "done", "accepted", "refused", "failed", "uncertain"]


class Problem(Collected):
    """RFC 9457. `code` is ours: a stable word; `expected_sequence` comes with a journal gap (409)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    code: str = ""
    expected_sequence: int | None = None
