"""Write what an authority gave onto the citizen's card: intent before, outcome after, uncertain read from the card."""

from __future__ import annotations

from contextlib import suppress

from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline, MediaError
from kiosk.contracts.effect_steps import PermitJob, read_job
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import WriteCardStep
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import InstructScreen, NoticeScreen, Place, WorkingScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.steps.effects.card_writers import CardWriter, PermitWriter, SocialSecurityWriter, Written
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import device_sentence, first_sentence, sentence_of, word

CARD_SECONDS = 45.0
REMOVAL_SECONDS = 30.0
FINDING_TRIES = 3

_DISPOSITIONS = {
    "written": Disposition.SUCCEEDED,
    "print_pending": Disposition.SUCCEEDED,
    "failed": Disposition.FAILED,
    "uncertain": Disposition.UNCERTAIN,
}


async def run(transaction: Transaction, step: WriteCardStep) -> Outcome:
    writer = _writer(transaction, step)
    await _insert(transaction, writer)
    pending = transaction.pending_cards.get(step.id)
    if pending is not None:
        written = await _found(transaction, step, writer, pending)
    else:
        written = await _write_once(transaction, step, writer)
    if written.outcome == "uncertain":
        await _hand_back(transaction, writer)
        raise StepFailed(
            FaultCode.CARD_UNCERTAIN, written.reason, told=device_sentence(writer.device_class, written.reason)
        )
    if written.outcome == "failed":
        await _hand_back(transaction, writer)
        raise StepFailed(
            FaultCode.CARD_NOT_WRITTEN, written.reason, told=device_sentence(writer.device_class, written.reason)
        )
    transaction.values.put(f"service.{step.id}", {"outcome": written.outcome, "serial": written.job_id})
    if written.outcome == "print_pending":
        await _tell_print_pending(transaction)
    await _hand_back(transaction, writer, say="card_take")
    return Outcome.DONE


def _writer(transaction: Transaction, step: WriteCardStep) -> CardWriter:
    """Raises StepFailed when the authority gave no job, or the machine has no such device."""
    try:
        job = read_job(step.card, transaction.values.node(step.job))
    except ValueError as error:
        raise StepFailed(FaultCode.AUTHORITY_GARBLED, str(error), can_retry=False) from error
    devices = transaction.equipment.devices
    writer: CardWriter | None = None
    if isinstance(job, PermitJob):
        writer = PermitWriter(devices.card_rewriter, job) if devices.card_rewriter is not None else None
    else:
        reader = devices.smart_card_reader
        writer = SocialSecurityWriter(reader, job) if reader is not None else None
    if writer is None:
        raise StepFailed(FaultCode.DEVICE_DOWN, f"no device writes a {step.card} card here", can_retry=False)
    transaction.device = writer.device_class
    if not devices.is_fit(writer.device_class):
        told = first_sentence(writer.device_class, devices.faults_of(writer.device_class))
        raise StepFailed(FaultCode.DEVICE_DOWN, "the card writer is not fit for use", told=told)
    return writer


async def _insert(transaction: Transaction, writer: CardWriter) -> None:
    """Until the right card lies in the device. Raises SteppedBack while nothing was written yet."""
    hint: LocalizedText | None = None
    transaction.session.questions_asked += 1
    while True:
        frame = transaction.frame(say=word(writer.insert_word), place=Place.CARD_SLOT)
        transaction.session.show(InstructScreen(**frame, hint=hint))
        try:
            fits = await transaction.session.unless_answered(writer.inserted(CARD_SECONDS))
        except CommandTimedOut:
            hint = None
            continue
        except MediaError as error:
            hint = sentence_of(writer.device_class, error) or word("card_again")
            await _eject(writer)
            continue
        except DeviceError as error:
            raise StepFailed(FaultCode.DEVICE_DOWN, str(error)) from error
        if fits is True:
            return
        if fits is not False:
            raise SteppedBack
        hint = word("card_wrong")
        await _eject(writer)


async def _write_once(transaction: Transaction, step: WriteCardStep, writer: CardWriter) -> Written:
    transaction.session.show(
        WorkingScreen(
            **transaction.frame(say=word("card_writing"), place=Place.CARD_SLOT, can_go_back=False, can_leave=False)
        ),
        busy=True,
    )
    job_id = transaction.begin_effect("card_write_begun", step=step.id, device=writer.device_class)
    transaction.has_effect = True
    written = Written(job_id, "uncertain", "interrupted")
    try:
        written = await writer.write(job_id)
    except DeviceOffline as error:
        written = Written(job_id, "uncertain", error.reason)
    except DeviceError as error:
        written = Written(job_id, "failed", error.reason)
    finally:
        transaction.end_effect(
            job_id, "card_write_ended", _DISPOSITIONS[written.outcome], step=step.id, device=writer.device_class,
            reason=written.reason or _remark(written),
        )  # fmt: skip
    if written.outcome == "uncertain":
        transaction.pending_cards[step.id] = job_id
        return await _found(transaction, step, writer, job_id)
    return written


async def _found(transaction: Transaction, step: WriteCardStep, writer: CardWriter, job_id: str) -> Written:
    """What became of an uncertain write, from the card itself; the journal hears it once it is certain."""
    transaction.working("card_asking")
    found = Written(job_id, "uncertain", "card_not_read")
    for _ in range(FINDING_TRIES):
        try:
            found = await writer.find(job_id)
        except DeviceError as error:
            found = Written(job_id, "uncertain", error.reason)
        if found.outcome != "uncertain":
            break
    if found.outcome == "uncertain":
        return found
    transaction.pending_cards.pop(step.id, None)
    transaction.settle_effect(
        job_id, "card_write_reconciled", _DISPOSITIONS[found.outcome], device=writer.device_class,
        reason=found.reason or _remark(found),
    )  # fmt: skip
    return found


def _remark(written: Written) -> str:
    return "print_pending" if written.outcome == "print_pending" else ""


async def _tell_print_pending(transaction: Transaction) -> None:
    await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(
                title=word("card_print_pending_title"), say=word("card_print_pending_say"), can_go_back=False,
                place=Place.CARD_SLOT, primary=option("next", "card_understood"),
            ),
            tone="attention",
            papers=word("card_print_pending_papers"),
            transaction_number=transaction.number,
        )
    )  # fmt: skip


async def _hand_back(transaction: Transaction, writer: CardWriter, *, say: str = "card_take_back") -> None:
    """Nobody goes on before the card is back in the citizen's hand, or a while has passed."""
    transaction.session.show(
        InstructScreen(**transaction.frame(say=word(say), place=Place.CARD_SLOT, can_go_back=False, can_leave=False)),
        busy=True,
    )
    await _eject(writer)
    with suppress(DeviceError):
        await writer.removed(REMOVAL_SECONDS)


async def _eject(writer: CardWriter) -> None:
    with suppress(DeviceError):
        await writer.hand_back()
