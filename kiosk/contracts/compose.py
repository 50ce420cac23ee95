"""A package and its members → one Matter (DESIGN 2.1).

Order of the composed steps:

  leading `ask` steps of before · the members' questions · consent · identify · the rest of before
  per round: queries and certificates · questions that rest on them · one form     of all members, each thing once
  review · sign · submits that come before a member's payment · pay
  each member's submits · papers to print · after · receipt · rating

Every step names the `parts` it serves. A step of one part alone ends that part only when it fails.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from kiosk.contracts import package_words as words
from kiosk.contracts.matter import (
    AskStep,
    Assurance,
    CallServiceStep,
    CollectMaterialStep,
    FillFormStep,
    FormField,
    IdentifyStep,
    Matter,
    Part,
    PrintDocumentStep,
    Question,
    RateStep,
    Step,
    WriteCardStep,
)
from kiosk.contracts.matter_ground import SOURCE_LIKE
from kiosk.contracts.package import PackageMatter
from kiosk.contracts.package_order import (
    delivering,
    heads,
    is_same,
    items_of,
    leading_asks,
    preparing,
    stands_alone,
    without,
)
from kiosk.contracts.package_shared import consent_step, payment_step, receipt_step, review_step, signature_step
from kiosk.contracts.package_steps import (
    Disagreement,
    agree,
    both,
    merged_field,
    merged_material,
    merged_question,
    rewritten,
    step_in_package,
    with_part,
)
from kiosk.contracts.source_rules import MATERIAL_NAMES, Found

_ASSURANCES = (Assurance.NONE, Assurance.CARD, Assurance.CARD_PERSON)


def compose(package: PackageMatter, members: Mapping[str, Matter]) -> tuple[Matter | None, list[Found]]:
    """The one matter, or None and the author's mistakes as (path, message with its cure)."""
    found = _membership(package, members)
    if found:
        return None, found
    composer = _Composer(package, [members[part.matter] for part in package.package.parts])
    steps = composer.steps()
    if composer.found:
        return None, composer.found
    try:
        return _matter(package, composer.members, steps), []
    except ValidationError as error:
        return None, [("package", f"cannot be composed: {each['msg']}") for each in error.errors(include_url=False)]


def _membership(package: PackageMatter, members: Mapping[str, Matter]) -> list[Found]:
    found: list[Found] = []
    seen: set[str] = set()
    for at, part in enumerate(package.package.parts):
        path, id = f"package.parts[{at}].matter", part.matter
        member = members.get(id)
        if id in seen:
            found.append((path, f"{id!r} is a part already: remove one"))
        elif member is None:
            near = difflib.get_close_matches(id, sorted(members), n=1)
            cure = f"did you mean {near[0]!r}?" if near else "write that matter first, or correct the id"
            found.append((path, f"no matter has the id {id!r}: {cure}"))
        elif unknown := set(part.needs) - {each.matter for each in package.package.parts[:at]}:
            cure = "name a part before this one"
            found.append((f"package.parts[{at}].needs", f"{', '.join(sorted(unknown))}: {cure}"))
        elif member.parts:
            found.append((path, f"{id!r} is a package itself: name its members instead"))
        elif _ASSURANCES.index(member.assurance) > _ASSURANCES.index(package.assurance):
            found.append(("assurance", f"{id!r} needs {member.assurance}: say assurance: {member.assurance}"))
        seen.add(id)
    return found


def _matter(package: PackageMatter, members: Sequence[Matter], steps: Sequence[Step]) -> Matter:
    parts = [
        Part(
            id=member.id,
            title=member.short_title or member.title,
            department=member.department,
            department_name=member.department_name,
            version=member.version,
            when=part.when,
            needs=part.needs,
        )
        for member, part in zip(members, package.package.parts, strict=True)
    ]
    if package.package.after:
        parts.append(
            Part(
                id=package.id,
                title=package.short_title or package.title,
                department=package.department,
                department_name=package.department_name,
                version=package.version,
            )
        )
    head = {name: getattr(package, name) for name in type(package).model_fields if name != "package"}
    head["closed_hours"] = package.closed_hours or next((m.closed_hours for m in members if m.closed_hours), None)
    return Matter(**head, steps=tuple(steps), parts=tuple(parts))


class _Composer:
    """Steps in the making. `names` say, member by member, what its steps' values are called in the package."""

    def __init__(self, package: PackageMatter, members: Sequence[Matter]) -> None:
        self.package = package
        self.members = list(members)
        self.found: list[Found] = []
        self._presets = {id: value for id, value in package.package.answers.items() if not SOURCE_LIKE.fullmatch(value)}
        given = {f"answer.{id}": value for id, value in package.package.answers.items() if id not in self._presets}
        self._given = {name.removeprefix("answer.") for name in given}
        self.names: dict[str, dict[str, str]] = {member.id: dict(given) for member in members}
        self.made: list[Step] = []
        self._left_out: set[tuple[str, str]] = set()
        """Members' materials that are not collected in this package."""
        self._asked: dict[str, tuple[int, int]] = {}
        """Where a field or question stands: index of its step, index in it."""

    def steps(self) -> list[Step]:
        asks = leading_asks(self.package.package.before)
        self._take_before(asks)
        waiting = {member.id: deque(preparing(member)) for member in self.members}
        self._ask_first(waiting)
        if consent := consent_step(self.package, self.members):
            self.made.append(consent)
        if any(isinstance(step, IdentifyStep) for member in self.members for step in member.steps):
            self.made.append(IdentifyStep(id="identify"))
        self._take_before(self.package.package.before[len(asks) :])
        self._prepare(waiting)
        self.made += [step for step in (review_step(self.members, self.names),) if step is not None]
        if signature := signature_step(self.package, self.members, self.names):
            self.made.append(signature)
        self._deliver()
        self._take_after()
        for id in self._presets.keys() - self._asked.keys():
            self.found.append((f"package.answers.{id}", f"no member asks for {id!r}: correct the id, or remove it"))
        self.made += [receipt_step(self.package, self.members, self.names), RateStep(id="rate")]
        return self.made

    def _take_before(self, steps: Sequence[Step]) -> None:
        for step in steps:
            for at, item in enumerate(items_of(step)):
                self._asked[item.id] = (len(self.made), at)
            self.made.append(step)

    # --- what is asked and collected, round by round -----------------------------------------------------------------

    def _ask_first(self, waiting: Mapping[str, deque[Step]]) -> None:
        """Members' questions that rest on questions alone come before everything: then all that is needed is told."""
        asking: list[tuple[str, Step]] = []
        known = {f"answer.{id}" for id in self._asked} | {f"answer.{id}" for id in self._presets}
        for id, queue in waiting.items():
            for step in [each for each in queue if stands_alone(each, known)]:
                queue.remove(step)
                asking.append((id, step))
                known |= {f"answer.{item.id}" for item in items_of(step)}
        if asking:
            self._ask_together(AskStep, asking)

    def _prepare(self, waiting: Mapping[str, deque[Step]]) -> None:
        while any(waiting.values()):
            if self._collect(waiting):
                continue
            kind = AskStep if any(heads(waiting, AskStep)) else FillFormStep
            asking = [(id, waiting[id].popleft()) for id in heads(waiting, kind)]
            self._ask_together(kind, asking)

    def _collect(self, waiting: Mapping[str, deque[Step]]) -> bool:
        any_taken = False
        for at, member in enumerate(self.members):
            queue = waiting[member.id]
            while queue and isinstance(queue[0], CallServiceStep | CollectMaterialStep):
                step = queue.popleft()
                any_taken = True
                if isinstance(step, CollectMaterialStep) and (given := self._given_instead(step)) is not None:
                    self._leave_out(member.id, step, given)
                    continue
                with self._told(at):
                    self._take_once(member.id, rewritten(step, self.names[member.id]))
        return any_taken

    def _given_instead(self, step: CollectMaterialStep) -> str | None:
        return None if step.certificate is None else self.package.package.without.get(step.certificate)

    def _leave_out(self, member: str, step: CollectMaterialStep, given: str) -> None:
        """Of a certificate that does not exist yet only its identifier is sent, once somebody gave it."""
        material = f"material.{step.id}"
        self.names[member][f"{material}.certificate"] = given
        self._left_out |= {(member, f"{material}.{name}") for name in MATERIAL_NAMES - {"certificate"}}

    def _take_once(self, member: str, step: Step) -> None:
        """A query already made with the same parameters, a certificate already collected, serves this member too."""
        root = "material" if isinstance(step, CollectMaterialStep) else "service"
        same = next((at for at, made in enumerate(self.made) if is_same(made, step)), None)
        if same is None:
            new = step_in_package(member, step.id)
            title = words.MATERIAL_TITLE if isinstance(step, CollectMaterialStep) else step.title
            self.made.append(step.model_copy(update={"id": new, "parts": (member,), "title": title}))
        else:
            made = self.made[same]
            new = made.id
            if isinstance(made, CollectMaterialStep) and isinstance(step, CollectMaterialStep):
                self.made[same] = merged_material(made, step, member)
            elif made.parts:
                self.made[same] = with_part(made, member)
        self.names[member][f"{root}.{step.id}"] = f"{root}.{new}"

    def _ask_together(self, kind: type[AskStep] | type[FillFormStep], heads: Sequence[tuple[str, Step]]) -> None:
        """One step for what several members ask at this point. What is asked already is not asked again."""
        here = len(self.made)
        said = words.QUESTIONS if kind is AskStep else words.FORM
        items: list[FormField | Question] = []
        for member, step in heads:
            order = next(at for at, each in enumerate(self.members) if each.id == member)
            for item in items_of(rewritten(step, self.names[member])):
                with self._told(order):
                    self._ask_once(member, item.model_copy(update={"when": both(step.when, item.when)}), here, items)
        if not items:
            return
        parts = tuple(dict.fromkeys(part for item in items for part in item.parts))
        key = "questions" if kind is AskStep else "fields"
        id = f"{key}_{sum(isinstance(step, kind) for step in self.made) + 1}"
        frame = {"id": id, "title": said.title, "say": said.say, "say_elder": said.say_elder, "parts": parts}
        self.made.append(
            AskStep(**frame, questions=tuple(items)) if kind is AskStep else FillFormStep(**frame, fields=tuple(items))
        )

    def _ask_once(self, member: str, item: FormField | Question, here: int, items: list[FormField | Question]) -> None:
        place = self._asked.get(item.id)
        if item.id in self._given:
            return
        item = self._settled(item)
        if place is None:
            self._asked[item.id] = (here, len(items))
            items.append(item.model_copy(update={"parts": (member,)}))
            return
        step_at, at = place
        standing = items if step_at == here else list(items_of(self.made[step_at]))
        standing[at] = self._merged(standing[at], item, member, step_at)
        if step_at != here:
            key = "questions" if isinstance(self.made[step_at], AskStep) else "fields"
            step = self.made[step_at].model_copy(update={key: tuple(standing)})
            self.made[step_at] = with_part(step, member) if step.parts else step

    def _settled(self, item: FormField | Question) -> FormField | Question:
        """With what the package says of it: its answer, and which certificates are not looked up."""
        changes: dict[str, object] = {}
        value = self._presets.get(item.id)
        if value is not None:
            choices = [choice.id for choice in item.choices]
            if choices and value not in choices:
                message = f"{value!r} is no choice of {item.id!r}: use one of {', '.join(choices)}"
                self.found.append((f"package.answers.{item.id}", message))
            changes["preset"] = value
        if isinstance(item, FormField):
            without = tuple(f"certificate.{type_}." for type_ in self.package.package.without)
            changes["sources"] = tuple(source for source in item.sources if not source.startswith(without or ("-",)))
        return item.model_copy(update=changes)

    def _merged(
        self, first: FormField | Question, second: FormField | Question, member: str, step_at: int
    ) -> FormField | Question:
        earlier = {step.id for step in self.made[:step_at]}

        def is_known(source: str) -> bool:
            root, name = source.split(".")[:2]
            return root not in ("service", "material") or name in earlier

        match first, second:
            case FormField(), FormField():
                return merged_field(first, second, member, is_known=is_known)
            case Question(), Question():
                return merged_question(first, second, member)
            case Question(), FormField():
                agree(first, second)
            case FormField(), Question():
                agree(second, first)
        return first.model_copy(update={"parts": (*first.parts, member)}) if first.parts else first

    # --- what is delivered -------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Everything that is submitted, then everything that is printed; the payment where the members have it."""
        papers: list[Step] = []
        for member in self.members:
            self._place(member.id, delivering(member)[0], papers)
        if payment := payment_step(self.package, self.members, self.names):
            self.made.append(payment)
        for member in self.members:
            self._place(member.id, delivering(member)[1], papers)
        self.made += papers

    def _place(self, member: str, steps: Sequence[Step], papers: list[Step]) -> None:
        for step in steps:
            (papers if isinstance(step, PrintDocumentStep) else self.made).append(self._part_step(member, step))

    def _part_step(self, member: str, step: Step) -> Step:
        names = self.names[member]
        new = step_in_package(member, step.id)
        made = rewritten(without(step, {name for id, name in self._left_out if id == member}), names)
        needs = next(part.needs for part in self.package.package.parts if part.matter == member)
        when = {**made.when, **{f"part.{each}.delivered": "known" for each in needs}}
        title = words.PRINT_TITLE if isinstance(step, PrintDocumentStep) else words.SUBMIT_TITLE
        if isinstance(step, WriteCardStep):
            title = step.title
        names[f"service.{step.id}"] = f"service.{new}"
        return made.model_copy(update={"id": new, "parts": (member,), "title": title, "when": when})

    def _take_after(self) -> None:
        names = {
            f"{old.split('.')[0]}.{step_in_package(member, old.split('.')[1])}": new
            for member, renamed in self.names.items()
            for old, new in renamed.items()
            if old.count(".") == 1 and not old.startswith("answer.")
        }
        for step in self.package.package.after:
            self.made.append(with_part(rewritten(step, names), self.package.id))

    def _told(self, part: int) -> _Telling:
        return _Telling(self.found, f"package.parts[{part}].matter", self.members[part].id)


class _Telling:
    """Turns a disagreement into an author's mistake at the member's line."""

    def __init__(self, found: list[Found], path: str, member: str) -> None:
        self._found, self._path, self._member = found, path, member

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, Disagreement):
            return False
        self._found.append((self._path, f"{self._member}: {error}"))
        return True
