"""The centre's process dies at every single step of an order. No third outcome: delivered and paid once, or refunded.

A step is a transaction about to begin, one just committed, a call to a provider about to leave, an answer just come.
The dying process is followed by a new one that has the database alone. Notices come until they are thanked for.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import event
from sqlmodel import Session

from fleet_server.database import Database
from fleet_server.payments.cashier import Cashier
from fleet_server.payments.counters import Counters
from fleet_server.payments.providers.wire import Line, Reply
from fleet_server.payments.tending import tend
from fleet_server.problems import ProblemError
from fleet_server.sandbox.payments.alipay import AlipayGate
from fleet_server.sandbox.payments.clearing import Payment
from fleet_server.sandbox.payments.counter import Counter
from fleet_server.settings import Settings
from kiosk.contracts.payments import DeliveryExtension, DeliveryReport, OrderRequest
from tests.fleet_server.payments.conftest import Till, wanted

FEN = 2000
NOBODY = "http://127.0.0.1:9"
LIMIT_STEPS = 80


class Killed(BaseException):
    """Nobody in the process can catch it: it is gone."""


class Life:
    """Counts the steps of all processes; the one at `dies_at` is its last."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed


class MortalDatabase(Database):
    """What dies here is the process, not the machine: nothing waits for the disk."""

    life: Life

    def __init__(self, url: str) -> None:
        super().__init__(url)
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF").close())

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self.life.step()
        with super().writing() as session:
            yield session
        self.life.step()


class Centre:
    """Processes one after the other over one database, and what the outside does meanwhile."""

    def __init__(self, till: Till, counters: Counters, url: str, life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
        self.till, self.counters, self.url, self.life = till, counters, url, life
        self.order_id = f"order-{secrets.token_hex(8)}"
        self.thanked: set[str] = set()
        self.deaths = 0

        async def mortal(line: Line, method: str, url: str, body: bytes = b"", headers: Any = None) -> Reply:
            life.step()
            transport = httpx.ASGITransport(till.app)
            async with httpx.AsyncClient(transport=transport, base_url=till.address) as client:
                reply = await client.request(method, url, content=body, headers=headers)
            life.step()
            return Reply(reply.status_code, reply.headers, reply.content)

        monkeypatch.setattr(Line, "call", mortal)
        self.begin()

    def begin(self) -> None:
        self.database = MortalDatabase(self.url)
        self.database.life = self.life
        self.cashier = Cashier(self.database, self.counters)

    def end(self) -> None:
        self.database.dispose()

    def lives(self, work: Callable[[], Any]) -> Any:
        """Run it; should the process die, a new one is there and the caller got no answer."""
        try:
            return asyncio.run(work())
        except Killed:
            self.deaths += 1
            self.end()
            self.begin()
            return None

    def insists(self, work: Callable[[], Any]) -> Any:
        """As a terminal does: again until it is answered."""
        while True:
            try:
                answer = self.lives(work)
            except ProblemError as problem:
                if problem.status != 503:
                    return problem
                continue
            if answer is not None:
                return answer

    def notices(self) -> None:
        """Every payment's notice, until it is thanked for."""
        gate = AlipayGate(self.till.house, self.till.keys, Counter(self.till.house))
        for trade in list(self.till.house.trades.values()):
            for payment in trade.payments:
                while payment.reference not in self.thanked:
                    headers, body = gate.notice(trade, payment, "paid")
                    provider = self.cashier.counters.of("alipay", "sandbox")

                    async def hear(headers: Any = headers, body: Any = body, provider: Any = provider) -> bool:
                        await self.cashier.hear(provider, headers, body)
                        return True

                    if self.lives(hear):
                        self.thanked.add(payment.reference)

    def tends(self, seconds: float) -> None:
        moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        for _ in range(40):
            moment += dt.timedelta(seconds=31)
            if self.lives(lambda at=moment: tend(self.cashier, at)) == 0:  # type: ignore[misc]
                return
        raise AssertionError("the centre never comes to rest")


def place(centre: Centre) -> str:
    asked = OrderRequest.model_validate(wanted())
    order = centre.insists(lambda: centre.cashier.place("bench-1", centre.order_id, asked, NOBODY))
    return str(order.qr)


def see(centre: Centre) -> Any:
    return centre.insists(lambda: centre.cashier.show("bench-1", centre.order_id, verify=True))


def hands_over(centre: Centre) -> bool:
    """The terminal extends, hands over, reports until it is heard. True when the citizen has the goods."""
    wish = DeliveryExtension(seconds=3600)
    extended = centre.insists(lambda: centre.cashier.extend("bench-1", centre.order_id, wish))
    if isinstance(extended, ProblemError):
        return False
    report = DeliveryReport(outcome="delivered")
    heard = centre.insists(lambda: centre.cashier.report("bench-1", centre.order_id, report))
    assert not isinstance(heard, ProblemError), heard
    return True


def gives_up(centre: Centre) -> bool:
    report = DeliveryReport(outcome="not_delivered")
    heard = centre.insists(lambda: centre.cashier.report("bench-1", centre.order_id, report))
    assert not isinstance(heard, ProblemError), heard
    return False


def is_gone(centre: Centre) -> bool:
    return False


def closes(centre: Centre) -> bool:
    centre.insists(lambda: centre.cashier.close("bench-1", centre.order_id))
    return False


ENDS = {"hands_over": hands_over, "gives_up": gives_up, "is_gone": is_gone, "closes": closes}


def live(centre: Centre, behave: str, way: str) -> tuple[bool, int]:
    """One order from beginning to end: whether the citizen has the goods, and what was paid in all."""
    house = centre.till.house
    trade = centre.till.trade(place(centre))
    paid: list[Payment] = []
    if behave != "late":
        paid = [house.receive(trade, FEN - 1 if behave == "wrong_amount" else FEN)]
    if behave == "twice":
        paid.append(house.receive(trade, FEN))
    if behave != "silent":
        centre.notices()
    has_goods = ENDS[way](centre) if see(centre).state == "paid" or way == "closes" else False
    if behave == "late":
        centre.insists(lambda: centre.cashier.close("bench-1", centre.order_id))
        paid = [house.receive(trade, FEN)]
        centre.notices()
    centre.tends(100 * 3600)
    return has_goods, sum(payment.amount_fen for payment in paid)


ALWAYS = [("twice", "hands_over"), ("silent", "is_gone")]
IN_CAMPAIGNS = [
    ("paid", "hands_over"), ("paid", "gives_up"), ("paid", "is_gone"), ("paid", "closes"), ("silent", "hands_over"),
    ("twice", "is_gone"), ("wrong_amount", "is_gone"), ("late", "is_gone"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("behave", "way"), [*ALWAYS, *(pytest.param(*case, marks=pytest.mark.campaign) for case in IN_CAMPAIGNS)]
)
def test_there_is_no_third_outcome(till: Till, sqlite_settings: Settings, behave: str, way: str) -> None:
    counters = Counters(till.accounts)
    counters.open()
    for dies_at in itertools.count(1):
        till.house.trades.clear()
        with pytest.MonkeyPatch.context() as patch:
            life = Life(dies_at)
            centre = Centre(till, counters, sqlite_settings.sqlalchemy_url, life, patch)
            has_goods, paid_fen = live(centre, behave, way)
            centre.end()
        kept_fen = till.left_fen()
        story = f"{behave}, {way}, died at step {dies_at}: paid {paid_fen}, kept {kept_fen}, goods {has_goods}"
        assert kept_fen == (FEN if has_goods else 0), story
        assert has_goods == (way == "hands_over" and behave != "wrong_amount"), story
        if life.steps < dies_at:
            assert centre.deaths == 0
            assert dies_at > 8, "the steps were counted"
            return
        assert centre.deaths == 1, story
        assert dies_at < LIMIT_STEPS
