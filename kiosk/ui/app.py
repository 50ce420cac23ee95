"""The application: Qt, the window over the whole screen, and the flow behind the bridge."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QGuiApplication

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
    chinese = QFontDatabase.families(QFontDatabase.WritingSystem.SimplifiedChinese)
    if not chinese or not QFontInfo(QFont(FONT_FAMILY)).exactMatch():
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
    application = prepare_application()
    refuse_without_font()
    bridge = Bridge(build_hall)
    kiosk = KioskWindow(bridge, settings)
    _place(kiosk, settings)
    bridge.viewed.connect(kiosk.show)
    bridge.pictured.connect(kiosk.show_picture)
    bridge.failed.connect(lambda _reason: application.exit(1))
    _call_when_painted(kiosk, bridge, on_ready)
    hand = RemoteHand(kiosk, remote_hand) if remote_hand is not None else None
    waker = _obey_signals(application)
    kiosk.window.show()
    bridge.open()
    code = application.exec()
    waker.stop()
    if hand is not None:
        hand.close()
    bridge.shut()
    kiosk.close()
    return code


def _place(kiosk: KioskWindow, settings: ScreenSettings) -> None:
    """Without a window manager showFullScreen does nothing: the geometry itself covers the screen."""
    screen = kiosk.window.screen()
    if settings.full_screen and not settings.development:
        kiosk.window.setFlag(Qt.WindowType.FramelessWindowHint)
        kiosk.window.setGeometry(screen.geometry())
        QGuiApplication.setOverrideCursor(Qt.CursorShape.BlankCursor)
    else:
        kiosk.window.resize(settings.width_px, settings.height_px)


def _call_when_painted(kiosk: KioskWindow, bridge: Bridge, on_ready: Callable[[], None] | None) -> None:
    told: list[bool] = []
    seen: list[bool] = []

    def on_frame() -> None:
        if seen and not told:
            told.append(True)
            kiosk.learn_in_background()
            if on_ready is not None:
                on_ready()

    bridge.viewed.connect(lambda _view: seen.append(True))
    kiosk.window.frameSwapped.connect(on_frame, Qt.ConnectionType.QueuedConnection)


def _obey_signals(application: QGuiApplication) -> QTimer:
    """Python sees a signal only between its own instructions: the timer gives it the chance."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: application.exit(0))
    waker = QTimer()
    waker.timeout.connect(lambda: None)
    waker.start(SIGNAL_CHECK_MS)
    return waker
