"""Steps of a package's parts: what fails ends its own part, and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from drivers.errors import DeviceError
from kiosk.contracts.errors import FaultCode, KioskError, Refused
from kiosk.contracts.matter import (
    CallServiceStep,
    CollectMaterialStep,
    FillFormStep,
    PayStep,
    PrintDocumentStep,
    Step,
    WriteCardStep,
)
from kiosk.flow.course.outcomes import end_part, note_delivery
from kiosk.flow.screens import Option
from kiosk.flow.transaction import Outcome, Transaction, explain, option, read_failure
from kiosk.flow.words import word

TOLERANT = (CallServiceStep, CollectMaterialStep, FillFormStep, PayStep, PrintDocumentStep, WriteCardStep)
REFUSALS = frozenset({FaultCode.AUTHORITY_REFUSED, FaultCode.NOT_ELIGIBLE, FaultCode.MATERIAL_MISSING})
ASKED_AGAIN = 2
"""Times a request of unknown outcome is asked after under its own id before the citizen hears of it."""
ASK_AGAIN_SECONDS = 1.0

Work = Callable[[], Coroutine[Any, Any, Outcome]]


async def run_for_parts(transaction: Transaction, step: Step, work: Work) -> Outcome:
    """Do a step. In a package a failure of a part's own step is explained, and ends the part, not the matter."""
    if not step.parts or not isinstance(step, TOLERANT):
        return await work()
    while True:
        try:
            outcome = await _asked_after(transaction, step, work)
        except (KioskError, DeviceError) as error:
            if not _others(transaction, step) and not transaction.any_part_done and not transaction.has_effect:
                raise
            if await explain(transaction, error, _onward()) != "retry":
                _give_up(transaction, step, error)
                return Outcome.DONE
        else:
            note_delivery(transaction, step)
            return outcome


def _others(transaction: Transaction, step: Step) -> list[str]:
    """Parts that go on without those of this step."""
    return [
        part.id
        for part in transaction.matter.parts
        if transaction.goes_on(part) and part.id not in step.parts and not set(part.needs) & set(step.parts)
    ]


def _onward() -> Option:
    return option("go_on", "go_on_with_others")


async def _asked_after(transaction: Transaction, step: Step, work: Work) -> Outcome:
    """A submit nobody knows the end of is asked after, under the same request id, before its part is given up."""
    for _ in range(ASKED_AGAIN):
        try:
            return await work()
        except KioskError:
            if step.id not in transaction.pending_requests:
                raise
            await asyncio.sleep(ASK_AGAIN_SECONDS)
    return await work()


def _give_up(transaction: Transaction, step: Step, error: Exception) -> None:
    fault, told, _ = read_failure(transaction, error)
    transaction.part_fault = fault
    ended = [part.id for part in transaction.matter.parts if part.id in step.parts and transaction.goes_on(part)]
    for part in ended:
        if isinstance(step, PrintDocumentStep):
            end_part(transaction, part, "done", told=word("part_not_printed"), reason=fault.value)
        elif step.id in transaction.pending_requests:
            end_part(transaction, part, "failed", told=word("part_uncertain"), reason=fault.value)
        else:
            refused = fault in REFUSALS or isinstance(error.__cause__, Refused)
            unpaid = word("part_unpaid") if isinstance(step, PayStep) else None
            end_part(
                transaction, part, "refused" if refused else "failed", told=unpaid or told or word("part_later"),
                reason=fault.value,
            )  # fmt: skip
