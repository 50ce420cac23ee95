"""The event catalogue and the journal entry (DESIGN 2.3).

Every effect has an intent (`…_begun`) written before it and an outcome (`…_ended`) written after it; the outcome's
`disposition` says how it ended. Fields carry a sensitivity class; only masked values of personal items exist at all.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, Literal, NamedTuple

from pydantic import Field

from kiosk.contracts.value import Collected, Contract, canonical_bytes, sha256_hex

GENESIS = "0" * 64
"""`previous_hash` of the first entry of a journal."""


class Disposition(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Sensitivity(StrEnum):
    PUBLIC = "public"  # may be shown to anyone
    INTERNAL = "internal"  # staff
    MASKED = "masked"  # personal, and already masked when written


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ALARM = "alarm"


class EventField(Contract):
    name: str
    sensitivity: Sensitivity = Sensitivity.INTERNAL


class Event(Contract):
    """One kind of fact. `sentence` is for the auditor. Begun and ended events share `pair`."""

    id: str = Field(pattern=r"^[a-z][a-z_]+$")
    kind: Literal["begun", "ended", "fact"]
    severity: Severity
    sentence: str
    fields: tuple[EventField, ...] = ()
    pair: str | None = None


def _event(
    id: str, kind: Literal["begun", "ended", "fact"], sentence: str, *fields: str, severity: Severity = Severity.INFO
) -> Event:
    """Field names ending in `*` hold values already masked; names ending in `+` may be shown to anyone."""
    made = []
    for field in fields:
        match field[-1]:
            case "*":
                made.append(EventField(name=field[:-1], sensitivity=Sensitivity.MASKED))
            case "+":
                made.append(EventField(name=field[:-1], sensitivity=Sensitivity.PUBLIC))
            case _:
                made.append(EventField(name=field))
    pair = id.removesuffix("_begun").removesuffix("_ended") if kind != "fact" else None
    return Event(id=id, kind=kind, severity=severity, sentence=sentence, fields=tuple(made), pair=pair)


_W, _A = Severity.WARNING, Severity.ALARM

EVENTS: dict[str, Event] = {
    event.id: event
    for event in (
        _event("journal_opened", "fact", "A new journal began on this machine.", "terminal+", "reason"),
        _event("machine_started", "fact", "The kiosk program started.", "version+", "boot_id"),
        _event("machine_stopped", "fact", "The kiosk program ended in good order."),
        _event("clock_doubtful", "fact", "The clock differs from the server's.", "offset_seconds", severity=_W),
        _event("terminal_enrolled", "fact", "The machine was enrolled.", "terminal+", "server"),
        _event("device_changed", "fact", "A device changed its state.", "device+", "state+", "faults+"),
        _event("device_accepted", "fact", "A maintainer accepted another device in its place.", "device+", "why+"),
        _event("device_exchanged", "fact", "Another device sits there than when the program last ran.", "device+",
               "changed+", severity=_W),
        _event("device_restarted", "fact", "A maintainer had a device's process started afresh.", "device+"),
        _event("bundle_installed", "fact", "A bundle of matters was installed.", "bundle+", "generation+", "matters+"),
        _event("bundle_refused", "fact", "A bundle was refused; the one before keeps serving.", "bundle+",
               "generation+", "reason+", "detail", severity=_A),
        _event("bundle_rolled_back", "fact", "First sessions failed: the bundle before is back.", "bundle+", "reason+",
               severity=_A),
        _event("session_begun", "begun", "A citizen touched the screen.", "mode+", "language+"),
        _event("session_ended", "ended", "The citizen left or was timed out; memory was wiped.", "disposition+"),
        _event("transaction_begun", "begun", "A citizen started a matter.", "matter+", "version+", "bundle+"),
        _event("transaction_ended", "ended", "The matter ended.", "disposition+", "fault+", "holder*", "case_number+"),
        _event("card_read", "fact", "An identity card was read.", "card_type+", "name*", "id_number*", "sam_id"),
        _event("card_failed", "fact", "An identity card could not be read.", "reason+", severity=_W),
        _event("consent_given", "fact", "The citizen agreed.", "subject+", "text_version+", "consent_id+"),
        _event("consent_declined", "fact", "The citizen declined.", "subject+", "text_version+"),
        _event("face_checked", "fact", "A face was compared with the card's picture.", "decision+", "reason+",
               "distance", "accept_at", "engine", "model", "attempts"),
        _event("phone_checked", "fact", "A one-time code sent to the registered phone was checked.", "decision+",
               "phone*"),
        _event("app_code_checked", "fact", "A code of the provincial app was checked.", "decision+", "reason", "name*",
               "id_number*"),
        _event("travel_document_checked", "fact", "A travel document's machine-readable zone was checked.", "decision+",
               "reason", "card_type", "name*", "id_number*"),
        _event("pin_checked", "fact", "The PIN of a social-security card was tried.", "decision+"),
        _event("clerk_checked", "fact", "A clerk gave number and PIN to vouch for the citizen.", "decision+", "person+",
               "clerk", "reason+"),
        _event("confirmation_ended", "fact", "What became of a clerk's word: two different people, or nobody.",
               "decision+", "first", "second", "second_is+", "reason+"),
        _event("bank_card_checked", "fact", "A bank card and the code of the bank were checked.", "decision+",
               "reason+", "card*", "name*", "id_number*"),
        _event("signed_in", "fact", "The citizen is known for this visit.", "way+", "assurance+"),
        _event("step_ended", "fact", "A step of the matter ended.", "step+", "kind+", "milliseconds"),
        _event("service_begun", "begun", "A request to an authority is about to be sent.", "step+", "operation+",
               "request_id+"),
        _event("service_ended", "ended", "The authority answered, or did not.", "step+", "operation+", "request_id+",
               "disposition+", "reason+", "case_number+"),
        _event("service_reconciled", "fact", "An uncertain request was asked after, under its own id.", "operation+",
               "request_id+", "disposition+", "reason+", "case_number+"),
        _event("material_collected", "fact", "A material was taken from the library or captured.", "step+", "origin+",
               "certificate*", "sha256"),
        _event("handover_offered", "fact", "A code was shown for the citizen's phone to send a material.", "step+"),
        _event("handover_ended", "fact", "What came of the code for the citizen's phone.", "step+", "outcome+",
               "photos+", "has_text+"),
        _event("assistance_asked", "fact", "The citizen asked for a remote helper.", "stage+"),
        _event("assistance_taken", "fact", "A remote helper took the call."),
        _event("assistance_heard", "fact", "A remote helper's sentence or pointer was shown; not which.", "ready+",
               "pointed+"),
        _event("assistance_ended", "fact", "The remote help ended.", "reason+", "seconds", "messages"),
        _event("document_signed", "fact", "The citizen signed what was shown; the hash is the signature's.", "step+",
               "sha256", "pad"),
        _event("part_ended", "fact", "A part of a package has its outcome.", "part+", "outcome+", "reason+",
               "case_number+"),
        _event("objection_made", "fact", "The citizen contested a value that an authority or certificate gave.",
               "step+", "item+", "source+", "case_number+"),
        _event("seal_checked", "fact", "A document's seal was verified before printing.", "document+", "disposition+",
               "reason+", "sha256"),
        _event("print_begun", "begun", "A page is about to be sent to the printer.", "step+", "device+", "job_id+",
               "sha256"),
        _event("print_ended", "ended", "The printer said what became of the page.", "step+", "device+", "job_id+",
               "disposition+", "reason+", "pages"),
        _event("print_reconciled", "fact", "An uncertain page was asked after.", "device+", "job_id+", "disposition+",
               "reason+"),
        _event("payment_begun", "begun", "An order for money is about to be sent.", "step+", "order_id+", "amount_fen+",
               "channel+"),
        _event("payment_ended", "ended", "It is certain what became of the order and its money.", "step+", "order_id+",
               "disposition+", "outcome+", "reason+"),
        _event("payment_received", "fact", "The provider's own word: the money has arrived.", "step+", "order_id+",
               "amount_fen+", "channel+", "reference+"),
        _event("delivery_allowed", "fact", "The money stands while what was paid for is delivered.", "order_id+",
               "steps+", "lines+"),
        _event("payment_delivered", "fact", "What was paid for is delivered.", "order_id+", "undelivered+"),
        _event("card_write_begun", "begun", "A card is about to be written.", "step+", "device+", "job_id+"),
        _event("card_write_ended", "ended", "What became of the card's write.", "step+", "device+", "job_id+",
               "disposition+", "reason+"),
        _event("card_write_reconciled", "fact", "The card was read to learn what became of an uncertain write.",
               "device+", "job_id+", "disposition+", "reason+"),
        _event("rating_given", "fact", "The citizen rated the service.", "grade+", "reasons+"),
        _event("rating_skipped", "fact", "The citizen did not rate."),
        _event("citizen_told", "fact", "A failure was explained to the citizen.", "fault+", "step+", severity=_W),
    )
}  # fmt: skip


class Recorded(NamedTuple):
    """That an entry is on the disk, and which one it is."""

    sequence: int
    occurred_at: dt.datetime
    hash: str


class JournalEntry(Collected):
    """One fact, chained to the one before. The hash covers the canonical bytes of all other members."""

    journal_id: str
    sequence: int = Field(ge=1)
    occurred_at: dt.datetime
    monotonic_ms: int
    event: str
    transaction_number: str | None = None
    data: dict[str, Any] = {}
    previous_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    hash: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    def computed_hash(self) -> str:
        """SHA-256 over the canonical bytes without `hash`, lower-case hexadecimal."""
        content = self.model_dump(mode="json", by_alias=True, exclude={"hash"})
        return sha256_hex(canonical_bytes(content))

    def sealed(self) -> JournalEntry:
        return self.model_copy(update={"hash": self.computed_hash()})
