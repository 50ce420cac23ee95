from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.machine.journal import Journal
from kiosk.machine.library import Considered
from tests.kiosk.machine.city import City, matter
from tests.kiosk.machine.installed import Machine


@pytest.fixture
def city() -> City:
    return City()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(tmp_path / "journal.sqlite", terminal="k1")
    yield opened
    opened.close()


@pytest.fixture
def machine(tmp_path: Path, city: City, journal: Journal) -> Machine:
    """Generation 1 with version 1 of one matter is active."""
    made = Machine(tmp_path / "library", city, journal)
    assert made.consider(city.publish(matter()), 1) is Considered.READY
    assert made.library.activate()
    return made
