"""One house for all journeys: started once, mended before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.house import House


@pytest.fixture(scope="session")
def whole_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
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
