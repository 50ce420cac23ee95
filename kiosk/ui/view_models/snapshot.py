"""What every view model shares: one frozen snapshot, swapped before the first signal, and only what changed is told."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject

from kiosk.contracts.text import Language, LocalizedText
from kiosk.flow.screens import Option
from kiosk.ui.words import readable

__all__ = ["SnapshotModel", "option_row", "readable", "sums_apart", "text_of", "typeset"]

S = TypeVar("S")


class SnapshotModel(QObject, Generic[S]):
    """`_now` holds the snapshot, a frozen dataclass; the subclass has a signal `<field>_changed` for each field."""

    def __init__(self, first: S, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now: S = first

    def _swap(self, new: S) -> None:
        before, self._now = self._now, new
        for each in fields(new):  # type: ignore[arg-type]
            if getattr(before, each.name) != getattr(new, each.name):
                getattr(self, f"{each.name}_changed").emit()


WORD_JOINER = "\u2060"
MASKED_NAME = r"[^\W\d_]\*+[^\W\d_]?"
THOUSANDS = r"(?<![\d.,])[1-9]\d{3,}(?=\.\d\d(?!\.?\d))"
LAST_OF_PARAGRAPH = r"(?<=.{12})(?<![ -~])[^ -~\n]{4}$"


def text_of(text: LocalizedText | None, language: Language) -> str:
    return typeset(text, language) if text is not None else ""


def typeset(text: LocalizedText, language: Language) -> str:
    """As it is set on the page: a masked name stays on one line, no paragraph ends in a line of one or two characters,
    sums have their thousands apart, and English has quotes of its own width."""
    said = sums_apart(text.in_language(language))
    if language is Language.EN:
        return said.replace("“", '"').replace("”", '"')
    said = re.sub(MASKED_NAME, _joined, said)
    return re.sub(LAST_OF_PARAGRAPH, _joined, said, flags=re.MULTILINE)


def sums_apart(said: str) -> str:
    """1234567.80 → 1,234,567.80."""
    return re.sub(THOUSANDS, lambda found: f"{int(found.group()):,}", said)


def _joined(found: re.Match[str]) -> str:
    return WORD_JOINER.join(found.group())


def option_row(option: Option, language: Language) -> dict[str, Any]:
    """What QML draws of an option: {id, label, detail, icon, enabled, picked}."""
    return {
        "id": option.id,
        "label": option.label.in_language(language),
        "detail": text_of(option.detail, language),
        "icon": option.icon,
        "enabled": option.enabled,
        "picked": option.picked,
    }
