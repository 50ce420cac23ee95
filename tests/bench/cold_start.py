"""The kiosk from process start to the first View painted, and its memory, beside an empty QML window.

Fresh processes, turn about, 1080 × 1920, drawn in software, Python's bytecode cached as on an installed terminal. The
kiosk shows its home page from a hall without devices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tests.bench.measure import Measure, measured, pairwise_ratio, spread

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 12
GOAL = 2.0
PATIENCE_SECONDS = 60
KIOSK, EMPTY = "kiosk", "empty"


def run(tell: Callable[[str], None]) -> list[Measure]:
    taken: dict[str, list[dict[str, float]]] = {KIOSK: [], EMPTY: []}
    for number in range(ROUNDS + 1):
        tell(f"cold starts {number} of {ROUNDS}")
        for which in (KIOSK, EMPTY) if number % 2 else (EMPTY, KIOSK):
            once = _started(which)
            if number:
                taken[which].append(once)
    kiosk, empty = ([each["painted_ms"] for each in taken[which]] for which in (KIOSK, EMPTY))
    return [
        measured(
            "cold start, process to first View painted", median(kiosk), "ms", floor=median(empty),
            ratio=pairwise_ratio(kiosk, empty), at_most=GOAL,
            detail={which: _details(taken[which]) for which in (KIOSK, EMPTY)},
        ),
        *(_memory(name, key, taken) for name, key in (("memory, PSS", "pss_mb"), ("memory, RSS", "rss_mb"))),
    ]  # fmt: skip


def _details(once: list[dict[str, float]]) -> dict[str, object]:
    """Wall clock, and the processor time in it, which other work on the machine disturbs less."""
    keys = ("painted_ms", "processor_ms", "imports_processor_ms")
    return {key: spread([each[key] for each in once]) for key in keys}


def _memory(name: str, key: str, taken: dict[str, list[dict[str, float]]]) -> Measure:
    kiosk, empty = (median(each[key] for each in taken[which]) for which in (KIOSK, EMPTY))
    at_paint = median(each[f"{key}_at_paint"] for each in taken[KIOSK])
    return measured(f"kiosk {name}", kiosk, "MB", floor=empty, detail={"at_first_paint": round(at_paint, 1)})


def _started(which: str) -> dict[str, float]:
    """Milliseconds from just before the process exists; megabytes at the first paint and once at rest."""
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software", "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "bench-bytecode"),
    }  # fmt: skip
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.windows.window_process", which], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"the {which} window ended with {done.returncode}: {done.stderr[-500:]}")
    said: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return said | {"painted_ms": (said["painted_at"] - begun) * 1000}
