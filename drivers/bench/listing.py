"""python -m drivers list"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Column, Table

from drivers.bench.words import address_option, write_json
from drivers.errors import DeviceError
from drivers.registry import drivers, simulators


def _address_option(driver: str) -> str | None:
    """None also for a driver that cannot be loaded here."""
    try:
        return address_option(driver)
    except DeviceError:
        return None


def list_drivers(arguments: argparse.Namespace) -> int:
    entries = drivers().values()
    simulated = simulators()
    if arguments.json:
        write_json(
            [
                {
                    "class": entry.device_class,
                    "driver": entry.name,
                    "description": entry.description,
                    "source": entry.source,
                    "simulated": entry.name in simulated,
                }
                | ({"address_option": _address_option(entry.name)} if arguments.addresses else {})
                for entry in entries
            ]
        )
        return 0
    table = Table(Column("driver", no_wrap=True), "what it drives", "from", "simulator")
    for entry in entries:
        table.add_row(entry.name, entry.description, entry.source, "yes" if entry.name in simulated else "–")
    Console().print(table)
    return 0
