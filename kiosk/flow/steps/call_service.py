"""Call an authority through the centre: intent before, outcome after, the same request id on every try."""

from __future__ import annotations

from kiosk.contracts.errors import FaultCode, Refused, ServiceFailed
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import CallServiceStep
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import WorkingScreen
from kiosk.flow.session import StepFailed
from kiosk.flow.steps.certificates import purpose_of
from kiosk.flow.transaction import Outcome, Transaction

NOT_DONE = frozenset({"authority_down", "bad_operation", "oversized", "unknown_operation", "invalid_payload"})
"""Reasons that say the authority never began."""

SILENT = frozenset({FaultCode.AUTHORITY_DOWN, FaultCode.CENTRE_UNREACHABLE})


async def run(transaction: Transaction, step: CallServiceStep) -> Outcome:
    transaction.session.show(_screen(transaction), busy=True)
    payload = {name: value for name, template in step.send.items() if (value := transaction.values.send(template))}
    uncertain = transaction.pending_requests.get(step.id)
    request_id = uncertain or transaction.begin_effect("service_begun", step=step.id, operation=step.operation)
    try:
        answer = await transaction.equipment.services.call(
            step.operation,
            payload,
            request_id=request_id,
            transaction_number=transaction.number,
            matter=transaction.matter.id,
            purpose=purpose_of(transaction),
            timeout_seconds=step.timeout_seconds,
        )
    except ServiceFailed as failure:
        _remember(transaction, step, answered=failure.code not in SILENT)
        _record(transaction, step, request_id, _disposition(step, failure), reason=failure.reason)
        raise _failed(step, failure) from failure
    _remember(transaction, step, answered=True)
    _record(transaction, step, request_id, Disposition.SUCCEEDED, case_number=answer.case_number or "")
    transaction.values.put(f"service.{step.id}", answer.data)
    if answer.outcome == "accepted":
        transaction.accepted_steps.add(step.id)
    if answer.case_number:
        transaction.case_number = answer.case_number
        transaction.values.put(f"service.{step.id}", {"case_number": answer.case_number})
    transaction.has_effect = transaction.has_effect or step.effect == "submit"
    return Outcome.DONE


def _remember(transaction: Transaction, step: CallServiceStep, *, answered: bool) -> None:
    """The next citizen is told before starting that an authority is quiet."""
    equipment = transaction.equipment
    equipment.outages.heard(step.operation, equipment.now(), answered=answered)


def _screen(transaction: Transaction) -> WorkingScreen:
    return WorkingScreen(**transaction.frame(can_go_back=False, can_leave=False))


def _disposition(step: CallServiceStep, failure: ServiceFailed) -> Disposition:
    """Sent and not clearly refused is not failed: the authority may have done it."""
    certain = isinstance(failure, Refused) or failure.reason in NOT_DONE
    return Disposition.FAILED if step.effect == "query" or certain else Disposition.UNCERTAIN


def _record(
    transaction: Transaction, step: CallServiceStep, request_id: str, disposition: Disposition, *, reason: str = "",
    case_number: str = "",
) -> None:  # fmt: skip
    facts = {"operation": step.operation, "reason": reason, "case_number": case_number}
    if transaction.pending_requests.pop(step.id, None):
        transaction.settle_effect(request_id, "service_reconciled", disposition, **facts)
    else:
        transaction.end_effect(request_id, "service_ended", disposition, step=step.id, **facts)
    if disposition is Disposition.UNCERTAIN:
        transaction.pending_requests[step.id] = request_id


def _failed(step: CallServiceStep, failure: ServiceFailed) -> StepFailed:
    told: LocalizedText | None = getattr(failure, "told", None)
    refused = isinstance(failure, Refused)
    return StepFailed(
        FaultCode.NOT_ELIGIBLE if refused and failure.reason.startswith("not_eligible") else failure.code,
        f"{step.operation}: {failure.reason or failure}",
        told=told,
        can_retry=not refused,
    )
