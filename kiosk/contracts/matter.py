"""A government service matter, as data (DESIGN 2.1). A matter reads like a clerk's instruction; code reads it here.

Values a citizen's transaction collects are named by dotted sources:

  card.NAME                    what the identity card says: name, id_number, address, sex, birth_date …
  certificate.TYPE.NAME        an electronic certificate of the holder, for example certificate.residence_permit.address
  service.STEP.NAME            the answer of the `call_service` step with that id
  answer.FIELD                 what the citizen entered, or chose in an `ask` step
  material.STEP.NAME           a collected material: its origin, certificate identifier, page hash
  transaction.NAME             number, started_at, site, terminal
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from drivers.messages import DeviceClass
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import Contract, LocalizedText

CONTRACT_VERSION = 1
"""Version of this language. A terminal says which it knows; the server rolls out nothing beyond that."""

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
Source = Annotated[
    str, Field(pattern=r"^(card|certificate|service|answer|material|transaction)(\.[a-z][a-z0-9_]*){1,3}$")
]
SOURCE_PLACE = re.compile(r"\{((?:card|certificate|service|answer|material|transaction)(?:\.[a-z0-9_]+)+)(:masked)?\}")
"""A place in a template text: `{card.name}`, or `{card.id_number:masked}`."""


Condition = dict[Source, Literal["known", "unknown"] | tuple[str, ...]]
"""Every source named has one of the values listed; `known` and `unknown` ask only whether it has any."""


def holds(condition: Condition, value_of: Callable[[str], str | None]) -> bool:
    """Whether a condition holds for the values collected so far; the empty one always does."""
    for source, wanted in condition.items():
        value = value_of(source)
        if wanted in ("known", "unknown"):
            if (value is not None) != (wanted == "known"):
                return False
        elif value not in wanted:
            return False
    return True


class Assurance(StrEnum):
    """How sure we must be of who stands there."""

    NONE = "none"
    CARD = "card"
    CARD_PERSON = "card_person"  # card and living person: face, or a code to the registered phone


class Guide(Contract):
    """The service guide (办事指南) the citizen can read before starting."""

    conditions: LocalizedText
    materials: LocalizedText
    time_limit: LocalizedText
    fee: LocalizedText
    fee_basis: LocalizedText | None = None
    result: LocalizedText
    legal_basis: LocalizedText


class Choice(Contract):
    id: Slug
    label: LocalizedText


class FormField(Contract):
    """One field. What the first trusted source gives is shown for review and not asked (信息免填报)."""

    id: Slug
    label: LocalizedText
    kind: FieldKind
    sources: tuple[Source, ...] = ()
    required: bool = True
    choices: tuple[Choice, ...] = ()
    hint: LocalizedText | None = None
    masked: bool = Field(default=False, description="shown masked until the citizen asks to see it")
    max_length: int = Field(default=60, ge=1, le=200)

    @model_validator(mode="after")
    def _choices_fit_the_kind(self) -> FormField:
        if (self.kind is FieldKind.CHOICE) != bool(self.choices):
            raise ValueError("a field of kind choice lists its choices, and no other kind does")
        return self


class ShownValue(Contract):
    label: LocalizedText
    value: str = Field(description="template text with {source} places")
    masked: bool = False


class StepOfMatter(Contract):
    """What all steps share. `title` is the place in the journey; `say` the one sentence shown and spoken."""

    id: Slug
    title: LocalizedText
    say: LocalizedText
    say_elder: LocalizedText | None = Field(default=None, description="plainer words for elder mode")
    when: Condition = Field(default={}, description="done only when it holds; passed over otherwise")


class ConsentStep(StepOfMatter):
    """Ask for consent to what the matter does with personal data; its text version goes into the journal."""

    kind: Literal["consent"] = "consent"
    text: LocalizedText
    text_version: str


class AskChoice(Contract):
    """One answer. With `stop` the matter cannot be done here in this case: it says why, and where instead."""

    id: Slug
    label: LocalizedText
    detail: LocalizedText | None = None
    stop: LocalizedText | None = None


class Question(Contract):
    """Its answer is answer.ID, and answer.ID_label in words. Asked only when `when` holds."""

    id: Slug
    text: LocalizedText
    choices: tuple[AskChoice, ...] = Field(min_length=2, max_length=9)
    when: Condition = {}


class AskStep(StepOfMatter):
    """A few questions that lead to the right variant; then, once, everything this variant will need (一次告知)."""

    kind: Literal["ask"] = "ask"
    questions: tuple[Question, ...] = Field(min_length=1, max_length=12)


class IdentifyStep(StepOfMatter):
    """Know who stands there, to the matter's assurance level; done at once when this visit already knows."""

    kind: Literal["identify"] = "identify"


class FillFormStep(StepOfMatter):
    kind: Literal["fill_form"] = "fill_form"
    fields: tuple[FormField, ...] = Field(min_length=1)


class CollectMaterialStep(StepOfMatter):
    """A material: the certificate library first (材料免提交); captured only when none is found."""

    kind: Literal["collect_material"] = "collect_material"
    material: LocalizedText
    certificate: Slug = Field(description="certificate type asked for in the library")
    capture: bool = Field(default=True, description="may be captured by the document camera when none is found")
    purpose: LocalizedText = Field(description="why the certificate is used; passed on and logged")


class ReviewStep(StepOfMatter):
    kind: Literal["review"] = "review"
    show: tuple[ShownValue, ...] = Field(min_length=1)


class CallServiceStep(StepOfMatter):
    """Call an authority through the centre. `send` maps the operation's parameters to sources or template texts."""

    kind: Literal["call_service"] = "call_service"
    operation: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")
    send: dict[str, str] = {}
    effect: Literal["query", "submit"] = Field(description="submit changes something there: intent and outcome")
    timeout_seconds: int = Field(default=20, ge=1, le=120)


class PrintDocumentStep(StepOfMatter):
    """Fetch a sealed PDF, verify its seal, show it, print it. `document` names the source of its identifier."""

    kind: Literal["print_document"] = "print_document"
    document: Source
    document_title: LocalizedText


class ReceiptItem(Contract):
    label: LocalizedText
    value: str = Field(description="template text with {source} places")


class ReceiptLayout(Contract):
    heading: LocalizedText
    items: tuple[ReceiptItem, ...]
    note: LocalizedText | None = None


class PrintReceiptStep(StepOfMatter):
    kind: Literal["print_receipt"] = "print_receipt"
    layout: ReceiptLayout


class RateStep(StepOfMatter):
    """Service rating (GB/T 39735): five grades, none preselected, skippable."""

    kind: Literal["rate"] = "rate"


Step = Annotated[
    ConsentStep
    | AskStep
    | IdentifyStep
    | FillFormStep
    | CollectMaterialStep
    | ReviewStep
    | CallServiceStep
    | PrintDocumentStep
    | PrintReceiptStep
    | RateStep,
    Field(discriminator="kind"),
]

STEP_KINDS: tuple[str, ...] = (
    "consent", "ask", "identify", "fill_form", "collect_material", "review", "call_service", "print_document",
    "print_receipt", "rate",
)  # fmt: skip


class Matter(Contract):
    """One matter, one version. Published versions are never edited."""

    id: Slug
    code: str = Field(pattern=r"^[0-9A-Z]{12,33}$", description="matter code (GB/T 39554.1-2020)")
    version: int = Field(ge=1)
    title: LocalizedText
    short_title: LocalizedText | None = None
    department: Slug
    department_name: LocalizedText
    region: str = Field(pattern=r"^\d{6}$", description="GB/T 2260")
    also_in: tuple[Literal["province", "other_provinces"], ...] = ()
    audience: Literal["citizen", "enterprise", "both"] = "citizen"
    life_event: Slug
    icon: Slug
    keywords: tuple[str, ...] = ()
    questions: tuple[str, ...] = Field(default=(), description="everyday questions that should find this matter")
    guide: Guide
    assurance: Assurance
    closed_hours: str | None = Field(default=None, pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$")
    steps: tuple[Step, ...] = Field(min_length=1, max_length=40)

    @field_validator("steps")
    @classmethod
    def _step_ids_differ(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        seen: set[str] = set()
        for step in steps:
            if step.id in seen:
                raise ValueError(f"step id {step.id!r} is used twice: give each step its own id")
            seen.add(step.id)
        return steps

    @property
    def needs(self) -> frozenset[DeviceClass]:
        """Devices this matter needs, derived from its steps. Sign-in has its own ways round a missing camera."""
        needed: set[DeviceClass] = set()
        for step in self.steps:
            match step:
                case IdentifyStep():
                    needed.add(DeviceClass.ID_CARD_READER)
                case PrintDocumentStep():
                    needed.add(DeviceClass.DOCUMENT_PRINTER)
                case PrintReceiptStep():
                    needed.add(DeviceClass.RECEIPT_PRINTER)
                case _:
                    pass
        return frozenset(needed)


def places_in(template: str) -> tuple[str, ...]:
    """The sources a template text names."""
    return tuple(place.group(1) for place in SOURCE_PLACE.finditer(template))
