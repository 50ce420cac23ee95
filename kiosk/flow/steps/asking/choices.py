"""Choices of a field or question: written in the matter, or listed by an authority (`choices_from`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import FormField, Question
from kiosk.contracts.value import Language, LocalizedText, plain
from kiosk.flow.screens import Option
from kiosk.flow.session import StepFailed
from kiosk.flow.transaction import Transaction
from kiosk.flow.words import word

MOST_CHOICES = 60


def options_of(transaction: Transaction, item: FormField | Question) -> tuple[Option, ...]:
    """What may be touched. Empty when the authority lists nothing and the field may stay empty.

    Raises `StepFailed` when the authority lists nothing to choose from, or something that is no list of choices.
    """
    if item.choices_from is None:
        return tuple(
            Option(id=each.id, label=each.label, detail=getattr(each, "detail", None)) for each in item.choices
        )
    listed = transaction.values.items(item.choices_from)
    if not listed and getattr(item, "required", True):
        told = word("nothing_to_choose")
        raise StepFailed(FaultCode.NOT_ELIGIBLE, f"{item.choices_from} lists nothing", told=told, can_retry=False)
    options = tuple(option for each in listed[:MOST_CHOICES] if (option := _option(each)) is not None)
    if listed and not options:
        raise StepFailed(FaultCode.AUTHORITY_GARBLED, f"{item.choices_from} is no list of choices", can_retry=False)
    return options


def _option(listed: Mapping[str, Any]) -> Option | None:
    id, label = str(listed.get("id") or ""), _words(listed.get("label"))
    return Option(id=id, label=label, detail=_words(listed.get("detail"))) if id and label is not None else None


def _words(said: Any) -> LocalizedText | None:
    """An authority speaks one language, or all three."""
    if isinstance(said, LocalizedText):
        return said
    if isinstance(said, Mapping):
        texts = {language.value: str(said.get(language.value) or said.get("zh-CN") or "") for language in Language}
        return LocalizedText.of(texts) if all(texts.values()) else None
    return plain(str(said)) if said not in (None, "") else None
