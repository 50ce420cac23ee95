"""Steps of a member as steps of its package: renamed, merged, with the same thing asked and collected once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from kiosk.contracts.matter import (
    SOURCE_PLACE,
    CollectMaterialStep,
    Condition,
    FormField,
    Question,
    StepOfMatter,
)
from kiosk.contracts.text import FieldKind, Language, LocalizedText
from kiosk.contracts.value import Contract

S = TypeVar("S", bound=StepOfMatter)
M = TypeVar("M", bound=Contract)
_RENAMED_ROOTS = ("service", "material", "payment", "answer")


class Disagreement(Exception):
    """Two members mean different things by one name; the text says which, and the cure."""


def step_in_package(member: str, step: str) -> str:
    """What a member's step is called in the package."""
    return f"{member}_{step}"


def rewritten(model: M, names: Mapping[str, str]) -> M:
    """The same step, field or question with its sources renamed: `names` maps `service.STEP` to `service.NEW`."""
    if not names:
        return model
    data = _walk(model.model_dump(mode="json", by_alias=True), lambda text: _renamed(text, names))
    return type(model).model_validate(data)


def _walk(node: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {rename(key): _walk(value, rename) for key, value in node.items()}
    if isinstance(node, list):
        return [_walk(item, rename) for item in node]
    return rename(node) if isinstance(node, str) else node


def _renamed(text: str, names: Mapping[str, str]) -> str:
    if text.startswith(_RENAMED_ROOTS):
        return _source(text, names)
    return SOURCE_PLACE.sub(lambda place: place.group().replace(place.group(1), _source(place.group(1), names)), text)


def _source(source: str, names: Mapping[str, str]) -> str:
    if source in names:
        return names[source]
    root, _, names_below = source.partition(".")
    step, _, rest = names_below.partition(".")
    new = names.get(f"{root}.{step}")
    return f"{new}.{rest}" if new and rest else source


def with_part(step: S, part: str) -> S:
    """The step, needed by one more part."""
    return step if part in step.parts else step.model_copy(update={"parts": (*step.parts, part)})


def both(first: Condition, second: Condition) -> Condition:
    """Both conditions at once."""
    joined: dict[str, Any] = dict(first)
    for source, wanted in second.items():
        if source in joined and joined[source] != wanted:
            narrowed = _common(joined[source], wanted)
            if narrowed is None:
                raise Disagreement(f"conditions on {source} exclude each other: correct one of them")
            joined[source] = narrowed
        else:
            joined[source] = wanted
    return joined


def _common(first: Any, second: Any) -> Any:
    if isinstance(first, tuple) and isinstance(second, tuple):
        return tuple(value for value in first if value in second) or None
    values, word = (first, second) if isinstance(first, tuple) else (second, first)
    return values if isinstance(values, tuple) and word == "known" else None


def either(first: Condition, second: Condition, what: str) -> Condition:
    """One of two conditions suffices. Only what is equal, or without condition, can be joined."""
    if first == second:
        return first
    if first and second:
        raise Disagreement(f"{what} stands under two conditions: give it the same `when` in both members")
    return {}


def merged_field(first: FormField, second: FormField, part: str, *, is_known: Callable[[str], bool]) -> FormField:
    """One field for two members. `is_known`: whether a source is there when the first is asked."""
    what = f"field {first.id!r}"
    for name in ("kind", "choices_from", "computed"):
        ours, theirs = getattr(first, name), getattr(second, name)
        if ours != theirs:
            raise Disagreement(f"{what}: {name} is {_said(theirs)}, in another member {_said(ours)}: make them agree")
    _same_choices(what, [each.id for each in first.choices], [each.id for each in second.choices])
    return first.model_copy(
        update={
            "sources": (*first.sources, *(s for s in second.sources if s not in first.sources and is_known(s))),
            "required": first.required or second.required,
            "masked": first.masked or second.masked,
            "max_length": min(first.max_length, second.max_length),
            "when": either(first.when, second.when, what),
            "parts": first.parts if part in first.parts or not first.parts else (*first.parts, part),
        }
    )


def merged_question(first: Question, second: Question, part: str) -> Question:
    what = f"question {first.id!r}"
    if first.choices_from != second.choices_from:
        raise Disagreement(f"{what}: its choices come from two different lists: make them agree")
    _same_choices(what, [each.id for each in first.choices], [each.id for each in second.choices])
    parts = first.parts if part in first.parts or not first.parts else (*first.parts, part)
    return first.model_copy(update={"when": either(first.when, second.when, what), "parts": parts})


def agree(question: Question, field: FormField) -> None:
    """A question of one member and a field of another ask the same thing. Raises `Disagreement` when they do not."""
    what = f"{question.id!r}"
    if field.kind is not FieldKind.CHOICE:
        raise Disagreement(f"{what} is a question with choices and a field of kind {field.kind}: make them agree")
    _same_choices(what, [each.id for each in question.choices], [each.id for each in field.choices])


def _same_choices(what: str, ours: Sequence[str], theirs: Sequence[str]) -> None:
    if set(ours) != set(theirs):
        different = ", ".join(sorted(set(ours) ^ set(theirs)))
        raise Disagreement(f"{what}: the members offer different choices ({different}): make them agree")


def _said(value: Any) -> str:
    return "not set" if value is None else str(value)


def merged_material(first: CollectMaterialStep, second: CollectMaterialStep, part: str) -> CollectMaterialStep:
    """One certificate or paper for two members; each purpose is told and passed on."""
    purpose = first.purpose
    if second.purpose.zh_cn not in purpose.zh_cn:
        purpose = in_languages(lambda language: "；".join(
            text.in_language(language) for text in (first.purpose, second.purpose)
        ))  # fmt: skip
    what = f"material {second.certificate or second.material.zh_cn!r}"
    return with_part(first, part).model_copy(
        update={
            "purpose": purpose,
            "capture": first.capture or second.capture,
            "phone": first.phone or second.phone,
            "optional": first.optional and second.optional,
            "when": either(first.when, second.when, what),
        }
    )


def in_languages(say: Callable[[Language], str]) -> LocalizedText:
    return LocalizedText.of({language.value: say(language) for language in Language})
