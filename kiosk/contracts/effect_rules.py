"""What sign, pay and write_card steps must obey beyond their models: an author's mistakes, each with its cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from kiosk.contracts.effect_steps import PaymentChannel, PayStep, SignStep, WriteCardStep, fen_of
from kiosk.contracts.matter_ground import SOURCE_PLACE, places_in
from kiosk.contracts.text import Language

Found = tuple[str, str]
FaultOf = Callable[[str], str | None]
"""None when a source may be used at this step, else the message with its cure."""

_BRACED = re.compile(r"\{[^{}]*\}|[{}]")


def template_faults(path: str, template: str, fault_of: FaultOf) -> list[Found]:
    """Places of a template text that name nothing, or something not known yet."""
    found: list[Found] = []
    for place in _BRACED.finditer(template):
        whole = SOURCE_PLACE.fullmatch(place.group())
        if whole is None:
            message = f"{place.group()!r} is no place for a source: write {{card.name}} or {{card.name:masked}}"
            found.append((path, message))
        elif fault := fault_of(whole.group(1)):
            found.append((path, fault))
    return found


def sign_mistakes(path: str, step: SignStep, fault_of: FaultOf, *, identified: bool) -> list[Found]:
    found: list[Found] = []
    if not identified:
        found.append((path, "a signature is somebody's: put an 'identify' step before this step"))
    for language in Language:
        text = step.text.in_language(language)
        found += template_faults(f"{path}.text.{language}", text, fault_of)
        found += [
            (f"{path}.text.{language}", f"{{{place}}} stands in the zh-CN text and not here: who signs this reads less")
            for place in sorted({*places_in(step.text.zh_cn)} - {*places_in(text)})
        ]
    for at, shown in enumerate(step.show):
        found += template_faults(f"{path}.show[{at}].value", shown.value, fault_of)
    return found


def pay_mistakes(path: str, step: PayStep, fault_of: FaultOf, steps: Sequence[tuple[int, Any]]) -> list[Found]:
    """`steps` are all of the matter's, in order: money is paid once, and something is delivered for it afterwards."""
    found: list[Found] = []
    for at, line in enumerate(step.lines):
        found += _amount_mistakes(f"{path}.lines[{at}].amount_fen", line.amount_fen, fault_of)
    if step.bill is not None and (fault := fault_of(step.bill)):
        found.append((f"{path}.bill", fault))
    if PaymentChannel.NON_TAX in step.channels and step.bill is None:
        cure = "add bill: service.QUERY.payment_code, or take non_tax out"
        found.append((f"{path}.channels", f"the channel non_tax pays a non-tax payment code: {cure}"))
    if PaymentChannel.BANK_CARD in step.channels and any(line.part for line in step.lines):
        found.append((f"{path}.channels", "a card gives back only whole payments, never one part's: remove bank_card"))
    if len(set(step.channels)) != len(step.channels):
        found.append((f"{path}.channels", "a channel is listed twice: remove one"))
    for language in Language:
        if SOURCE_PLACE.search(step.subject.in_language(language)):
            message = "the subject goes to the payment provider as it stands: write it without places"
            found.append((f"{path}.subject.{language}", message))
    before = next((other.id for _, other in steps if other is step or getattr(other, "kind", "") == "pay"), step.id)
    if before != step.id:
        found.append((path, f"{before!r} takes money already: pay once, with its lines in that step"))
    if not delivers_after(step, [other for _, other in steps]):
        cure = "put a call_service with effect: submit, a write_card or a print_document step after it"
        found.append((path, f"money is taken and nothing is delivered for it: {cure}"))
    return found


def delivers_after(step: PayStep, steps: Sequence[Any]) -> bool:
    """Whether a delivering step follows. A step that could not be read may be one."""
    later = steps[next(at for at, other in enumerate(steps) if other is step) + 1 :]
    return any(
        getattr(other, "kind", "") in ("write_card", "print_document", "")
        or (getattr(other, "kind", "") == "call_service" and getattr(other, "effect", "submit") == "submit")
        for other in later
    )


def write_card_mistakes(path: str, step: WriteCardStep, fault_of: FaultOf) -> list[Found]:
    fault = fault_of(step.job)
    if fault is None and not step.job.startswith("service."):
        fault = f"what is written comes from an authority, not from {step.job!r}: name service.STEP.NAME"
    return [(f"{path}.job", fault)] if fault else []


def _amount_mistakes(path: str, amount: str, fault_of: FaultOf) -> list[Found]:
    whole = SOURCE_PLACE.fullmatch(amount)
    if whole is None:
        if fen_of(amount) is None:
            cure = 'write whole fen ("2000" is 20 yuan), or one place such as {service.bill.fine_fen}'
            return [(path, f"{amount!r} is no amount: {cure}")]
        return []
    if whole.group(2):
        return [(path, "an amount cannot be masked: take :masked out")]
    fault = fault_of(whole.group(1))
    if fault is None and not whole.group(1).startswith(("service.", "answer.")):
        fault = f"an amount comes from an authority or an entry, not from {whole.group(1)!r}: name service.STEP.NAME"
    return [(path, fault)] if fault else []
