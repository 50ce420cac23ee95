"""Which sources a step may name: what earlier steps have given, and what exists at all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NamedTuple

from drivers.messages import IdCard
from kiosk.contracts.matter import (
    AskStep,
    CallServiceStep,
    CollectMaterialStep,
    ConsentStep,
    FillFormStep,
    FormField,
    IdentifyStep,
    PayStep,
    PrintDocumentStep,
    PrintReceiptStep,
    Question,
    RateStep,
    ReviewStep,
    SignStep,
    WriteCardStep,
)
from kiosk.contracts.text import FieldKind

CARD_NAMES = frozenset(IdCard.model_fields) - {"photo", "sam_id", "new_address"}
CERTIFICATE_TYPES = frozenset({
    "birth_certificate", "business_licence", "death_certificate", "disability_card", "divorce_certificate",
    "driving_licence", "education_certificate", "elder_card", "employment_registration", "end_of_work_certificate",
    "food_licence", "fund_account", "health_certificate", "household_register", "land_contract", "lease_registration",
    "low_income_certificate", "marriage_certificate", "medical_insurance", "real_estate_certificate",
    "residence_permit", "resident_identity_card", "social_security_card", "student_card", "travel_permit",
    "vaccination_certificate", "vehicle_licence", "veteran_card",
})  # fmt: skip
"""Types the certificate library answers for (assets/samples/certificate_types.yaml); a form may look these up."""

PHONE_NAMES = frozenset({"text", "page_2", "page_3", "sha256_2", "sha256_3"})
"""What only a material sent from a phone has: text, and more photos than one."""
MATERIAL_NAMES = frozenset({"origin", "certificate", "sha256", "page"}) | PHONE_NAMES
PAYMENT_NAMES = frozenset({"order_id", "amount_fen", "amount", "channel", "channel_label", "reference", "paid_at"})
PART_NAMES = frozenset({"delivered", "outcome", "outcome_label", "case_number", "reason"})
"""`delivered` is known once everything of a part was handed in; its outcome once its papers are printed too."""

TRANSACTION_NAMES = frozenset({"number", "started_at", "site", "terminal"})


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


class Known:
    """What earlier steps have given, and what exists at all (to say "later" instead of "unknown")."""

    def __init__(self, steps: list[PlacedStep], parts: frozenset[str] = frozenset()) -> None:
        self.parts = parts
        self.identified = False
        self.answers: set[str] = set()
        self.choices: dict[str, frozenset[str]] = {}
        self.kinds: dict[str, FieldKind] = {}
        self.services: set[str] = set()
        self.materials: set[str] = set()
        self.papers: set[str] = set()
        self.phones: set[str] = set()
        self.unread: set[str] = set()
        self.payments: set[str] = set()
        self.certificates: set[str] = set()
        self.anything_certified = self.anything_answered = False
        self.later = {name for _, step in steps for name in _gives(step)}

    def learn(self, step: AnyStep | Unreadable) -> None:
        match step:
            case IdentifyStep():
                self.identified = True
            case FillFormStep() | AskStep():
                self.answers |= answers_of(step)
                self.choices |= choices_of(step)
                self.kinds |= kinds_of(step)
            case CallServiceStep() | WriteCardStep():
                self.services.add(step.id)
            case SignStep():
                self.materials.add(step.id)
            case PayStep():
                self.payments.add(step.id)
            case CollectMaterialStep():
                self.materials.add(step.id)
                if step.phone is not None:
                    self.phones.add(step.id)
                if step.certificate is None:
                    self.papers.add(step.id)
                else:
                    self.certificates.add(step.certificate)
            case Unreadable():
                self.services.add(step.id)
                self.materials.add(step.id)
                self.unread.add(step.id)
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
                fault = fault or name_fault(source, names[1:], MATERIAL_NAMES) or self._paper_fault(source, names)
            case "payment":
                fault = self._step_fault(source, names, self.payments, "pay")
                fault = fault or name_fault(source, names[1:], PAYMENT_NAMES)
            case "answer":
                fault = self._answer_fault(source, names)
            case "transaction":
                fault = name_fault(source, names, TRANSACTION_NAMES)
            case "part":
                fault = self._part_fault(source, names)
            case _:
                roots = "card, certificate, service, answer, material, payment, part, transaction"
                fault = f"unknown source {source!r}: begin with {roots}"
        return fault

    def _card_fault(self, source: str, names: list[str]) -> str | None:
        fault = name_fault(source, names, CARD_NAMES)
        if fault is None and not self.identified:
            return f"source {source!r} is read from the card: put an 'identify' step before this step"
        return fault

    def _part_fault(self, source: str, names: list[str]) -> str | None:
        if not self.parts:
            return f"source {source!r}: only a package has parts: remove it, or write a package"
        if names[:1] and names[0] not in self.parts:
            return f"source {source!r}: the package has no part {names[0]!r}{near(names[0], self.parts)}"
        return name_fault(source, names[1:], PART_NAMES)

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
            return f"source {source!r}: the library has no type {names[0]!r}{near(names[0], CERTIFICATE_TYPES)}"
        self.certificates.add(names[0])
        return None

    def _paper_fault(self, source: str, names: list[str]) -> str | None:
        if names[1] in PHONE_NAMES and names[0] in self.materials - self.phones - self.unread:
            return f"source {source!r}: step {names[0]!r} takes nothing from a phone: add phone to it"
        if names[0] not in self.papers or names[1] != "certificate":
            return None
        return f"source {source!r}: step {names[0]!r} asks no library: name its certificate, or send its page"

    def _step_fault(self, source: str, names: list[str], given: set[str], kind: str) -> str | None:
        root = source.split(".", 1)[0]
        if len(names) < 2:
            return f"source {source!r} must be {root}.STEP.NAME: name the step and the item of its answer"
        if names[0] in given:
            return None
        if f"{root}.{names[0]}" in self.later:
            return f"source {source!r} comes from a later step: move {kind} step {names[0]!r} before this one"
        return f"unknown source {source!r}: no {kind} step has the id {names[0]!r}{near(names[0], given)}"

    def _answer_fault(self, source: str, names: list[str]) -> str | None:
        if len(names) != 1:
            return f"source {source!r} must be answer.FIELD"
        if names[0] in self.answers or self.anything_answered:
            return None
        if f"answer.{names[0]}" in self.later:
            return f"source {source!r} is not asked yet: move its 'fill_form' or 'ask' step before this one"
        return f"unknown source {source!r}: no step asks for {names[0]!r}{near(names[0], self.answers)}"


def _gives(step: AnyStep | Unreadable) -> set[str]:
    match step:
        case CallServiceStep() | WriteCardStep():
            return {f"service.{step.id}"}
        case SignStep() | PayStep():
            return {f"{'payment' if step.kind == 'pay' else 'material'}.{step.id}"}
        case CollectMaterialStep():
            asked = {f"certificate.{step.certificate}"} if step.certificate is not None else set()
            return {f"material.{step.id}"} | asked
        case FillFormStep() | AskStep():
            return {f"answer.{name}" for name in answers_of(step)}
        case Unreadable():
            return {f"service.{step.id}", f"material.{step.id}", f"payment.{step.id}"}
        case _:
            return set()


def answers_of(step: FillFormStep | AskStep) -> set[str]:
    """A choice is kept by its id and, as FIELD_label, in words; money in fen and, as FIELD_label, in yuan."""
    asked = step.fields if isinstance(step, FillFormStep) else step.questions
    return {name for item in asked for name in names_of(item)}


def names_of(item: FormField | Question) -> tuple[str, ...]:
    """What one answer is kept under."""
    in_words = isinstance(item, Question) or item.kind in (FieldKind.CHOICE, FieldKind.MONEY)
    return (item.id, f"{item.id}_label") if in_words else (item.id,)


def choices_of(step: FillFormStep | AskStep) -> dict[str, frozenset[str]]:
    """What may be answered, by answer; only where it is a choice."""
    asked = step.fields if isinstance(step, FillFormStep) else step.questions
    return {f"answer.{item.id}": frozenset(choice.id for choice in item.choices) for item in asked if item.choices}


def kinds_of(step: FillFormStep | AskStep) -> dict[str, FieldKind]:
    """How each answer is written; a question's is a choice."""
    asked = step.fields if isinstance(step, FillFormStep) else step.questions
    return {f"answer.{item.id}": item.kind if isinstance(item, FormField) else FieldKind.CHOICE for item in asked}


def name_fault(source: str, names: list[str], known: frozenset[str]) -> str | None:
    if len(names) == 1 and names[0] in known:
        return None
    return f"unknown source {source!r}: the item must be one of {', '.join(sorted(known))}"


def near(word: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(word, sorted(known), n=1)
    return f": did you mean {found[0]!r}?" if found else ": add that step, or correct the name"
