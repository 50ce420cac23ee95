"""What one measure says, and how numbers become one."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Measure:
    """`floor` is the limit measured beside `value`, in the same unit; `ratio` what is compared, None when there is
    nothing to compare with. `goal` bounds the ratio, or the value when there is no ratio; None bounds nothing."""

    name: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    goal: float | None
    kept: bool
    detail: dict[str, Any]


def measured(
    name: str,
    value: float,
    unit: str,
    *,
    floor: float | None = None,
    ratio: float | None = None,
    at_most: float | None = None,
    at_least: float | None = None,
    detail: dict[str, Any] | None = None,
) -> Measure:
    """A measure judged: its ratio (value ÷ floor unless given), else its value, against the one goal given."""
    if ratio is None and floor:
        ratio = value / floor
    judged = value if ratio is None else ratio
    kept = (at_most is None or judged <= at_most) and (at_least is None or judged >= at_least)
    goal, sense = (at_most, "at most") if at_least is None else (at_least, "at least")
    said = {**(detail or {}), **({} if goal is None else {"goal_is": sense})}
    return Measure(
        name, round(value, 3), unit, None if floor is None else round(floor, 3),
        None if ratio is None else round(ratio, 3), goal, kept, said,
    )  # fmt: skip


def failed(name: str, error: BaseException) -> Measure:
    """A measure that could not be taken: not kept, and why."""
    return Measure(name, 0.0, "", None, None, None, False, {"error": f"{type(error).__name__}: {error}"})


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed: nearest rank."""
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]


def spread(values: Sequence[float]) -> dict[str, float | int]:
    return {
        "median": round(median(values), 3), "p95": round(percentile(values, 0.95), 3), "least": round(min(values), 3),
        "greatest": round(max(values), 3), "rounds": len(values),
    }  # fmt: skip


def pairwise_ratio(values: Sequence[float], floors: Sequence[float]) -> float:
    """Median of the ratios round by round: what disturbed one round disturbed both of its sides."""
    return median(value / floor for value, floor in zip(values, floors, strict=True))


Moment = Literal["before", "after"]


def machine(moments: dict[Moment, float]) -> dict[str, Any]:
    """What the numbers were taken on; nothing that names the machine."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": cpu, "cores": len(os.sched_getaffinity(0)), "memory_mb": memory // 1024**2,
        "system": platform.system(), "kernel": platform.release(), "python": platform.python_version(),
        "load_before": moments.get("before"), "load_after": moments.get("after"),
    }  # fmt: skip


def written(path: Path, measures: Sequence[Measure], about: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"measures": [dataclasses.asdict(measure) for measure in measures], "machine": about}
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
