"""The stand-in providers as a real server on loopback, and what a citizen at a telephone does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from fleet_server.payments.providers.accounts import Accounts, understood
from fleet_server.sandbox.app import create_app
from fleet_server.sandbox.payments.clearing import ClearingHouse, Trade
from fleet_server.sandbox.payments.keys import Keys
from tests.fleet_server.gateway.conftest import served


@dataclass
class Till:
    """The providers as seen from outside, and their memory. `offset` moves their clock."""

    address: str
    house: ClearingHouse
    keys: Keys
    offset: dt.timedelta = field(default_factory=dt.timedelta)

    def behave(self, behave: str, **more: Any) -> None:
        answer = httpx.post(f"{self.address}/payments/orders", json={"behave": behave, **more}, trust_env=False)
        assert answer.status_code == 201, answer.text

    def pay(self, qr: str, behave: str = "paid") -> list[int]:
        """What the centre answered to each notice."""
        body = {"qr": qr, "behave": behave}
        answer = httpx.post(f"{self.address}/payments/pay", json=body, timeout=20, trust_env=False)
        assert answer.status_code == 200, answer.text
        heard: list[int] = answer.json()["notices"]
        return heard

    def notices_again(self) -> list[int]:
        heard: list[int] = httpx.post(f"{self.address}/payments/notices", timeout=20, trust_env=False).json()
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
    made = Till("", None, None)  # type: ignore[arg-type]
    app = create_app(data, b"key", clock=lambda: dt.datetime.now(dt.UTC) + made.offset)
    with served(app) as address:
        made.address, made.house, made.keys = address, app.state.clearing, Keys(data / "payments")
        yield made


@pytest.fixture
def till(running_till: Till) -> Till:
    """Empty and well-behaved."""
    running_till.house.trades.clear()
    running_till.house.behaviours.clear()
    running_till.offset = dt.timedelta()
    return running_till
