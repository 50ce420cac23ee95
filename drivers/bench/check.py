"""python -m drivers check CLASS/MODEL: the conformance suite against whatever is there."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from drivers.bench.conformance import Finding, checks_for, conformance
from drivers.bench.simulating import first_order, started
from drivers.bench.witness import Peer, Person, Witness
from drivers.bench.words import address_option, device_config, write_json
from drivers.errors import Unsupported
from drivers.protocols import Simulator
from drivers.registry import find_simulator

COLOURS = {"kept": "green", "broken": "red", "not_tried": "yellow"}


def check(arguments: argparse.Namespace) -> int:
    if arguments.simulate and (arguments.port or arguments.attended):
        raise Unsupported(
            f"{arguments.driver}: --simulate brings its own device: leave --port and --attended out",
            "configuration_wrong",
        )
    if arguments.card and not arguments.simulate:
        raise Unsupported(
            f"{arguments.driver}: --card lays a sample on the simulator: add --simulate", "configuration_wrong"
        )
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.completed}/{task.total} {task.description}"), TimeElapsedColumn())
    shown = console.is_terminal and not arguments.attended
    with Progress(*columns, console=console, transient=True, disable=not shown) as progress:
        total = len(checks_for(arguments.driver.partition("/")[0]))
        bar = progress.add_task("opens", total=total)

        def on_check(sentence: str) -> None:
            progress.update(bar, description=sentence, advance=1)

        findings = asyncio.run(_findings(arguments, on_check))
    passed = all(finding.outcome != "broken" for finding in findings)
    if arguments.json:
        write_json(
            {
                "driver": arguments.driver,
                "passed": passed,
                "checks": [dataclasses.asdict(finding) for finding in findings],
            }
        )
    else:
        _show(arguments.driver, findings)
    return 0 if passed else 1


async def _findings(arguments: argparse.Namespace, on_check: Callable[[str], None]) -> list[Finding]:
    place = address_option(arguments.driver)
    async with _device(arguments) as (port, witness):
        is_its_own = arguments.simulate and place is None  # the screen: its peer is a hand, not an address
        config = device_config(arguments.driver, None if is_its_own else port, arguments.option)
        may_print = arguments.print or arguments.simulate
        return await conformance(config, place, may_print=may_print, on_check=on_check, witness=witness)


@contextlib.asynccontextmanager
async def _device(arguments: argparse.Namespace) -> AsyncIterator[tuple[str | None, Witness | None]]:
    """Where it is and who sees it: the one on the bench, or a simulator that is started for the occasion."""
    if not arguments.simulate:
        yield arguments.port, Person() if arguments.attended else None
        return
    simulator: Simulator = find_simulator(arguments.driver).load()()
    try:
        address = await started(simulator, arguments.driver)
        if arguments.card:
            await first_order(simulator, arguments.driver, "place", arguments.card)
        yield address, Peer(simulator)
    finally:
        await simulator.stop()


def _show(driver: str, findings: list[Finding]) -> None:
    table = Table("check", "", "remark", "seconds", title=driver)
    for finding in findings:
        colour = COLOURS[finding.outcome]
        words = finding.outcome.replace("_", " ")
        table.add_row(finding.check, f"[{colour}]{words}[/]", finding.remark, f"{finding.seconds:.2f}")
    Console().print(table)
