"""A scenario: one citizen's way through a matter and how it must end. Lies in `scenarios/*.yaml` beside the matter.

What is not said goes the ordinary way: the citizen consents, confirms, takes what is printed and skips the rating.
Example:

  title: The house register says no
  citizen: wu                          # sample card and invented citizen with this id
  orders:                              # what the sandbox city is told beforehand
    - {authority: natural_resources, behave: slow, seconds: 9}
  answers: {purpose: school}           # by form field; only what no source knows is asked
  expect: {disposition: failed, fault: E51, ended_at: certificate}
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError

from kiosk.contracts.errors import FaultCode, MatterInvalid
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import AskStep, CollectMaterialStep, FillFormStep, FormField, Matter, Question, Slug
from kiosk.contracts.value import Contract, Language
from kiosk.contracts.yaml_marks import Marked, Mistake, mistakes_of, read_marked


class SandboxOrder(Contract):
    """Tell the sandbox city how an authority is to behave. The same body goes to its `POST /orders`.

    `operation` narrows it to one of the authority's operations; `times` to the next so many calls. `refuse` gives
    `reason` as the authority's own refusal code; `slow` works first and answers `seconds` later; `garbage` answers
    what does not fit; `contradict` answers about somebody else; `down` does not serve at all.
    """

    authority: Slug
    operation: str = Field(default="*", max_length=80)
    behave: Literal["slow", "refuse", "garbage", "contradict", "down"]
    seconds: float = Field(default=30.0, ge=0, le=120)
    reason: str = Field(default="", max_length=40)
    times: int | None = Field(default=None, ge=1, le=1000)


class Expected(Contract):
    """How the transaction ends. `ended_at` is the step where a failure was met; absent fault means none was told."""

    disposition: Disposition
    fault: FaultCode | None = None
    ended_at: Slug | None = None
    documents: int = Field(default=0, ge=0, description="sealed documents printed")
    receipt: bool = False
    case_number: bool = Field(default=False, description="the authority gave a case number")
    material: Literal["library", "captured", "phone"] | None = None
    objection: bool = Field(default=False, description="a contested value got its number")
    parts: dict[Slug, Literal["done", "accepted", "refused", "failed"]] = Field(
        default={}, description="what became of each part of a package that was wanted"
    )


class PhoneSends(Contract):
    """What the citizen sends from their own phone."""

    photos: int = Field(default=0, ge=0, le=3)
    text: str = Field(default="", max_length=500)


class Scenario(Contract):
    title: str = Field(min_length=1, max_length=120)
    citizen: Slug
    language: Language = Language.ZH_CN
    mode: Literal["standard", "elder"] = "standard"
    sign_in: Literal["face", "code", "bank_card", "clerk", "travel_document"] = Field(
        default="face",
        description="how the holder of the identity card is confirmed; travel_document: without one, and then a code",
    )
    consents: bool = True
    orders: tuple[SandboxOrder, ...] = ()
    answers: dict[Slug, str] = {}
    objection: str = Field(default="", max_length=100, description="what the first value others gave should be")
    captures: tuple[Slug, ...] = Field(default=(), description="collect_material steps where a paper is laid down")
    sends: dict[Slug, PhoneSends] = Field(default={}, description="by collect_material step: what comes from a phone")
    leaves_at: Slug | None = Field(default=None, description="the step where the citizen gives up: nothing at hand")
    payment: Literal["paid", "late", "twice", "wrong_amount", "never", "refused"] = Field(
        default="paid",
        description="late: the money comes once the order is closed; late, never, refused: they leave",
    )
    bank_card: Literal["paid", "declined", "removed", "wrong_amount", "line_lost"] | None = Field(
        default=None,
        description="pays at the card terminal, and what comes of it; line_lost: it is cut off once it has charged",
    )
    signature: Literal["yes", "empty"] = Field(default="yes", description="empty: the citizen leaves unsigned")
    rating: int | None = Field(default=None, ge=1, le=5)
    expect: Expected


def load_scenario(text: str, file: str, matter: Matter) -> Scenario:
    """Parse one scenario of `matter`. Raises `MatterInvalid` naming `file` and listing every mistake; does no I/O."""
    marked = read_marked(text)
    mistakes = list(marked.mistakes)
    scenario: Scenario | None = None
    if marked.data is not None:
        try:
            scenario = Scenario.model_validate(marked.data)
        except ValidationError as error:
            groups = (Scenario, SandboxOrder, Expected, PhoneSends)
            known = frozenset(name for group in groups for name in group.model_fields)
            mistakes += mistakes_of(error.errors(include_url=False), marked, known)
        else:
            mistakes += _misfits(scenario, matter, marked)
    if scenario is None or mistakes:
        raise MatterInvalid(file, list(mistakes))
    return scenario


def _misfits(scenario: Scenario, matter: Matter, marked: Marked) -> list[Mistake]:
    fields: dict[str, FormField | Question] = {
        field.id: field for step in matter.steps if isinstance(step, FillFormStep) for field in step.fields
    }
    fields |= {asked.id: asked for step in matter.steps if isinstance(step, AskStep) for asked in step.questions}
    captured = {step.id for step in matter.steps if isinstance(step, CollectMaterialStep) and step.capture}
    phones = {step.id: step.phone for step in matter.steps if isinstance(step, CollectMaterialStep) and step.phone}
    steps = {step.id for step in matter.steps}
    found: list[tuple[str, str]] = []
    for name, value in scenario.answers.items():
        path = f"answers.{name}"
        if name not in fields:
            found.append((path, f"the matter asks for no field {name!r}: use one of {', '.join(sorted(fields))}"))
        elif fields[name].choices and value not in {choice.id for choice in fields[name].choices}:
            found.append((path, f"{value!r} is no choice of {name!r}: use one of its choices"))
    for index, step in enumerate(scenario.captures):
        if step not in captured:
            found.append((f"captures[{index}]", f"step {step!r} captures no material: name a collect_material step"))
    for name, sent in scenario.sends.items():
        takes = phones.get(name)
        if takes is None:
            found.append((f"sends.{name}", f"step {name!r} takes nothing from a phone: name a step with `phone`"))
        elif sent.photos > takes.photos or len(sent.text) > takes.text or not (sent.photos or sent.text):
            limits = f"{takes.photos} photos and {takes.text} characters"
            found.append((f"sends.{name}", f"step {name!r} takes at most {limits}: send some of these"))
    parts = {part.id for part in matter.parts}
    found += [
        (f"expect.parts.{part}", f"the matter has no part {part!r}: use one of {sorted(parts)}")
        for part in scenario.expect.parts
        if part not in parts
    ]
    if scenario.leaves_at is not None and scenario.leaves_at not in steps:
        found.append(("leaves_at", f"the matter has no step {scenario.leaves_at!r}: correct the id"))
    if scenario.expect.ended_at is not None and scenario.expect.ended_at not in steps:
        found.append(("expect.ended_at", f"the matter has no step {scenario.expect.ended_at!r}: correct the id"))
    return [Mistake(path, marked.line_of(path), message) for path, message in found]
