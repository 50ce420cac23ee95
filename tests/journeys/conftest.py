"""One house for all journeys: started once, mended before each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.house import House

COMPILED = Path("build/compiled").resolve()


def as_installed() -> None:
    """An installed terminal carries its programs compiled; where that is forbidden, the compiler would be measured."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(COMPILED))


@pytest.fixture(scope="session")
def whole_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    as_installed()
    house = House(tmp_path_factory.mktemp("house"))
    try:
        house.open()
        yield house
    finally:
        house.close()


@pytest.fixture
def house(whole_house: House) -> House:
    whole_house.settle()
    return whole_house
