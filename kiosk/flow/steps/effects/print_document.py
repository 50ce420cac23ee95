"""Fetch a sealed PDF, verify its seal, show it, print it, and know that it was printed."""

from __future__ import annotations

import asyncio

from drivers.errors import DeviceError
from drivers.messages import DeviceClass, DocumentJob, PrintOutcome, PrintResult
from drivers.protocols import DocumentPrinter
from kiosk.contracts.errors import FaultCode, SealRejected, ServiceFailed
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import PrintDocumentStep
from kiosk.contracts.value import sha256_hex
from kiosk.flow.screens import ChooseScreen, Chosen, Place, PreviewScreen, WorkingScreen
from kiosk.flow.session import StepFailed
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import device_sentence, first_sentence, word

RECONCILE_TRIES = 8
RECONCILE_SECONDS = 0.75
LONGEST_PAGE_SECONDS = 60.0
STILL_PRINTING = "still_printing"

DISPOSITIONS = {
    PrintOutcome.PRINTED: Disposition.SUCCEEDED,
    PrintOutcome.FAILED: Disposition.FAILED,
    PrintOutcome.UNCERTAIN: Disposition.UNCERTAIN,
}


async def run(transaction: Transaction, step: PrintDocumentStep) -> Outcome:
    transaction.undelivered = FaultCode.PRINT_FAILED
    pdf = await _sealed_document(transaction, step)
    await transaction.session.ask(
        PreviewScreen(
            **transaction.frame(
                say=word("preview_before_print"), can_go_back=False, primary=option("print", "print_now")
            ),
            page_png=await asyncio.to_thread(transaction.equipment.render_page, pdf),
            caption=step.document_title,
        )
    )
    while True:
        outcome = await print_once(transaction, step, pdf)
        if outcome.outcome is PrintOutcome.FAILED:
            told = device_sentence(DeviceClass.DOCUMENT_PRINTER, outcome.reason)
            raise StepFailed(FaultCode.PRINT_FAILED, outcome.reason, told=told)
        if outcome.outcome is PrintOutcome.PRINTED or await _citizen_has_page(transaction, outcome.job_id):
            transaction.undelivered = None
            transaction.on_paper.add(DeviceClass.DOCUMENT_PRINTER)
            return Outcome.DONE


async def _sealed_document(transaction: Transaction, step: PrintDocumentStep) -> bytes:
    """The document as the authority sealed it; never printed when the seal does not hold."""
    transaction.working("fetching_document")
    document_id = transaction.values.get(step.document)
    if document_id is None:
        raise StepFailed(FaultCode.AUTHORITY_GARBLED, f"no document at {step.document}", can_retry=False)
    try:
        pdf = await transaction.equipment.services.document(document_id)
    except ServiceFailed as failure:
        raise StepFailed(failure.code, str(failure)) from failure
    transaction.working("checking_seal")
    facts = {"document": document_id, "sha256": sha256_hex(pdf)}
    try:
        await asyncio.to_thread(transaction.equipment.verify_seal, pdf)
    except SealRejected as error:
        transaction.journal("seal_checked", **facts, disposition=Disposition.FAILED, reason=str(error)[:120])
        raise StepFailed(FaultCode.SEAL_INVALID, str(error), can_retry=False) from error
    transaction.journal("seal_checked", **facts, disposition=Disposition.SUCCEEDED, reason="")
    return pdf


async def print_once(transaction: Transaction, step: PrintDocumentStep, pdf: bytes) -> PrintResult:
    """One print with its intent and outcome. Uncertain is asked after, never repeated."""
    printer = transaction.equipment.devices.document_printer
    if printer is None:
        raise StepFailed(FaultCode.PRINTER_DOWN, "no document printer is configured")
    await transaction.until_awake(printer)
    if not transaction.equipment.devices.is_fit(DeviceClass.DOCUMENT_PRINTER):
        faults = transaction.equipment.devices.faults_of(DeviceClass.DOCUMENT_PRINTER)
        told = first_sentence(DeviceClass.DOCUMENT_PRINTER, faults)
        raise StepFailed(FaultCode.PRINTER_DOWN, "the document printer is not fit for use", told=told)
    sha256 = sha256_hex(pdf)
    transaction.session.show(
        WorkingScreen(
            **transaction.frame(say=word("printing"), place=Place.DOCUMENT_TRAY, can_go_back=False, can_leave=False)
        ),
        busy=True,
    )
    job_id = transaction.begin_effect("print_begun", step=step.id, device="document_printer", sha256=sha256)
    transaction.has_effect = True
    try:
        result = await printer.print_document(DocumentJob(job_id=job_id, pdf=pdf, sha256=sha256))
    except DeviceError as error:
        result = PrintResult(job_id=job_id, outcome=PrintOutcome.FAILED, reason=error.reason)
    except BaseException:
        result = PrintResult(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason="interrupted")
        _end(transaction, step, result)
        raise
    _end(transaction, step, result)
    return await _ask_printer(transaction, printer, result) if result.outcome is PrintOutcome.UNCERTAIN else result


def _end(transaction: Transaction, step: PrintDocumentStep, result: PrintResult) -> None:
    transaction.end_effect(
        result.job_id,
        "print_ended",
        DISPOSITIONS[result.outcome],
        step=step.id,
        device="document_printer",
        reason=result.reason,
        pages=result.pages_printed or 0,
    )


async def _ask_printer(transaction: Transaction, printer: DocumentPrinter, result: PrintResult) -> PrintResult:
    """Ask what became of the job until the printer knows: some tries, and on while it says that pages are coming."""
    transaction.working("asking_printer")
    tries = RECONCILE_TRIES
    clock = asyncio.get_running_loop().time
    ends_at = clock() + LONGEST_PAGE_SECONDS
    while tries > 0 and clock() < ends_at:
        try:
            found = await printer.find_job(result.job_id, result.printer_job_id)
        except DeviceError:
            found = result
        if found.outcome is not PrintOutcome.UNCERTAIN:
            _settle(transaction, found.job_id, DISPOSITIONS[found.outcome], found.reason)
            return found
        if found.reason != STILL_PRINTING:
            tries -= 1
        await asyncio.sleep(RECONCILE_SECONDS)
    return result


def _settle(transaction: Transaction, job_id: str, disposition: Disposition, reason: str) -> None:
    transaction.settle_effect(job_id, "print_reconciled", disposition, device="document_printer", reason=reason)


async def _citizen_has_page(transaction: Transaction, job_id: str) -> bool:
    """The printer cannot say: the citizen looks. Printing again is an explicit, journalled decision."""
    transaction.undelivered = FaultCode.PRINT_UNCERTAIN
    answer = await transaction.session.ask(
        ChooseScreen(
            **transaction.frame(
                title=word("uncertain_title"), say=word("uncertain_say"), place=Place.DOCUMENT_TRAY, can_go_back=False
            ),
            options=(
                option("have_page", "uncertain_have", icon="check"),
                option("no_page", "uncertain_none", icon="printer"),
            ),
        )
    )
    transaction.journal("citizen_told", fault=FaultCode.PRINT_UNCERTAIN, step=transaction.step.id)
    if isinstance(answer, Chosen) and answer.option == "have_page":
        _settle(transaction, job_id, Disposition.SUCCEEDED, "citizen_has_it")
        return True
    _settle(transaction, job_id, Disposition.FAILED, "citizen_has_none")
    return False
