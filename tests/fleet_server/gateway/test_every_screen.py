"""Campaign: every scenario of every matter through the terminal's real screens, touched as a citizen touches them.

The window, its pages and keyboards, the flow, the centre and the city are the real ones; devices are scripted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_QUICK_BACKEND", "software")

import pytest
from PySide6.QtTest import QTest

from fleet_server.matters.folder import load_file
from kiosk.contracts.matter import Matter
from kiosk.contracts.scenario import Scenario, load_scenario
from kiosk.contracts.text import FieldKind, Language
from kiosk.flow.screens import (
    Answer,
    Chosen,
    FormFilled,
    FormScreen,
    Left,
    Mode,
    Screen,
    StageKind,
    WentBack,
    Wrote,
)
from kiosk.ui.app import prepare_application, refuse_without_font
from kiosk.ui.gallery.__main__ import SHAPES
from kiosk.ui.remote_hand import Finger, NotThere, touchables
from kiosk.ui.window import KioskWindow
from tests.fleet_server.gateway import test_scenarios
from tests.fleet_server.gateway.test_scenarios import LONGEST_SECONDS, SCENARIOS, House, has_news_since
from tests.kiosk.flow.walker import Walker
from tests.kiosk.flow.world import World

TRIES = 25
MOMENT_MS = 40
LOOKS = 3
"""Before the page is moved along: what is looked for may still be drawn."""
FURTHER = ("scroll:down", "options:next", "scroll:up", "options:previous")

plain_house = test_scenarios.house


class Relay:
    """What the window asks of the hall goes to the stage of the visit under way."""

    stage: Any = None
    answered = 0

    def answer(self, answer: Answer) -> None:
        self.answered += 1
        self.stage.answer(answer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stage, name)


class Screens:
    """One window; `touch` does what an answer means."""

    def __init__(self) -> None:
        prepare_application()
        refuse_without_font()
        self.relay: Any = Relay()
        self.kiosk = KioskWindow(self.relay, SHAPES["portrait"], animated=False)
        self.kiosk.learn_now()
        self.kiosk.window.show()
        QTest.qWaitForWindowExposed(self.kiosk.window)
        self.finger = Finger(self.kiosk)

    def tap(self, name: str) -> None:
        """Moves the page along until it stands there; a page takes a moment to stand."""
        self.find(name)
        self.finger.tap(name)

    def find(self, name: str) -> None:
        for look in range(TRIES):
            QTest.qWait(MOMENT_MS)
            if touchables(self.kiosk.window, name):
                return
            further = next((each for each in FURTHER if touchables(self.kiosk.window, each)), None)
            if look >= LOOKS and further is not None:
                self.finger.tap(further)
        there = sorted(each["name"] for each in touchables(self.kiosk.window))
        raise NotThere(f"{name} cannot be touched; there are {there}")

    def touch(self, screen: Screen, answer: Answer) -> None:
        match answer:
            case Chosen(option=option) if screen.primary is not None and screen.primary.id == option:
                self.tap("primary")
            case Chosen(option=option):
                self.tap(f"option:{option}")
            case FormFilled(values=values) if isinstance(screen, FormScreen):
                self._fill(screen, values)
            case Wrote():
                QTest.qWait(MOMENT_MS)
                self.finger.sign("ink")
            case Left():
                self.tap("leave")
                if self.kiosk.stage.sheet == "leave":
                    self.tap("end")
            case WentBack() | FormFilled():
                raise AssertionError("a scenario's citizen does not do this")

    def _fill(self, screen: FormScreen, values: dict[str, str]) -> None:
        """What stands is filled in and confirmed, until the form is handed in: elder pages ask one thing at a time."""
        before = self.relay.answered
        for _ in screen.items:
            QTest.qWait(MOMENT_MS)
            standing = {field["id"] for field in self.finger.state()["fields"]}
            for item in screen.items:
                value = values.get(item.id)
                if item.id not in standing or not value:
                    continue
                if item.kind is FieldKind.CHOICE:
                    self.tap(f"choice:{item.id}:{value}")
                else:
                    self.find(f"field:{item.id}")
                    self.finger.type(item.id, value)
            self.tap("primary")
            if self.relay.answered > before:
                return


class HouseWithScreens(House):
    """A house whose citizens touch the window. Pictures are drawn meanwhile: hours are hours."""

    times_as_fast = 1
    paying_times_as_fast = 2
    screens: Screens

    async def _visit(self, world: World, walker: Walker, matter: Matter, scenario: Scenario) -> None:
        screens, stage = self.screens, world.stage
        screens.relay.stage = stage
        stage.subscribe(screens.kiosk.show, screens.kiosk.show_picture)
        if scenario.language is not Language.ZH_CN:
            screens.tap(f"language:{scenario.language.value}")
        if stage.view().stage is StageKind.ATTRACT:
            screens.tap("attract")
        await world.until(lambda view: view.stage is StageKind.HOME)
        if Mode(scenario.mode) is Mode.ELDER:
            screens.tap("mode")
            await world.until(lambda view: view.mode is Mode.ELDER)
        screens.tap(f"tile:{matter.id}")
        await world.until(lambda view: view.stage is StageKind.SESSION)
        view = await world.until(has_news_since(None))
        while view.stage is StageKind.SESSION:
            answer = walker.answer_to(view.screen) if view.screen is not None else None
            if answer is not None and view.screen is not None:
                screens.touch(view.screen, answer)
            view = await world.until(has_news_since(view.screen), LONGEST_SECONDS)
        world.leave()
        await world.until(lambda view: view.stage is StageKind.ATTRACT)


@pytest.fixture(scope="module")
def house(plain_house: House) -> Iterator[HouseWithScreens]:
    screens = Screens()
    made = HouseWithScreens.__new__(HouseWithScreens)
    made.__dict__ |= plain_house.__dict__ | {"screens": screens}
    yield made
    warnings = list(screens.kiosk.warnings)
    screens.kiosk.close()
    assert warnings == []


@pytest.mark.campaign
@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parents[1].name}-{file.stem}")
def test_the_scenario_ends_as_it_says_on_the_screen(file: Path, house: HouseWithScreens) -> None:
    matter = load_file(file.parents[1] / "matter.yaml")
    scenario = load_scenario(file.read_text(encoding="utf-8"), file.name, matter)
    assert house.run(matter, scenario) == scenario.expect.model_dump()
