"""From begun to ended: the steps of one transaction in order, and how each way out is recorded."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from drivers.messages import DeviceClass
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.events import Disposition
from kiosk.contracts.value import CITY_TIME
from kiosk.flow.course.outcomes import listed, outcomes_of, partly_done, settle_parts
from kiosk.flow.screens import NoticeScreen
from kiosk.flow.session import CitizenLeft, Session, SteppedBack
from kiosk.flow.transaction import Outcome, Transaction, option, read_failure, tell_failure
from kiosk.flow.words import word

StepRunner = Callable[[Transaction], Coroutine[Any, Any, Outcome]]
ON_PAPER = ((DeviceClass.DOCUMENT_PRINTER, "document"), (DeviceClass.RECEIPT_PRINTER, "receipt"))


async def run_transaction(transaction: Transaction, *, run_step: StepRunner) -> Disposition:
    """Walk the steps. Every way out is journalled with its disposition, and the result is returned."""
    session, matter = transaction.session, transaction.matter
    journal = session.equipment.journal
    transaction.number = transaction_number(session)
    begun = journal.append(
        "transaction_begun",
        transaction_number=transaction.number,
        matter=matter.id,
        version=matter.version,
        bundle=session.equipment.library.bundle_hash or "",
    )
    session.values.put(
        "transaction",
        {
            "number": transaction.number,
            "site": session.equipment.site,
            "terminal": session.equipment.terminal,
            "started_at": begun.occurred_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M"),
        },
    )
    disposition, fault = Disposition.INTERRUPTED, ""
    try:
        disposition, fault = await _walk(transaction, run_step)
    except CitizenLeft:
        disposition, fault = _left(transaction)
        raise
    finally:
        journal.append(
            "transaction_ended",
            transaction_number=transaction.number,
            disposition=disposition,
            fault=fault,
            holder=session.identity.masked_holder,
            case_number=transaction.case_number,
        )
        if session.equipment.payments is not None:
            session.equipment.payments.settle_soon()
    return disposition


async def _walk(transaction: Transaction, run_step: StepRunner) -> tuple[Disposition, str]:
    session, steps = transaction.session, transaction.matter.steps
    index = 0
    seen: list[int] = []
    while index < len(steps):
        transaction.position = index
        settle_parts(transaction)
        if not transaction.is_wanted(transaction.step):
            index += 1
            continue
        asked = session.questions_asked
        started = time.monotonic()
        try:
            outcome = await run_step(transaction)
        except SteppedBack:
            outcome = Outcome.BACK
        except (CitizenLeft, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 (every failure is told, and an unexpected one raised again there)
            if await tell_failure(transaction, error):
                continue
            return _ending(transaction, error)
        transaction.journal(
            "step_ended",
            step=transaction.step.id,
            kind=steps[index].kind,
            milliseconds=round((time.monotonic() - started) * 1000),
        )
        if outcome is Outcome.BACK:
            if not seen or transaction.has_effect:
                return Disposition.CANCELLED, ""
            index = seen.pop()
            continue
        if transaction.has_effect:
            seen.clear()
        elif session.questions_asked > asked:
            seen.append(index)
        index += 1
    if transaction.matter.parts and not transaction.any_part_done:
        nothing = transaction.part_fault or FaultCode.NOT_ELIGIBLE
        return _disposition_of(transaction, nothing), nothing.value
    if transaction.matter.parts and transaction.pending_requests:
        return Disposition.UNCERTAIN, (transaction.part_fault or FaultCode.AUTHORITY_DOWN).value
    fault = transaction.undelivered
    return (Disposition.SUCCEEDED, "") if fault is None else (Disposition.UNCERTAIN, fault.value)


def _left(transaction: Transaction) -> tuple[Disposition, str]:
    """The citizen went: before a failure that was told, before the result, or with everything but the rating done."""
    if transaction.fault is not None:
        return _disposition_of(transaction, transaction.fault), transaction.fault.value
    if transaction.undelivered is not None:
        return Disposition.UNCERTAIN, transaction.undelivered.value
    return (Disposition.SUCCEEDED if _only_rating_left(transaction) else Disposition.CANCELLED), ""


def _ending(transaction: Transaction, error: Exception) -> tuple[Disposition, str]:
    fault, _, _ = read_failure(transaction, error)
    return _disposition_of(transaction, fault), fault.value


def _disposition_of(transaction: Transaction, fault: FaultCode) -> Disposition:
    unsure = (FaultCode.PRINT_UNCERTAIN, FaultCode.PAYMENT_UNCERTAIN, FaultCode.CARD_UNCERTAIN)
    is_open = fault in unsure or bool(transaction.pending_requests)
    return Disposition.UNCERTAIN if is_open else Disposition.FAILED


def _only_rating_left(transaction: Transaction) -> bool:
    return transaction.step is transaction.matter.steps[-1] and getattr(transaction.step, "kind", "") == "rate"


def transaction_number(session: Session) -> str:
    """Spoken on the telephone, searched by staff: date, terminal, and six characters nobody confuses."""
    now = session.equipment.now().astimezone(CITY_TIME)
    terminal = "".join(letter for letter in session.equipment.terminal if letter.isalnum())[-4:].upper()
    alphabet = "23456789ACDEFHJKLMNPQRTUVWXY"
    digits = uuid.uuid4().int
    tail = "".join(alphabet[(digits >> (5 * place)) % len(alphabet)] for place in range(6))
    return f"{now:%y%m%d}-{terminal}-{tail}"


def thanks(transaction: Transaction) -> NoticeScreen:
    """The last screen of a matter that went well; of a package with what became of each part."""
    outcomes = outcomes_of(transaction)
    is_whole = all(outcome.is_good for outcome in outcomes)
    held = "_".join(paper for printer, paper in ON_PAPER if printer in transaction.on_paper)
    return NoticeScreen(
        **transaction.frame(
            title=word("done_title" if is_whole else "partly_done_title"),
            say=word(f"done_with_{held or 'nothing'}") if is_whole else partly_done(outcomes),
            journey=(),
            can_go_back=False,
            primary=option("finish", "finish"),
            alternatives=(option("another", "another_matter"),),
        ),
        tone="success" if is_whole else "attention",
        papers=word(f"lies_{held}") if held else None,
        what_to_do=listed(outcomes) if outcomes else None,
        transaction_number=transaction.number,
    )
