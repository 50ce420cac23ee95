"""What the first picture does not need is not loaded before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LATER = (
    "pydantic", "yaml", "httpx", "xml", "kiosk.contracts.matter", "kiosk.contracts.entries",
    "kiosk.ui.view_models.search", "kiosk.ui.remote_hand",
)  # fmt: skip
STARTED = """
import os, signal, sys
import PySide6.QtCore
from kiosk.flow.screens import StageKind, View
from kiosk.ui.app import run_ui
from kiosk.ui.gallery.tiles import DOORS, TILES
from kiosk.ui.settings import ScreenSettings
from tests.bench.windows.walking_hall import WalkingHall

async def build_hall():
    return WalkingHall([View(stage=StageKind.HOME, tiles=TILES, doors=DOORS, favourites=("no_house",))])

def painted():
    print(*sys.modules, *(f"Qt:{name}" for name in vars(PySide6.QtCore)))
    os.kill(os.getpid(), signal.SIGTERM)

sys.exit(run_ui(build_hall, ScreenSettings(development=True), on_ready=painted))
"""


def test_the_first_picture_waits_for_nothing_that_comes_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert {"kiosk.ui.window", "Qt:QObject"} <= loaded
    assert not loaded & {*LATER}
    assert "Qt:Qt" not in loaded, "the thousand names of Qt's namespace"
    assert "Qt:QProcess" not in loaded, "an object that C++ made was asked for: PySide then loads every kind of object"
