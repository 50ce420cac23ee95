"""The application: Qt, the window over the whole screen, and the flow behind the bridge."""

from __future__ import annotations

import asyncio  # noqa: F401 (before Qt, whose import hook reads the source of whatever is imported after it)
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QFont, QFontInfo, QGuiApplication

from kiosk.ui.engine import open_window

if TYPE_CHECKING:
    from kiosk.ui.bridge import Bridge, BuildHall
    from kiosk.ui.remote_hand import RemoteHand
    from kiosk.ui.settings import ScreenSettings
    from kiosk.ui.window import KioskWindow

FONT_FAMILY = "Noto Sans CJK SC"
SIGNAL_CHECK_MS = 200


class FontMissing(Exception):
    """Without a Chinese font every character becomes a box and nobody is told; the screen does not start."""


def prepare_application() -> QGuiApplication:
    """The one QGuiApplication of the process, drawing in software unless the environment says otherwise."""
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    running = QGuiApplication.instance()
    if isinstance(running, QGuiApplication):
        return running
    return QGuiApplication([sys.argv[0] if sys.argv else "kiosk"])


def refuse_without_font() -> None:
    """Raises `FontMissing` when the family the look is made with is not installed."""
    if not QFontInfo(QFont(FONT_FAMILY)).exactMatch():
        raise FontMissing(f"the font {FONT_FAMILY!r} is not installed: install the package fonts-noto-cjk")


def run_ui(
    build_hall: BuildHall,
    settings: ScreenSettings,
    *,
    on_ready: Callable[[], None] | None = None,
    remote_hand: Path | None = None,
) -> int:
    """Show the kiosk until it is told to end (SIGTERM, SIGINT); returns the process's exit code.

    `build_hall` runs on the flow's own loop in its own thread. `on_ready` is called once, on the Qt thread, after the
    first View has been painted. `remote_hand` opens a socket for a simulated citizen; development only.
    Raises `FontMissing`; `ValueError` for a remote hand outside development.
    """
    if remote_hand is not None and not settings.development:
        raise ValueError("a remote hand is for development only")
    gc.disable()  # until the first picture: what a start makes is kept
    application = prepare_application()
    window = open_window()
    refuse_without_font()
    from kiosk.ui.bridge import Bridge  # noqa: PLC0415 (while Qt's own thread reads the first pages)
    from kiosk.ui.window import KioskWindow  # noqa: PLC0415

    bridge = Bridge(build_hall)
    bridge.open()
    kiosk = KioskWindow(bridge, settings, window=window)
    bridge.viewed.connect(kiosk.show)
    bridge.pictured.connect(kiosk.show_picture)
    bridge.failed.connect(lambda _reason: application.exit(1))

    def after_the_first_picture() -> None:
        if on_ready is not None:
            on_ready()
        gc.enable()
        kiosk.learn_in_background()
        if settings.covers_screen:
            _hide_pointer()

    _FirstPicture(kiosk, bridge, after_the_first_picture)
    hand = _open_hand(kiosk, remote_hand) if remote_hand is not None else None
    waker = _obey_signals(application)
    kiosk.window.show()
    code = application.exec()
    waker.stop()
    if hand is not None:
        hand.close()
    bridge.shut()
    kiosk.close()
    return code


def _open_hand(kiosk: KioskWindow, path: Path) -> RemoteHand:
    from kiosk.ui.remote_hand import RemoteHand  # noqa: PLC0415 (an installed terminal never loads it)

    return RemoteHand(kiosk, path)


def _hide_pointer() -> None:
    from PySide6.QtCore import Qt  # noqa: PLC0415 (its thousand names take 20 ms to load: not before the first picture)

    QGuiApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)


class _FirstPicture(QObject):
    """Calls `then` once, on the Qt thread, when the first View has been painted. A child of the window."""

    def __init__(self, kiosk: KioskWindow, bridge: Bridge, then: Callable[[], None]) -> None:
        super().__init__(kiosk)
        self._then: Callable[[], None] | None = then
        self._has_view = False
        bridge.viewed.connect(self._on_view)
        kiosk.window.frameSwapped.connect(self._on_frame)

    @Slot(object)
    def _on_view(self, _view: object) -> None:
        self._has_view = True

    @Slot()
    def _on_frame(self) -> None:
        if self._has_view and self._then is not None:
            then, self._then = self._then, None
            then()


def _obey_signals(application: QGuiApplication) -> QTimer:
    """Python sees a signal only between its own instructions: the timer gives it the chance."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: application.exit(0))
    waker = QTimer()
    waker.timeout.connect(lambda: None)
    waker.start(SIGNAL_CHECK_MS)
    return waker
