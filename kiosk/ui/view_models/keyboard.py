"""The on-screen keyboard: letters under composition, candidates, pages. What it writes goes to one writer at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Signal, Slot

from kiosk.ui.view_models.snapshot import SnapshotModel, readable
from kiosk.ui.writing.pinyin import LONGEST_INPUT, Candidate

if TYPE_CHECKING:
    from kiosk.ui.writing.handwriting import Handwriting
    from kiosk.ui.writing.pinyin import Pinyin

MOST_STROKES = 40
MOST_POINTS = 400
PAGES = ("pinyin", "letters", "symbols", "handwriting")


class Writer(Protocol):
    """Whoever takes what is typed."""

    def write(self, text: str) -> None: ...

    def erase(self) -> None: ...

    def compose(self, letters: str) -> None: ...


@dataclass(frozen=True, repr=False, eq=False)
class KeyboardSnapshot:
    """What the keyboard reads."""

    page: str = "pinyin"
    composing: str = ""
    candidates: tuple[Candidate, ...] = ()
    upper: bool = False
    strokes: tuple[tuple[tuple[float, float], ...], ...] = ()
    can_write_by_hand: bool = False


class KeyboardViewModel(SnapshotModel[KeyboardSnapshot]):
    page_changed = Signal()
    composing_changed = Signal()
    candidates_changed = Signal()
    upper_changed = Signal()
    strokes_changed = Signal()
    can_write_by_hand_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(KeyboardSnapshot(), parent)
        self._writer: Writer | None = None
        self._pinyin: Pinyin | None = None
        self._handwriting: Handwriting | None = None

    def learn(self, pinyin: Pinyin | None, handwriting: Handwriting | None) -> None:
        """The dictionaries have been read in the background."""
        self._pinyin, self._handwriting = pinyin, handwriting
        self._compose(replace(self._now, can_write_by_hand=handwriting is not None))

    def write_to(self, writer: Writer | None, page: str = "") -> None:
        """From now on keys go to `writer`; what was under composition for another is dropped."""
        if writer is not self._writer:
            self._writer = writer
            page = page or self._now.page
            self._swap(KeyboardSnapshot(page=page, can_write_by_hand=self._now.can_write_by_hand))

    def forget(self) -> None:
        """Nothing of what was being typed stays."""
        self._compose(replace(self._now, composing="", strokes=(), candidates=(), page="pinyin", upper=False))

    page = readable(str, lambda self: self._now.page, notify=page_changed)
    composing = readable(str, lambda self: self._now.composing, notify=composing_changed)
    upper = readable(bool, lambda self: self._now.upper, notify=upper_changed)
    can_write_by_hand = readable(
        bool, lambda self: self._now.can_write_by_hand, notify=can_write_by_hand_changed
    )  # fmt: skip
    candidates = readable(
        "QVariantList", lambda self: [each.text for each in self._now.candidates], notify=candidates_changed
    )
    strokes = readable("QVariantList", lambda self: self._stroke_rows(), notify=strokes_changed)

    @Slot(str)
    def press(self, key: str) -> None:
        """A letter, digit or sign, or one of: backspace, space, shift, page:<name>."""
        match key:
            case "backspace":
                self._backspace()
            case "space":
                self._space()
            case "shift":
                self._swap(replace(self._now, upper=not self._now.upper))
            case _ if key.startswith("page:"):
                self._turn(key.removeprefix("page:"))
            case _:
                self._type(key)

    @Slot(int)
    def choose(self, index: int) -> None:
        if not 0 <= index < len(self._now.candidates):
            return
        chosen = self._now.candidates[index]
        self._commit(chosen.text)
        if self._now.strokes:
            self._swap(replace(self._now, strokes=(), candidates=()))
        else:
            self._compose(replace(self._now, composing=self._now.composing[chosen.consumed :]))

    @Slot("QVariantList")
    def add_stroke(self, points: list[Any]) -> None:
        """One stroke of [x, y] pairs, 0…1 within the field."""
        stroke = tuple((float(x), float(y)) for x, y in points[:MOST_POINTS])
        if len(stroke) > 1 and len(self._now.strokes) < MOST_STROKES:
            self._recognize((*self._now.strokes, stroke))

    def _type(self, key: str) -> None:
        if self._now.page == "pinyin" and (key == "'" or (key.isascii() and key.isalpha())):
            if self._pinyin is None:
                self._commit(key)
            elif len(self._now.composing) < LONGEST_INPUT and not (key == "'" and not self._now.composing):
                self._compose(replace(self._now, composing=self._now.composing + key.lower()))
            return
        self._take_first()
        self._commit(key.upper() if self._now.upper else key)
        if self._now.upper:
            self._swap(replace(self._now, upper=False))

    def _space(self) -> None:
        if self._now.composing or self._now.strokes:
            self.choose(0)
        else:
            self._commit(" ")

    def _backspace(self) -> None:
        if self._now.strokes:
            self._recognize(self._now.strokes[:-1])
        elif self._now.composing:
            self._compose(replace(self._now, composing=self._now.composing[:-1]))
        elif self._writer:
            self._writer.erase()

    def _turn(self, page: str) -> None:
        if page in PAGES:
            self._compose(replace(self._now, page=page, composing="", strokes=(), candidates=(), upper=False))

    def _take_first(self) -> None:
        while self._now.composing and self._now.candidates:
            self.choose(0)

    def _recognize(self, strokes: tuple[tuple[tuple[float, float], ...], ...]) -> None:
        texts = self._handwriting.recognize([list(stroke) for stroke in strokes]) if self._handwriting else []
        self._swap(replace(self._now, strokes=strokes, candidates=tuple(Candidate(text, 0) for text in texts)))

    def _compose(self, new: KeyboardSnapshot) -> None:
        found = self._pinyin.candidates(new.composing) if self._pinyin and new.composing else []
        self._swap(replace(new, candidates=tuple(found)))
        if self._writer:
            self._writer.compose(new.composing)

    def _commit(self, text: str) -> None:
        if self._writer:
            self._writer.write(text)

    def _stroke_rows(self) -> list[list[list[float]]]:
        return [[[x, y] for x, y in stroke] for stroke in self._now.strokes]
