"""The window and its engine: Qt's own thread reads the first pages while Python reads the view models."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtQml import QQmlComponent
from PySide6.QtQuick import QQuickView

QML = Path(__file__).parent / "qml"
FIRST_PAGES = ("Frame", "Pages/HomePage")


def page_file(name: str) -> QUrl:
    return QUrl.fromLocalFile(str(QML / "Kiosk" / f"{name}.qml"))


def open_window() -> QQuickView:
    """An empty window; the page in it is as large as it is.

    Made by Python and not by QML: for a window of QML's, PySide first loads every kind of object that Qt knows.
    """
    window = QQuickView()
    window.setTitle("Yizhan")
    window.setResizeMode(QQuickView.ResizeMode.SizeRootObjectToView)
    engine = window.engine()
    engine.setOutputWarningsToStandardError(False)
    engine.addImportPath(str(QML))
    for name in FIRST_PAGES:
        QQmlComponent(engine, page_file(name), QQmlComponent.CompilationMode.Asynchronous, engine)
    return window
