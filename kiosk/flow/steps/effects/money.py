"""What stands between a payment and what it pays for: the money is held, the deeds are done, the delivery is said."""

from __future__ import annotations

from kiosk.contracts.errors import FaultCode, KioskError, ServiceFailed
from kiosk.contracts.matter import CallServiceStep, PayStep, PrintDocumentStep, Step, WriteCardStep
from kiosk.flow.equipment import GivenBack
from kiosk.flow.session import Paid, StepFailed
from kiosk.flow.transaction import Transaction

NOT_DELIVERED = frozenset({"refused", "failed", "skipped"})
"""Outcomes of a package's part whose lines go back."""


def deeds_for(transaction: Transaction, paid: Paid) -> tuple[Step, ...]:
    """The steps that deliver what was paid for: a card to be written, else what authorities do, else the pages."""
    steps = transaction.matter.steps
    at = next(index for index, step in enumerate(steps) if isinstance(step, PayStep) and step.id == paid.step_id)
    later = [step for step in steps[at + 1 :] if transaction.is_wanted(step)]
    if transaction.matter.parts:
        return tuple(step for step in later if _is_deed(step))
    cards = tuple(step for step in later if isinstance(step, WriteCardStep))
    submits = tuple(step for step in later if isinstance(step, CallServiceStep) and step.effect == "submit")
    return cards or submits or tuple(step for step in later if isinstance(step, PrintDocumentStep))


def _is_deed(step: Step) -> bool:
    return isinstance(step, WriteCardStep) or (isinstance(step, CallServiceStep) and step.effect == "submit")


async def before(transaction: Transaction, step: Step) -> None:
    """Before a deed the money must stand for long enough; the journal says for which deeds it does."""
    paid, payments = transaction.paid, transaction.equipment.payments
    if paid is None or paid.delivered or payments is None:
        return
    deeds = deeds_for(transaction, paid)
    if step not in deeds:
        return
    transaction.working("pay_checking")
    try:
        await payments.till(paid.channel).allow_delivery(paid.order_id)
    except GivenBack as error:
        paid.returned = True
        raise StepFailed(
            FaultCode.PAYMENT_RETURNED, "the money went back before the delivery", can_retry=False
        ) from error
    except ServiceFailed as error:
        raise StepFailed(FaultCode.CENTRE_UNREACHABLE, f"the delivery was not allowed: {error}") from error
    except KioskError as error:
        raise StepFailed(FaultCode.PAYMENT_UNCERTAIN, f"the delivery was not allowed: {error}") from error
    transaction.journal(
        "delivery_allowed",
        order_id=paid.order_id,
        steps=",".join(deed.id for deed in deeds),
        lines=_lines(transaction, paid, deeds),
    )


def _lines(transaction: Transaction, paid: Paid, deeds: tuple[Step, ...]) -> str:
    """Of a package, which deeds each line of the bill pays for: `l0=step,l1=step`."""
    if not transaction.matter.parts:
        return ""
    return ",".join(f"{line}={deed.id}" for line, part in paid.lines.items() for deed in deeds if deed.parts == (part,))


def after(transaction: Transaction, step: Step) -> None:
    """With the last deed done what was paid for is delivered, except for parts of a package that were refused."""
    paid, payments = transaction.paid, transaction.equipment.payments
    if paid is None or paid.delivered or payments is None:
        return
    paid.done.add(step.id)
    if transaction.matter.parts and transaction.pending_requests:
        return
    deeds = deeds_for(transaction, paid)
    if not deeds or any(deed.id not in paid.done for deed in deeds):
        return
    missing = _undelivered(transaction, paid)
    if paid.lines and len(missing) == len(paid.lines):
        return
    paid.delivered = True
    transaction.journal("payment_delivered", order_id=paid.order_id, undelivered=",".join(missing))
    payments.settle_soon()


def _undelivered(transaction: Transaction, paid: Paid) -> tuple[str, ...]:
    return tuple(
        line
        for line, part in paid.lines.items()
        if part and transaction.values.get(f"part.{part}.outcome") in NOT_DELIVERED
    )
