"""One file per step kind; the match below is the one place that knows them all."""

from __future__ import annotations

from typing import assert_never

from kiosk.contracts.matter import (
    AskStep,
    CallServiceStep,
    CollectMaterialStep,
    ConsentStep,
    FillFormStep,
    IdentifyStep,
    PrintDocumentStep,
    PrintReceiptStep,
    RateStep,
    ReviewStep,
    SignStep,
)
from kiosk.flow.steps import (
    ask,
    call_service,
    collect_material,
    consent,
    fill_form,
    identify,
    rate,
    review,
)
from kiosk.flow.steps.effects import print_document, print_receipt, sign
from kiosk.flow.transaction import Outcome, Transaction


async def run_step(transaction: Transaction) -> Outcome:
    """Do the transaction's present step."""
    step = transaction.step
    match step:
        case ConsentStep():
            work = consent.run(transaction, step)
        case AskStep():
            work = ask.run(transaction, step)
        case IdentifyStep():
            work = identify.run(transaction, step)
        case FillFormStep():
            work = fill_form.run(transaction, step)
        case CollectMaterialStep():
            work = collect_material.run(transaction, step)
        case ReviewStep():
            work = review.run(transaction, step)
        case SignStep():
            work = sign.run(transaction, step)
        case CallServiceStep():
            work = call_service.run(transaction, step)
        case PrintDocumentStep():
            work = print_document.run(transaction, step)
        case PrintReceiptStep():
            work = print_receipt.run(transaction, step)
        case RateStep():
            work = rate.run(transaction, step)
        case _:
            assert_never(step)
    return await work
