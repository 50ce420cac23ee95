"""Ask only for what no trusted source knows (信息免填报); show the rest."""

from __future__ import annotations

import datetime as dt

from kiosk.contracts.entries import entry_mistake, kept, written
from kiosk.contracts.matter import FillFormStep, FormField, holds
from kiosk.contracts.value import CITY_TIME, LocalizedText
from kiosk.flow.screens import FormFilled, FormItem, FormScreen, KnownItem, Option
from kiosk.flow.session import SteppedBack
from kiosk.flow.steps.asking.choices import options_of
from kiosk.flow.steps.asking.fields import compute, forget, keep, known_item, known_value
from kiosk.flow.transaction import Outcome, Transaction, option


class _Asked:
    """A field that must be asked, with what may be chosen."""

    def __init__(self, field: FormField, options: tuple[Option, ...]) -> None:
        self.field = field
        self.options = options


async def run(transaction: Transaction, step: FillFormStep) -> Outcome:
    """Page by page: fields whose condition rests on an entry are asked after it. Going back leads page by page too."""
    pages: list[list[str]] = []
    while True:
        answered = {id for page in pages for id in page}
        asked, known = await _next_page(transaction, step, answered)
        if not asked:
            return Outcome.DONE
        try:
            await _ask(transaction, asked, known)
        except SteppedBack:
            if not pages:
                raise
            pages.pop()
            continue
        pages.append([each.field.id for each in asked])


async def _next_page(
    transaction: Transaction, step: FillFormStep, answered: set[str]
) -> tuple[list[_Asked], list[KnownItem]]:
    """The fields to ask now, and what is known already. Fields that are not wanted keep no answer."""
    asked: list[_Asked] = []
    known: list[KnownItem] = []
    open_: set[str] = set()
    for field in step.fields:
        if _rests_on(field, open_):
            open_.add(field.id)
            continue
        if not transaction.serves(field.parts) or not holds(field.when, transaction.values.get):
            forget(transaction, field)
        elif field.computed is not None:
            if value := compute(transaction, field):
                known.append(known_item(field, value, "", ()))
        elif field.preset is not None:
            options = options_of(transaction, field)
            keep(transaction, field, field.preset, options)
            known.append(known_item(field, field.preset, "", options))
        elif field.id not in answered:
            options = options_of(transaction, field)
            value, source = await known_value(transaction, field, options)
            if value:
                keep(transaction, field, value, options)
                known.append(known_item(field, value, source, options))
            elif options or field.choices_from is None:
                asked.append(_Asked(field, options))
                open_.add(field.id)
            else:
                forget(transaction, field)
    return asked, known


def _rests_on(field: FormField, open_: set[str]) -> bool:
    """Whether it can be said only after what is still open has been answered."""
    sources = {*field.when, *(field.computed.of if field.computed is not None else ())}
    return any(source.removeprefix("answer.").removesuffix("_label") in open_ for source in sources)


async def _ask(transaction: Transaction, asked: list[_Asked], known: list[KnownItem]) -> None:
    entered = {
        each.field.id: written(each.field.kind, transaction.values.get(f"answer.{each.field.id}") or "")
        for each in asked
    }
    errors: dict[str, LocalizedText] = {}
    while True:
        answer = await transaction.session.ask(
            FormScreen(
                **transaction.frame(primary=option("confirm", "next")),
                items=tuple(_item(each, entered[each.field.id], errors.get(each.field.id)) for each in asked),
                known=tuple(known),
            )
        )
        if not isinstance(answer, FormFilled):
            continue
        entered = {each.field.id: answer.values.get(each.field.id, "").strip() for each in asked}
        today = transaction.equipment.now().astimezone(CITY_TIME).date()
        errors = {
            each.field.id: error
            for each in asked
            if (error := mistake(each.field, entered[each.field.id], today, each.options))
        }
        if not errors:
            for each in asked:
                keep(transaction, each.field, kept(each.field.kind, entered[each.field.id]), each.options)
            return


def _item(asked: _Asked, value: str, error: LocalizedText | None) -> FormItem:
    field = asked.field
    return FormItem(
        id=field.id,
        label=field.label,
        kind=field.kind,
        value=value,
        hint=field.hint,
        choices=asked.options,
        required=field.required,
        error=error,
        max_length=field.max_length,
    )


def mistake(
    field: FormField, value: str, today: dt.date, options: tuple[Option, ...] | None = None
) -> LocalizedText | None:
    """What is wrong with an entry, in words the citizen can act on; None when it is good."""
    choices = {each.id for each in field.choices if options is None} | {each.id for each in options or ()}
    return entry_mistake(
        field.kind, value, today=today, required=field.required, longest=field.max_length, choices=choices
    )
