"""A hall without devices for the bench: whatever is touched, the next View of a given row follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kiosk.contracts.text import Language
from kiosk.flow.screens import Answer, Mode, StageKind, View

if TYPE_CHECKING:
    from drivers.messages import Preview


class WalkingHall:
    def __init__(self, row: Sequence[View]) -> None:
        self._row = row
        self._at = 0
        self._on_view: Callable[[View], None] = lambda _view: None

    def subscribe(self, on_view: Callable[[View], None], on_preview: Callable[[Preview], None]) -> None:
        self._on_view = on_view
        on_view(self._row[0])

    def _go_on(self) -> None:
        self._at = (self._at + 1) % len(self._row)
        self._on_view(self._row[self._at])

    def wake(self) -> None:
        """Every touch says that someone is there; only the attract page goes on for it."""
        if self._row[self._at].stage is StageKind.ATTRACT:
            self._go_on()

    def start(self, matter: str) -> None:
        self._go_on()

    def answer(self, answer: Answer) -> None:
        self._go_on()

    def extend(self) -> None: ...

    def set_mode(self, mode: Mode) -> None: ...

    def set_language(self, language: Language) -> None: ...

    def help(self, wanted: bool) -> None: ...

    async def close(self) -> None: ...
