"""What every view model shares: one frozen snapshot, swapped before the first signal, and only what changed is told."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject

from kiosk.contracts.text import Language, LocalizedText
from kiosk.flow.screens import Option
from kiosk.ui.words import readable

__all__ = ["SnapshotModel", "option_row", "readable", "text_of"]

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


def text_of(text: LocalizedText | None, language: Language) -> str:
    return text.in_language(language) if text is not None else ""


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
