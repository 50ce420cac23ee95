"""One payment for a package: what is refused goes back by its own line, what is unpaid stops its own parts only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kiosk.contracts.errors import Refused, Unreachable
from kiosk.flow.screens import FormScreen, NoticeScreen
from kiosk.flow.steps.effects import orders
from kiosk.machine.journal import Journal
from kiosk.machine.money.books import Deed, judged_lines
from kiosk.machine.money.payments import Payments
from kiosk.machine.services import Services
from tests.kiosk.contracts.test_packages import PHONE, WORDS, composed, form, member, members
from tests.kiosk.flow.money_peer import MoneyPeer
from tests.kiosk.flow.test_paying import live, settled
from tests.kiosk.flow.world import NOW, World, text


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.flow.steps.parts.ASK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(orders, "TICK_SECONDS", 0.005)
    monkeypatch.setattr(orders, "SECONDS_TO_PAY", 1)


def paid(id: str, fen: str) -> dict[str, Any]:
    pay = {"id": "pay", "kind": "pay", "payee": text("局"), "subject": text("费"), "channels": ["alipay"],
           "lines": [{"label": text(id), "amount_fen": fen}]} | WORDS  # fmt: skip
    return member(id, form(PHONE | {"sources": []}), pay)


FREE = member("household", form(PHONE | {"sources": []}))
TWO = composed("seals", "insurance", of=members(paid("seals", "1500"), paid("insurance", "500")))
ONE = composed("household", "insurance", of=members(FREE, paid("insurance", "2000")))


@asynccontextmanager
async def package(directory: Path, matter: Any, peer: MoneyPeer) -> AsyncIterator[World]:
    journal = Journal.open(directory / "journal.sqlite", terminal="T-0001", clock=lambda: NOW)
    client: Any = peer
    payments = Payments(client, journal, Services(client), lambda: world.devices.payment_terminal)
    world = World(directory, matter, journal=journal, payments=payments)
    settling = asyncio.ensure_future(payments.run())
    try:
        world.stage.start("newborn")
        world.choose(await world.screen("consent", "review"), "agree")
        await world.sign_in_by_face("identify")
        screen = await world.screen("fields_1", "form")
        assert isinstance(screen, FormScreen)
        world.fill(screen, phone="13900000001")
        yield world
    finally:
        settling.cancel()
        await world.stage.close()
        await world.close()
        journal.close()


def outcomes(world: World) -> dict[str, str]:
    return {data["part"]: data["outcome"] for _, data in world.events("part_ended")}


@live
async def test_the_line_of_a_refused_part_goes_back_and_the_other_is_delivered(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000)
    async with package(tmp_path, TWO, peer) as world:
        world.services.answers["insurance.apply"] = Refused("no", reason="refused")
        world.choose(await world.screen("insurance_submit", "notice"), "go_on")
        world.choose(await world.screen("rate"), "skip")
        await settled(world)
        assert [(line.part, line.amount_fen) for line in peer.requests[0].lines] == [
            ("seals", 1500),
            ("insurance", 500),
        ]
        assert outcomes(world) == {"insurance": "refused", "seals": "done"}
        told = world.events("payment_delivered")[-1][1]
        assert told["undelivered"] == "l1", "only the refused part's line"


@live
async def test_when_every_paid_part_is_refused_all_the_money_goes_back(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000)
    async with package(tmp_path, TWO, peer) as world:
        for part in ("seals", "insurance"):
            world.services.answers[f"{part}.apply"] = Refused("no", reason="refused")
        world.choose(await world.screen("seals_submit", "notice"), "go_on")
        last = await world.screen("insurance_submit", "notice")
        assert isinstance(last, NoticeScreen)
        assert last.primary is not None
        world.choose(last, last.primary.id)
        world.choose(await world.screen("rate"), "skip")
        assert await settled(world) == "returned"
        assert peer.last.delivery == "not_delivered"
        assert not world.events("payment_delivered")


@live
async def test_who_does_not_pay_still_gets_what_is_free(tmp_path: Path) -> None:
    peer = MoneyPeer()
    async with package(tmp_path, ONE, peer) as world:
        world.choose(await world.screen("payment", "notice"), "go_on")
        world.choose(await world.screen("rate"), "skip")
        await world.screen("rate", "notice")
        assert outcomes(world) == {"insurance": "failed", "household": "done"}
        assert "insurance.apply" not in [operation for operation, _, _ in world.services.calls]


@live
async def test_a_part_nobody_answered_for_is_decided_by_the_centres_word_line_by_line(tmp_path: Path) -> None:
    for outcome, back in (("done", []), ("failed", ["l1"])):
        peer = MoneyPeer()
        peer.on_order = lambda order, peer=peer: peer.pay(order, 2000)  # type: ignore[misc]
        async with package(tmp_path / outcome, TWO, peer) as world:
            world.services.answers["insurance.apply"] = Unreachable("silence", reason="timed_out")
            notice = await world.screen("insurance_submit", "notice")
            request = next(id for operation, id, _ in world.services.calls if operation == "insurance.apply")
            peer.outcomes[request] = outcome
            world.choose(notice, "go_on")
            world.choose(await world.screen("rate"), "skip")
            assert await settled(world) == "delivered"
            assert not world.events("payment_delivered"), "the flow did not know"
            assert list(peer.undelivered) == back


ALLOWED = ("seals_submit", "insurance_submit")
LINES = {"l0": ("seals_submit",), "l1": ("insurance_submit",)}


@pytest.mark.parametrize(
    ("seals", "insurance", "decided", "back"),
    [
        ("succeeded", "succeeded", "yes", ()), ("succeeded", None, "yes", ("l1",)),
        ("failed", "succeeded", "yes", ("l0",)), ("failed", None, "no", ("l0", "l1")), (None, None, "no", ("l0", "l1")),
        ("succeeded", "uncertain", "open", ()), ("failed", "", "open", ("l0",)),
    ],
)  # fmt: skip
def test_after_a_power_cut_each_line_is_judged_by_its_own_deeds(
    seals: str | None, insurance: str | None, decided: str, back: tuple[str, ...]
) -> None:
    """None: its request was never begun. An empty outcome: begun, and the power went."""
    outcomes = {"seals_submit": seals, "insurance_submit": insurance}
    deeds = {step: Deed("service", step, said) for step, said in outcomes.items() if said is not None}
    judged = judged_lines(ALLOWED, LINES, deeds)
    assert (judged.decided, judged.undelivered) == (decided, back)
    assert not judged.is_certain, "while the citizen is still there, only the flow says that it is over"
