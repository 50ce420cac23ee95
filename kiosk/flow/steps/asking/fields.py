"""The value of a form field: computed, known to a trusted source, or entered."""

from __future__ import annotations

from kiosk.contracts.entries import money_text
from kiosk.contracts.errors import ServiceFailed
from kiosk.contracts.matter import FormField
from kiosk.contracts.questions import computed_value
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import CITY_TIME, LocalizedText, plain
from kiosk.flow.screens import KnownItem, Option
from kiosk.flow.steps.certificates import find_certificate, purpose_of
from kiosk.flow.transaction import Transaction
from kiosk.flow.values import is_private, masked
from kiosk.flow.words import word


async def known_value(transaction: Transaction, field: FormField, options: tuple[Option, ...]) -> tuple[str, str]:
    """The value and the source it comes from; both empty when nobody knows it and it must be asked.

    A choice may be known by its id or in words, as certificates state it (女).
    """
    for source in field.sources:
        if source.startswith("certificate."):
            type_ = source.split(".")[1]
            if transaction.values.get(source) is None and not transaction.values.get(f"certificate.{type_}.asked"):
                await _look_up(transaction, type_)
        value = transaction.values.get(source)
        if value is not None and options:
            value = next((each.id for each in options if value in (each.id, each.label.zh_cn)), None)
        if value is not None:
            return value, source
    return "", ""


async def _look_up(transaction: Transaction, type_: str) -> None:
    """A certificate that cannot be asked for now is no reason to stop: the field is asked instead."""
    transaction.working("asking_library")
    try:
        await find_certificate(transaction, type_, purpose_of(transaction))
    except ServiceFailed:
        return
    finally:
        transaction.values.put(f"certificate.{type_}", {"asked": "yes"})


def compute(transaction: Transaction, field: FormField) -> str:
    """The value of a computed field, kept at once; empty while it cannot be worked out."""
    if field.computed is None:
        return ""
    today = transaction.equipment.now().astimezone(CITY_TIME).date()
    value = computed_value(field.computed, field.kind, transaction.values.get, today)
    keep(transaction, field, value or "", ())
    return value or ""


def keep(transaction: Transaction, field: FormField, value: str, options: tuple[Option, ...]) -> None:
    """Put the answer, and its words where the value itself is none to read."""
    kept: dict[str, str | LocalizedText | None] = {field.id: value or None}
    if field.kind in (FieldKind.CHOICE, FieldKind.MONEY):
        kept[f"{field.id}_label"] = readable(field, value, options) if value else None
    transaction.values.put("answer", kept)


def forget(transaction: Transaction, field: FormField) -> None:
    keep(transaction, field, "", ())


def readable(field: FormField, value: str, options: tuple[Option, ...]) -> LocalizedText:
    """The value as people read it: a choice in its words, money in yuan."""
    if field.kind is FieldKind.MONEY and value.lstrip("-").isdigit():
        return money_text(int(value))
    return next((each.label for each in options if each.id == value), plain(value))


def known_item(field: FormField, value: str, source: str, options: tuple[Option, ...]) -> KnownItem:
    """What is shown and not asked. `source` is empty for a computed value."""
    origin = word(f"origin_{source.split('.', 1)[0]}") if source else word("origin_computed")
    if not (field.masked or is_private(f"answer.{field.id}")):
        return KnownItem(label=field.label, value=readable(field, value, options), origin=origin)
    covered = plain(masked(source or field.id, value))
    return KnownItem(label=field.label, value=covered, masked=True, clear_value=plain(value), origin=origin)
