"""Paying at the screen: every misfortune is told with what became of the money, and every order is settled."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.messages import DeviceClass, ScannedCode
from kiosk.contracts.errors import Refused, Unreachable
from kiosk.flow.screens import NoticeScreen, PayScreen
from kiosk.flow.steps.effects import orders
from kiosk.machine.journal import Journal
from kiosk.machine.money.payments import Payments
from kiosk.machine.services import Services
from tests.kiosk.flow.money_peer import MoneyPeer
from tests.kiosk.flow.world import NOW, World, matter, text

LINES = [{"label": text("罚款"), "amount_fen": "1500"}, {"label": text("工本费"), "amount_fen": "500"}]
PAY: dict[str, Any] = {
    "id": "pay", "kind": "pay", "payee": text("交警支队"), "subject": text("罚款"), "lines": LINES,
    "channels": ["alipay"],
}  # fmt: skip
SUBMIT: dict[str, Any] = {
    "id": "submit", "kind": "call_service", "operation": "traffic.fine_paid", "effect": "submit",
    "send": {"payment_order": "payment.pay.order_id"},
}  # fmt: skip


def live(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The test in a loop of its own."""

    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "TICK_SECONDS", 0.005)
    monkeypatch.setattr(orders, "SECONDS_TO_PAY", 1)


@asynccontextmanager
async def paying(
    directory: Path, *steps: dict[str, Any], peer: MoneyPeer | None = None
) -> AsyncIterator[tuple[World, MoneyPeer, Payments]]:
    peer = peer or MoneyPeer()
    journal = Journal.open(directory / "journal.sqlite", terminal="T-0001", clock=lambda: NOW)
    client: Any = peer
    payments = Payments(client, journal, Services(client), lambda: world.devices.payment_terminal)
    done = matter(*(steps or (PAY, SUBMIT)), assurance="none")
    world = World(directory, done, journal=journal, payments=payments)
    settling = asyncio.ensure_future(payments.run())
    try:
        world.stage.start("sample")
        yield world, peer, payments
    finally:
        settling.cancel()
        await world.stage.close()
        await world.close()
        journal.close()


async def settled(world: World) -> str:
    """How the last order ended."""
    async with asyncio.timeout(5):
        while any(effect.event == "payment_begun" for effect in world.journal.open_effects()):
            await asyncio.sleep(0.01)
    return str(world.events("payment_ended")[-1][1]["outcome"])


async def told(world: World, step: str) -> NoticeScreen:
    screen = await world.screen(step, "notice")
    assert isinstance(screen, NoticeScreen)
    return screen


@live
async def test_what_is_paid_is_delivered_and_reported(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000)
    async with paying(tmp_path, peer=peer) as (world, _, _):
        world.choose(await told(world, "submit"), "finish")
        assert await settled(world) == "delivered"
        assert peer.last.delivery == "delivered"
        assert world.services.calls[0][2] == {"payment_order": peer.last.order_id}
        asked = peer.requests[0]
        assert (asked.amount_fen, asked.payee, [line.amount_fen for line in asked.lines]) == (
            2000, "交警支队", [1500, 500],
        )  # fmt: skip
        names = [name for name, _ in world.events()]
        assert names.index("payment_begun") < names.index("payment_received") < names.index("delivery_allowed")
        assert names.index("delivery_allowed") < names.index("service_begun") < names.index("payment_delivered")


@live
async def test_the_screen_says_how_much_to_whom_and_how_long(tmp_path: Path) -> None:
    async with paying(tmp_path) as (world, peer, _):
        screen = await world.screen("pay", "pay")
        assert isinstance(screen, PayScreen)
        assert (screen.amount, screen.payee.zh_cn, screen.qr) == ("20.00", "交警支队", peer.last.qr)
        assert [line.value.zh_cn for line in screen.lines] == ["¥ 15.00", "¥ 5.00"]
        assert 0 <= screen.seconds_left <= screen.seconds_total
        assert not any(option.id == "other" for option in screen.alternatives), "there is one way only"
        world.leave()
        await world.finished()
        assert await settled(world) == "not_paid"
        assert peer.last.state == "closed"


@live
async def test_nobody_pays(tmp_path: Path) -> None:
    async with paying(tmp_path) as (world, peer, _):
        notice = await told(world, "pay")
        assert notice.fault == "H81"
        assert notice.money is not None
        assert "自动原路退回" in notice.money.zh_cn
        first = peer.last.order_id
        peer.on_order = lambda order: peer.pay(order, 2000)
        world.choose(notice, "retry")
        await told(world, "submit")
        assert peer.last.order_id != first
        assert peer.orders[first].state == "closed"


@live
async def test_a_refusal_of_the_provider(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = peer.refuse
    async with paying(tmp_path, peer=peer) as (world, _, _):
        assert (await told(world, "pay")).fault == "H82"
        assert await settled(world) == "not_paid"


@live
async def test_a_wrong_amount_is_no_payment_and_goes_back(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 100)
    async with paying(tmp_path, peer=peer) as (world, _, _):
        notice = await told(world, "pay")
        assert notice.fault == "H82"
        assert "退回" in notice.say.zh_cn
        assert world.services.calls == []


@live
async def test_paid_twice_is_said_and_goes_on_once(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000, 2000)
    async with paying(tmp_path, peer=peer) as (world, _, _):
        notice = await told(world, "pay")
        assert "20.00" in notice.say.zh_cn
        world.choose(notice, "next")
        await told(world, "submit")
        assert len(world.services.calls) == 1


@live
async def test_a_payment_quicker_than_another_way_counts(tmp_path: Path) -> None:
    peer = MoneyPeer()

    def pays_while_closing(call: str) -> None:
        if call.startswith("POST close"):
            peer.pay(peer.last.order_id, 2000)

    peer.on_call = pays_while_closing
    async with paying(tmp_path, PAY | {"channels": ["alipay", "wechat"]}, SUBMIT, peer=peer) as (world, _, _):
        world.choose(await world.screen("pay", "choose"), "wechat")
        world.choose(await world.screen("pay", "pay"), "other")
        await told(world, "submit")
        assert len(peer.orders) == 1


@live
async def test_another_way_closes_the_first_order(tmp_path: Path) -> None:
    peer = MoneyPeer()
    async with paying(tmp_path, PAY | {"channels": ["alipay", "wechat"]}, SUBMIT, peer=peer) as (world, _, _):
        world.choose(await world.screen("pay", "choose"), "wechat")
        world.choose(await world.screen("pay", "pay"), "other")
        peer.on_order = lambda order: peer.pay(order, 2000)
        world.choose(await world.screen("pay", "choose"), "alipay")
        await told(world, "submit")
        assert [order.state for order in peer.orders.values()] == ["closed", "paid"]


@live
async def test_a_lost_link_is_uncertain_and_never_charged_again(tmp_path: Path) -> None:
    async with paying(tmp_path) as (world, peer, _):
        await world.screen("pay", "pay")
        peer.is_down = True
        await world.until(lambda view: isinstance(view.screen, PayScreen) and view.screen.hint is not None)
        notice = await told(world, "pay")
        assert notice.fault == "H84"
        assert notice.what_to_do is not None
        assert "不要再付" in notice.what_to_do.zh_cn
        peer.pay(peer.last.order_id, 2000)
        peer.is_down = False
        world.choose(notice, "retry")
        await told(world, "submit")
        assert len(peer.orders) == 1
        assert await settled(world) == "delivered"


@live
async def test_whoever_leaves_with_a_lost_link_gets_the_money_back(tmp_path: Path) -> None:
    async with paying(tmp_path) as (world, peer, payments):
        await world.screen("pay", "pay")
        peer.is_down = True
        notice = await told(world, "pay")
        peer.pay(peer.last.order_id, 2000)
        world.choose(notice, "home")
        await world.until(lambda view: view.screen is None)
        assert world.events("transaction_ended")[-1][1]["disposition"] == "uncertain"
        peer.is_down = False
        payments.settle_soon()
        assert await settled(world) == "returned"
        assert peer.last.refunded_fen == 2000


@live
async def test_a_centre_without_channels(tmp_path: Path) -> None:
    async with paying(tmp_path, peer=MoneyPeer(channels=())) as (world, _, _):
        assert (await told(world, "pay")).fault == "H83"
        assert world.events("payment_begun") == []


@live
async def test_an_order_the_centre_refuses(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.refuses = (422, "not_offered")
    async with paying(tmp_path, peer=peer) as (world, _, _):
        assert (await told(world, "pay")).fault == "H83"
        assert await settled(world) == "not_paid"


@live
async def test_a_delivery_refused_for_good_gives_the_money_back(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000)
    async with paying(tmp_path, peer=peer) as (world, _, _):
        world.services.answers["traffic.fine_paid"] = Refused("no", reason="not_eligible")
        notice = await told(world, "submit")
        assert notice.money is not None
        assert notice.money.zh_cn == "您付的 20.00 元会自动原路退回，不用申请。"
        world.choose(notice, "home")
        assert await settled(world) == "returned"
        assert peer.last.delivery == "not_delivered"


@live
async def test_a_delivery_nobody_answered_is_decided_by_the_centres_word(tmp_path: Path) -> None:
    for outcome, end in (("done", "delivered"), ("failed", "returned")):
        peer = MoneyPeer()
        peer.on_order = lambda order, peer=peer: peer.pay(order, 2000)  # type: ignore[misc]
        async with paying(tmp_path / outcome, peer=peer) as (world, _, _):
            world.services.answers["traffic.fine_paid"] = Unreachable("silence", reason="timed_out")
            notice = await told(world, "submit")
            assert notice.money is not None
            assert "办不成会自动原路退回" in notice.money.zh_cn
            peer.outcomes[world.services.calls[0][1]] = outcome
            world.choose(notice, "home")
            assert await settled(world) == end


@live
async def test_money_that_went_back_stops_the_delivery(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000)
    peer.on_call = lambda call: peer.give_back(peer.last.order_id) if call == "POST extend" else None
    async with paying(tmp_path, peer=peer) as (world, _, _):
        assert (await told(world, "submit")).fault == "H85"
        assert world.services.calls == []


@live
async def test_nothing_to_pay_is_passed_over(tmp_path: Path) -> None:
    free = PAY | {"lines": [{"label": text("免费"), "amount_fen": "0"}]}
    async with paying(tmp_path, free, SUBMIT) as (world, peer, _):
        await told(world, "submit")
        assert peer.orders == {}


@live
async def test_an_amount_that_is_none_is_never_guessed(tmp_path: Path) -> None:
    query = {"id": "bill", "kind": "call_service", "operation": "traffic.bill", "effect": "query"}
    pay = PAY | {"lines": [{"label": text("罚款"), "amount_fen": "{service.bill.fine_fen}"}]}
    for wrong in ("20.00", "-1", "", "一百", "99999999999"):
        async with paying(tmp_path / str(len(wrong)), query, pay, SUBMIT) as (world, peer, _):
            world.services.answers["traffic.bill"] = {"fine_fen": wrong}
            assert (await told(world, "pay")).fault == "C34"
            assert peer.orders == {}


# --- the citizen's own code -----------------------------------------------------------------------


class ScriptedScanner:
    async def read(self, **_: Any) -> ScannedCode:
        return ScannedCode(text="281111111111111111")


@live
async def test_the_code_on_the_citizens_phone(tmp_path: Path) -> None:
    peer = MoneyPeer()
    peer.on_order = lambda order: peer.pay(order, 2000)
    async with paying(tmp_path, peer=peer) as (world, _, _):
        world.devices.code_scanner = ScriptedScanner()
        world.choose(await world.screen("pay", "choose"), "payer_code")
        await told(world, "submit")
        assert peer.requests[0].payer_code == "281111111111111111"
        assert "281111111111111111" not in str(world.events())


def test_a_matter_paid_by_card_only_needs_the_card_terminal() -> None:
    assert DeviceClass.PAYMENT_TERMINAL in matter(PAY | {"channels": ["bank_card"]}, SUBMIT, assurance="none").needs
    assert DeviceClass.PAYMENT_TERMINAL not in matter(PAY, SUBMIT, assurance="none").needs
