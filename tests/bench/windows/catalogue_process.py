"""python -m tests.bench.windows.catalogue_process DIRECTORY [N]: a real stage over the library in DIRECTORY.

Says, as one JSON line: `painted_at`, when the home page stood (monotonic seconds); `opened_ms`, from a touch on a tile
to the matter's first painted screen, N matters one after another; `found_ms`, from a question to its answers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import yaml

QUESTIONS = Path(__file__).parents[2] / "kiosk" / "ui" / "view_models" / "questions.yaml"
PATIENCE_MS = 20_000
STEP = 37


def equipment(library: Any, directory: Path) -> Any:
    from kiosk.flow.equipment import Equipment
    from kiosk.machine.journal import Journal
    from tests.kiosk.flow.world import NOW, ScriptedDevices, ScriptedServices, verify_seal

    return Equipment(
        devices=ScriptedDevices(), journal=Journal.open(directory / "journal.sqlite", terminal="T-0001"),
        services=ScriptedServices(), library=library, verify_seal=verify_seal, render_page=lambda pdf: pdf,
        sweep_memory=lambda: None, now=lambda: NOW, terminal="T-0001", site="样例便利店",
    )  # fmt: skip


class Watch:
    """When the first frame after a new View, or after a change of the page, was painted."""

    def __init__(self, kiosk: Any) -> None:
        from PySide6.QtCore import QEventLoop, Qt

        self._loop = QEventLoop()
        kiosk.window.frameSwapped.connect(self._loop.quit, Qt.ConnectionType.QueuedConnection)
        self._kiosk = kiosk

    def until(self, stands: Any) -> float:
        from PySide6.QtCore import QTimer

        late = QTimer()
        late.setSingleShot(True)
        late.timeout.connect(self._loop.quit)
        late.start(PATIENCE_MS)
        while not stands() and late.isActive():
            self._loop.processEvents()
        self._kiosk.window.update()
        self._loop.exec()
        if not late.isActive():
            raise SystemExit("nothing was painted in time")
        return time.perf_counter()


def main() -> int:
    from kiosk.flow.screens import Hall, StageKind
    from kiosk.ui.app import prepare_application, refuse_without_font
    from kiosk.ui.bridge import Bridge
    from kiosk.ui.settings import ScreenSettings
    from kiosk.ui.window import KioskWindow

    directory, opened = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    prepare_application()
    refuse_without_font()

    async def build_hall() -> Hall:
        from kiosk.flow.stage import Stage
        from kiosk.machine.library import Library

        stage = Stage(equipment(Library.open(directory), directory))
        stage.wake()
        tasks.add(asyncio.create_task(stage.run()))
        return stage

    tasks: set[asyncio.Task[None]] = set()
    shown: list[Any] = []
    bridge = Bridge(build_hall)
    bridge.open()
    kiosk = KioskWindow(bridge, ScreenSettings(development=True))
    bridge.viewed.connect(kiosk.show)
    bridge.viewed.connect(shown.append)
    watch = Watch(kiosk)
    kiosk.window.show()
    watch.until(lambda: bool(shown) and shown[-1].stage is StageKind.HOME)
    said: dict[str, Any] = {"painted_at": time.monotonic()}
    if opened:
        said |= measured(kiosk, bridge, watch, shown, opened)
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    bridge.shut()
    kiosk.close()
    return 0


def measured(kiosk: Any, bridge: Any, watch: Watch, shown: list[Any], count: int) -> dict[str, list[float]]:
    from PySide6.QtCore import QThreadPool
    from PySide6.QtTest import QTest

    from kiosk.flow.screens import Left, StageKind

    kiosk.learn_now()
    QThreadPool.globalInstance().waitForDone()
    QTest.qWait(500)
    matters = [tile.matter for tile in shown[-1].tiles]
    opening, finding = [], []
    for number in range(count):
        matter = matters[number * STEP % len(matters)]
        begun = time.perf_counter()
        bridge.start(matter)
        opening.append((watch.until(lambda: shown[-1].screen is not None) - begun) * 1000)
        bridge.answer(Left())
        watch.until(lambda: shown[-1].stage is StageKind.ATTRACT)
        QTest.qWait(50)
        bridge.wake()
        watch.until(lambda: shown[-1].stage is StageKind.HOME)
        QTest.qWait(50)
    kiosk.home.search()
    for questions in yaml.load(QUESTIONS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["test"].values():
        kiosk.home.clear()
        QTest.qWait(1)
        begun = time.perf_counter()
        kiosk.home.write(questions[0])
        finding.append((time.perf_counter() - begun) * 1000)
    return {"opened_ms": opening, "found_ms": finding}


if __name__ == "__main__":
    raise SystemExit(main())
