"""Steps that change something in the world: signature, money, cards, paper. Intent before, outcome after."""

from __future__ import annotations

from typing import assert_never

from kiosk.contracts.matter import PayStep, PrintDocumentStep, PrintReceiptStep, SignStep, WriteCardStep
from kiosk.flow.steps.effects import pay, print_document, print_receipt, sign, write_card
from kiosk.flow.transaction import Outcome, Transaction

EffectStep = SignStep | PayStep | WriteCardStep | PrintDocumentStep | PrintReceiptStep


async def run(transaction: Transaction, step: EffectStep) -> Outcome:
    match step:
        case SignStep():
            work = sign.run(transaction, step)
        case PayStep():
            work = pay.run(transaction, step)
        case WriteCardStep():
            work = write_card.run(transaction, step)
        case PrintDocumentStep():
            work = print_document.run(transaction, step)
        case PrintReceiptStep():
            work = print_receipt.run(transaction, step)
        case _:
            assert_never(step)
    return await work
