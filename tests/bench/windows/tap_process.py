"""python -m tests.bench.windows.tap_process: a visit walked by real taps, some times.

Says, as one JSON line, screen → milliseconds from the tap to its first painted frame.
"""

from __future__ import annotations

import json
import sys
import time

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest

from kiosk.flow.screens import Hall, View
from kiosk.ui.app import prepare_application, refuse_without_font
from kiosk.ui.bridge import Bridge
from kiosk.ui.gallery.views import views
from kiosk.ui.remote_hand import touchables
from kiosk.ui.settings import ScreenSettings
from kiosk.ui.window import KioskWindow
from tests.bench.windows.walking_hall import WalkingHall

VISITS = 8
WAY = ("attract", "home", "sign_in", "consent", "choose", "review", "preview", "done", "rate")
TOUCHED = ("attract", "tile:no_house", "primary", "option:")
REST_MS = 250
LIMIT_MS = 3000


class Watch:
    """When the first frame after a new View was painted."""

    def __init__(self, bridge: Bridge, kiosk: KioskWindow) -> None:
        self._has_view = False
        self._loop = QEventLoop()
        self.painted_at = 0.0
        bridge.viewed.connect(self._viewed)
        kiosk.window.frameSwapped.connect(self._swapped, Qt.ConnectionType.DirectConnection)

    def _viewed(self, _view: View) -> None:
        self._has_view = True

    def _swapped(self) -> None:
        if self._has_view:
            self._has_view = False
            self.painted_at = time.perf_counter()
            self._loop.quit()

    def wait(self) -> None:
        self.painted_at = 0.0
        late = QTimer()
        late.setSingleShot(True)
        late.timeout.connect(self._loop.quit)
        late.start(LIMIT_MS)
        self._loop.exec()
        if not self.painted_at:
            raise SystemExit("no new screen was painted after a tap")


def touch_point(kiosk: KioskWindow) -> QPoint:
    there = touchables(kiosk.window)
    for wanted in TOUCHED:
        for each in there:
            if each["name"] == wanted or (wanted.endswith(":") and each["name"].startswith(wanted)):
                return QPoint(round(each["x"]), round(each["y"]))
    raise SystemExit(f"nothing to touch among {[each['name'] for each in there]}")


def main() -> int:
    prepare_application()
    refuse_without_font()

    async def build_hall() -> Hall:
        return WalkingHall([views()[name] for name in WAY])

    bridge = Bridge(build_hall)
    kiosk = KioskWindow(bridge, ScreenSettings(development=True))
    bridge.viewed.connect(kiosk.show)
    watch = Watch(bridge, kiosk)
    kiosk.window.show()
    bridge.open()
    watch.wait()
    kiosk.learn_now()
    taken: dict[str, list[float]] = {}
    for number in range(VISITS + 1):
        for name in (*WAY[1:], WAY[0]):
            QTest.qWait(REST_MS)
            at = touch_point(kiosk)
            begun = time.perf_counter()
            QTest.mouseClick(kiosk.window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
            if not watch.painted_at > begun:
                watch.wait()
            if number:
                taken.setdefault(name, []).append((watch.painted_at - begun) * 1000)
    sys.stdout.write(json.dumps(taken) + "\n")
    bridge.shut()
    kiosk.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
