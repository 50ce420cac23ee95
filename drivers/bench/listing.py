"""python -m drivers list"""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from drivers.bench.words import write_json
from drivers.registry import drivers


def list_drivers(arguments: argparse.Namespace) -> int:
    entries = drivers().values()
    if arguments.json:
        write_json(
            [
                {
                    "class": entry.device_class,
                    "driver": entry.name,
                    "description": entry.description,
                    "source": entry.source,
                }
                for entry in entries
            ]
        )
        return 0
    table = Table("driver", "what it drives", "from")
    for entry in entries:
        table.add_row(entry.name, entry.description, entry.source)
    Console().print(table)
    return 0
