"""A clerk vouches, a bank card speaks for its holder: the terminal's flow, the centre and the city, and misfortunes."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from drivers.smart_card_reader.pcsc import PcscReader
from drivers.smart_card_reader.simulator import CardSimulator
from drivers.smart_card_reader.simulator.bank import BANK_CARDS
from fleet_server.confirmations import service
from fleet_server.confirmations.models import Clerk, ConfirmationRow
from fleet_server.database import now
from kiosk.contracts.scenario import SandboxOrder
from kiosk.flow.equipment import SignInRules
from kiosk.flow.screens import Place, Screen, StageKind
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.confirmations import Confirmations
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.services import Services
from tests.fleet_server.gateway.conftest import TestCity
from tests.fleet_server.gateway.test_scenarios import TERMINAL, House, card_of, opened_house
from tests.kiosk.flow.walker import CLERKS
from tests.kiosk.flow.world import World, matter

SHOW = {
    "id": "look", "kind": "review",
    "show": [{"label": {"zh-CN": "号", "zh-TW": "號", "en": "No."}, "value": "{card.id_number}", "masked": True}],
}  # fmt: skip
MATTER = matter({"id": "who", "kind": "identify"}, SHOW)
LIN, OUYANG = "350203190102030017", "350212190311300024"
Story = Callable[["Visit"], Awaitable[None]]


@pytest.fixture(scope="module")
def house(running_city: TestCity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kiosk.flow.sign_in.clerk.LOOK_SECONDS", 0.03)
        patch.setattr("kiosk.flow.sign_in.clerk.PATIENCE_SECONDS", 0.2)
        yield from opened_house(running_city, tmp_path_factory)


class Line:
    """The shop's line to the centre, which can be cut."""

    def __init__(self, address: str) -> None:
        self._to = urlsplit(address)
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def cut(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._open |= {writer, back}
        with contextlib.suppress(OSError):
            await asyncio.gather(_pour(reader, back), _pour(there, writer))


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


class Visit:
    """One citizen at the terminal, and both ends of what happens."""

    def __init__(self, house: House, world: World, peer: CardSimulator, line: Line) -> None:
        self.house, self.world, self.peer, self.line = house, world, peer, line
        self.since = world.journal.head().sequence

    @property
    def database(self) -> Any:
        return self.house._app.state.database

    async def at(self, kind: str, after: Screen | None = None) -> Any:
        """The next screen of this kind that is another one."""
        view = await self.world.until(
            lambda view: view.screen is not None and view.screen.kind == kind and view.screen is not after
            and (after is None or view.screen.screen_id != after.screen_id)
        )  # fmt: skip
        return view.screen

    async def begin(self, way: str, *, without_card: bool = False) -> None:
        self.world.stage.wake()
        self.world.stage.start("sample")
        if without_card:
            self.world.choose(await self.at("instruct"), "without_card")
        self.world.choose(await self.at("choose"), way)

    async def vouch(self, clerk: str, pin: str = "", after: Screen | None = None) -> Any:
        """Fill the clerk's form; returns it."""
        form = await self.at("form", after)
        self.world.fill(form, clerk=clerk, pin=pin or CLERKS[clerk])
        return form

    async def operator(self, refusal: str = "", *, is_typing: bool = False) -> None:
        """Somebody at the centre decides the request that waits."""
        if not is_typing:
            await asked_for_a_second(self)

        def decide() -> None:
            with self.database.writing() as session:
                row = service.waiting(session)[-1]
                service.decide(session, row.id, account="operator", refusal=refusal)

        await asyncio.to_thread(decide)

    async def change(self, row: type[Any], key: str, **values: Any) -> None:
        def deed() -> None:
            with self.database.writing() as session:
                for name, value in values.items():
                    setattr(session.get(row, key), name, value)

        await asyncio.to_thread(deed)

    async def taken(self) -> None:
        """The card is out, and the reader has seen it: three looks in a row."""
        await self.peer.order("remove")
        async with asyncio.timeout(10):
            while (await self.world.devices.smart_card_reader.status()).parts["media"] != "not_present":
                await asyncio.sleep(0.02)

    def journalled(self, *events: str) -> list[dict[str, Any]]:
        return [entry.data for entry in self.world.journal.entries(self.since, 500) if entry.event in events]

    async def signed_in(self, way: str) -> None:
        await self.world.screen("look", "review")
        assert self.journalled("signed_in") == [{"way": way, "assurance": "card_person"}]

    def says_nothing_of(self, *secrets: str) -> None:
        held = "".join(str(entry.data) for entry in self.world.journal.entries(self.since, 500))
        assert not [secret for secret in secrets if secret in held]


@contextlib.asynccontextmanager
async def opened(house: House, *, online: bool = True) -> AsyncIterator[Visit]:
    """A fresh visit: real centre and city behind a line of its own, a real chip card reader, a scripted card reader."""
    line, peer = Line(house._client.server), CardSimulator()
    client = FleetClient(await line.start(), MachineKey.open(house._directory), TERMINAL)
    reader = PcscReader(PcscReader.Options(reader=await peer.start()))
    world = World(
        house._directory, MATTER, services=Services(client), journal=house._journal, now=now, terminal=TERMINAL,
        sign_in=SignInRules(allow_clerk=True), confirmations=Confirmations(client, lambda: online),
    )  # fmt: skip
    world.devices.card_reader.cards = [card_of("lin")]
    world.devices.smart_card_reader = reader
    visit = Visit(house, world, peer, line)
    try:
        yield visit
        world.leave()
        await world.until(lambda view: view.stage is StageKind.ATTRACT)
    finally:
        await world.close()
        await line.cut()
        await client.close()
        await reader.close()
        await peer.stop()


def told_of(house: House, story: Story, **how: Any) -> None:
    async def tell() -> None:
        async with opened(house, **how) as visit, asyncio.timeout(40):
            await story(visit)

    house.city.forget()
    house._app.state.gateway.exchange.breakers.clear()
    with house._app.state.database.writing() as session:
        for number in CLERKS:
            clerk = session.get(Clerk, number)
            clerk.failed_attempts, clerk.locked_until = 0, None
    house._loop.run(tell())


# --- a clerk vouches -------------------------------------------------------------------------------------------------


def test_an_operator_at_the_centre_is_the_second_person(house: House) -> None:
    async def story(visit: Visit) -> None:
        await visit.begin("clerk")
        form = await visit.vouch("1001")
        assert "林测试" not in form.say.zh_cn
        assert [item.kind for item in form.items] == ["number", "pin"]
        waiting = await asked_for_a_second(visit)
        await visit.operator()
        await visit.signed_in("clerk")
        assert waiting.can_leave
        assert visit.journalled("confirmation_ended") == [
            {"decision": "confirmed", "first": "1001", "second": "operator", "second_is": "operator", "reason": ""}
        ]
        visit.says_nothing_of(*CLERKS.values(), LIN, "林测试")

    told_of(house, story)


def test_the_centre_may_be_quicker_than_the_second_clerk(house: House) -> None:
    async def story(visit: Visit) -> None:
        await visit.begin("clerk")
        first = await visit.vouch("1001")
        visit.world.choose(await asked_for_a_second(visit), "second_clerk")
        await visit.at("form", first)
        await visit.operator(is_typing=True)
        await visit.signed_in("clerk")

    told_of(house, story)


def test_three_wrong_pins_lock_a_clerk_and_one_person_is_never_both(house: House) -> None:
    async def story(visit: Visit) -> None:
        await visit.begin("clerk")
        form = None
        for _ in range(3):
            form = await visit.vouch("1001", "111222", form)
        locked = await visit.at("form", form)
        assert "锁住" in locked.items[1].error.zh_cn
        form = await visit.vouch("1002", after=form)
        visit.world.choose(await asked_for_a_second(visit), "second_clerk")
        form = await visit.vouch("1002", after=form)
        refused = await visit.at("form", form)
        assert "同一个人" in refused.items[1].error.zh_cn
        visit.world.back(refused)
        await visit.operator("person_differs")
        told = await visit.at("review")
        assert "不符" in told.text.zh_cn
        visit.world.choose(told, "other_way")
        ways = {way.id for way in (await visit.at("choose")).options}
        assert {"face", "code", "bank_card", "clerk"} == ways
        assert visit.journalled("signed_in") == []
        reasons = [each["reason"] for each in visit.journalled("clerk_checked") if each["decision"] == "refused"]
        assert reasons == ["clerk_refused", "clerk_refused", "clerk_locked", "one_person"]

    told_of(house, story)


async def asked_for_a_second(visit: Visit) -> Any:
    view = await visit.world.until(lambda view: bool(view.screen and view.screen.alternatives[:1]))
    assert view.screen is not None
    assert view.screen.alternatives[0].id == "second_clerk"
    return view.screen


def test_a_request_that_runs_out_signs_nobody_in_and_leaving_withdraws_it(house: House) -> None:
    async def story(visit: Visit) -> None:
        await visit.begin("clerk")
        form = await visit.vouch("1001")
        await asked_for_a_second(visit)
        with visit.database.reading() as session:
            first = service.waiting(session)[-1].id
        await visit.change(ConfirmationRow, first, expires_at=now() - dt.timedelta(seconds=1))
        told = await visit.at("review")
        assert "三分钟" in told.text.zh_cn
        visit.world.choose(told, "other_way")
        visit.world.choose(await visit.at("choose"), "clerk")
        await visit.vouch("1001", after=form)
        visit.world.back(await asked_for_a_second(visit))
        await visit.at("choose")
        with visit.database.reading() as session:
            assert service.waiting(session) == []
            assert service.latest(session, limit=1)[0].standing == "withdrawn"
        assert visit.journalled("signed_in") == []

    told_of(house, story)


def test_a_centre_that_is_lost_is_told_and_greys_the_way(house: House) -> None:
    async def lost(visit: Visit) -> None:
        await visit.begin("clerk")
        await visit.vouch("1001")
        await asked_for_a_second(visit)
        await visit.line.cut()
        told = await visit.at("notice")
        assert told.fault == "C31"
        assert visit.journalled("signed_in") == []

    async def offline(visit: Visit) -> None:
        visit.world.stage.wake()
        visit.world.stage.start("sample")
        ways = {way.id: way for way in (await visit.at("choose")).options}
        assert not ways["clerk"].enabled
        assert ways["clerk"].detail is not None
        assert "中心" in ways["clerk"].detail.zh_cn

    told_of(house, lost)
    told_of(house, offline, online=False)


# --- a bank card -----------------------------------------------------------------------------------------------------


def test_a_bank_card_and_its_code_are_enough_without_the_identity_card(house: House) -> None:
    async def story(visit: Visit) -> None:
        visit.world.devices.card_reader.cards = []
        await visit.begin("bank_card", without_card=True)
        visit.world.choose(await visit.at("review"), "agree")
        form = await visit.at("form")
        visit.world.fill(form, id_number="350203190102030018")
        again = await visit.at("form", form)
        assert again.items[0].error is not None
        visit.world.fill(again, id_number=LIN)
        await visit.world.until(lambda view: bool(view.screen and view.screen.place is Place.CARD_SLOT))
        await visit.peer.order("fault", "pull_in_read")
        await visit.peer.order("place", "bank_lin")
        await visit.world.until(lambda view: bool(view.screen and getattr(view.screen, "hint", None)))
        await visit.taken()
        await visit.peer.order("place", "bank_lin")
        code = await visit.at("form", again)
        await visit.peer.order("remove")
        right = house.city.inbox[-1].text
        visit.world.fill(code, code="000000")
        wrong = await visit.at("form", code)
        assert wrong.items[0].error is not None
        visit.world.fill(wrong, code="".join(filter(str.isdecimal, right))[:6])
        await visit.signed_in("bank_card")
        number = BANK_CARDS["bank_lin"].number
        checked = visit.journalled("bank_card_checked")
        assert [each["decision"] for each in checked] == ["refused", "accepted"]
        assert {each["card"] for each in checked} == {f"****{number[-4:]}"}
        assert [each["subject"] for each in visit.journalled("consent_given")] == ["bank_card"]
        visit.says_nothing_of(number, LIN, "林测试")

    told_of(house, story)


def test_somebody_elses_card_is_refused_and_another_way_stays_open(house: House) -> None:
    async def story(visit: Visit) -> None:
        await visit.peer.order("place", "bank_ouyang")
        await visit.begin("bank_card")
        visit.world.choose(await visit.at("review"), "agree")
        told = await visit.world.until(lambda view: bool(view.screen and view.screen.primary
                                                         and view.screen.primary.id == "other_way"))  # fmt: skip
        assert "对不上" in told.screen.text.zh_cn  # type: ignore[union-attr]
        visit.world.choose(told.screen, "other_way")  # type: ignore[arg-type]
        await visit.at("choose")
        assert visit.journalled("signed_in") == []
        assert [each["reason"] for each in visit.journalled("bank_card_checked")] == ["bank_account_unknown"]

    told_of(house, story)


def test_without_consent_no_card_is_read(house: House) -> None:
    async def story(visit: Visit) -> None:
        await visit.peer.order("place", "bank_lin")
        await visit.begin("bank_card")
        visit.world.choose(await visit.at("review"), "decline")
        await visit.at("choose")
        assert visit.journalled("consent_declined")[0]["subject"] == "bank_card"
        assert not house.city.inbox

    told_of(house, story)


def test_a_card_of_no_bank_a_blocked_one_and_a_silent_platform_are_told(house: House) -> None:
    async def story(visit: Visit) -> None:
        house.city.orders.give(SandboxOrder(authority="identity", behave="down"))
        await visit.begin("bank_card")
        visit.world.choose(await visit.at("review"), "agree")
        await visit.peer.order("place", "lin")
        await hinted(visit, "银联")
        await visit.peer.order("fault", "application_blocked")
        await visit.peer.order("place", "bank_lin")
        await hinted(visit, "停用")
        await visit.peer.order("clear")
        await visit.peer.order("place", "bank_lin")
        told = await visit.at("notice")
        assert told.fault == "C32"
        assert visit.journalled("signed_in") == []

    told_of(house, story)


async def hinted(visit: Visit, part: str) -> None:
    await visit.world.until(
        lambda view: bool(view.screen and getattr(view.screen, "hint", None) and part in view.screen.hint.zh_cn)  # type: ignore[union-attr]
    )
    await visit.taken()
