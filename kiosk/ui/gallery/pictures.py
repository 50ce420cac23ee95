"""A row of Views as pictures, one for each step and kind of screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtTest import QTest

from kiosk.flow.screens import View
from kiosk.ui.app import prepare_application, refuse_without_font
from kiosk.ui.gallery.__main__ import SHAPES, Gallery

PAINTED_MS = 40


def draw(rows: Sequence[tuple[Path, Sequence[View]]]) -> int:
    """Draw each row of Views into its folder, upright; how many pictures. Raises `OSError`, `FontMissing`."""
    application = prepare_application()
    refuse_without_font()
    gallery = Gallery(SHAPES["portrait"])
    count = 0
    for folder, views in rows:
        before, number = ("", ""), 0
        for view in views:
            if view.screen is None or (view.screen.step_id, view.screen.kind) == before:
                continue
            before, number = (view.screen.step_id, view.screen.kind), number + 1
            gallery.hall.publish(view)
            QTest.qWait(PAINTED_MS)
            gallery.finger.shoot(folder / f"{number:02d}-{before[0] or 'end'}-{before[1]}.png")
        count += number
    gallery.kiosk.close()
    application.processEvents()
    return count
