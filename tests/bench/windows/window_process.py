"""python -m tests.bench.windows.window_process kiosk|empty: one window until it is at rest.

Says when it was painted and how much memory it holds, as one JSON line. `painted_at` is in monotonic seconds,
`processor_ms` the computing done by then.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path

REST_MS = 2000
WIDTH, HEIGHT = 1080, 1920


def memory_mb() -> dict[str, float]:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    found = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("Rss:", "Pss:"))}
    return {"rss_mb": found["Rss:"], "pss_mb": found["Pss:"]}


class Report:
    """Taken at the first paint; finished, and the process ended, once the window is at rest."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._imported_ms = 0.0

    def painted(self) -> None:
        if self._said:
            return
        from PySide6.QtCore import QTimer

        self._said |= {"painted_at": time.monotonic(), "processor_ms": time.process_time() * 1000}
        self._said |= {f"{key}_at_paint": value for key, value in memory_mb().items()}
        QTimer.singleShot(REST_MS, self._finish)

    def imported(self) -> None:
        self._imported_ms = time.process_time() * 1000

    def _finish(self) -> None:
        sys.stdout.write(json.dumps(self._said | memory_mb() | {"imports_processor_ms": self._imported_ms}) + "\n")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGTERM)


def show_kiosk(report: Report) -> int:
    gc.disable()  # as `python -m kiosk run` does
    from kiosk.flow.screens import Hall, StageKind, View
    from kiosk.ui.app import run_ui
    from kiosk.ui.gallery.tiles import DOORS, TILES
    from kiosk.ui.settings import ScreenSettings
    from tests.bench.windows.walking_hall import WalkingHall

    report.imported()

    async def build_hall() -> Hall:
        favourites = tuple(tile.matter for tile in TILES[:8])
        return WalkingHall([View(stage=StageKind.HOME, tiles=TILES, doors=DOORS, favourites=favourites)])

    return run_ui(build_hall, ScreenSettings(WIDTH, HEIGHT, development=True), on_ready=report.painted)


def show_empty(report: Report) -> int:
    from PySide6.QtCore import QTimer, QUrl
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtQml import QQmlApplicationEngine
    from PySide6.QtQuick import QQuickWindow

    report.imported()
    application = QGuiApplication(sys.argv[:1])
    engine = QQmlApplicationEngine()
    engine.load(QUrl.fromLocalFile(str(Path(__file__).with_name("empty.qml"))))
    window = engine.rootObjects()[0]
    assert isinstance(window, QQuickWindow)
    window.frameSwapped.connect(report.painted)
    window.resize(WIDTH, HEIGHT)
    window.show()
    signal.signal(signal.SIGTERM, lambda *_: application.exit(0))
    waker = QTimer()
    waker.timeout.connect(lambda: None)
    waker.start(100)
    code = application.exec()
    window.close()
    return code


if __name__ == "__main__":
    raise SystemExit({"kiosk": show_kiosk, "empty": show_empty}[sys.argv[1]](Report()))
