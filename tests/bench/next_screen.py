"""From a citizen's tap to the first painted frame of the next screen.

The real window, the bridge, a hall on its own loop; in a process of its own, 1080 × 1920, drawn in software, animated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.measure import Measure, measured, spread

ROOT = Path(__file__).resolve().parents[2]
GOAL_MS = 50.0
PATIENCE_SECONDS = 90


def run(tell: Callable[[str], None]) -> list[Measure]:
    tell("taps")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.windows.tap_process"], cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software"}, check=False,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"the taps ended with {done.returncode}: {done.stderr[-500:]}")
    by_screen: dict[str, list[float]] = json.loads(done.stdout.strip().splitlines()[-1])
    every = [value for values in by_screen.values() for value in values]
    return [
        measured(
            "next screen's first frame after a tap", median(every), "ms", at_most=GOAL_MS,
            detail={"spread": spread(every), "by_screen": {name: spread(values) for name, values in by_screen.items()}},
        )
    ]  # fmt: skip
