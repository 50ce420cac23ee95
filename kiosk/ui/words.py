"""The screen's own words, in three languages at once, from assets/i18n/words.json.

A table, not Qt's catalogues: a missing language is refused when the table is read, translators edit one file without
tools, and a change of language needs no second load. QML reads `Ui.words.<key>`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, Signal

from kiosk.contracts.text import Language, LocalizedText

ASSETS = Path(__file__).resolve().parents[2] / "assets"
WORDS_FILE = ASSETS / "i18n" / "words.json"


def read_words(path: Path = WORDS_FILE) -> dict[str, LocalizedText]:
    """Key → text in all languages. Raises `ValueError` naming the key that lacks one."""
    table = {}
    for key, texts in json.loads(path.read_bytes()).items():
        try:
            table[key] = LocalizedText.of(texts)
        except ValueError as error:
            raise ValueError(f"{path}: {key}: {error}") from None
    return table


def readable(type_: Any, read: Callable[[Any], Any], *, notify: Any = None) -> Any:
    """A property QML may read and watch; nothing can be pushed in through it. Without `notify` it never changes."""
    return Property(type_, read, notify=notify, constant=notify is None)


class Words(QObject):
    """`of` is the whole table in the present language; it changes as one, so every page follows at once."""

    of_changed = Signal()

    def __init__(self, table: dict[str, LocalizedText], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._in = {language: {key: text.in_language(language) for key, text in table.items()} for language in Language}
        self._language = Language.ZH_CN

    def speak(self, language: Language) -> None:
        if language is not self._language:
            self._language = language
            self.of_changed.emit()

    of = readable("QVariantMap", lambda self: self._in[self._language], notify=of_changed)
