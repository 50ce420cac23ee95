"""Print the slip. Without one the transaction stands: its number is shown on the screen instead."""

from __future__ import annotations

from drivers.errors import DeviceError
from drivers.messages import DeviceClass, PrintOutcome, PrintResult
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import PrintReceiptStep
from kiosk.flow.screens import NoticeScreen, Place, WorkingScreen
from kiosk.flow.steps.effects.print_document import DISPOSITIONS
from kiosk.flow.steps.effects.receipt import receipt_job, with_objections
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import device_sentence, failure_words


async def run(transaction: Transaction, step: PrintReceiptStep) -> Outcome:
    if (printer := transaction.equipment.devices.receipt_printer) is not None:
        await transaction.until_awake(printer)
    transaction.session.show(
        WorkingScreen(**transaction.frame(place=Place.RECEIPT_SLOT, can_go_back=False, can_leave=False)), busy=True
    )
    result = await _print(transaction, step)
    transaction.has_effect = True
    if result.outcome is not PrintOutcome.PRINTED:
        await _show_number_instead(transaction, result.reason)
    else:
        transaction.on_paper.add(DeviceClass.RECEIPT_PRINTER)
    return Outcome.DONE


async def _print(transaction: Transaction, step: PrintReceiptStep) -> PrintResult:
    equipment = transaction.equipment
    job_id = transaction.begin_effect("print_begun", step=step.id, device="receipt_printer", sha256="")
    job = receipt_job(
        with_objections(step.layout, transaction.objections, transaction.session.language),
        transaction.values,
        job_id=job_id,
        language=transaction.session.language,
        transaction_number=transaction.number,
        site=equipment.site,
        terminal=equipment.terminal,
        printed_at=equipment.now(),
    )
    result = PrintResult(job_id=job_id, outcome=PrintOutcome.FAILED, reason="device_absent")
    try:
        if equipment.devices.receipt_printer is not None:
            result = await equipment.devices.receipt_printer.print_receipt(job)
    except DeviceError as error:
        result = PrintResult(job_id=job_id, outcome=PrintOutcome.FAILED, reason=error.reason)
    except BaseException:
        result = PrintResult(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason="interrupted")
        raise
    finally:
        transaction.end_effect(
            job_id, "print_ended", DISPOSITIONS[result.outcome], step=step.id, device="receipt_printer",
            reason=result.reason, pages=0,
        )  # fmt: skip
    return result


async def _show_number_instead(transaction: Transaction, reason: str) -> None:
    told = failure_words(FaultCode.RECEIPT_FAILED)
    say = device_sentence(DeviceClass.RECEIPT_PRINTER, reason) or told.say
    transaction.journal("citizen_told", fault=FaultCode.RECEIPT_FAILED, step=transaction.step.id)
    await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(title=told.title, say=say, can_go_back=False, primary=option("next", "next")),
            tone="attention",
            papers=told.papers,
            money=told.money,
            what_to_do=told.what_to_do,
            fault=FaultCode.RECEIPT_FAILED,
            transaction_number=transaction.number,
        )
    )
