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
    PayStep,
    PrintDocumentStep,
    PrintReceiptStep,
    RateStep,
    ReviewStep,
    SignStep,
    Step,
    WriteCardStep,
)
from kiosk.flow.steps import (
    ask,
    call_service,
    collect_material,
    consent,
    effects,
    fill_form,
    identify,
    rate,
    review,
)
from kiosk.flow.steps.effects import money
from kiosk.flow.steps.parts import run_for_parts
from kiosk.flow.transaction import Outcome, Transaction


async def run_step(transaction: Transaction) -> Outcome:
    """Do the transaction's present step. What was paid for is delivered only while the money stands."""
    step = transaction.step

    async def work() -> Outcome:
        await money.before(transaction, step)
        return await _done(transaction, step)

    outcome = await run_for_parts(transaction, step, work)
    if outcome is Outcome.DONE:
        money.after(transaction, step)
    return outcome


async def _done(transaction: Transaction, step: Step) -> Outcome:
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
        case CallServiceStep():
            work = call_service.run(transaction, step)
        case SignStep() | PayStep() | WriteCardStep() | PrintDocumentStep() | PrintReceiptStep():
            work = effects.run(transaction, step)
        case RateStep():
            work = rate.run(transaction, step)
        case _:
            assert_never(step)
    return await work
