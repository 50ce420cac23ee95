"""One window for each shape, shared by the tests of a module: starting one takes longer than walking it."""

from __future__ import annotations

import os
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_QUICK_BACKEND", "software")

import pytest
from PySide6.QtGui import QAccessible, QGuiApplication

from kiosk.ui.app import prepare_application, refuse_without_font
from kiosk.ui.gallery.__main__ import SHAPES, Gallery


@pytest.fixture(scope="session")
def application() -> QGuiApplication:
    found = prepare_application()
    refuse_without_font()
    QAccessible.setActive(True)
    return found


def _gallery(shape: str) -> Iterator[Gallery]:
    gallery = Gallery(SHAPES[shape])
    yield gallery
    warnings = list(gallery.kiosk.warnings)
    gallery.kiosk.close()
    assert warnings == []


@pytest.fixture(scope="module")
def portrait(application: QGuiApplication) -> Iterator[Gallery]:
    yield from _gallery("portrait")


@pytest.fixture(scope="module")
def landscape(application: QGuiApplication) -> Iterator[Gallery]:
    yield from _gallery("landscape")


@pytest.fixture
def gallery(portrait: Gallery) -> Iterator[Gallery]:
    """A portrait window from a clean page; any warning of Qt fails the test."""
    portrait.hall.asked.clear()
    portrait.kiosk.warnings.clear()
    yield portrait
    assert portrait.kiosk.warnings == []
