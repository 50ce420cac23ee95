"""Campaign: after each matter there is, nothing of its citizen is left. DESIGN 4."""

from __future__ import annotations

import time

import pytest

from kiosk.demo.cards import MATTERS, cards_for
from kiosk.demo.hand import Hand
from tests.journeys.scanned_terminal import PICTURES, ScannedCity, has_face, has_phone
from tests.journeys.test_privacy import Visit, city, hand, visited

__all__ = ["city", "hand"]

HOME_SECONDS = 60.0
ALL_MATTERS = sorted(folder.name for folder in MATTERS.glob("*/*/") if (folder / "matter.yaml").is_file())


def visit_to(matter: str) -> Visit:
    """By the first citizen for whom it ends well; every other is in elder mode, and one in four shows a face, as
    whoever has no phone does."""
    number, card = ALL_MATTERS.index(matter), cards_for(matter)[0]
    by_face = has_face(card) and (not number % 4 or not has_phone(card))
    return Visit(matter, card, ("standard", "elder")[number % 2], "face" if by_face else "code")


@pytest.fixture(scope="module")
def said_by_itself(city: ScannedCity, hand: Hand) -> set[str | bytes]:
    """What stands in a terminal nobody has used: no citizen's, whatever the city's registers hold of it."""
    assert hand.state()["stage"] == "attract"
    visits = [visit_to(matter) for matter in ALL_MATTERS]
    needles = {f"{visit.name}: {name}": value for visit in visits for name, value in visit.needles().items()}
    return {needles[name] for name in city.in_memory(needles)} - set(PICTURES.values())


def go_home(city: ScannedCity, hand: Hand) -> None:
    """Whatever the visit before ended with: that one failed, this one need not."""
    deadline = time.monotonic() + HOME_SECONDS
    city.order("card_reader", "remove")
    while (state := hand.state())["stage"] != "attract" and time.monotonic() < deadline:
        names = {each["name"] for each in state["touchables"]}
        any(hand.tap(name) for name in ("option:home", "end", "leave", "primary") if name in names)


@pytest.mark.campaign
@pytest.mark.parametrize("matter", ALL_MATTERS)
def test_nothing_is_left_of_any_matter(
    city: ScannedCity, hand: Hand, matter: str, said_by_itself: set[str | bytes]
) -> None:
    go_home(city, hand)
    city.new_day()
    visit = visit_to(matter)
    needles = {name: value for name, value in visit.needles().items() if value not in said_by_itself}
    assert {"name", "identity number", *PICTURES, "card's picture"} <= needles.keys()
    citizen, left = visited(city, hand, visit, needles)
    if "review" in citizen.found_at:
        assert citizen.found_at["review"], "the search is blind: what stands to be confirmed must be in the memory"
    assert left == []
