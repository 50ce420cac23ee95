"""A form being filled in: values live here only while its screen stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from kiosk.flow.screens import FormFilled, FormItem, FormScreen, Mode, View
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.view_models.session import NO_SCREEN, SessionViewModel
from kiosk.ui.view_models.snapshot import SnapshotModel, option_row, readable, text_of


@dataclass(frozen=True, repr=False, eq=False)
class FormSnapshot:
    """`pad` is the keyboard the current field needs: "", "text", "number", "identity", "money" or "keys" (`keys`)."""

    screen_id: int = NO_SCREEN
    values: dict[str, str] = field(default_factory=dict)
    current: str = ""
    missing: frozenset[str] = frozenset()
    rows: tuple[dict[str, Any], ...] = ()
    pad: str = ""
    keys: tuple[tuple[str, ...], ...] = ()
    position: int = 0
    total: int = 0
    asks_next: bool = False


def derive_form_snapshot(view: View, before: FormSnapshot) -> FormSnapshot:
    screen = view.screen
    if not isinstance(screen, FormScreen):
        return FormSnapshot()
    from kiosk.ui.view_models.entry import error_of, keys_of, pad_of, shown  # noqa: PLC0415 (not on the first picture)

    items = screen.items
    if screen.screen_id != before.screen_id:
        values = {item.id: item.value for item in items}
        before = FormSnapshot(screen_id=screen.screen_id, values=values, current=_first_to_fill(items, values))
    elder = view.mode is Mode.ELDER
    index = next((index for index, item in enumerate(items) if item.id == before.current), 0)
    language = view.language
    rows = []
    for item in items:
        value = before.values.get(item.id, "")
        is_current = item.id == before.current
        error = text_of(error_of(item, value, is_current), language)
        rows.append({
            "id": item.id, "label": item.label.in_language(language), "kind": str(item.kind),
            "text": shown(item, value, is_current), "hint": text_of(item.hint, language), "error": error,
            "missing": item.id in before.missing and not value, "required": item.required, "current": is_current,
            "choices": [option_row(each, language) | {"picked": each.id == value} for each in item.choices],
        })  # fmt: skip
    return replace(
        before,
        rows=tuple(rows[index : index + 1] if elder else rows),
        pad=pad_of(items[index]) if items and before.current else "",
        keys=keys_of(items[index], before.values.get(before.current, "")) if items and before.current else (),
        position=index + 1 if elder else 0,
        total=len(items),
        asks_next=elder and index + 1 < len(items),
    )


class FormViewModel(SnapshotModel[FormSnapshot]):
    screen_id_changed = Signal()
    values_changed = Signal()
    current_changed = Signal()
    missing_changed = Signal()
    rows_changed = Signal()
    pad_changed = Signal()
    keys_changed = Signal()
    position_changed = Signal()
    total_changed = Signal()
    asks_next_changed = Signal()

    def __init__(self, hall: HallCalls, session: SessionViewModel, parent: QObject | None = None) -> None:
        super().__init__(FormSnapshot(), parent)
        self._hall = hall
        self._session = session
        self._view: View | None = None

    def show(self, view: View) -> None:
        self._view = view if isinstance(view.screen, FormScreen) else None
        self._swap(derive_form_snapshot(view, self._now))

    @Slot(str)
    def write(self, text: str) -> None:
        if item := self._item(self._now.current):
            self._set(item.id, _edited(item, self._now.values.get(item.id, ""), text))

    @Slot()
    def erase(self) -> None:
        if item := self._item(self._now.current):
            self._set(item.id, _edited(item, self._now.values.get(item.id, ""), None))

    def compose(self, letters: str) -> None:
        """Letters under composition show on the keyboard only."""

    rows = readable("QVariantList", lambda self: list(self._now.rows), notify=rows_changed)
    current = readable(str, lambda self: self._now.current, notify=current_changed)
    pad = readable(str, lambda self: self._now.pad, notify=pad_changed)
    keys = readable("QVariantList", lambda self: [list(row) for row in self._now.keys], notify=keys_changed)
    position = readable(int, lambda self: self._now.position, notify=position_changed)
    total = readable(int, lambda self: self._now.total, notify=total_changed)
    asks_next = readable(bool, lambda self: self._now.asks_next, notify=asks_next_changed)

    @Slot(str)
    def focus(self, field_id: str) -> None:
        self._derive(replace(self._now, current=field_id))

    @Slot()
    def rest(self) -> None:
        """The keyboard's own 'done': no field is current, the keyboard folds away."""
        self._derive(replace(self._now, current=""))

    @Slot(str)
    def clear(self, field_id: str) -> None:
        self._set(field_id, "")

    @Slot(str, str)
    def set_value(self, field_id: str, text: str) -> None:
        """The whole value at once, through the same rules as typing."""
        if item := self._item(field_id):
            self._derive(replace(self._now, current=field_id))
            self._set(field_id, _edited(item, "", text))

    @Slot(str, str)
    def pick(self, field_id: str, choice: str) -> None:
        self._derive(replace(self._now, current=field_id))
        self._set(field_id, choice)

    @Slot()
    def submit(self) -> None:
        """The primary action: the next field in elder mode, the first missing one, or the filled form."""
        items = self._items()
        if self._now.asks_next and not self._is_missing(self._now.current):
            order = [item.id for item in items]
            self._derive(replace(self._now, current=order[order.index(self._now.current) + 1]))
            return
        missing = [item.id for item in items if self._is_missing(item.id)]
        if missing:
            at = self._now.current if self._now.asks_next else missing[0]
            self._derive(replace(self._now, current=at, missing=frozenset(missing)))
        elif self._session.take_tap():
            self._hall.answer(FormFilled(screen_id=self._now.screen_id, values=dict(self._now.values)))

    @Slot(result=bool)
    def step_back(self) -> bool:
        """In elder mode the field before; False when there is none and the whole screen goes back."""
        if self._now.position < 2:
            return False
        self._derive(replace(self._now, current=self._items()[self._now.position - 2].id))
        return True

    def way_to(self, place: str) -> str:
        """Where a remote helper's hand goes: to the field itself, or to the button that leads to its page."""
        order = [f"field:{item.id}" for item in self._items()]
        if self._now.position == 0 or place not in order:
            return place
        ahead = order.index(place) + 1 - self._now.position
        return "primary" if ahead > 0 else "back" if ahead < 0 else place

    def _items(self) -> tuple[FormItem, ...]:
        return self._view.screen.items if self._view and isinstance(self._view.screen, FormScreen) else ()

    def _item(self, field_id: str) -> FormItem | None:
        return next((item for item in self._items() if item.id == field_id), None)

    def _is_missing(self, field_id: str) -> bool:
        item = self._item(field_id)
        return item is not None and item.required and not self._now.values.get(field_id, "").strip()

    def _set(self, field_id: str, value: str) -> None:
        self._derive(replace(self._now, values={**self._now.values, field_id: value}))

    def _derive(self, before: FormSnapshot) -> None:
        if self._view:
            self._swap(derive_form_snapshot(self._view, before))


def _edited(item: FormItem, before: str, text: str | None) -> str:
    """With what a key adds; None takes the last character away."""
    from kiosk.ui.view_models.entry import erased, written  # noqa: PLC0415 (not on the first picture)

    return erased(item, before) if text is None else written(item, before, text)


def _first_to_fill(items: tuple[FormItem, ...], values: dict[str, str]) -> str:
    wrong = next((item.id for item in items if item.error is not None), "")
    empty = next((item.id for item in items if item.required and not values[item.id]), "")
    return wrong or empty
