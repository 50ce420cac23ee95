"""A government service matter, as data (DESIGN 2.1). A matter reads like a clerk's instruction; code reads it here.

Values a citizen's transaction collects are named by dotted sources:

  card.NAME                    what the identity card says: name, id_number, address, sex, birth_date …
  certificate.TYPE.NAME        an electronic certificate of the holder, for example certificate.residence_permit.address
  service.STEP.NAME            the answer of the `call_service` step with that id
  answer.FIELD                 what the citizen entered, or chose in an `ask` step
  material.STEP.NAME           a collected material: its origin, certificate identifier, page hash; or a signature
  payment.STEP.NAME            what was paid: order_id, amount_fen, amount (yuan), channel, reference, paid_at
  part.ID.NAME                 in a package, what became of a part: outcome (done, accepted, refused, failed, skipped),
                               outcome_label, case_number, reason
  transaction.NAME             number, started_at, site, terminal
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from drivers.messages import DeviceClass
from kiosk.contracts.effect_steps import PaymentChannel, PayStep, SignStep, WriteCardStep
from kiosk.contracts.matter_ground import (
    SOURCE_PLACE,
    Clause,
    Condition,
    ShownValue,
    Slug,
    Source,
    StepOfMatter,
    holds,
    places_in,
)
from kiosk.contracts.questions import AskChoice, Choice, Computed, FormField, Question
from kiosk.contracts.standard_words import (
    CONSENT_ELDER,
    CONSENT_SAY,
    CONSENT_TITLE,
    IDENTIFY,
    RATE,
    RECEIPT,
    with_elder_words,
)
from kiosk.contracts.value import Contract, LocalizedText

__all__ = [
    "CONTRACT_VERSION", "SOURCE_PLACE", "STEP_KINDS", "AskChoice", "AskStep", "Assurance", "CallServiceStep", "Choice",
    "CollectMaterialStep", "Computed", "Condition", "ConsentStep", "FillFormStep", "FormField", "Guide", "IdentifyStep",
    "Matter", "MatterHead", "Part", "PayStep", "PhoneSource", "PrintDocumentStep", "PrintReceiptStep", "Question",
    "RateStep", "ReceiptItem", "ReceiptLayout", "ReviewStep", "ShownValue", "SignStep", "Slug", "Source", "Step",
    "StepOfMatter", "WriteCardStep", "holds", "places_in",
]  # fmt: skip

CONTRACT_VERSION = 1
"""Version of this language. A terminal says which it knows; the server rolls out nothing beyond that."""


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


class ConsentStep(StepOfMatter):
    """Ask for consent to what the matter does with personal data; its text version goes into the journal."""

    kind: Literal["consent"] = "consent"
    title: LocalizedText = CONSENT_TITLE
    say: LocalizedText = CONSENT_SAY
    text: LocalizedText
    clauses: tuple[Clause, ...] = Field(default=(), description="read below it, part by part; written by composition")
    text_version: str

    @model_validator(mode="before")
    @classmethod
    def _elder_words(cls, data: Any) -> Any:
        return with_elder_words(data, CONSENT_ELDER)


class AskStep(StepOfMatter):
    """A few questions that lead to the right variant; then, once, everything this variant will need (一次告知)."""

    kind: Literal["ask"] = "ask"
    questions: tuple[Question, ...] = Field(min_length=1, max_length=40)


class IdentifyStep(StepOfMatter):
    """Know who stands there, to the matter's assurance level; done at once when this visit already knows."""

    kind: Literal["identify"] = "identify"
    title: LocalizedText = IDENTIFY.title
    say: LocalizedText = IDENTIFY.say

    @model_validator(mode="before")
    @classmethod
    def _elder_words(cls, data: Any) -> Any:
        return with_elder_words(data, IDENTIFY.say_elder)


class FillFormStep(StepOfMatter):
    kind: Literal["fill_form"] = "fill_form"
    fields: tuple[FormField, ...] = Field(min_length=1)


class PhoneSource(Contract):
    """What the citizen may send from their own phone, after scanning a code on the screen."""

    photos: int = Field(default=3, ge=0, le=3, description="how many photos at most: page, page_2, page_3")
    text: int = Field(default=0, ge=0, le=500, description="characters of text at most; 0 when none is asked for")

    @model_validator(mode="after")
    def _asks_for_something(self) -> PhoneSource:
        if not self.photos and not self.text:
            raise ValueError("the phone sends photos or text: allow at least one of them")
        return self


class CollectMaterialStep(StepOfMatter):
    """A material: the certificate library first (材料免提交); else captured here, or sent from the citizen's phone."""

    kind: Literal["collect_material"] = "collect_material"
    material: LocalizedText
    certificate: Slug | None = Field(
        default=None, description="certificate type asked for in the library; left out for what no library holds"
    )
    capture: bool = Field(default=True, description="may be captured by the document camera when none is found")
    phone: PhoneSource | None = Field(
        default=None, description="may be sent from the citizen's phone when none is found"
    )
    optional: bool = Field(default=False, description="the citizen may carry on without it")
    purpose: LocalizedText = Field(description="why the material is used; passed on and logged")

    @model_validator(mode="after")
    def _can_be_had(self) -> CollectMaterialStep:
        if self.certificate is None and not self.capture and self.phone is None:
            raise ValueError(
                "a material comes from the library or the camera, or a phone: name its certificate, or let it capture"
            )
        return self


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
    code: str | None = Field(default=None, description="template text printed as a QR code, for somebody to scan")
    code_caption: LocalizedText | None = None


class PrintReceiptStep(StepOfMatter):
    kind: Literal["print_receipt"] = "print_receipt"
    title: LocalizedText = RECEIPT.title
    say: LocalizedText = RECEIPT.say
    layout: ReceiptLayout

    @model_validator(mode="before")
    @classmethod
    def _elder_words(cls, data: Any) -> Any:
        return with_elder_words(data, RECEIPT.say_elder)


class RateStep(StepOfMatter):
    """Service rating (GB/T 39735): five grades, none preselected, skippable."""

    kind: Literal["rate"] = "rate"
    title: LocalizedText = RATE.title
    say: LocalizedText = RATE.say

    @model_validator(mode="before")
    @classmethod
    def _elder_words(cls, data: Any) -> Any:
        return with_elder_words(data, RATE.say_elder)


Step = Annotated[
    ConsentStep
    | AskStep
    | IdentifyStep
    | FillFormStep
    | CollectMaterialStep
    | ReviewStep
    | SignStep
    | PayStep
    | CallServiceStep
    | WriteCardStep
    | PrintDocumentStep
    | PrintReceiptStep
    | RateStep,
    Field(discriminator="kind"),
]

STEP_KINDS: tuple[str, ...] = (
    "consent", "ask", "identify", "fill_form", "collect_material", "review", "sign", "pay", "call_service",
    "write_card", "print_document", "print_receipt", "rate",
)  # fmt: skip


class Part(Contract):
    """One member of a package: done when its condition holds, with an outcome of its own."""

    id: Slug = Field(description="the member matter's")
    title: LocalizedText
    department: Slug
    department_name: LocalizedText
    version: int = Field(ge=1, strict=True)
    when: Condition = {}
    needs: tuple[Slug, ...] = ()


class MatterHead(Contract):
    """What is said of a matter before its steps."""

    id: Slug
    code: str = Field(pattern=r"^[0-9A-Z]{12,33}$", description="matter code (GB/T 39554.1-2020)")
    version: int = Field(ge=1, strict=True)
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
    favourite: int | None = Field(
        default=None, ge=1, le=99, description="its place among the most used on the home page"
    )
    guide: Guide
    assurance: Assurance
    closed_hours: str | None = Field(default=None, pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$")


class Matter(MatterHead):
    """One matter, one version. Published versions are never edited. `parts` are there in a composed package only."""

    steps: tuple[Step, ...] = Field(min_length=1, max_length=200)
    parts: tuple[Part, ...] = Field(default=(), description="members of a package; written by composition")

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
                case SignStep():
                    needed.add(DeviceClass.SIGNATURE_PAD)
                case PayStep(channels=(PaymentChannel.BANK_CARD,)):
                    needed.add(DeviceClass.PAYMENT_TERMINAL)
                case WriteCardStep(card="permit"):
                    needed.add(DeviceClass.CARD_REWRITER)
                case WriteCardStep():
                    needed.add(DeviceClass.SMART_CARD_READER)
                case _:
                    pass
        return frozenset(needed)
