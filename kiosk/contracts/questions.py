"""What a matter asks a citizen: fields of a form, questions of an `ask` step, and values computed from both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

from pydantic import Field, model_validator

from kiosk.contracts.entries import date_of, yuan_of
from kiosk.contracts.matter_ground import SOURCE_LIKE, Condition, Slug, Source
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import Contract, LocalizedText

How = Literal["age", "sum", "product", "join", "days_between", "yuan", "years_since"]


class Choice(Contract):
    id: Slug
    label: LocalizedText


class Computed(Contract):
    """A value that is worked out, never asked. `of` names sources, or states literal values.

    age, years_since   whole years from a day (or an identity number's birth day) to today, or to the second value
    days_between       days from the first day to the second; `today` stands for today
    sum, product       numbers; a sum passes over what is unknown; a field of kind money is rounded to whole fen
    join               the values one after the other; literals may stand between
    yuan               fen as yuan with two decimals

    Unknown while one of its sources is (but for `sum` and `join`, which pass over them unless all are unknown).
    """

    how: How
    of: tuple[str, ...] = Field(min_length=1, max_length=12)


class FormField(Contract):
    """One field. What the first trusted source gives is shown for review and not asked (信息免填报).

    Its value is answer.ID; a choice also gives answer.ID_label in words, money (kept in fen) answer.ID_label in yuan.
    """

    id: Slug
    label: LocalizedText
    kind: FieldKind = FieldKind.TEXT
    sources: tuple[Source, ...] = ()
    required: bool = True
    choices: tuple[Choice, ...] = ()
    choices_from: Source | None = Field(
        default=None, description="an authority's list of {id, label[, detail]}: service.STEP.NAME"
    )
    computed: Computed | None = None
    when: Condition = Field(default={}, description="asked only when it holds; may name fields before it")
    hint: LocalizedText | None = None
    masked: bool = Field(default=False, description="shown masked until the citizen asks to see it")
    max_length: int = Field(default=60, ge=1, le=200)
    preset: str | None = Field(default=None, description="settled by a package, not asked; written by composition")
    parts: tuple[Slug, ...] = Field(default=(), description="parts of a package that need it; written by composition")

    @model_validator(mode="after")
    def _choices_fit_the_kind(self) -> FormField:
        listed = bool(self.choices) or self.choices_from is not None
        if (self.kind is FieldKind.CHOICE) != listed:
            raise ValueError("a field of kind choice lists its choices, and no other kind does")
        if self.choices and self.choices_from is not None:
            raise ValueError("choices and choices_from exclude each other: keep one")
        if self.computed is not None and (self.sources or listed):
            raise ValueError("a computed field is never asked: remove its sources and choices")
        return self


class AskChoice(Contract):
    """One answer. With `stop` the matter cannot be done here in this case: it says why, and where instead."""

    id: Slug
    label: LocalizedText
    detail: LocalizedText | None = None
    stop: LocalizedText | None = None


class Question(Contract):
    """Its answer is answer.ID, and answer.ID_label in words. Asked only when `when` holds.

    Choices are written here, or listed by an authority (`choices_from`).
    """

    id: Slug
    text: LocalizedText
    choices: tuple[AskChoice, ...] = Field(default=(), max_length=9)
    choices_from: Source | None = Field(
        default=None, description="an authority's list of {id, label[, detail]}: service.STEP.NAME"
    )
    when: Condition = {}
    preset: str | None = Field(default=None, description="settled by a package, not asked; written by composition")
    parts: tuple[Slug, ...] = Field(default=(), description="parts of a package that ask it; written by composition")

    @model_validator(mode="after")
    def _has_choices(self) -> Question:
        if self.choices_from is None and len(self.choices) < 2:
            raise ValueError("a question has at least two choices, or choices_from: service.STEP.NAME")
        if self.choices_from is not None and self.choices:
            raise ValueError("choices and choices_from exclude each other: keep one")
        return self


# --- computing -----------------------------------------------------------------------------------------------------


def computed_value(
    rule: Computed, kind: FieldKind, value_of: Callable[[str], str | None], today: dt.date
) -> str | None:
    """The value of a computed field, or None while it cannot be worked out. `value_of` answers for a source."""
    values = [value_of(part) if SOURCE_LIKE.fullmatch(part) else part for part in rule.of]
    known = [value for value in values if value is not None]
    if not known or (len(known) < len(values) and rule.how not in ("sum", "join")):
        return None
    if rule.how == "join":
        return "".join(known) or None
    if rule.how in ("age", "years_since", "days_between"):
        return _of_days(rule.how, known, today)
    return _of_numbers(rule.how, kind, known)


def _of_days(how: How, values: list[str], today: dt.date) -> str | None:
    days = [today if value == "today" else _day(value) for value in values]
    first, last = days[0], days[1] if len(days) > 1 else today
    if first is None or last is None:
        return None
    if how == "days_between":
        return str((last - first).days)
    return str(last.year - first.year - ((last.month, last.day) < (first.month, first.day)))


def _day(value: str) -> dt.date | None:
    if len(value) == 18:
        return date_of(f"{value[6:10]}-{value[10:12]}-{value[12:14]}")
    return date_of(value[:10])


def _of_numbers(how: How, kind: FieldKind, values: list[str]) -> str | None:
    try:
        numbers = [Decimal(value) for value in values]
    except InvalidOperation:
        return None
    if how == "yuan":
        return yuan_of(int(numbers[0]))
    total = Decimal(1) if how == "product" else Decimal(0)
    for number in numbers:
        total = total * number if how == "product" else total + number
    if kind is FieldKind.MONEY or total == total.to_integral_value():
        return str(int(total.to_integral_value(ROUND_HALF_UP)))
    return f"{total.normalize():f}"
