"""A catalogue of 2,000 matters beside one of 60: the home page ready, a matter opened, a question answered.

Fresh processes, turn about: a real library on the disk, stage and window, drawn in software; devices are scripted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Measure, measured, pairwise_ratio, spread
from tests.bench.synthetic import install, synthetic_matters

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 60, 2000
ROUNDS = 5
OPENED = 30
READY_GOAL = 1.5
OPENED_GOAL_MS = 100.0
FOUND_GOAL_MS = 30.0
PATIENCE_SECONDS = 120


def run(tell: Callable[[str], None]) -> list[Measure]:
    with tempfile.TemporaryDirectory(prefix="yizhan-bench-") as place:
        tell("a catalogue of 2,000 matters")
        matters = synthetic_matters(MANY)
        directories = {count: Path(place) / str(count) for count in (FEW, MANY)}
        for count, directory in directories.items():
            install(directory, matters[:count])
        ready: dict[int, list[float]] = {FEW: [], MANY: []}
        for number in range(ROUNDS + 1):
            tell(f"home pages {number} of {ROUNDS}")
            for count in (FEW, MANY) if number % 2 else (MANY, FEW):
                painted_ms = _ran(directories[count])["painted_ms"]
                if number:
                    ready[count].append(painted_ms)
        tell("matters opened, questions asked")
        many = _ran(directories[MANY], OPENED)
    return [
        measured(
            "home ready with 2,000 matters, beside 60", median(ready[MANY]), "ms", floor=median(ready[FEW]),
            ratio=pairwise_ratio(ready[MANY], ready[FEW]), at_most=READY_GOAL,
            detail={str(count): spread(values) for count, values in ready.items()},
        ),
        measured(
            "a matter of 2,000 opened, touch to its first frame", median(many["opened_ms"]), "ms",
            at_most=OPENED_GOAL_MS, detail={"spread": spread(many["opened_ms"])},
        ),
        measured(
            "a question over 2,000 matters", median(many["found_ms"]), "ms", at_most=FOUND_GOAL_MS,
            detail={"spread": spread(many["found_ms"])},
        ),
    ]  # fmt: skip


def _ran(directory: Path, opened: int = 0) -> dict[str, Any]:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen", "QT_QUICK_BACKEND": "software", "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "bench-bytecode"),
    }  # fmt: skip
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.windows.catalogue_process", str(directory), str(opened)], cwd=ROOT,
        env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{directory.name} matters: the window ended with {done.returncode}: {done.stderr[-500:]}")
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said | {"painted_ms": (said["painted_at"] - begun) * 1000}
