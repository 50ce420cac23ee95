"""Campaign: a bank card's number and the PINs of clerks are forgotten like everything a citizen says. DESIGN 4."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.smart_card_reader.simulator.bank import BANK_CARDS
from kiosk.demo.citizen import Journey
from kiosk.demo.hand import Hand
from tests.journeys.scanned_terminal import Needles, ScannedCitizen, ScannedCity, needles_of
from tests.journeys.test_privacy import _in_journals, city, hand

__all__ = ["city", "hand"]


class Watched(ScannedCitizen):
    """Looks at the kiosk while what is secret is on its way, to see that the search does find."""

    def _act(self, state: dict[str, Any], journey: Journey) -> bool:
        screen = state["screen"]
        vouching = [field for field in state["fields"] if field["id"] == "pin" and field["text"]]
        asking_bank = screen["step"] == "identify" and any(field["kind"] == "code" for field in state["fields"])
        where = "vouching" if vouching else "asking the bank" if asking_bank else ""
        if where and where not in self.found_at:
            assert self.city.kiosk is not None
            self.found_at[where] = set(self.city.in_memory(self.needles, [self.city.kiosk.pid]))
        return super()._act(state, journey)


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("way", "secret", "moment"), [
    ("clerk", "PIN of clerk 1001", "vouching"), ("bank_card", "bank card", "asking the bank"),
])  # fmt: skip
def test_nothing_is_left_of_a_way_in(city: ScannedCity, hand: Hand, way: str, secret: str, moment: str) -> None:
    needles: Needles = needles_of("lin") | {"bank card": BANK_CARDS["bank_lin"].number}
    needles |= {f"PIN of clerk {clerk['number']}": clerk["pin"] for clerk in city.seed["clerks"]}
    citizen = Watched(city, hand, needles)
    citizen.walk(Journey("lin", "no_house_certificate", "standard", way_in=way))
    assert secret in citizen.found_at[moment], "the search is blind"
    memory = city.until_forgotten(needles)
    assert memory == {}
    assert [*city.in_files(needles), *city.files_elsewhere(), *_in_journals(needles, city)] == []
