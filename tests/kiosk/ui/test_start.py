"""What the first picture does not need is not loaded before it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LATER = (
    "pydantic", "yaml", "httpx", "xml", "kiosk.contracts.matter", "kiosk.contracts.entries",
    "kiosk.ui.view_models.search",
)  # fmt: skip
LOADED = """
import sys
import kiosk.ui.app
import PySide6.QtCore
print(*sorted(sys.modules), "QT_NAMESPACE" if "Qt" in vars(PySide6.QtCore) else "")
"""


def test_the_screen_is_loaded_without_what_comes_later() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "kiosk.ui.window" in loaded
    assert not loaded & {*LATER, "QT_NAMESPACE"}
