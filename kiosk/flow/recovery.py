"""After a power cut or a crash: what the journal left open is asked after and closed, before the next citizen.

Nothing is repeated here. A page whose outcome is open is reported as uncertain, and the printer is asked; a card that
still lies in its device is read; a request whose answer is unknown ends as interrupted (the centre answers for it by
its request id); transactions end as interrupted. Orders for money are settled by kiosk.machine.money, from the same
journal. The citizen can fetch the result with the transaction number.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.errors import DeviceError
from drivers.messages import DeviceClass, PrintOutcome, PrintResult
from drivers.protocols import DocumentPrinter
from kiosk.contracts.events import Disposition
from kiosk.flow.equipment import DevicesInUse, JournalInUse
from kiosk.flow.steps.effects.print_document import DISPOSITIONS
from kiosk.machine.money.books import Effect, OpenTransaction

log = logging.getLogger(__name__)

PRINTER_PATIENCE_SECONDS = 20.0
CARD_SECONDS = 5.0
ASK_AGAIN_SECONDS = 0.5
JOB_UNKNOWN = "job_unknown"


class JournalToReplay(JournalInUse, Protocol):
    def open_effects(self) -> Sequence[Effect]: ...

    def open_transactions(self) -> Sequence[OpenTransaction]: ...


@dataclass(frozen=True)
class OpenEnds:
    """What a stop left open: transactions ended as interrupted, effects reported as uncertain, to be asked after."""

    transactions: int
    pages: tuple[Effect, ...]
    cards: tuple[Effect, ...]
    requests: tuple[Effect, ...]


def report_open_ends(journal: JournalToReplay) -> OpenEnds:
    """Call before the first citizen: what is open now was left by an earlier run. Idempotent; safe to be killed in."""
    effects = [effect for effect in journal.open_effects() if effect.event != "payment_begun"]
    for effect in effects:
        if not effect.is_uncertain:
            _report_uncertain(journal, effect)
    transactions = journal.open_transactions()
    for transaction in transactions:
        journal.append(
            "transaction_ended",
            transaction_number=transaction.transaction_number,
            disposition=Disposition.INTERRUPTED,
            fault="F61",
            holder="",
            case_number="",
        )
    return OpenEnds(
        transactions=len(transactions),
        pages=tuple(effect for effect in effects if effect.event == "print_begun"),
        cards=tuple(effect for effect in effects if effect.event == "card_write_begun"),
        requests=tuple(effect for effect in effects if effect.event == "service_begun"),
    )


async def ask_after(ends: OpenEnds, journal: JournalToReplay, devices: DevicesInUse) -> None:
    """Ask the printer after each open page, and settle each request nobody here can ask for again."""
    for effect in ends.pages:
        await _ask_after_page(journal, devices, effect)
    for effect in ends.cards:
        await _ask_after_card(journal, devices, effect)
    for effect in ends.requests:
        journal.settle_effect(
            effect.effect_id,
            "service_reconciled",
            disposition=Disposition.INTERRUPTED,
            transaction_number=effect.transaction_number,
            operation=effect.data.get("operation", ""),
            request_id=effect.effect_id,
            reason="answer_unknown",
            case_number="",
        )


def _report_uncertain(journal: JournalToReplay, effect: Effect) -> None:
    device = {"device": effect.data.get("device", ""), "job_id": effect.effect_id}
    ended: str
    facts: dict[str, Any]
    match effect.event:
        case "print_begun":
            ended, facts = "print_ended", device | {"pages": 0}
        case "card_write_begun":
            ended, facts = "card_write_ended", device
        case _:
            operation = effect.data.get("operation", "")
            ended = "service_ended"
            facts = {"operation": operation, "request_id": effect.effect_id, "case_number": ""}
    journal.end_effect(
        effect.effect_id,
        ended,
        disposition=Disposition.UNCERTAIN,
        transaction_number=effect.transaction_number,
        step=effect.data.get("step", ""),
        reason="interrupted",
        **facts,
    )


async def _ask_after_card(journal: JournalToReplay, devices: DevicesInUse, effect: Effect) -> None:
    """A permit still in the rewriter says what was written last; any other card has gone with its owner."""
    disposition, reason = Disposition.INTERRUPTED, "card_gone"
    rewriter = devices.card_rewriter
    if effect.data.get("device") == DeviceClass.CARD_REWRITER and rewriter is not None:
        await _until_fit(devices, DeviceClass.CARD_REWRITER)
        try:
            card = await rewriter.read_card(timeout_seconds=CARD_SECONDS)
            is_written = card.last_job_id == effect.effect_id
            disposition = Disposition.SUCCEEDED if is_written else Disposition.FAILED
            reason = "print_pending" if is_written and card.print_pending else ""
            await rewriter.eject()
        except DeviceError as error:
            log.warning("the card rewriter cannot be asked after %s: %s", effect.effect_id, error.reason)
    journal.settle_effect(
        effect.effect_id,
        "card_write_reconciled",
        disposition=disposition,
        transaction_number=effect.transaction_number,
        device=effect.data.get("device", ""),
        job_id=effect.effect_id,
        reason=reason,
    )


async def _ask_after_page(journal: JournalToReplay, devices: DevicesInUse, effect: Effect) -> None:
    """The printer's word where it keeps one; a receipt printer keeps none, so its slip stays interrupted."""
    device = effect.data.get("device", "")
    found = PrintResult(job_id=effect.effect_id, outcome=PrintOutcome.UNCERTAIN, reason="printer_cannot_tell")
    if device == "document_printer" and devices.document_printer is not None:
        await _until_fit(devices, DeviceClass.DOCUMENT_PRINTER)
        found = await _word_of(devices.document_printer, effect.effect_id)
    uncertain_slip = found.outcome is PrintOutcome.UNCERTAIN and device != "document_printer"
    journal.settle_effect(
        effect.effect_id,
        "print_reconciled",
        disposition=Disposition.INTERRUPTED if uncertain_slip else DISPOSITIONS[found.outcome],
        transaction_number=effect.transaction_number,
        device=device,
        job_id=effect.effect_id,
        reason=found.reason,
    )


async def _word_of(printer: DocumentPrinter, job_id: str) -> PrintResult:
    """What became of the page, once the printer has ended with it; one it still holds at the limit is taken back."""
    deadline = asyncio.get_running_loop().time() + PRINTER_PATIENCE_SECONDS
    is_taken_back = False
    while True:
        try:
            found = await printer.find_job(job_id, None)
            if found.outcome is not PrintOutcome.UNCERTAIN or found.reason == JOB_UNKNOWN or is_taken_back:
                return found
            if asyncio.get_running_loop().time() >= deadline:
                await printer.cancel_job(job_id)
                is_taken_back = True
        except DeviceError as error:
            log.warning("the document printer cannot be asked after %s: %s", job_id, error.reason)
            return PrintResult(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason=error.reason)
        await asyncio.sleep(ASK_AGAIN_SECONDS)


async def _until_fit(devices: DevicesInUse, device_class: DeviceClass) -> None:
    deadline = asyncio.get_running_loop().time() + PRINTER_PATIENCE_SECONDS
    while (  # noqa: ASYNC110 (a process starts: there is nothing here to wait on)
        not devices.is_fit(device_class) and asyncio.get_running_loop().time() < deadline
    ):
        await asyncio.sleep(0.2)
