"""A catalogue of many matters stays walkable from the home page: doors, all of them, and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtTest import QTest

from kiosk.flow.screens import Door, Mode, StageKind, View
from kiosk.ui.gallery.__main__ import Gallery
from kiosk.ui.gallery.tiles import TILES, text

DEPARTMENTS, MATTERS = 28, 90


def many(mode: Mode) -> View:
    tiles = tuple(replace(TILES[number % len(TILES)], matter=f"matter_{number}") for number in range(MATTERS))
    doors = tuple(
        Door(
            id=f"{kind}_{number}", title=text(f"第{number}处", f"第{number}處", f"Office {number}"), icon="department",
            matters=tuple(tile.matter for tile in tiles[number::DEPARTMENTS]),
        )
        for kind in ("life", "department")
        for number in range(DEPARTMENTS)
    )  # fmt: skip
    return View(stage=StageKind.HOME, tiles=tiles, doors=doors, mode=mode)


def names(gallery: Gallery) -> set[str]:
    QTest.qWait(20)
    return {each["name"] for each in gallery.finger.state()["touchables"]}


def stand(gallery: Gallery, mode: Mode) -> None:
    gallery.hall.publish(replace(many(mode), stage=StageKind.ATTRACT))
    gallery.hall.publish(many(mode))


def seen_through(gallery: Gallery, start: str) -> set[str]:
    """What stands on all pages of a list, touched through to its end."""
    found = names(gallery)
    while f"{start}:next" in names(gallery):
        gallery.finger.tap(f"{start}:next")
        found |= names(gallery)
    return found


@pytest.mark.parametrize("mode", list(Mode))
def test_every_department_and_its_matters_are_reached(gallery: Gallery, mode: Mode) -> None:
    stand(gallery, mode)
    if mode is Mode.STANDARD:
        gallery.finger.tap("doors:departments")
        assert "doors:next" not in names(gallery), "the home page itself is never paged"
        gallery.finger.tap("door:all")
    else:
        gallery.finger.tap("doors:all")
        assert {"door:life_0", "doors:departments"} <= names(gallery)
        gallery.finger.tap("doors:departments")
    assert {f"door:department_{number}" for number in range(DEPARTMENTS)} <= seen_through(gallery, "doors")
    gallery.finger.tap(f"door:department_{DEPARTMENTS - 1}")
    assert {"tile:matter_27", "tile:matter_55"} <= names(gallery)
    gallery.finger.tap("home")
    assert "doors:events" in names(gallery), "the way back leads to the doors"
    gallery.finger.tap("home")
    assert "search" in names(gallery)


def test_few_doors_all_stand_on_the_home_page(gallery: Gallery) -> None:
    view = many(Mode.STANDARD)
    gallery.hall.publish(replace(view, stage=StageKind.ATTRACT))
    gallery.hall.publish(replace(view, doors=view.doors[:8]))
    assert {f"door:life_{number}" for number in range(8)} <= names(gallery)
    assert "door:all" not in names(gallery)
