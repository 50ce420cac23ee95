"""A payment cut at every single step ends delivered and paid once, or with the money given back. There is no third end.

A start that settles it is cut at every step as well, and the next one goes on. Journal, centre, gateway,
payment provider and authority are the real ones; the terminal is a process that is killed (SIGKILL) at the N-th
step, for every N until it is through. The steps are counted, not listed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import select

from drivers.payment_terminal.simulator.zvt import ZvtSimulator
from drivers.payment_terminal.simulator.zvt_terminal import CardTerminal
from fleet_server.gateway.models import GatewayRequest
from fleet_server.payments.models import PaymentArrived, PaymentOrder, PaymentRefund
from fleet_server.payments.orders import WAITING
from fleet_server.settings import Settings
from tests.fleet_server.conftest import running, sqlite_settings, sqlite_template  # noqa: F401 (fixtures)
from tests.fleet_server.payments.conftest import Cash, Till, running_till, till  # noqa: F401 (fixtures)

ROOT = Path(__file__).parents[2]
MOST_STEPS = 120


@dataclass
class Zygote:
    process: subprocess.Popen[str]

    def do(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert "failed" not in answer, "the terminal ended by itself: see its words above"
        return answer


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    command = [sys.executable, "-m", "tests.journeys.cuts.terminal"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Zygote(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)


@dataclass
class Bench:
    """One terminal's orders, and what is true in the world afterwards."""

    cash: Cash
    zygote: Zygote
    folder: Path
    cards: CardTerminal | None = None
    cards_at: str = ""

    def order(self, journal: Path, **more: Any) -> dict[str, Any]:
        key = base64.b64encode(self.cash.peer.key.private_bytes_raw()).decode()
        return {
            "server": str(self.cash.client.base_url).rstrip("/"), "terminal": self.cash.peer.terminal, "key": key,
            "journal": str(journal), "city": self.cash.till.address, "cards": self.cards_at, **more,
        }  # fmt: skip

    def cut(self, at: int, again_at: int = 0, at_name: str = "") -> tuple[bool, str, list[str]]:
        """Visit, killed at step `at` or `at_name`; start again, killed at step `again_at` of that; start once more.

        Returns whether the last of these deaths came about, how the money ended, and the steps of the visit.
        """
        self.cash.till.house.trades.clear()
        if self.cards is not None:
            self.cards.journal.clear()
        journal = self.folder / uuid.uuid4().hex / "journal.sqlite"
        visit = self.zygote.do(**self.order(journal, do="visit", at=at, at_name=at_name))
        killed = visit["killed"]
        if again_at:
            killed = self.zygote.do(**self.order(journal, do="recover", at=again_at))["killed"]
        recovery = self.zygote.do(**self.order(journal, do="recover"))
        assert recovery["settled"], f"cut at {at}, then at {again_at}: money is left open"
        return killed, self.end_of(at), visit.get("steps", [])

    def end_of(self, at: int) -> str:
        """Exactly one of unpaid, delivered, given back, as provider, centre and authority tell it together."""
        paid, left = self._money()
        with self.cash.world.database.reading() as session:
            rows = session.exec(select(PaymentOrder)).all()
            orders = [row.delivery for row in rows]
            assert not any(row.state in WAITING for row in rows), f"cut at {at}: the centre still waits"
            done = [row.outcome for row in session.exec(select(GatewayRequest)).all()].count("done")
        with self.cash.world.database.writing() as session:
            for model in (PaymentOrder, PaymentArrived, PaymentRefund, GatewayRequest):
                for row in session.exec(select(model)).all():
                    session.delete(row)
        facts = f"cut at {at}: paid {paid}, left {left}, orders {orders}, authority did it {done} times"
        match paid, left, done:
            case 0, 0, 0:
                return "unpaid"
            case 2000, 2000, 1:
                assert orders == ["delivered"], facts
                return "delivered"
            case 2000, 0, 0:
                assert orders[0] in ("not_delivered", "none"), facts
                return "returned"
        raise AssertionError(f"a third end: {facts}")

    def _money(self) -> tuple[int, int]:
        """What the citizen paid, and what of it did not go back: the provider's, or the card terminal's own booking."""
        if self.cards is not None:
            bookings = [each for each in self.cards.journal if each.original_trace is None and each.result == 0]
            return sum(each.amount_fen for each in bookings), self.cards.charged_fen
        trades = self.cash.till.house.trades.values()
        return sum(paid.amount_fen for trade in trades for paid in trade.payments), self.cash.till.left_fen()


@pytest.fixture
def bench(till: Till, sqlite_settings: Settings, zygote: Zygote, tmp_path: Path) -> Iterator[Bench]:  # noqa: F811
    city = {"sandbox_url": till.address, "gateway_key": SecretStr("key")}
    with running(sqlite_settings.model_copy(update=city)) as world, world.client() as client:
        yield Bench(Cash(world, till, world.terminal(), client), zygote, tmp_path)


def test_a_payment_cut_at_every_step_is_delivered_or_given_back(bench: Bench) -> None:
    ends: dict[int, str] = {}
    steps: list[str] = []
    for at in range(1, MOST_STEPS):
        killed, ends[at], steps = bench.cut(at)
        if not killed:
            break
    assert ends[max(ends)] == "delivered", "uncut, it goes through"
    assert {"unpaid", "returned", "delivered"} == set(ends.values())
    assert len(ends) > 25, "a payment has more steps than that"
    assert sum("write" in step for step in steps) > 12
    assert sum("before" in step for step in steps) > 5
    for again_at in range(1, MOST_STEPS):
        killed, end, _ = bench.cut(0, again_at, at_name="write delivery_allowed")
        assert end == "returned", f"paid and cut, and cut at {again_at} of the start after it"
        if not killed:
            break
    assert again_at > 4, "a start with money open has more steps than that"


# --- the same by bank card, at the machine's own terminal -------------------------------------------------------------


@pytest.fixture
def by_card(bench: Bench) -> Iterator[Bench]:
    """The card terminal goes on living while its register dies."""
    loop, wire = asyncio.new_event_loop(), ZvtSimulator(card_seconds="0.01")
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        place = asyncio.run_coroutine_threadsafe(wire.start(), loop).result(5)
        yield replace(bench, cards=wire.terminal, cards_at=place)
        asyncio.run_coroutine_threadsafe(wire.stop(), loop).result(5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def test_a_card_payment_cut_at_every_step_is_delivered_or_given_back(by_card: Bench) -> None:
    ends: dict[int, str] = {}
    for at in range(1, MOST_STEPS):
        killed, ends[at], steps = by_card.cut(at)
        if not killed:
            break
    assert ends[max(ends)] == "delivered", "uncut, it goes through"
    assert {"unpaid", "returned", "delivered"} == set(ends.values())
    for kind in ("write", "before", "sent", "frame", "ledger"):
        assert sum(step.startswith(kind) for step in steps) > 2, f"{kind}: {steps}"


def test_a_reversal_cut_at_every_step_gives_back_once(by_card: Bench) -> None:
    for again_at in range(1, MOST_STEPS):
        killed, end, _ = by_card.cut(0, again_at, at_name="write delivery_allowed")
        assert end == "returned", f"paid and cut, and cut at {again_at} of the start after it"
        if not killed:
            break
    assert again_at > 8, "a reversal has more steps than that"
