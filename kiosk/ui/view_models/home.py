"""The home page: favourites, doors, search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThreadPool, Signal, Slot

from kiosk.contracts.text import Language
from kiosk.flow.screens import Door, Mode, StageKind, Tile, View
from kiosk.ui.view_models.calls import HallCalls
from kiosk.ui.view_models.snapshot import SnapshotModel, readable, text_of

if TYPE_CHECKING:
    from kiosk.ui.view_models.search import Index, Reading

FAVOURITES = 8
FAVOURITES_ELDER = 6
LONGEST_QUERY = 30
DEPARTMENT = "department"
"""A door whose id begins so leads to a department; any other to a life event."""

Rows = tuple[dict[str, Any], ...]
Catalogue = tuple[tuple[str, int], ...]
"""Which matters, in which versions."""


@dataclass(frozen=True, repr=False, eq=False)
class HomeSnapshot:
    """What the home page reads."""

    page: str = "home"
    favourites: Rows = ()
    events: Rows = ()
    departments: Rows = ()
    matters: int = 0
    by_department: bool = False
    browsed: bool = False
    door: str = ""
    door_title: str = ""
    door_rows: Rows = ()
    query: str = ""
    results: Rows = field(default=())


def tile_row(tile: Tile, language: Language) -> dict[str, Any]:
    return {
        "matter": tile.matter,
        "title": tile.title.in_language(language),
        "department": tile.department.in_language(language),
        "icon": tile.icon,
        "enabled": tile.enabled,
        "reason": text_of(tile.reason, language),
    }


def derive_home_snapshot(view: View, before: HomeSnapshot, results: tuple[str, ...]) -> HomeSnapshot:
    """Where the citizen went on the home page (door, query) ends when the home page does."""
    if view.stage is not StageKind.HOME:
        before, results = HomeSnapshot(), ()
    language = view.language
    tiles = {tile.matter: tile for tile in view.tiles}
    limit = FAVOURITES_ELDER if view.mode is Mode.ELDER else FAVOURITES
    favourites = [matter for matter in view.favourites if matter in tiles]
    favourites += [matter for matter in tiles if matter not in favourites]
    door = next((door for door in view.doors if door.id == before.door), None)

    def rows(matters: tuple[str, ...] | list[str]) -> Rows:
        return tuple(tile_row(tiles[matter], language) for matter in matters if matter in tiles)

    def doors(of: Callable[[Door], bool]) -> Rows:
        return tuple(
            {
                "id": each.id,
                "title": each.title.in_language(language),
                "icon": _icon_of(each),
                "count": len(each.matters),
            }
            for each in view.doors
            if of(each) and any(matter in tiles for matter in each.matters)
        )

    page = "home" if before.page == "door" and door is None else before.page
    return HomeSnapshot(
        page=page,
        favourites=rows(favourites[:limit]),
        events=doors(lambda each: not each.id.startswith(DEPARTMENT)),
        departments=doors(lambda each: each.id.startswith(DEPARTMENT)),
        matters=len(tiles),
        by_department=before.by_department,
        browsed=before.browsed,
        door=door.id if door else "",
        door_title=door.title.in_language(language) if door else "",
        door_rows=rows(door.matters) if door else (),
        query=before.query,
        results=rows(results),
    )


def _icon_of(door: Door) -> str:
    """A department that brings no icon of its own is drawn by its name."""
    return door.id.removeprefix(DEPARTMENT).lstrip("_:") if door.icon == DEPARTMENT else door.icon


def _unread(text: str) -> list[str]:
    """No dictionary yet: only characters and English find."""
    return [""] * len(text)


def _index_of(tiles: tuple[Tile, ...], reading: Reading) -> Index:
    from kiosk.ui.view_models.search import Index  # noqa: PLC0415 (nobody searches before the first picture)

    return Index(tiles, reading)


class HomeViewModel(SnapshotModel[HomeSnapshot]):
    page_changed = Signal()
    favourites_changed = Signal()
    events_changed = Signal()
    departments_changed = Signal()
    matters_changed = Signal()
    by_department_changed = Signal()
    browsed_changed = Signal()
    door_changed = Signal()
    door_title_changed = Signal()
    door_rows_changed = Signal()
    query_changed = Signal()
    results_changed = Signal()
    indexed = Signal(object, object)
    """An index made in the background, with the catalogue it was made for."""

    def __init__(self, hall: HallCalls, parent: QObject | None = None) -> None:
        super().__init__(HomeSnapshot(), parent)
        self._hall = hall
        self._view: View | None = None
        self._reading: Reading | None = None
        self._indexed_for: Catalogue = ()
        self._index: Index | None = None
        self._composing = ""
        self.indexed.connect(self._take_index)

    def show(self, view: View) -> None:
        self._view = view
        self._prepare()
        if view.stage is not StageKind.HOME:
            self._composing = ""
        self._derive(self._now)

    def learn(self, reading: Reading) -> None:
        """The dictionary has been read: from now on pinyin finds matters."""
        self._reading = reading
        self._indexed_for = ()
        if self._view:
            self._prepare()
            self._derive(self._now)

    def offered(self) -> list[str]:
        """Ids of all matters, for a simulated citizen."""
        return [tile.matter for tile in self._view.tiles] if self._view else []

    def write(self, text: str) -> None:
        self._ask((self._now.query + text)[:LONGEST_QUERY])

    def erase(self) -> None:
        self._ask(self._now.query[:-1])

    def compose(self, letters: str) -> None:
        """Letters not yet turned into characters search as well, so that initials find at once."""
        self._composing = letters.replace("'", "")
        self._derive(self._now)

    def _prepare(self) -> None:
        """Another catalogue needs another index. It is made in the background, or at once when somebody asks first."""
        catalogue = tuple((tile.matter, tile.version) for tile in self._view.tiles) if self._view else ()
        if catalogue == self._indexed_for or self._view is None:
            return
        self._indexed_for, self._index = catalogue, None
        tiles, reading = self._view.tiles, self._reading
        if reading is not None:
            QThreadPool.globalInstance().start(lambda: self.indexed.emit(catalogue, _index_of(tiles, reading)))

    @Slot(object, object)
    def _take_index(self, catalogue: Catalogue, index: Index) -> None:
        if catalogue == self._indexed_for:
            self._index = index

    def _found(self, query: str) -> list[str]:
        if self._view is None or not query:
            return []
        if self._index is None:
            self._index = _index_of(self._view.tiles, self._reading or _unread)
        return self._index.find(query)

    def _ask(self, query: str) -> None:
        self._derive(replace(self._now, query=query))

    def _derive(self, before: HomeSnapshot) -> None:
        if self._view:
            found = self._found(before.query + self._composing) if before.page == "search" else []
            if not found and self._composing and before.query:
                found = self._found(before.query)
            self._swap(derive_home_snapshot(self._view, before, tuple(found)))

    page = readable(str, lambda self: self._now.page, notify=page_changed)
    favourites = readable("QVariantList", lambda self: list(self._now.favourites), notify=favourites_changed)
    events = readable("QVariantList", lambda self: list(self._now.events), notify=events_changed)
    departments = readable("QVariantList", lambda self: list(self._now.departments), notify=departments_changed)
    matters = readable(int, lambda self: self._now.matters, notify=matters_changed)
    by_department = readable(bool, lambda self: self._now.by_department, notify=by_department_changed)
    browsed = readable(bool, lambda self: self._now.browsed, notify=browsed_changed)
    door = readable(str, lambda self: self._now.door, notify=door_changed)
    door_title = readable(str, lambda self: self._now.door_title, notify=door_title_changed)
    door_rows = readable("QVariantList", lambda self: list(self._now.door_rows), notify=door_rows_changed)
    query = readable(str, lambda self: self._now.query, notify=query_changed)
    results = readable("QVariantList", lambda self: list(self._now.results), notify=results_changed)

    @Slot(str)
    def start(self, matter: str) -> None:
        self._hall.start(matter)

    @Slot(str)
    def enter(self, door: str) -> None:
        self._derive(replace(self._now, page="door", door=door))

    @Slot(bool)
    def browse(self, by_department: bool) -> None:
        """All doors of one kind; from behind one of them the way back leads here."""
        self._derive(replace(self._now, page="doors", door="", by_department=by_department, browsed=True))

    @Slot()
    def search(self) -> None:
        self._derive(replace(self._now, page="search", query=""))

    @Slot()
    def clear(self) -> None:
        self._ask("")

    @Slot()
    def go_home(self) -> None:
        self._composing = ""
        self._derive(replace(self._now, page="home", query="", door="", browsed=False))
