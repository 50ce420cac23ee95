"""Every scenario of every matter ends as it says: the terminal's own flow, the centre and the city, without a screen.

Devices are scripted; stage, session, steps, journal, gateway, connectors and departments are the real ones.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import re
import selectors
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drivers.document_scanner.simulator.papers import drawn
from drivers.document_scanner.zone.reader import read_zone
from drivers.messages import IdCard, MachineReadableZone, ScannedPage
from drivers.signature_pad.touchscreen import Touchscreen, TouchscreenOptions
from fleet_server.__main__ import prepare
from fleet_server.app import create_app
from fleet_server.confirmations.models import ClerkCreate
from fleet_server.confirmations.service import create_clerk
from fleet_server.database import now
from fleet_server.matters.folder import load_file
from fleet_server.migrations import upgrade
from fleet_server.security import TerminalKey
from fleet_server.settings import Settings
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import SiteCreate, TerminalCreate
from kiosk.contracts.matter import Matter, PayStep
from kiosk.contracts.scenario import Scenario, load_scenario
from kiosk.contracts.value import is_identity_number, sha256_hex
from kiosk.flow.course.description import describe
from kiosk.flow.equipment import SignInRules
from kiosk.flow.screens import Mode, Screen, StageKind, View
from kiosk.machine.documents import page_pngs
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.confirmations import Confirmations
from kiosk.machine.fleet.handover import HandOver
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.journal import Journal
from kiosk.machine.money.payments import Payments
from kiosk.machine.seals import verify_seal
from kiosk.machine.services import Services
from tests.fleet_server.gateway.conftest import TestCity, served
from tests.fleet_server.gateway.hands import Hands
from tests.kiosk.flow.walker import CLERKS, Walker, ended
from tests.kiosk.flow.world import ScriptedScanner, World

ASSETS = Path(__file__).parents[3] / "assets"
SCENARIOS = sorted((ASSETS / "matters").glob("*/*/scenarios/*.yaml"))
TERMINAL = "kiosk-scenarios"
TIMES_AS_FAST = 20
"""Where a scenario makes an authority slow, its slowness and the terminal's patience are both this much shorter."""
PAYING_TIMES_AS_FAST = 4
LONGEST_SECONDS = 60.0
TICK_SECONDS = 0.05
"""Between two looks at an order; a second on the terminal."""
PICTURE = b"\xff\xd8\xff\xe0" + bytes(5000)


class Hurried:
    """The terminal's real way to the centre, for a citizen whose hours are minutes."""

    def __init__(self, services: Services, times: float) -> None:
        self._services, self._times = services, times

    async def call(self, operation: str, payload: dict[str, Any], *, timeout_seconds: float = 20.0, **more: Any) -> Any:
        return await self._services.call(operation, payload, timeout_seconds=timeout_seconds / self._times, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._services, name)


class QuickSelector(selectors.DefaultSelector):
    times = 1.0

    def select(self, timeout: float | None = None) -> Any:
        return super().select(timeout if timeout is None else timeout / self.times)


class QuickLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds are shorter: who waits for money looks as often, and waits less."""

    def __init__(self) -> None:
        self._selected = QuickSelector()
        self._since, self._then = time.monotonic(), 0.0
        super().__init__(self._selected)

    def time(self) -> float:
        return self._then + (time.monotonic() - self._since) * self._selected.times

    def hurry(self, times: float) -> None:
        self._then, self._since = self.time(), time.monotonic()
        self._selected.times = times


class Papers(ScriptedScanner):
    """A document camera that finds a paper under it; the zone of a travel document is read from its picture."""

    def __init__(self, citizen: str) -> None:
        super().__init__()
        self._citizen = citizen

    async def read_zone(self, *, timeout_seconds: float = 20.0) -> MachineReadableZone:
        del timeout_seconds
        return await asyncio.to_thread(read_zone, np.asarray(drawn(f"travel_{self._citizen}")))

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        del timeout_seconds
        return ScannedPage(jpeg=PICTURE, width_px=10, height_px=14, sharpness=1.0, sha256=sha256_hex(PICTURE))


class House:
    """One enrolled terminal beside a centre and a city; scenarios come in one after another."""

    times_as_fast = TIMES_AS_FAST
    paying_times_as_fast = PAYING_TIMES_AS_FAST

    def __init__(self, directory: Path, app: Any, address: str, town: TestCity) -> None:
        self._directory, self._app, self._town, self.city = directory, app, town, town.city
        key = MachineKey.open(directory)
        with app.state.database.writing() as session:
            raw = key.private.public_key().public_bytes_raw()
            session.add(TerminalKey(terminal=TERMINAL, public_key=raw, enrolled_at=now()))
            terminals.create_site(session, SiteCreate(id="shop", name="样例便利店"), by="test")
            session.flush()
            terminals.create_terminal(session, TerminalCreate(id=TERMINAL, site="shop"), by="test")
            for number, pin in CLERKS.items():
                wanted = ClerkCreate(number=number, site="shop", display_name=f"店员{number}", pin=pin)
                create_clerk(session, wanted, by="test")
        self._loop = asyncio.Runner(loop_factory=QuickLoop)
        self._client = self._loop.run(self._connect(address, key))
        self._authorities = self.city.authority.pem
        self._journal = Journal.open(directory / "journal.sqlite", terminal=TERMINAL)

    async def _connect(self, address: str, key: MachineKey) -> FleetClient:
        return FleetClient(address, key, TERMINAL)

    def close(self) -> None:
        self._loop.run(self._client.close())
        self._loop.close()
        self._journal.close()

    def run(self, matter: Matter, scenario: Scenario) -> dict[str, Any]:
        """How it ended, in the words of `expect`."""
        self._app.state.gateway.exchange.breakers.clear()
        is_slow = any(order.behave == "slow" for order in scenario.orders)
        times = self.times_as_fast if is_slow else 1
        loop: Any = self._loop.get_loop()
        loop.hurry(self.paying_times_as_fast if any(isinstance(step, PayStep) for step in matter.steps) else 1)
        self.city.forget()
        for order in scenario.orders:
            self.city.orders.give(order.model_copy(update={"seconds": order.seconds / times}))
        return self._loop.run(self._walk(matter, scenario, Hurried(Services(self._client), times)))

    async def _walk(self, matter: Matter, scenario: Scenario, services: Any) -> dict[str, Any]:
        before = self._journal.head().sequence
        hands = Hands(self._town.address, scenario.citizen, scenario.sign_in, scenario.bank_card)
        walker = Walker(matter, scenario, self._newest_code, hands)
        payments = Payments(
            self._client, self._journal, Services(self._client), lambda: world.devices.payment_terminal
        )  # fmt: skip
        hand_over = HandOver(self._client)
        world = World(
            self._directory, matter, services=services, journal=self._journal, payments=payments, hand_over=hand_over,
            verify_seal=lambda pdf: verify_seal(pdf, self._authorities, now()).sha256,
            render_page=lambda pdf: page_pngs(pdf, dpi=20, maximum_pages=1)[0],
            now=now, terminal=TERMINAL, site="样例便利店", sign_in=SignInRules(allow_clerk=True),
            confirmations=Confirmations(self._client, lambda: True),
        )  # fmt: skip
        world.devices.card_reader.cards = [card_of(scenario.citizen)]
        world.devices.document_scanner = Papers(scenario.citizen)
        world.devices.signature_pad = Touchscreen(TouchscreenOptions())
        await hands.open_devices(matter, world.devices, self._directory)
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                await self._visit(world, walker, matter, scenario)
            await payments.settle_all()
        finally:
            await world.close()
            await hands.close()
            await hand_over.close()
        entries = self._journal.entries(before, 500)
        return ended([(entry.event, entry.data) for entry in entries], walker)

    async def _visit(self, world: World, walker: Walker, matter: Matter, scenario: Scenario) -> None:
        world.stage.set_language(scenario.language)
        world.stage.set_mode(Mode(scenario.mode))
        world.stage.wake()
        world.stage.start(matter.id)
        await world.until(lambda view: view.stage is StageKind.SESSION)
        view = await world.until(has_news_since(None))
        while view.stage is StageKind.SESSION:
            answer = walker.answer_to(view.screen) if view.screen is not None else None
            if answer is not None:
                world.stage.answer(answer)
            view = await world.until(has_news_since(view.screen), LONGEST_SECONDS)
        world.leave()
        await world.until(lambda view: view.stage is StageKind.ATTRACT)
        told = "".join(describe(view, matter).model_dump_json() for view in world.views)
        assert not [value for value in self._personal(scenario) if value in told], "a helper would see a value"

    def _personal(self, scenario: Scenario) -> set[str]:
        """Values of this citizen, of which no screen's description may hold one."""
        card = card_of(scenario.citizen)
        values = {card.name, card.name_latin, card.id_number, card.permit_number, card.address}
        values |= {citizen.phone for citizen in self.city.people.values() if citizen.id == scenario.citizen}
        values |= {sent.text for sent in scenario.sends.values()}
        return {value for value in values if value and len(value) >= 3}

    def _newest_code(self) -> str:
        found = re.search(r"\d{6}", self.city.inbox[-1].text)
        assert found is not None
        return found.group()


def has_news_since(screen: Screen | None) -> Callable[[View], bool]:
    return lambda view: view.stage is not StageKind.SESSION or view.screen is not screen


@functools.cache
def card_of(name: str) -> IdCard:
    """The sample card with a photo the scripted face check takes for the citizen's."""
    return IdCard.model_validate({**cards()[name], "photo": b"photo"})


@functools.cache
def cards() -> dict[str, Any]:
    found = yaml.load((ASSETS / "samples" / "cards.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {name: {key: card[key] for key in card.keys() & IdCard.model_fields.keys()} for name, card in found.items()}


@functools.cache
def matter_in(folder: Path) -> Matter:
    return load_file(folder / "matter.yaml")


@pytest.fixture(scope="module")
def house(running_city: TestCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kiosk.flow.steps.effects.orders.TICK_SECONDS", TICK_SECONDS)
        patch.setattr("kiosk.flow.steps.asking.from_phone.TICK_SECONDS", TICK_SECONDS)
        yield from opened_house(running_city, tmp_path_factory)


def opened_house(running_city: TestCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("house")
    settings = Settings(data=directory / "centre", sandbox_url=running_city.address)
    prepare(settings)
    upgrade(settings.sqlalchemy_url)
    app = create_app(settings)
    with served(app) as address:
        made = House(directory, app, address, running_city)
        yield made
        made.close()
    running_city.city.forget()


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 28


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parents[1].name}-{file.stem}")
def test_the_scenario_ends_as_it_says(file: Path, house: House) -> None:
    matter = matter_in(file.parents[1])
    scenario = load_scenario(file.read_text(encoding="utf-8"), file.name, matter)
    assert house.run(matter, scenario) == scenario.expect.model_dump()


def test_five_different_cards_are_served_the_same_matter(house: House) -> None:
    matter = matter_in(ASSETS / "matters" / "natural_resources" / "no_house_certificate")
    for citizen in ("lin", "ouyang", "chen", "sample", "invented"):
        scenario = Scenario.model_validate(
            {
                "title": "one of five",
                "citizen": citizen,
                "answers": {"purpose": "other"},
                "expect": {"disposition": "succeeded", "documents": 1, "receipt": True},
            }
        )
        assert house.run(matter, scenario) == scenario.expect.model_dump()


def test_all_numbers_of_the_city_are_well_formed(running_city: TestCity) -> None:
    today = dt.date(2026, 11, 22)
    numbers = [number for number in running_city.city.people if len(number) == 18]
    assert len(numbers) >= 9
    assert [number for number in numbers if not is_identity_number(number, today)] == []
    assert [number for number in numbers if int(number[6:10]) >= 1911] == []
