"""What a well-formed matter must still obey: sources in order, reachable steps, sign-in before the card's values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

from drivers.messages import IdCard
from kiosk.contracts.effect_rules import pay_mistakes, sign_mistakes, template_faults, write_card_mistakes
from kiosk.contracts.matter import (
    AskStep,
    Assurance,
    CallServiceStep,
    CollectMaterialStep,
    Condition,
    ConsentStep,
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

CARD_NAMES = frozenset(IdCard.model_fields) - {"photo", "sam_id", "new_address"}
CERTIFICATE_TYPES = frozenset({
    "business_licence", "death_certificate", "disability_certificate", "diploma", "divorce_certificate",
    "driving_licence", "fund_account", "household_register", "lease_registration", "marriage_certificate",
    "medical_birth_certificate", "medical_insurance", "real_estate_certificate", "resident_identity_card",
    "residence_permit", "social_security_card", "travel_permit", "vehicle_licence", "veteran_certificate",
})  # fmt: skip
"""Types the certificate library answers for; a form may look these up. Add a type where the library gains one."""

MATERIAL_NAMES = frozenset({"origin", "certificate", "sha256", "page"})
PAYMENT_NAMES = frozenset({"order_id", "amount_fen", "amount", "channel", "channel_label", "reference", "paid_at"})
TRANSACTION_NAMES = frozenset({"number", "started_at", "site", "terminal"})

_SOURCE_LIKE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_CLOSED_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")

AnyStep = (
    ConsentStep | AskStep | IdentifyStep | FillFormStep | CollectMaterialStep | ReviewStep | SignStep | PayStep
    | CallServiceStep | WriteCardStep | PrintDocumentStep | PrintReceiptStep | RateStep
)  # fmt: skip


class Unreadable(NamedTuple):
    """A step with mistakes of its own; what it would give is taken as given, so one mistake is told once."""

    id: str
    kind: str


PlacedStep = tuple[int, AnyStep | Unreadable]
Found = tuple[str, str]


class _Known:
    """What earlier steps have given, and what exists at all (to say "later" instead of "unknown")."""

    def __init__(self, steps: list[PlacedStep]) -> None:
        self.identified = False
        self.answers: set[str] = set()
        self.choices: dict[str, frozenset[str]] = {}
        self.services: set[str] = set()
        self.materials: set[str] = set()
        self.payments: set[str] = set()
        self.certificates: set[str] = set()
        self.anything_certified = self.anything_answered = False
        self.later = {name for _, step in steps for name in _gives(step)}

    def learn(self, step: AnyStep | Unreadable) -> None:
        match step:
            case IdentifyStep():
                self.identified = True
            case FillFormStep() | AskStep():
                self.answers |= _answers_of(step)
                self.choices |= _choices_of(step)
            case CallServiceStep() | WriteCardStep():
                self.services.add(step.id)
            case SignStep():
                self.materials.add(step.id)
            case PayStep():
                self.payments.add(step.id)
            case CollectMaterialStep():
                self.materials.add(step.id)
                self.certificates.add(step.certificate)
            case Unreadable():
                self.services.add(step.id)
                self.materials.add(step.id)
                self.payments.add(step.id)
                self.identified |= step.kind == "identify"
                self.anything_answered |= step.kind in ("fill_form", "ask", "")
                self.anything_certified |= step.kind in ("collect_material", "")
            case _:
                pass

    def fault_of(self, source: str) -> str | None:
        """None when the source may be used here, else the message with its cure."""
        root, *names = source.split(".")
        fault: str | None
        match root:
            case "card":
                fault = self._card_fault(source, names)
            case "certificate":
                fault = self._certificate_fault(source, names)
            case "service":
                fault = self._step_fault(source, names, self.services, "call_service")
            case "material":
                fault = self._step_fault(source, names, self.materials, "collect_material")
                fault = fault or _name_fault(source, names[1:], MATERIAL_NAMES)
            case "payment":
                fault = self._step_fault(source, names, self.payments, "pay")
                fault = fault or _name_fault(source, names[1:], PAYMENT_NAMES)
            case "answer":
                fault = self._answer_fault(source, names)
            case "transaction":
                fault = _name_fault(source, names, TRANSACTION_NAMES)
            case _:
                roots = "card, certificate, service, answer, material, payment, transaction"
                fault = f"unknown source {source!r}: begin with {roots}"
        return fault

    def _card_fault(self, source: str, names: list[str]) -> str | None:
        fault = _name_fault(source, names, CARD_NAMES)
        if fault is None and not self.identified:
            return f"source {source!r} is read from the card: put an 'identify' step before this step"
        return fault

    def _certificate_fault(self, source: str, names: list[str]) -> str | None:
        if len(names) != 2:
            return f"source {source!r} must be certificate.TYPE.NAME: name the type and the item"
        if names[0] in self.certificates or self.anything_certified:
            return None
        cure = "move that step before this one" if f"certificate.{names[0]}" in self.later else (
            f"put a 'collect_material' step with certificate: {names[0]} before this step"
        )  # fmt: skip
        return f"source {source!r}: certificate {names[0]!r} is not collected yet: {cure}"

    def look_up(self, source: str) -> str | None:
        """A form's own source: a certificate is asked for in the library at this very place."""
        root, *names = source.split(".")
        if root != "certificate" or len(names) != 2 or names[0] in self.certificates:
            return self.fault_of(source)
        if not self.identified:
            return f"source {source!r} needs the holder's name: put an 'identify' step before this step"
        if names[0] not in CERTIFICATE_TYPES and not self.anything_certified:
            return f"source {source!r}: the library has no type {names[0]!r}{_near(names[0], CERTIFICATE_TYPES)}"
        self.certificates.add(names[0])
        return None

    def _step_fault(self, source: str, names: list[str], given: set[str], kind: str) -> str | None:
        root = source.split(".", 1)[0]
        if len(names) < 2:
            return f"source {source!r} must be {root}.STEP.NAME: name the step and the item of its answer"
        if names[0] in given:
            return None
        if f"{root}.{names[0]}" in self.later:
            return f"source {source!r} comes from a later step: move {kind} step {names[0]!r} before this one"
        return f"unknown source {source!r}: no {kind} step has the id {names[0]!r}{_near(names[0], given)}"

    def _answer_fault(self, source: str, names: list[str]) -> str | None:
        if len(names) != 1:
            return f"source {source!r} must be answer.FIELD"
        if names[0] in self.answers or self.anything_answered:
            return None
        if f"answer.{names[0]}" in self.later:
            return f"source {source!r} is not asked yet: move its 'fill_form' or 'ask' step before this one"
        return f"unknown source {source!r}: no step asks for {names[0]!r}{_near(names[0], self.answers)}"


def _gives(step: AnyStep | Unreadable) -> set[str]:
    match step:
        case CallServiceStep() | WriteCardStep():
            return {f"service.{step.id}"}
        case SignStep() | PayStep():
            return {f"{'payment' if step.kind == 'pay' else 'material'}.{step.id}"}
        case CollectMaterialStep():
            return {f"material.{step.id}", f"certificate.{step.certificate}"}
        case FillFormStep() | AskStep():
            return {f"answer.{name}" for name in _answers_of(step)}
        case Unreadable():
            return {f"service.{step.id}", f"material.{step.id}", f"payment.{step.id}"}
        case _:
            return set()


def _answers_of(step: FillFormStep | AskStep) -> set[str]:
    """A choice is kept by its id and, as FIELD_label, in words."""
    asked = step.fields if isinstance(step, FillFormStep) else step.questions
    return {item.id for item in asked} | {f"{item.id}_label" for item in asked if item.choices}


def _choices_of(step: FillFormStep | AskStep) -> dict[str, frozenset[str]]:
    """What may be answered, by answer; only where it is a choice."""
    asked = step.fields if isinstance(step, FillFormStep) else step.questions
    return {f"answer.{item.id}": frozenset(choice.id for choice in item.choices) for item in asked if item.choices}


def _name_fault(source: str, names: list[str], known: frozenset[str]) -> str | None:
    if len(names) == 1 and names[0] in known:
        return None
    return f"unknown source {source!r}: the item must be one of {', '.join(sorted(known))}"


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ": add that step, or correct the name"


# --- the whole matter ----------------------------------------------------------------------------------------------


def head_mistakes(matter: Matter) -> list[Found]:
    found: list[Found] = []
    if matter.closed_hours and not _CLOSED_HOURS.fullmatch(matter.closed_hours):
        found.append(("closed_hours", "not a time of day: write it as 22:00-06:00"))
    identifies = any(isinstance(step, IdentifyStep) for step in matter.steps)
    if matter.assurance is not Assurance.NONE and not identifies:
        found.append(
            ("assurance", f"the matter asks for assurance {matter.assurance.value} and never identifies: "
             "add an 'identify' step, or say assurance: none")
        )  # fmt: skip
    return found


def step_mistakes(steps: list[PlacedStep], *, assurance: Assurance | None = None) -> list[Found]:
    """Mistakes of meaning step by step, in order. Unreadable steps are passed over."""
    known = _Known(steps)
    found: list[Found] = []
    rated_at: str | None = None
    for index, step in steps:
        path = f"steps[{index}]"
        if rated_at is not None:
            found.append(
                (path, f"never reached: the matter ends with the rating {rated_at!r}: move this step before it")
            )
        if isinstance(step, IdentifyStep):
            found += _identify_mistakes(path, known, assurance)
        if not isinstance(step, Unreadable):
            found += _condition_mistakes(f"{path}.when", step.when, known)
        if not isinstance(step, Unreadable):
            found += _mistakes_in(path, step, known)
            found += _effect_mistakes(index, step, steps, known)
        if isinstance(step, RateStep) and rated_at is None:
            rated_at = step.id
        known.learn(step)
    return found


def _identify_mistakes(path: str, known: _Known, assurance: Assurance | None) -> list[Found]:
    if known.identified:
        return [(path, "the citizen is identified already: remove the second 'identify' step")]
    if assurance is Assurance.NONE:
        return [(path, "the matter says assurance: none and identifies all the same: say card or card_person")]
    return []


def _mistakes_in(path: str, step: AnyStep, known: _Known) -> list[Found]:
    found: list[Found] = []
    match step:
        case AskStep():
            found = _question_mistakes(path, step, known)
        case FillFormStep():
            found = _form_mistakes(path, step, known)
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
        case _:
            pass
    return found


def _effect_mistakes(index: int, step: AnyStep, steps: list[PlacedStep], known: _Known) -> list[Found]:
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


def _condition_mistakes(path: str, condition: Condition, known: _Known) -> list[Found]:
    found: list[Found] = []
    for source, wanted in condition.items():
        fault = known.fault_of(source)
        if fault:
            found.append((f"{path}.{source}", fault))
        elif isinstance(wanted, tuple) and source in known.choices:
            found += [
                (f"{path}.{source}", f"{value!r} is no choice of {source}{_near(value, known.choices[source])}")
                for value in wanted
                if value not in known.choices[source]
            ]
    return found


def _question_mistakes(path: str, step: AskStep, known: _Known) -> list[Found]:
    """A question may depend on those before it."""
    found: list[Found] = []
    here: set[str] = set()
    for at, question in enumerate(step.questions):
        place = f"{path}.questions[{at}]"
        if question.id in known.answers:
            found.append((f"{place}.id", f"{question.id!r} is asked twice: ask once and use answer.{question.id}"))
        found += _condition_mistakes(f"{place}.when", question.when, known)
        ids = [choice.id for choice in question.choices]
        found += [
            (f"{place}.choices[{index}].id", f"choice {id!r} is listed twice: remove one")
            for index, id in enumerate(ids)
            if id in ids[:index]
        ]
        here.add(question.id)
        known.answers.add(question.id)
        known.choices[f"answer.{question.id}"] = frozenset(ids)
    known.answers -= here
    return found


def _form_mistakes(path: str, step: FillFormStep, known: _Known) -> list[Found]:
    found: list[Found] = []
    here: set[str] = set()
    for at, field in enumerate(step.fields):
        place = f"{path}.fields[{at}]"
        if field.id in known.answers | here:
            found.append((f"{place}.id", f"{field.id!r} is asked twice: ask once and use answer.{field.id}"))
        here.add(field.id)
        for index, source in enumerate(field.sources):
            fault = known.look_up(source)
            if fault:
                found.append((f"{place}.sources[{index}]", fault))
        ids = [choice.id for choice in field.choices]
        found += [
            (f"{place}.choices[{index}].id", f"choice {id!r} is listed twice: remove one")
            for index, id in enumerate(ids)
            if id in ids[:index]
        ]
    return found


def _document_mistakes(path: str, source: str, known: _Known) -> list[Found]:
    fault = known.fault_of(source)
    if fault is None and not source.startswith("service."):
        fault = f"a document comes from an authority, not from {source!r}: name service.STEP.document_id"
    return [(path, fault)] if fault else []


def _sent_faults(path: str, text: str, known: _Known) -> list[Found]:
    if _SOURCE_LIKE.fullmatch(text):
        fault = known.fault_of(text)
        return [(path, fault)] if fault else []
    return template_faults(path, text, known.fault_of)
