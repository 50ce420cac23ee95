"""What a well-formed matter must still obey: sources in order, reachable steps, sign-in before the card's values."""

from __future__ import annotations

from kiosk.contracts.asked_rules import condition_mistakes, form_mistakes, question_mistakes
from kiosk.contracts.effect_rules import pay_mistakes, sign_mistakes, template_faults, write_card_mistakes
from kiosk.contracts.hours import CLOSED_HOURS
from kiosk.contracts.matter import (
    AskStep,
    Assurance,
    CallServiceStep,
    FillFormStep,
    IdentifyStep,
    Matter,
    PayStep,
    PrintDocumentStep,
    PrintReceiptStep,
    RateStep,
    ReviewStep,
    SignStep,
    WriteCardStep,
)
from kiosk.contracts.matter_ground import SOURCE_LIKE
from kiosk.contracts.source_rules import AnyStep, Found, Known, PlacedStep, Unreadable
from kiosk.contracts.text import Language


def head_mistakes(matter: Matter) -> list[Found]:
    found: list[Found] = []
    if matter.closed_hours and not CLOSED_HOURS.fullmatch(matter.closed_hours):
        found.append(("closed_hours", "not a time of day: write it as 22:00-06:00"))
    found += _title_mistakes(matter)
    identifies = any(isinstance(step, IdentifyStep) for step in matter.steps)
    if matter.assurance is not Assurance.NONE and not identifies:
        found.append(
            ("assurance", f"the matter asks for assurance {matter.assurance.value} and never identifies: "
             "add an 'identify' step, or say assurance: none")
        )  # fmt: skip
    if not matter.parts:
        found += [
            (f"steps[{at}].parts", "parts belong to a package and are written when it is composed: remove this key")
            for at, step in enumerate(matter.steps)
            if step.parts
        ]
    return found


def _title_mistakes(matter: Matter) -> list[Found]:
    """What stands on a tile or above a page has room for so much and no more."""
    found: list[Found] = []
    for name, text in (("title", matter.title), ("short_title", matter.short_title)):
        for language in Language if text is not None else ():
            most = (80 if name == "title" else 48) if language is Language.EN else (40 if name == "title" else 16)
            length = len(text.in_language(language)) if text is not None else 0
            if length > most:
                found.append((f"{name}.{language}", f"has {length} characters: shorten it to {most} at most"))
    return found


def part_mistakes(matter: Matter) -> list[Found]:
    """What the conditions of a package's parts name must be asked or known somewhere in it."""
    known = Known(list(enumerate(matter.steps)), frozenset(part.id for part in matter.parts))
    for step in matter.steps:
        known.learn(step)
    return [
        mistake
        for at, part in enumerate(matter.parts)
        for mistake in condition_mistakes(f"package.parts[{at}].when", part.when, known)
    ]


def step_mistakes(
    steps: list[PlacedStep], *, assurance: Assurance | None = None, parts: frozenset[str] = frozenset()
) -> list[Found]:
    """Mistakes of meaning step by step, in order. Unreadable steps are passed over. `parts` of a composed package."""
    known = Known(steps, parts)
    found: list[Found] = []
    seen: set[str] = set()
    rated_at: str | None = None
    for index, step in steps:
        path = f"steps[{index}]"
        if step.id in seen - {""}:
            found.append((f"{path}.id", f"step id {step.id!r} is used twice: give each step its own id"))
        seen.add(step.id)
        if rated_at is not None:
            found.append(
                (path, f"never reached: the matter ends with the rating {rated_at!r}: move this step before it")
            )
        if isinstance(step, IdentifyStep):
            found += _identify_mistakes(path, known, assurance)
        if not isinstance(step, Unreadable):
            found += condition_mistakes(f"{path}.when", step.when, known)
        if not isinstance(step, Unreadable):
            found += _mistakes_in(path, step, known)
            found += _effect_mistakes(index, step, steps, known)
        if isinstance(step, RateStep) and rated_at is None:
            rated_at = step.id
        known.learn(step)
    return found


def _identify_mistakes(path: str, known: Known, assurance: Assurance | None) -> list[Found]:
    if known.identified:
        return [(path, "the citizen is identified already: remove the second 'identify' step")]
    if assurance is Assurance.NONE:
        return [(path, "the matter says assurance: none and identifies all the same: say card or card_person")]
    return []


def _mistakes_in(path: str, step: AnyStep, known: Known) -> list[Found]:
    found: list[Found] = []
    match step:
        case AskStep():
            found = question_mistakes(path, step, known)
        case FillFormStep():
            found = form_mistakes(path, step, known)
        case ReviewStep():
            for at, shown in enumerate(step.show):
                found += template_faults(f"{path}.show[{at}].value", shown.value, known.fault_of)
        case CallServiceStep():
            for name, text in step.send.items():
                found += _sent_faults(f"{path}.send.{name}", text, known)
        case PrintDocumentStep():
            found = _document_mistakes(f"{path}.document", step.document, known)
        case PrintReceiptStep():
            for at, item in enumerate(step.layout.items):
                found += template_faults(f"{path}.layout.items[{at}].value", item.value, known.fault_of)
            found += template_faults(f"{path}.layout.code", step.layout.code or "", known.fault_of)
        case _:
            pass
    return found


def _effect_mistakes(index: int, step: AnyStep, steps: list[PlacedStep], known: Known) -> list[Found]:
    path = f"steps[{index}]"
    match step:
        case SignStep():
            return sign_mistakes(path, step, known.fault_of, identified=known.identified)
        case PayStep():
            return pay_mistakes(path, step, known.fault_of, steps)
        case WriteCardStep():
            return write_card_mistakes(path, step, known.fault_of)
        case _:
            return []


def _document_mistakes(path: str, source: str, known: Known) -> list[Found]:
    fault = known.fault_of(source)
    if fault is None and not source.startswith("service."):
        fault = f"a document comes from an authority, not from {source!r}: name service.STEP.document_id"
    if fault is None and not source.endswith(".document_id"):
        fault = f"{source!r} identifies no document: name service.STEP.document_id"
    return [(path, fault)] if fault else []


def _sent_faults(path: str, text: str, known: Known) -> list[Found]:
    if SOURCE_LIKE.fullmatch(text):
        fault = known.fault_of(text)
        return [(path, fault)] if fault else []
    return template_faults(path, text, known.fault_of)
