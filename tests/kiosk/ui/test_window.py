"""The window itself: where it stands, and what is said when its pages cannot be read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl

from kiosk.ui import window
from kiosk.ui.engine import QML
from kiosk.ui.gallery.hall import GalleryHall
from kiosk.ui.gallery.views import views
from kiosk.ui.settings import ScreenSettings
from kiosk.ui.window import KioskWindow, QmlBroken


def opened(settings: ScreenSettings) -> KioskWindow:
    return KioskWindow(GalleryHall(views()["attract"]), settings)


def test_on_a_terminal_it_covers_the_screen_without_a_frame(application: QObject) -> None:
    kiosk = opened(ScreenSettings(300, 400))
    assert kiosk.window.geometry() == kiosk.window.screen().geometry()
    assert kiosk.window.flags() & Qt.WindowType.FramelessWindowHint
    kiosk.close()


def test_in_development_it_is_a_window_of_the_size_that_is_set(application: QObject) -> None:
    kiosk = opened(ScreenSettings(300, 400, development=True))
    assert (kiosk.window.width(), kiosk.window.height()) == (300, 400)
    assert not kiosk.window.flags() & Qt.WindowType.FramelessWindowHint
    kiosk.close()


@pytest.mark.parametrize("file", ["Main", "Frame"])
def test_pages_that_cannot_be_read_are_named(
    application: QObject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    shutil.copytree(QML / "Kiosk", tmp_path / "Kiosk")
    broken = tmp_path / "Kiosk" / f"{file}.qml"
    broken.write_text(broken.read_text().replace("Item {", "Item { nothing:", 1))
    monkeypatch.setattr(window, "page_file", lambda _name: QUrl.fromLocalFile(str(tmp_path / "Kiosk" / "Main.qml")))
    with pytest.raises(QmlBroken, match=f"{file}.qml:"):
        opened(ScreenSettings(development=True))
