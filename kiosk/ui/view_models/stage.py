"""What stands around every page: which page, mode, language, time left, reasons, and the citizen's own switches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from kiosk.contracts.text import Language
from kiosk.flow.screens import StageKind, View
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.view_models.snapshot import SnapshotModel, readable, text_of


@dataclass(frozen=True, repr=False, eq=False)
class StageSnapshot:
    """What every page reads."""

    stage: str = ""
    seconds_left: int = -1
    seconds_total: int = 1
    reasons: tuple[tuple[str, str], ...] = ()
    site: str = ""
    terminal: str = ""
    catalogue: str = ""
    online: bool = True
    lowered: bool = False
    sheet: str = ""
    helper: str = ""
    helper_says: str = ""
    pointed: str = ""


def derive_stage_snapshot(view: View, before: StageSnapshot) -> StageSnapshot:
    """`lowered` and `sheet` are the citizen's own switches; they end with the visit."""
    anyone = view.stage in (StageKind.HOME, StageKind.SESSION)
    moved = before.stage != view.stage.value
    warning = view.warning
    helper = view.helper
    said = (helper.message or helper.note) if helper is not None else None
    return StageSnapshot(
        stage=view.stage.value,
        seconds_left=warning.seconds_left if warning else -1,
        seconds_total=max(warning.seconds_total, 1) if warning else 1,
        reasons=tuple((reason.text.in_language(view.language), reason.code) for reason in view.reasons),
        site=view.site,
        terminal=view.terminal,
        catalogue=view.catalogue,
        online=view.online,
        lowered=before.lowered and anyone,
        sheet="" if moved else before.sheet,
        helper=helper.state if helper is not None else "",
        helper_says=text_of(said, view.language),
        pointed=helper.point if helper is not None else "",
    )


class StageViewModel(SnapshotModel[StageSnapshot]):
    stage_changed = Signal()
    seconds_left_changed = Signal()
    seconds_total_changed = Signal()
    reasons_changed = Signal()
    site_changed = Signal()
    terminal_changed = Signal()
    catalogue_changed = Signal()
    online_changed = Signal()
    lowered_changed = Signal()
    sheet_changed = Signal()
    helper_changed = Signal()
    helper_says_changed = Signal()
    pointed_changed = Signal()

    def __init__(self, hall: HallCalls, parent: QObject | None = None, *, way_to: Callable[[str], str] = str) -> None:
        """`way_to` leads from the place a helper points at to what of it stands on the page."""
        super().__init__(StageSnapshot(), parent)
        self._hall = hall
        self._way_to = way_to

    def show(self, view: View) -> None:
        self._swap(derive_stage_snapshot(view, self._now))

    def _reason_rows(self) -> list[dict[str, Any]]:
        return [{"text": text, "code": code} for text, code in self._now.reasons]

    stage = readable(str, lambda self: self._now.stage, notify=stage_changed)
    seconds_left = readable(int, lambda self: self._now.seconds_left, notify=seconds_left_changed)
    seconds_total = readable(int, lambda self: self._now.seconds_total, notify=seconds_total_changed)
    reasons = readable("QVariantList", _reason_rows, notify=reasons_changed)
    site = readable(str, lambda self: self._now.site, notify=site_changed)
    terminal = readable(str, lambda self: self._now.terminal, notify=terminal_changed)
    catalogue = readable(str, lambda self: self._now.catalogue, notify=catalogue_changed)
    online = readable(bool, lambda self: self._now.online, notify=online_changed)
    lowered = readable(bool, lambda self: self._now.lowered, notify=lowered_changed)
    sheet = readable(str, lambda self: self._now.sheet, notify=sheet_changed)
    """What lies over the page at the citizen's wish: "", "help", "remote", "leave" or "language"."""
    helper = readable(str, lambda self: self._now.helper, notify=helper_changed)
    """A remote helper: "", "calling", "talking" or "ended"."""
    helper_says = readable(str, lambda self: self._now.helper_says, notify=helper_says_changed)
    pointed = readable(str, lambda self: self._way_to(self._now.pointed), notify=pointed_changed)
    """The `objectName` a remote helper points at, or of the button that leads there; or empty."""

    @Slot()
    def wake(self) -> None:
        self._hall.wake()

    @Slot()
    def extend(self) -> None:
        self._hall.extend()

    @Slot(str)
    def speak(self, language: str) -> None:
        self._swap(replace(self._now, sheet=""))
        self._hall.set_language(Language(language))

    @Slot()
    def lower(self) -> None:
        self._swap(replace(self._now, lowered=not self._now.lowered))

    @Slot(bool)
    def ask_helper(self, wanted: bool) -> None:
        """Ask for a remote helper, having agreed to it; or end that."""
        self._swap(replace(self._now, sheet=""))
        self._hall.help(wanted)

    @Slot(str)
    def open_sheet(self, sheet: str) -> None:
        self._swap(replace(self._now, sheet=sheet))
