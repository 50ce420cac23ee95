"""The demo's citizen, before a screen that a test holds up to them."""

from __future__ import annotations

from typing import Any, cast

from kiosk.demo.citizen import Citizen, Journey


class City:
    def __init__(self) -> None:
        self.orders: list[tuple[str, str]] = []

    def order(self, device: str, order: str) -> None:
        self.orders.append((device, order))


class Hand:
    """Shows one screen after the other; the last one stays."""

    def __init__(self, screens: list[dict[str, Any]]) -> None:
        self._screens = screens

    def state(self) -> dict[str, Any]:
        return self._screens.pop(0) if len(self._screens) > 1 else self._screens[0]


def at_the_camera(direction: str) -> dict[str, Any]:
    screen = {"step": "identify", "kind": "instruct", "place": "face_camera", "direction": direction, "say": ""}
    return {
        "stage": "session", "page": "", "mode": "standard", "sheet": "", "transaction_number": "", "touchables": [],
        "fields": [], "can_leave": True, "screen": screen,
    }  # fmt: skip


ATTRACT = at_the_camera("") | {"stage": "attract"}


def test_who_comes_after_a_broken_off_head_turn_looks_straight() -> None:
    city = City()
    turns = [at_the_camera(""), at_the_camera("left"), ATTRACT]
    citizen = Citizen(cast("Any", city), cast("Any", Hand(turns * 2)), None)
    for card in ("lin", "chen"):
        city.orders.clear()
        citizen.walk(Journey(card=card, matter="no_house_certificate"))
        assert [order for device, order in city.orders if device == "face_check"] == ["turn straight", "turn left"]
