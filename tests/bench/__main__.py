"""python -m tests.bench [--only NAME…] [--out PATH]: take every measure, show a table, write build/bench.json."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.bench.measure import Measure, failed, machine, written

SUITES = ("sign_in", "face_pipeline", "cold_start", "next_screen", "journal_appends", "devices", "catalogue")
OUT = Path("build") / "bench.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=SUITES, default=SUITES, metavar="NAME")
    parser.add_argument("--out", type=Path, default=OUT)
    wanted = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    before, begun = os.getloadavg()[0], time.monotonic()
    measures = _taken(wanted.only)
    about = machine({"before": round(before, 2), "after": round(os.getloadavg()[0], 2)})
    about["seconds"] = round(time.monotonic() - begun, 1)
    written(wanted.out, measures, about)
    _show(measures, about)
    return 1 if any("error" in measure.detail for measure in measures) else 0


def _taken(names: list[str]) -> list[Measure]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    measures: list[Measure] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(names))
        for name in names:

            def tell(sentence: str) -> None:
                progress.update(bar, description=sentence)

            tell(name.replace("_", " "))
            if not console.is_terminal:
                console.print(f"{name.replace('_', ' ')} …")
            try:
                measures += importlib.import_module(f"tests.bench.{name}").run(tell)
            except Exception as error:  # noqa: BLE001 - one measure that fails must not cost the others
                measures.append(failed(name.replace("_", " "), error))
            progress.advance(bar)
    return measures


def _show(measures: list[Measure], about: dict[str, object]) -> None:
    table = Table("measure", "value", "floor", "ratio", "goal", "", title="Yizhan bench")
    for measure in measures:
        if "error" in measure.detail:
            table.add_row(measure.name, "", "", "", "", f"[red]{measure.detail['error']}[/]")
            continue
        goal = "" if measure.goal is None else f"{measure.detail['goal_is']} {measure.goal:g}"
        verdict = "" if measure.goal is None else "[green]kept[/]" if measure.kept else "[red]missed[/]"
        floor = "" if measure.floor is None else f"{measure.floor:,.1f} {measure.unit}"
        ratio = "" if measure.ratio is None else f"{measure.ratio:.2f} ×"
        table.add_row(measure.name, f"{measure.value:,.1f} {measure.unit}", floor, ratio, goal, verdict)
    console = Console()
    console.print(table)
    console.print(
        f"{about['cores']} cores, load {about['load_before']} before and {about['load_after']} after, "
        f"{about['seconds']} s; numbers by part in the JSON"
    )


if __name__ == "__main__":
    sys.exit(main())
