"""A library on disk with a city that publishes for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from kiosk.machine.journal import Journal
from kiosk.machine.library import Considered, Library
from tests.kiosk.machine.city import City


class Machine:
    """A library with one good bundle of one matter, generation 1."""

    def __init__(self, directory: Path, city: City, journal: Journal, **options: Any) -> None:
        self.city = city
        self.journal = journal
        self.directory = directory
        self.options = options
        self.open()

    def open(self) -> None:
        self.library = Library.open(
            self.directory, enrolment=self.city.enrolment(), journal=self.journal, **self.options
        )

    def consider(self, bundle: Any, generation: int, **changes: Any) -> Considered:
        signed = self.city.desire(bundle, generation, **changes)
        return asyncio.run(self.library.consider(signed, self.city.fetch))

    def events(self) -> list[tuple[str, str]]:
        return [
            (entry.event, str(entry.data.get("reason", "")))
            for entry in self.journal.entries()
            if entry.event.startswith("bundle")
        ]

    def versions(self) -> dict[str, int]:
        return {matter.id: matter.version for matter in self.library.matters()}
