"""What matters and their steps stand on: names, sources, conditions, and what all steps share."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from kiosk.contracts.value import Contract, LocalizedText

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")]
StepId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,95}$")]
"""In a package a member's step carries the member's name before its own."""
Source = Annotated[
    str, Field(pattern=r"^(card|certificate|service|answer|material|payment|part|transaction)(\.[a-z][a-z0-9_]*){1,3}$")
]
SOURCE_PLACE = re.compile(
    r"\{((?:card|certificate|service|answer|material|payment|part|transaction)(?:\.[a-z0-9_]+)+)(:masked)?\}"
)
"""A place in a template text: `{card.name}`, or `{card.id_number:masked}`."""
SOURCE_LIKE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
"""What an author meant as a source, whether or not it is one."""


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


def places_in(template: str) -> tuple[str, ...]:
    """The sources a template text names."""
    return tuple(place.group(1) for place in SOURCE_PLACE.finditer(template))


class ShownValue(Contract):
    label: LocalizedText
    value: str = Field(description="template text with {source} places")
    masked: bool = False


class Clause(Contract):
    """What a step of a package says for one of its parts, when that part is wanted."""

    part: Slug
    text: LocalizedText


class StepOfMatter(Contract):
    """What all steps share. `title` is the place in the journey; `say` the one sentence shown and spoken."""

    id: StepId
    title: LocalizedText
    say: LocalizedText
    say_elder: LocalizedText | None = Field(default=None, description="plainer words for elder mode")
    when: Condition = Field(default={}, description="done only when it holds; passed over otherwise")
    parts: tuple[Slug, ...] = Field(default=(), description="parts of a package that need it; written by composition")
