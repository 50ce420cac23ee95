"""python -m drivers check CLASS/MODEL: the conformance suite against whatever is there."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from drivers.bench.conformance import Finding, checks_for, conformance
from drivers.bench.words import address_option, device_config, write_json

COLOURS = {"kept": "green", "broken": "red", "not_tried": "yellow"}


def check(arguments: argparse.Namespace) -> int:
    config = device_config(arguments.driver, arguments.port, arguments.option)
    place = address_option(arguments.driver)
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("opens", total=len(checks_for(config.device_class)))

        def on_check(sentence: str) -> None:
            progress.update(bar, description=sentence, advance=1)

        findings = asyncio.run(conformance(config, place, may_print=arguments.print, on_check=on_check))
    passed = all(finding.outcome != "broken" for finding in findings)
    if arguments.json:
        write_json(
            {
                "driver": config.driver,
                "passed": passed,
                "checks": [dataclasses.asdict(finding) for finding in findings],
            }
        )
    else:
        _show(config.driver, findings)
    return 0 if passed else 1


def _show(driver: str, findings: list[Finding]) -> None:
    table = Table("check", "", "remark", "seconds", title=driver)
    for finding in findings:
        colour = COLOURS[finding.outcome]
        words = finding.outcome.replace("_", " ")
        table.add_row(finding.check, f"[{colour}]{words}[/]", finding.remark, f"{finding.seconds:.2f}")
    Console().print(table)
