"""After a citizen has gone nothing of theirs is left: not in memory, not on disk, not at the centre. DESIGN 4.

Three matters of three kinds in every run of the tests; every matter there is in the campaign.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard

from kiosk.demo.citizen import Journey
from kiosk.demo.hand import Hand
from tests.journeys.scanned_terminal import (
    Needles,
    ScannedCitizen,
    ScannedCity,
    ScannedHand,
    entered,
    middle,
    needles_of,
)

QML = Path(__file__).parents[2] / "kiosk" / "ui" / "qml"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScannedCity]:
    city = ScannedCity(tmp_path_factory.mktemp("city"))
    try:
        city.start(lambda _: None)
        yield city
    finally:
        city.stop()


@pytest.fixture(scope="module")
def hand(city: ScannedCity) -> Iterator[Hand]:
    hand = ScannedHand(city.hand)
    while not hand.state()["matters"]:
        pass
    city.learn()
    yield hand
    hand.close()


@dataclass(frozen=True)
class Visit:
    matter: str
    card: str
    mode: str = "standard"
    way_in: str = "face"
    known: frozenset[str] = frozenset()
    """What the kiosk holds when the citizen is about to confirm."""
    known_paying: frozenset[str] = frozenset()
    """What it holds while it waits for money."""

    @property
    def name(self) -> str:
        return f"{self.matter}-{self.mode}-{self.way_in}"

    def needles(self) -> Needles:
        return needles_of(self.card) | entered(self.matter, self.card)


VISITS = (
    Visit(  # prints a sealed document
        "no_house_certificate", "ouyang", "elder", "code",
        frozenset({"name", "identity number", "address", "birth date", "birth digits", "phone"}),
    ),
    Visit(  # takes a certificate from the library
        "residence_permit_endorsement", "aydin", "standard", "face",
        frozenset({"name", "identity number", "address", "new address", "certificate number", "entered phone"}),
    ),
    Visit(  # is signed by hand, paid for, and writes a chip card
        "taiwan_endorsement", "zheng", "standard", "code",
        frozenset({"name", "identity number", "birth date"}), frozenset({"name", "drawing in base64"}),
    ),
)  # fmt: skip


def test_a_fresh_terminal_holds_none_of_the_needles(city: ScannedCity, hand: Hand) -> None:
    assert hand.state()["stage"] == "attract"
    needles = {f"{visit.name}: {name}": value for visit in VISITS for name, value in visit.needles().items()}
    assert city.in_memory(needles) == {}


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.name)
def test_nothing_is_left_of_a_citizen(city: ScannedCity, hand: Hand, visit: Visit) -> None:
    citizen, left = visited(city, hand, visit, visit.needles())

    missed = visit.known - citizen.found_at["review"]
    assert not missed, f"the search is blind: {missed} must be in the kiosk's memory before the citizen confirms"
    assert "utf-16-le" in citizen.written_as["name"], "the search is blind to the screen's own texts"
    missed = visit.known_paying - citizen.found_at.get("pay", set())
    assert not missed, f"the search is blind: {missed} must be in the kiosk's memory before the citizen pays"
    assert visit.way_in != "code" or "SMS code" in citizen.found_at["code"]
    assert left == []


def visited(
    city: ScannedCity, hand: Hand, visit: Visit, needles: Needles
) -> tuple[ScannedCitizen, list[str | dict[str, list[str]]]]:
    """The citizen who came and went, and everything found of them afterwards."""
    papers = set(_documents(city))
    citizen = ScannedCitizen(city, hand, needles)
    citizen.walk(Journey(visit.card, visit.matter, visit.mode, way_in=visit.way_in))
    hand.reach_again()  # the line of this development hand repeats what stands on the screen
    for paper in set(_documents(city)) - papers:
        needles |= {f"document {paper.stem}": middle(paper.read_bytes()), f"number of {paper.stem}": _number(paper)}
    memory = city.until_forgotten(needles)
    left = [*city.in_files(needles), *city.files_elsewhere(), *_in_journals(needles, city)]
    return citizen, [*([memory] if memory else []), *left]


def _documents(city: ScannedCity) -> list[Path]:
    return sorted((city.out / "sandbox" / "documents").glob("*.pdf"))


def _number(paper: Path) -> str:
    code: str = json.loads(paper.with_suffix(".json").read_text(encoding="utf-8"))["verification_code"]
    return code


def _in_journals(needles: Needles, city: ScannedCity) -> list[str]:
    """The entries read out, here and at the centre: compressed, they would hide from a search of the files."""
    texts = [str(row) for row in _rows(city.terminal_data / "journal.sqlite", "SELECT * FROM entries")]
    segments = _rows(city.server_data / "fleet.sqlite", "SELECT content FROM journal_segment WHERE encoding = 'zstd'")
    assert texts
    assert segments
    texts += [zstandard.ZstdDecompressor().stream_reader(content).read().decode() for (content,) in segments]
    return [name for name, value in needles.items() if isinstance(value, str) and any(value in text for text in texts)]


def _rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as connection:
        return connection.execute(query).fetchall()


def test_the_screen_tries_no_pattern_on_a_text() -> None:
    """The script engine remembers the last text a regular expression was tried on, for as long as it lives."""
    pattern = ("RegExp", ".test(", ".match(", ".replace(", ".search(/", ".split(")
    for file in QML.rglob("*.qml"):
        text = file.read_text(encoding="utf-8")
        assert not any(each in text for each in pattern), file.name
