"""The screen that stands, in the present language, and the answers to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from kiosk.contracts.text import Language
from kiosk.flow.screens import (
    ChooseScreen,
    Chosen,
    FormScreen,
    InstructScreen,
    KnownItem,
    Left,
    NoticeScreen,
    PayScreen,
    PreviewScreen,
    ReviewScreen,
    Screen,
    SignScreen,
    View,
    WentBack,
    WorkingScreen,
    Wrote,
)
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.view_models.snapshot import SnapshotModel, option_row, readable, sums_apart, text_of, typeset

NO_SCREEN = -1
SECOND_TAP_MS = 1200
NO_OPTION: dict[str, Any] = {"id": "", "label": "", "detail": "", "icon": "", "enabled": False, "picked": False}
NO_CONTENT: dict[str, Any] = {
    "hint": "", "direction": "", "shows_camera": False, "progress": -1, "options": [], "layout": "cards", "several": [],
    "caption": "", "has_page": False, "text": "", "detail": "", "tone": "success", "papers": "", "money": "",
    "what_to_do": "", "code": "", "number": "", "field_width": 0.0, "field_height": 0.0, "writes_here": False,
    "ink": [], "amount": "", "payee": "", "subject": "", "channel": "", "icon": "", "qr": "", "seconds_left": 0,
    "seconds_total": 0,
}  # fmt: skip
"""Every key of every kind: a page that is about to go never reads a missing one."""


@dataclass(frozen=True, repr=False, eq=False)
class SessionSnapshot:
    """What the session page reads."""

    screen_id: int = NO_SCREEN
    step_id: str = ""
    kind: str = ""
    title: str = ""
    say: str = ""
    place: str = "none"
    matter_title: str = ""
    citizen: str = ""
    transaction_number: str = ""
    journey: tuple[tuple[str, str], ...] = ()
    primary: dict[str, Any] = field(default_factory=lambda: NO_OPTION)
    alternatives: tuple[dict[str, Any], ...] = ()
    can_go_back: bool = False
    can_leave: bool = False
    content: dict[str, Any] = field(default_factory=lambda: NO_CONTENT)
    known: tuple[dict[str, Any], ...] = ()
    picked: tuple[str, ...] = ()
    shown: tuple[int, ...] = ()


def known_rows(items: tuple[KnownItem, ...], language: Language, shown: tuple[int, ...]) -> tuple[dict[str, Any], ...]:
    """[{label, value, origin, can_show, is_shown}]: the clear value leaves this function only when it was asked for."""
    rows = []
    for index, item in enumerate(items):
        can_show = item.masked and item.clear_value is not None
        is_shown = can_show and index in shown
        value = item.clear_value if is_shown and item.clear_value is not None else item.value
        rows.append({
            "label": item.label.in_language(language), "value": sums_apart(value.in_language(language)),
            "origin": text_of(item.origin, language), "can_show": can_show, "is_shown": is_shown,
        })  # fmt: skip
    return tuple(rows)


def content_of(screen: Screen, language: Language) -> dict[str, Any]:
    """What only this kind of screen has, ready to draw, over the empty rest."""
    return NO_CONTENT | _content_of_kind(screen, language)


def _content_of_kind(screen: Screen, language: Language) -> dict[str, Any]:
    content: dict[str, Any]
    match screen:
        case InstructScreen():
            progress = -1 if screen.progress is None else screen.progress
            content = {
                "hint": text_of(screen.hint, language), "direction": screen.direction,
                "shows_camera": screen.shows_camera, "progress": progress, "qr": screen.qr,
                "seconds_left": screen.seconds_left, "seconds_total": screen.seconds_total,
            }  # fmt: skip
        case ChooseScreen():
            rows = [option_row(option, language) for option in screen.options]
            several = [option_row(option, language) for option in screen.several]
            content = {"options": rows, "layout": screen.layout, "several": several}
        case FormScreen():
            content = {}
        case PreviewScreen():
            content = {"caption": text_of(screen.caption, language), "has_page": bool(screen.page_png)}
        case ReviewScreen():
            content = {"text": text_of(screen.text, language)}
        case SignScreen():
            content = {
                "text": text_of(screen.text, language), "hint": text_of(screen.hint, language),
                "field_width": screen.field_mm[0], "field_height": screen.field_mm[1],
                "writes_here": screen.writes_here, "ink": [[list(point) for point in line] for line in screen.ink],
            }  # fmt: skip
        case PayScreen():
            content = {
                "amount": sums_apart(screen.amount), "payee": text_of(screen.payee, language), "qr": screen.qr,
                "subject": text_of(screen.subject, language), "channel": text_of(screen.channel, language),
                "icon": screen.icon, "hint": text_of(screen.hint, language), "seconds_left": screen.seconds_left,
                "seconds_total": screen.seconds_total,
            }  # fmt: skip
        case WorkingScreen():
            progress = -1 if screen.progress is None else screen.progress
            content = {"detail": text_of(screen.detail, language), "progress": progress}
        case NoticeScreen():
            content = {
                "tone": screen.tone, "papers": text_of(screen.papers, language),
                "money": text_of(screen.money, language), "what_to_do": text_of(screen.what_to_do, language),
                "code": screen.fault.value if screen.fault else "", "number": screen.transaction_number,
            }  # fmt: skip
        case _:
            assert_never(screen)
    return content


def derive_session_snapshot(view: View, before: SessionSnapshot) -> SessionSnapshot:
    """What was picked or unmasked belongs to one screen and ends with it."""
    screen = view.screen
    if screen is None:
        return SessionSnapshot()
    stays = screen.screen_id == before.screen_id
    picked, shown = (before.picked, before.shown) if stays else ((), ())
    language = view.language
    items: tuple[KnownItem, ...] = ()
    match screen:
        case FormScreen():
            items = screen.known
        case ReviewScreen() | SignScreen():
            items = screen.items
        case PayScreen():
            items = screen.lines
        case _:
            pass
    return SessionSnapshot(
        screen_id=screen.screen_id,
        step_id=screen.step_id,
        kind=screen.kind,
        title=typeset(screen.title, language),
        say=typeset(screen.say, language),
        place=screen.place.value,
        matter_title=text_of(view.matter_title, language),
        citizen=view.citizen,
        transaction_number=view.transaction_number,
        journey=tuple((mark.title.in_language(language), mark.state) for mark in screen.journey),
        primary=option_row(screen.primary, language) if screen.primary else NO_OPTION,
        alternatives=tuple(option_row(option, language) for option in screen.alternatives),
        can_go_back=screen.can_go_back,
        can_leave=screen.can_leave,
        content=content_of(screen, language),
        known=known_rows(items, language, shown),
        picked=picked,
        shown=shown,
    )


class SessionViewModel(SnapshotModel[SessionSnapshot]):
    screen_id_changed = Signal()
    step_id_changed = Signal()
    kind_changed = Signal()
    title_changed = Signal()
    say_changed = Signal()
    place_changed = Signal()
    matter_title_changed = Signal()
    citizen_changed = Signal()
    transaction_number_changed = Signal()
    journey_changed = Signal()
    primary_changed = Signal()
    alternatives_changed = Signal()
    can_go_back_changed = Signal()
    can_leave_changed = Signal()
    content_changed = Signal()
    known_changed = Signal()
    picked_changed = Signal()
    shown_changed = Signal()
    answered_changed = Signal()

    def __init__(self, hall: HallCalls, parent: QObject | None = None) -> None:
        super().__init__(SessionSnapshot(), parent)
        self._hall = hall
        self._view: View | None = None
        self._answered = False
        self._second_tap = QTimer(self)
        self._second_tap.setSingleShot(True)
        self._second_tap.setInterval(SECOND_TAP_MS)
        self._second_tap.timeout.connect(self._accept_taps)

    def show(self, view: View) -> None:
        before = self._now.screen_id
        self._view = view if view.screen is not None else None
        self._swap(derive_session_snapshot(view, self._now))
        if self._now.screen_id != before:
            self._accept_taps()

    def take_tap(self) -> bool:
        """True for the first tap of an answer; a nervous second tap within a second is not a second answer."""
        if self._answered or self._now.screen_id == NO_SCREEN:
            return False
        self._answered = True
        self._second_tap.start()
        self.answered_changed.emit()
        return True

    def _accept_taps(self) -> None:
        self._second_tap.stop()
        if self._answered:
            self._answered = False
            self.answered_changed.emit()

    screen_id = readable(int, lambda self: self._now.screen_id, notify=screen_id_changed)
    step_id = readable(str, lambda self: self._now.step_id, notify=step_id_changed)
    kind = readable(str, lambda self: self._now.kind, notify=kind_changed)
    title = readable(str, lambda self: self._now.title, notify=title_changed)
    say = readable(str, lambda self: self._now.say, notify=say_changed)
    place = readable(str, lambda self: self._now.place, notify=place_changed)
    matter_title = readable(str, lambda self: self._now.matter_title, notify=matter_title_changed)
    citizen = readable(str, lambda self: self._now.citizen, notify=citizen_changed)
    transaction_number = readable(
        str, lambda self: self._now.transaction_number, notify=transaction_number_changed
    )  # fmt: skip
    journey = readable(
        "QVariantList",
        lambda self: [{"title": title, "state": state} for title, state in self._now.journey],
        notify=journey_changed,
    )
    primary = readable("QVariantMap", lambda self: self._now.primary, notify=primary_changed)
    alternatives = readable("QVariantList", lambda self: list(self._now.alternatives), notify=alternatives_changed)
    can_go_back = readable(bool, lambda self: self._now.can_go_back, notify=can_go_back_changed)
    can_leave = readable(bool, lambda self: self._now.can_leave, notify=can_leave_changed)
    content = readable("QVariantMap", lambda self: self._now.content, notify=content_changed)
    known = readable("QVariantList", lambda self: list(self._now.known), notify=known_changed)
    picked = readable("QVariantList", lambda self: list(self._now.picked), notify=picked_changed)
    answered = readable(bool, lambda self: self._answered, notify=answered_changed)

    @Slot(str)
    def choose(self, option: str) -> None:
        """The primary action, an alternative or one of the options of the screen that stands."""
        if self.take_tap():
            self._hall.answer(Chosen(screen_id=self._now.screen_id, option=option, several=self._now.picked))

    @Slot(str)
    def toggle(self, option: str) -> None:
        """One of several, for multiple choice; nothing is sent until the primary action."""
        picked = self._now.picked
        picked = tuple(each for each in picked if each != option) if option in picked else (*picked, option)
        self._swap(replace(self._now, picked=picked))

    @Slot(int)
    def reveal(self, index: int) -> None:
        """Show or mask again one known value."""
        if self._view is None:
            return
        shown = self._now.shown
        shown = tuple(each for each in shown if each != index) if index in shown else (*shown, index)
        self._swap(derive_session_snapshot(self._view, replace(self._now, shown=shown)))

    @Slot(list)
    def write(self, points: list[tuple[float, float, int]]) -> None:
        """One stroke on the glass, in millimetres of the field and milliseconds."""
        stroke = tuple((float(x), float(y), int(at)) for x, y, at in points)
        self._hall.answer(Wrote(screen_id=self._now.screen_id, points=stroke))

    @Slot()
    def go_back(self) -> None:
        if self.take_tap():
            self._hall.answer(WentBack(screen_id=self._now.screen_id))

    @Slot()
    def leave(self) -> None:
        self._hall.answer(Left())
