"""A bank card at the machine's own terminal: the true driver on the wire of a terminal that behaves badly on order.

What counts is the terminal's own booking of who was charged, what the centre was told, and what the citizen reads.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.payment_terminal.simulator.zvt import ZvtSimulator
from drivers.payment_terminal.zvt import ZvtOptions, ZvtTerminal
from kiosk.contracts.errors import Refused
from kiosk.flow.screens import PayScreen
from kiosk.flow.steps.effects import orders
from kiosk.machine.money import payments
from tests.kiosk.flow import world
from tests.kiosk.flow.money_peer import MoneyPeer
from tests.kiosk.flow.test_paying import PAY, SUBMIT, live, paying, settled, told
from tests.kiosk.flow.world import World

BY_CARD = PAY | {"channels": ["bank_card"]}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "NOW", dt.datetime.now(dt.UTC))  # the driver counts by the true clock
    monkeypatch.setattr(orders, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(orders, "SECONDS_TO_PAY", 8)
    monkeypatch.setattr(payments, "LOOK_AGAIN_SECONDS", 0.1)


class Bench:
    def __init__(self, stage: World, peer: MoneyPeer, wire: ZvtSimulator) -> None:
        self.world, self.peer, self.wire = stage, peer, wire

    @property
    def charged_fen(self) -> int:
        return self.wire.terminal.charged_fen

    @property
    def words(self) -> list[str]:
        return [said.state for said in self.peer.card_words]


@asynccontextmanager
async def at_the_card_terminal(
    folder: Path, *faults: str, submit: dict[str, Any] | None = None, is_down: bool = False, remembers: bool = True
) -> AsyncIterator[Bench]:
    wire = ZvtSimulator(card_seconds="0.1")
    ledger = str(folder / "cards.sqlite") if remembers else ""
    terminal = ZvtTerminal(ZvtOptions(port=await wire.start(), state_path=ledger))
    for fault in faults:
        await wire.order("fault", fault)
    peer = MoneyPeer(("bank_card",))
    peer.on_call = lambda call: setattr(peer, "is_down", is_down and call.startswith("PUT"))
    try:
        async with paying(folder, BY_CARD, submit or SUBMIT, peer=peer) as (stage, _, _):
            stage.devices.payment_terminal = terminal
            yield Bench(stage, peer, wire)
    finally:
        await terminal.close()
        await wire.stop()


@live
async def test_what_a_card_paid_for_is_delivered_and_the_centre_knows_it(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path) as bench:
        screen = await bench.world.screen("pay", "pay")
        assert isinstance(screen, PayScreen)
        assert (screen.place.value, screen.qr) == ("payment_terminal", "")
        assert bench.wire.terminal.sent_authorisations <= len(bench.peer.orders), "the order is at the centre first"
        bench.world.choose(await told(bench.world, "submit"), "finish")
        assert await settled(bench.world) == "delivered"
        asked, order = bench.peer.requests[0], bench.peer.last
        assert (asked.channel, asked.method, asked.amount_fen) == ("bank_card", "card", 2000)
        assert (bench.charged_fen, order.state, order.delivery) == (2000, "paid", "delivered")
        assert [payment.reference for payment in order.payments] == ["68000001-0001-001001"]
        assert bench.words == ["paid"]


@live
async def test_what_is_refused_goes_back_onto_the_card_once(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path) as bench:
        bench.world.services.answers["traffic.fine_paid"] = Refused("no", reason="refused")
        bench.world.choose(await told(bench.world, "submit"), "home")
        assert await settled(bench.world) == "returned"
        assert (bench.charged_fen, bench.words) == (0, ["paid", "returned"])
        assert (bench.peer.last.delivery, bench.peer.last.refunded_fen) == ("not_delivered", 2000)


@pytest.mark.parametrize("fault", ["declined", "cancelled_by_citizen", "bank_unreachable"])
@live
async def test_a_card_that_does_not_pay_is_told_and_charged_nothing(fault: str, tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, fault) as bench:
        assert (await told(bench.world, "pay")).fault == "H82"
        assert (bench.charged_fen, bench.words, bench.peer.last.state) == (0, ["unpaid"], "closed")


@live
async def test_a_wrong_amount_goes_back_before_anything_is_said(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, "wrong_amount") as bench:
        notice = await told(bench.world, "pay")
        assert "不一样" in notice.say.zh_cn
        assert bench.charged_fen == 0
        assert [(said.state, said.amount_fen, said.reason) for said in bench.peer.card_words] == [
            ("returned", 2100, "amount_mismatch")
        ]


@live
async def test_a_line_lost_after_the_card_was_charged_is_asked_after_and_delivered(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, "lost_after_status_ack", "no_auto_reversal") as bench:
        bench.world.choose(await told(bench.world, "submit"), "finish")
        assert await settled(bench.world) == "delivered"
        assert (bench.charged_fen, bench.wire.terminal.sent_authorisations) == (2000, 1)


@live
async def test_no_card_is_asked_for_an_order_the_centre_has_not(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, is_down=True) as bench:
        assert (await told(bench.world, "pay")).fault == "H83"
        bench.world.choose(await told(bench.world, "pay"), "home")
        assert await settled(bench.world) == "not_paid"
        assert (bench.wire.terminal.sent_authorisations, bench.charged_fen) == (0, 0)
        assert bench.peer.last.state == "closed", "barred: should the order still arrive, nobody can pay it"


@live
async def test_an_end_the_centre_did_not_hear_stays_open_until_it_has(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, "declined") as bench:
        bench.peer.on_call = lambda call: setattr(bench.peer, "is_down", call == "POST card")
        assert (await told(bench.world, "pay")).fault == "H82", "the citizen is told what the device knows"
        assert [effect.event for effect in bench.world.journal.open_effects()] == ["payment_begun"]
        bench.peer.on_call = lambda _: setattr(bench.peer, "is_down", False)
        bench.world.choose(await told(bench.world, "pay"), "home")
        assert await settled(bench.world) == "not_paid"
        assert bench.words == ["unpaid"]


@live
async def test_money_the_device_cannot_give_back_is_owed_at_the_centre(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, "reversal_fails") as bench:
        bench.world.services.answers["traffic.fine_paid"] = Refused("no", reason="refused")
        bench.world.choose(await told(bench.world, "submit"), "home")
        assert await settled(bench.world) == "owed"
        assert (bench.charged_fen, bench.words) == (2000, ["paid", "owed"])


@live
async def test_a_device_that_forgets_its_orders_takes_no_card(tmp_path: Path) -> None:
    async with at_the_card_terminal(tmp_path, remembers=False) as bench:
        assert (await told(bench.world, "pay")).fault == "H83"
        assert (bench.peer.orders, bench.wire.terminal.sent_authorisations) == ({}, 0)
