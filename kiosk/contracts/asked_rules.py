"""What conditions, questions and form fields must obey: an author's mistakes, each with its cure."""

from __future__ import annotations

import re

from kiosk.contracts.entries import date_of
from kiosk.contracts.matter import AskStep, Computed, Condition, FillFormStep, FormField, Question
from kiosk.contracts.matter_ground import SOURCE_LIKE, Source
from kiosk.contracts.source_rules import Found, Known, names_of, near
from kiosk.contracts.text import FieldKind

_COUNTS = {"age": (1, 2), "years_since": (1, 2), "days_between": (2, 2), "yuan": (1, 1), "sum": (2, 12),
           "product": (2, 12), "join": (2, 12)}  # fmt: skip
"""How many values each way of computing takes."""
_DAYS, _DAYS_KINDS = ("age", "years_since", "days_between"), (FieldKind.DATE, FieldKind.IDENTITY_NUMBER)
_NUMBERS, _NUMBERS_KINDS = ("sum", "product", "yuan"), (FieldKind.NUMBER, FieldKind.MONEY)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def condition_mistakes(path: str, condition: Condition, known: Known) -> list[Found]:
    found: list[Found] = []
    for source, wanted in condition.items():
        fault = known.fault_of(source)
        if fault:
            found.append((f"{path}.{source}", fault))
        elif wanted == ():
            found.append((f"{path}.{source}", "never holds, for no value is listed: list at least one, or remove it"))
        elif isinstance(wanted, tuple) and source in known.choices:
            found += [
                (f"{path}.{source}", f"{value!r} is no choice of {source}{near(value, known.choices[source])}")
                for value in wanted
                if value not in known.choices[source]
            ]
    return found


def question_mistakes(path: str, step: AskStep, known: Known) -> list[Found]:
    """A question may depend on those before it."""
    found: list[Found] = []
    here: set[str] = set()
    for at, question in enumerate(step.questions):
        place = f"{path}.questions[{at}]"
        found += _asked_before(place, question.id, known)
        found += condition_mistakes(f"{place}.when", question.when, known)
        found += _choice_mistakes(place, question, known)
        here |= _learn(question, known)
    known.answers -= here
    return found


def form_mistakes(path: str, step: FillFormStep, known: Known) -> list[Found]:
    """A field may depend on those before it."""
    found: list[Found] = []
    here: set[str] = set()
    for at, field in enumerate(step.fields):
        place = f"{path}.fields[{at}]"
        found += _asked_before(place, field.id, known)
        found += condition_mistakes(f"{place}.when", field.when, known)
        for index, source in enumerate(field.sources):
            fault = known.look_up(source)
            if fault:
                found.append((f"{place}.sources[{index}]", fault))
        found += _choice_mistakes(place, field, known)
        known.kinds[f"answer.{field.id}"] = field.kind
        if field.computed is not None:
            found += _computed_mistakes(f"{place}.computed", field.computed, known)
        here |= _learn(field, known)
    known.answers -= here
    return found


def _asked_before(place: str, id: str, known: Known) -> list[Found]:
    if id not in known.answers:
        return []
    return [(f"{place}.id", f"{id!r} is asked twice: ask once and use answer.{id}")]


def _learn(item: FormField | Question, known: Known) -> set[str]:
    names = set(names_of(item)) - known.answers
    known.answers |= names
    if item.choices:
        known.choices[f"answer.{item.id}"] = frozenset(choice.id for choice in item.choices)
    return names


def _choice_mistakes(place: str, item: FormField | Question, known: Known) -> list[Found]:
    ids = [choice.id for choice in item.choices]
    found = [
        (f"{place}.choices[{index}].id", f"choice {id!r} is listed twice: remove one")
        for index, id in enumerate(ids)
        if id in ids[:index]
    ]
    if item.choices_from is not None and (fault := _list_fault(item.choices_from, known)):
        found.append((f"{place}.choices_from", fault))
    return found


def _list_fault(source: Source, known: Known) -> str | None:
    fault = known.fault_of(source)
    if fault is None and not source.startswith("service."):
        fault = f"choices are listed by an authority, not by {source!r}: name service.STEP.NAME"
    return fault


def _computed_mistakes(path: str, rule: Computed, known: Known) -> list[Found]:
    found: list[Found] = []
    least, most = _COUNTS[rule.how]
    if not least <= len(rule.of) <= most:
        count = str(least) if least == most else f"{least} to {most}"
        found.append((f"{path}.of", f"{rule.how} takes {count} value(s), not {len(rule.of)}: correct the list"))
    sources = [part for part in rule.of if SOURCE_LIKE.fullmatch(part)]
    if not sources:
        found.append((f"{path}.of", "computes from nothing that is known: name at least one source"))
    for at, part in enumerate(rule.of):
        fault = known.fault_of(part) if SOURCE_LIKE.fullmatch(part) else None
        fault = fault or _operand_fault(rule, part, known)
        if fault:
            found.append((f"{path}.of[{at}]", fault))
    return found


def _operand_fault(rule: Computed, part: str, known: Known) -> str | None:
    """A name cannot be multiplied, and from an amount to a day is no time."""
    is_source = SOURCE_LIKE.fullmatch(part) is not None
    kind = known.kinds.get(part)
    if rule.how in _DAYS:
        fits = kind in (None, *_DAYS_KINDS) if is_source else part == "today" or date_of(part) is not None
        return None if fits else f"{rule.how} counts from days, and {part!r} is none: name a date, or write YYYY-MM-DD"
    if rule.how in _NUMBERS:
        fits = kind in (None, *_NUMBERS_KINDS) if is_source else _NUMBER.fullmatch(part) is not None
        return None if fits else f"{rule.how} takes numbers, and {part!r} is none: name a number or money"
    return None
