"""An invented citizen who reads the screen and touches what a person would touch, one screen after another."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.demo.cards import answers_of, department_of, pinyin_of, questions_of
from kiosk.demo.city import City
from kiosk.demo.hand import Hand
from kiosk.demo.processes import DemoFailed

JOURNEY_SECONDS = 120.0
SEARCH_SECONDS = 3.0
LOOK_SECONDS = 1.5
"""Before something is touched that is not what was wanted: the page may still be drawn."""
WAYS_IN = ("face", "code", "bank_card", "clerk")
TRAVEL = "travel_document"
"""A way in without the identity card, confirmed by the face."""
FURTHER = ("scroll:down", "options:next", "scroll:up", "options:previous")
"""What a citizen touches who does not see what is looked for."""
PREFERENCES = ("have_page", "camera", "alipay", "wechat", "non_tax", "5")
ENTRIES = {
    "phone": "13900000001",
    "text": "厦门市样例单位",
    "date": "2026-01-31",
    "identity_number": "350203190102030017",
    "plate": "闽D12345",
    "credit_code": "91350200MA00000XYZ",
    "money": "20",
    "number": "1",
}


def _never(_state: dict[str, Any]) -> bool:
    return False


@dataclass
class Journey:
    """One citizen's way through one matter. `card_laid_at` is the machine's monotonic clock, in seconds."""

    card: str
    matter: str
    mode: str = "standard"
    language: str = "zh-CN"
    way_in: str = "face"
    card_laid_at: float = 0.0
    answers: dict[str, str] = field(default_factory=dict)
    transaction_number: str = ""
    screens: list[str] = field(default_factory=list)


class Citizen:
    """Knows nothing of matters: what to do follows from what stands on the screen."""

    patience_seconds = JOURNEY_SECONDS

    def __init__(self, city: City, hand: Hand, shots: Path | None) -> None:
        self._city = city
        self._hand = hand
        self._shots = shots
        self._facing = ""
        self._typed = 0
        self._by_department = False
        self._last_screen: tuple[Any, ...] = ()
        self._screen_since = 0.0
        self._signed = -1
        self._paid = ""
        self._card_in = ""
        self._clerk = 0

    def walk(self, journey: Journey, until: Callable[[dict[str, Any]], bool] = _never) -> None:
        """From wherever the citizen stands to the attract screen, or to the first state of the screen `until` knows.

        Raises DemoFailed when the way does not end, or ends before that.
        """
        self._facing, self._last_screen, self._typed, self._clerk = "", (), 0, 0
        journey.answers = journey.answers or answers_of(journey.matter, journey.card)
        deadline = time.monotonic() + self.patience_seconds
        been_inside = False
        while time.monotonic() < deadline:
            state = self._hand.state()
            journey.transaction_number = state["transaction_number"] or journey.transaction_number
            self._picture(state, journey)
            if until(state):
                return
            if state["stage"] == "attract" and been_inside:
                if until is not _never:
                    break
                self._city.order("card_reader", "remove")
                return
            been_inside = been_inside or state["stage"] == "session"
            if not self._act(state, journey):
                time.sleep(0.05)
        raise DemoFailed(f"{journey.matter}: the citizen did not arrive, and was last at {self._last_screen}")

    def _picture(self, state: dict[str, Any], journey: Journey) -> None:
        """One picture of each screen the citizen saw."""
        screen = state["screen"]
        page = state["page"] if state["stage"] == "home" else ""
        seen = (
            state["stage"],
            page,
            state["mode"],
            state["sheet"],
            screen["step"],
            screen["kind"],
            screen["direction"],
            screen["say"] if screen["kind"] == "choose" else "",
        )
        if seen == self._last_screen:
            return
        self._last_screen = seen
        self._screen_since = time.monotonic()
        parts = (state["stage"], page.removeprefix("home"), screen["step"], screen["kind"], state["sheet"])
        name = "-".join([f"{len(journey.screens) + 1:02d}", *(part for part in parts if part)])
        journey.screens.append(name)
        if self._shots is not None:
            self._hand.shot(self._shots / f"{name}.png")

    def _act(self, state: dict[str, Any], journey: Journey) -> bool:
        names = {item["name"] for item in state["touchables"]}
        match state["stage"]:
            case "out_of_service":
                raise DemoFailed(f"the terminal is out of service: {state['reasons']}")
            case "attract":
                spoken = state["language"] == journey.language
                return self._tap(names, "attract" if spoken else f"language:{journey.language}")
            case "home":
                return self._at_home(state, names, journey)
            case _:
                return self._in_session(state, names, journey)

    def _at_home(self, state: dict[str, Any], names: set[str], journey: Journey) -> bool:
        if state["mode"] != journey.mode:
            return self._tap(names, "mode")
        return self._tap(names, f"tile:{journey.matter}") or self._search(state, names, journey)

    def _search(self, state: dict[str, Any], names: set[str], journey: Journey) -> bool:
        """Not on the first page: type its name in pinyin until it is found; else go through its department's door."""
        letters = pinyin_of(journey.matter)
        if not letters or self._typed > len(letters):
            return self._through_doors(state, names, department_of(journey.matter))
        if state["page"] != "search":
            self._typed = 0
            return self._tap(names, "search")
        if self._typed < len(letters):
            self._typed += self._tap(names, f"key:{letters[self._typed]}")
            return True
        if time.monotonic() - self._screen_since > SEARCH_SECONDS:
            self._typed += 1
        return False

    def _through_doors(self, state: dict[str, Any], names: set[str], department: str) -> bool:
        ways = {
            "search": ("home",),
            "home": ("doors:departments", "door:all", "doors:all"),
            "doors": (f"door:department_{department}", "doors:next"),
            "door": ("matters:next",),
        }
        if state["page"] == "doors" and not any(name.startswith("door:department_") for name in names):
            return self._tap(names, "doors:departments")
        if state["page"] == "home" and "door:all" in names and self._by_department:
            return self._tap(names, f"door:department_{department}") or self._tap(names, "door:all")
        self._by_department = state["page"] == "home"
        return any(self._tap(names, name) for name in ways.get(state["page"], ("home",)))

    def _in_session(self, state: dict[str, Any], names: set[str], journey: Journey) -> bool:
        screen = state["screen"]
        acted = False
        match screen["kind"], screen["place"]:
            case "instruct", "card_reader" if journey.way_in == TRAVEL and "option:without_card" in names:
                acted = self._tap(names, "option:without_card")
            case "instruct", "document_camera" if journey.way_in == TRAVEL:
                acted = self._lay_document(names, journey)
            case "instruct", "card_reader":
                self._at_card_reader(screen, journey)
            case "instruct", "card_slot":
                self._at_card_slot(state, journey)
            case "instruct", "face_camera":
                self._turn_to(screen["direction"] or "straight")
            case "pay", _:
                self._pay(screen)
            case "form", _:
                acted = self._fill(state, names, journey.answers)
            case "sign", _:
                acted = self._sign(screen, names)
            case "working", _:
                acted = self._call_second_clerk(names) or self._tap(names, "primary")
            case "choose", _:
                acted = self._choose(screen["say"], names, journey)
            case "notice", _ if screen["tone"] == "failure":
                raise DemoFailed(f"the terminal told a failure, code {screen['code']}: {screen['say']}")
            case _:
                acted = self._tap(names, "primary")
        return acted

    def _lay_document(self, names: set[str], journey: Journey) -> bool:
        if journey.card_laid_at == 0.0:
            self._city.order("face_check", f"person {journey.card}")
            journey.card_laid_at = time.monotonic()
            self._city.order("document_camera", f"place travel_{journey.card}")
        return self._tap(names, "primary")

    def _at_card_reader(self, screen: dict[str, Any], journey: Journey) -> None:
        if screen["step"]:
            if journey.card_laid_at == 0.0:
                self._city.order("face_check", f"person {journey.card}")
                journey.card_laid_at = time.monotonic()
                self._city.order("card_reader", f"place {journey.card}")
        else:
            self._city.order("card_reader", "remove")

    def _at_card_slot(self, state: dict[str, Any], journey: Journey) -> None:
        """Put in once, to sign in and for each write; taken when the machine hands it back."""
        asked = f"{journey.transaction_number} {state['screen']['step']}"
        if journey.way_in == "bank_card" and not self._card_in.startswith(journey.transaction_number):
            self._card_in = asked
            self._city.order("smart_card_reader", f"place bank_{journey.card}")
        elif state["can_leave"] and self._card_in != asked:
            self._card_in = asked
            for device in ("card_rewriter", "smart_card_reader"):
                self._city.order(device, f"place {journey.card}")
        elif not state["can_leave"]:
            for device in ("card_rewriter", "smart_card_reader"):
                self._city.order(device, "remove")

    def _call_second_clerk(self, names: set[str]) -> bool:
        called = self._tap(names, "option:second_clerk")
        self._clerk += called
        return called

    def _sign(self, screen: dict[str, Any], names: set[str]) -> bool:
        if self._signed != screen["id"] and screen["writes_here"]:
            self._signed = screen["id"]
            return self._hand.sign("ink")
        return self._tap(names, "primary")

    def _pay(self, screen: dict[str, Any]) -> None:
        """Scan what is shown with an invented telephone."""
        if not screen["qr"] or screen["qr"] == self._paid:
            return
        self._paid = screen["qr"]
        request = urllib.request.Request(
            f"{self._city.sandbox_address}/payments/pay",
            data=json.dumps({"qr": screen["qr"]}).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=15):
            pass

    def _turn_to(self, direction: str) -> None:
        if direction != self._facing:
            self._facing = direction
            self._city.order("face_check", f"turn {direction}")

    def _choose(self, asked: str, names: set[str], journey: Journey) -> bool:
        """The answer to the question; the wanted way in where it is offered; else, after a look, what there is."""
        question = questions_of(journey.matter).get(asked, "")
        if question in journey.answers:
            return self._find(names, f"option:{journey.answers[question]}")
        offered = [way for way in WAYS_IN if f"option:{way}" in names]
        has_looked = time.monotonic() - self._screen_since > LOOK_SECONDS
        if offered and journey.way_in not in offered and not has_looked:
            return False
        wanted = [journey.way_in, *offered, *journey.answers.values(), *PREFERENCES]
        if any(self._tap(names, f"option:{option}") for option in wanted) or self._tap(names, "primary"):
            return True
        others = sorted(name for name in names if name.startswith("option:"))
        return has_looked and bool(others) and self._tap(names, others[0])

    def _fill(self, state: dict[str, Any], names: set[str], answers: dict[str, str]) -> bool:
        for field_ in state["fields"]:
            name, kind = field_["id"], field_["kind"]
            if kind == "choice":
                if any(choice["picked"] for choice in field_["choices"]):
                    continue
                choices = [choice["id"] for choice in field_["choices"]]
                wanted = answers[name] if answers.get(name) in choices else choices[0]
                return self._find(names, f"choice:{name}:{wanted}")
            if field_["text"] or not (field_["required"] or name in answers):
                continue
            return self._hand.type(name, self._entry(name, kind, answers))
        return self._tap(names, "primary")

    def _entry(self, name: str, kind: str, answers: dict[str, str]) -> str:
        """What a citizen types, and what the clerk does who was called."""
        vouching = {"clerk": "number", "pin": "pin"}
        if kind == "code":
            return self._code_from_phone()
        if name in vouching and name not in answers:
            said: str = self._city.seed["clerks"][self._clerk][vouching[name]]
            return said
        return answers.get(name, ENTRIES.get(kind, "1"))

    def _code_from_phone(self) -> str:
        with urllib.request.urlopen(f"{self._city.sandbox_address}/inbox", timeout=5) as answer:
            messages = json.load(answer)
        found = re.search(r"\d{6}", messages[0]["text"])
        if found is None:
            raise DemoFailed("the text message carries no code")
        return found.group()

    def _find(self, names: set[str], name: str) -> bool:
        """Touched where it stands; further along where it does not."""
        if name in names or time.monotonic() - self._screen_since < LOOK_SECONDS:
            return self._tap(names, name)
        return any(self._tap(names, further) for further in FURTHER)

    def _tap(self, names: set[str], name: str) -> bool:
        return name in names and self._hand.tap(name)
