"""Ask only for what no trusted source knows (信息免填报); show the rest."""

from __future__ import annotations

import datetime as dt
import re

from kiosk.contracts.errors import ServiceFailed
from kiosk.contracts.matter import FillFormStep, FormField
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import CITY_TIME, LocalizedText, is_identity_number, plain
from kiosk.flow.screens import FormFilled, FormItem, FormScreen, KnownItem, Option
from kiosk.flow.steps.certificates import find_certificate, purpose_of
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.values import masked
from kiosk.flow.words import word

PHONE = re.compile(r"1[3-9]\d{9}")


async def run(transaction: Transaction, step: FillFormStep) -> Outcome:
    known: list[KnownItem] = []
    asked: list[FormField] = []
    for field in step.fields:
        value, source = await _known(transaction, field)
        if value is None:
            asked.append(field)
            continue
        transaction.values.put("answer", {field.id: value, **_label(field, value)})
        shown = masked(source, value) if field.masked else _readable(field, value).zh_cn
        known.append(
            KnownItem(
                label=field.label,
                value=plain(shown) if field.masked else _readable(field, value),
                masked=field.masked,
                clear_value=plain(value) if field.masked else None,
                origin=word(f"origin_{source.split('.', 1)[0]}"),
            )
        )
    if not asked:
        return Outcome.DONE
    entered = {field.id: transaction.values.get(f"answer.{field.id}") or "" for field in asked}
    errors: dict[str, LocalizedText] = {}
    while True:
        answer = await transaction.session.ask(
            FormScreen(
                **transaction.frame(primary=option("confirm", "next")),
                items=tuple(_item(field, entered[field.id], errors.get(field.id)) for field in asked),
                known=tuple(known),
            )
        )
        if not isinstance(answer, FormFilled):
            continue
        entered = {field.id: answer.values.get(field.id, "").strip() for field in asked}
        today = transaction.equipment.now().astimezone(CITY_TIME).date()
        errors = {field.id: error for field in asked if (error := mistake(field, entered[field.id], today))}
        if not errors:
            for field in asked:
                transaction.values.put("answer", {field.id: entered[field.id], **_label(field, entered[field.id])})
            return Outcome.DONE


async def _known(transaction: Transaction, field: FormField) -> tuple[str | None, str]:
    for source in field.sources:
        if source.startswith("certificate."):
            type_ = source.split(".")[1]
            if transaction.values.get(source) is None and not transaction.values.get(f"certificate.{type_}.asked"):
                await _look_up(transaction, type_)
        value = transaction.values.get(source)
        if value is not None:
            return value, source
    return None, ""


async def _look_up(transaction: Transaction, type_: str) -> None:
    """A certificate that cannot be asked for now is no reason to stop: the field is asked instead."""
    transaction.working("asking_library")
    try:
        await find_certificate(transaction, type_, purpose_of(transaction))
    except ServiceFailed:
        return
    finally:
        transaction.values.put(f"certificate.{type_}", {"asked": "yes"})


def _readable(field: FormField, value: str) -> LocalizedText:
    for choice in field.choices:
        if choice.id == value:
            return choice.label
    return plain(value)


def _label(field: FormField, value: str) -> dict[str, LocalizedText]:
    """A choice is also kept in words, as `answer.FIELD_label`, for the screen, papers and receipts."""
    return {f"{field.id}_label": _readable(field, value)} if field.choices else {}


def _item(field: FormField, value: str, error: LocalizedText | None) -> FormItem:
    return FormItem(
        id=field.id,
        label=field.label,
        kind=field.kind,
        value=value,
        hint=field.hint,
        choices=tuple(Option(id=choice.id, label=choice.label) for choice in field.choices),
        required=field.required,
        error=error,
        max_length=field.max_length,
    )


def mistake(field: FormField, value: str, today: dt.date) -> LocalizedText | None:
    """What is wrong with an entry, in words the citizen can act on; None when it is good."""
    if not value:
        return word("entry_missing") if field.required else None
    if len(value) > field.max_length:
        return word("entry_too_long").format(count=field.max_length)
    match field.kind:
        case FieldKind.PHONE:
            good = PHONE.fullmatch(value) is not None
        case FieldKind.IDENTITY_NUMBER:
            good = is_identity_number(value.upper(), today)
        case FieldKind.DATE:
            good = _is_date(value)
        case FieldKind.CHOICE:
            good = any(choice.id == value for choice in field.choices)
        case FieldKind.TEXT:
            good = value.isprintable()
    return None if good else word(f"entry_wrong_{field.kind}")


def _is_date(value: str) -> bool:
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True
