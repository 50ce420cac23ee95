"""A hall that shows one sample View and remembers what was asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kiosk.contracts.text import Language
from kiosk.flow.screens import Answer, Mode, View
from kiosk.ui.drawing.pictures import Picture


class GalleryHall:
    """`asked` lists every call in order, as (name, argument). Mode and language are followed, as the flow does."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.asked: list[tuple[str, object]] = []
        self._on_view: list[Callable[[View], None]] = []

    def publish(self, view: View) -> None:
        self.view = view
        for listener in self._on_view:
            listener(view)

    def subscribe(self, on_view: Callable[[View], None], on_preview: Callable[[Picture], None]) -> None:
        self._on_view.append(on_view)
        on_view(self.view)

    def wake(self) -> None:
        self.asked.append(("wake", None))

    def start(self, matter: str) -> None:
        self.asked.append(("start", matter))

    def answer(self, answer: Answer) -> None:
        self.asked.append(("answer", answer))

    def extend(self) -> None:
        self.asked.append(("extend", None))

    def set_mode(self, mode: Mode) -> None:
        self.asked.append(("mode", mode))
        self.publish(replace(self.view, mode=mode))

    def help(self, wanted: bool) -> None:
        self.asked.append(("help", wanted))

    def set_language(self, language: Language) -> None:
        self.asked.append(("language", language))
        self.publish(replace(self.view, language=language))
