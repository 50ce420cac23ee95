"""What a view model may ask of the flow: the part of `Hall` that goes down."""

from __future__ import annotations

from typing import Protocol

from kiosk.contracts.text import Language
from kiosk.flow.screens import Answer, Mode


class HallCalls(Protocol):
    """Calls return at once; whatever comes of them arrives as a new View."""

    def wake(self) -> None: ...

    def start(self, matter: str) -> None: ...

    def answer(self, answer: Answer) -> None: ...

    def extend(self) -> None: ...

    def set_mode(self, mode: Mode) -> None: ...

    def set_language(self, language: Language) -> None: ...

    def help(self, wanted: bool) -> None: ...
