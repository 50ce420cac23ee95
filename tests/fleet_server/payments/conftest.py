"""The stand-in providers as a real server on loopback, and what a citizen at a telephone does."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import delete

from fleet_server.payments.cashier import Cashier
from fleet_server.payments.models import (
    PaymentArrived,
    PaymentDay,
    PaymentDifference,
    PaymentOrder,
    PaymentRefund,
    RefundClosing,
)
from fleet_server.payments.providers.accounts import Accounts, understood
from fleet_server.payments.tending import tend
from fleet_server.sandbox.app import create_app
from fleet_server.sandbox.payments.clearing import ClearingHouse, Trade
from fleet_server.sandbox.payments.keys import Keys
from fleet_server.settings import Settings
from kiosk.contracts.payments import PAYMENTS_PATH, Order
from tests.fleet_server.conftest import TLS, World, running
from tests.fleet_server.gateway.conftest import served
from tests.fleet_server.peer import Peer


@dataclass
class Till:
    """The providers as seen from outside, and their memory. `offset` moves their clock."""

    address: str
    house: ClearingHouse
    keys: Keys
    app: Any
    offset: dt.timedelta = field(default_factory=dt.timedelta)

    def behave(self, behave: str, **more: Any) -> None:
        answer = httpx.post(
            f"{self.address}/payments/orders", json={"behave": behave, **more}, verify=TLS, trust_env=False
        )
        assert answer.status_code == 201, answer.text

    def pay(self, qr: str, behave: str = "paid") -> list[int]:
        """What the centre answered to each notice."""
        body = {"qr": qr, "behave": behave}
        answer = httpx.post(f"{self.address}/payments/pay", json=body, timeout=20, verify=TLS, trust_env=False)
        assert answer.status_code == 200, answer.text
        heard: list[int] = answer.json()["notices"]
        return heard

    def notices_again(self) -> list[int]:
        heard: list[int] = httpx.post(
            f"{self.address}/payments/notices", timeout=20, verify=TLS, trust_env=False
        ).json()
        return heard

    def trade(self, qr_or_number: str) -> Trade:
        found = self.house.shown(qr_or_number)
        assert found is not None
        return found

    def accounts(self) -> Accounts:
        return understood(self.keys.console(self.address), is_development=True)

    def left_fen(self) -> int:
        """Money of all citizens that the providers hold for us."""
        return sum(self.house.left_of(trade) for trade in self.house.trades.values())


@pytest.fixture(scope="session")
def running_till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    data = tmp_path_factory.mktemp("till")
    made = Till("", None, None, None)  # type: ignore[arg-type]
    app = create_app(data, b"key", clock=lambda: dt.datetime.now(dt.UTC) + made.offset)
    with served(app) as address:
        made.address, made.house, made.keys, made.app = address, app.state.clearing, Keys(data / "payments"), app
        yield made


@pytest.fixture
def till(running_till: Till) -> Till:
    """Empty and well-behaved."""
    running_till.house.trades.clear()
    running_till.house.behaviours.clear()
    running_till.app.state.counter.sent.clear()
    running_till.offset = dt.timedelta()
    return running_till


# --- the centre with a terminal ---------------------------------------------------------------------------------------


@dataclass
class Cash:
    """A terminal that asks for money through a running centre; the providers; and time that can be moved on."""

    world: World
    till: Till
    peer: Peer
    client: httpx.Client

    @property
    def cashier(self) -> Cashier:
        cashier: Cashier = self.world.app.state.cashier
        return cashier

    def put(self, path: str, body: Any, peer: Peer | None = None) -> httpx.Response:
        return self.send("PUT", path, body, peer)

    def post(self, path: str, body: Any = None, peer: Peer | None = None) -> httpx.Response:
        return self.send("POST", path, {} if body is None else body, peer)

    def get(self, path: str, peer: Peer | None = None) -> httpx.Response:
        return (peer or self.peer).get(self.client, PAYMENTS_PATH + path)

    def send(self, method: str, path: str, body: Any, peer: Peer | None = None) -> httpx.Response:
        content, url = json.dumps(body).encode(), PAYMENTS_PATH + path
        headers = (peer or self.peer).sign(
            method, str(self.client.base_url) + url, content, headers={"Content-Type": "application/json"}
        )
        return self.client.request(method, url, content=content, headers=headers)

    def order(self, order_id: str = "order-0001", peer: Peer | None = None, **changed: Any) -> dict[str, Any]:
        """An order asked for; answered 200."""
        answer = self.put(f"/orders/{order_id}", wanted(**changed), peer)
        assert answer.status_code == 200, answer.text
        return Order.model_validate(answer.json()).model_dump()

    def look(self, order_id: str = "order-0001", *, verify: bool = False) -> dict[str, Any]:
        answer = self.get(f"/orders/{order_id}{'?verify=true' if verify else ''}")
        assert answer.status_code == 200, answer.text
        return Order.model_validate(answer.json()).model_dump()

    def tend(self, seconds: float = 0.0) -> None:
        """What the centre does by itself, `seconds` from now, until nothing is due."""
        moment = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        while asyncio.run(tend(self.cashier, moment)):
            moment += dt.timedelta(milliseconds=1)


def wanted(**changed: Any) -> dict[str, Any]:
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)
    return {
        "amount_fen": 2000, "channel": "alipay", "subject": "工本费", "payee": "示范市公安局",
        "expires_at": expires_at.isoformat(), "matter": "permit", "transaction_number": "261122-001A-0001",
    } | changed  # fmt: skip


@pytest.fixture(autouse=True, scope="session")
def by_hand() -> Iterator[None]:
    """What the centre does by itself it does once at its start, and then when `Cash.tend` says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fleet_server.payments.tending.TEND_SECONDS", 3600.0)
        yield


@pytest.fixture(scope="module")
def one_world(
    running_till: Till, by_hand: None, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Peer]]:
    """One server on SQLite for all tests of a module."""
    data = Path(shutil.copytree(sqlite_template, tmp_path_factory.mktemp("centre") / "data"))
    with running(Settings(data=data, sandbox_url=running_till.address)) as world:
        yield world, world.terminal()


@pytest.fixture
def cash(till: Till, one_world: tuple[World, Peer]) -> Iterator[Cash]:
    """No orders yet."""
    world, peer = one_world
    with world.database.writing() as session:
        for table in (PaymentOrder, PaymentArrived, PaymentRefund, RefundClosing, PaymentDay, PaymentDifference):
            session.exec(delete(table))
    for provider in world.app.state.cashier.counters.with_files():
        provider.line.failed_at = None
    with world.client() as client:
        yield Cash(world, till, peer, client)


@pytest.fixture
def any_cash(till: Till, any_settings: Settings) -> Iterator[Cash]:
    """A server of its own, on SQLite and on PostgreSQL. Not in a module that uses `cash`: one server runs at a time."""
    with running(any_settings.model_copy(update={"sandbox_url": till.address})) as world, world.client() as client:
        yield Cash(world, till, world.terminal(), client)
