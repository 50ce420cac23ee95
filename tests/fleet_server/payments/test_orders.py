"""Orders of a terminal at a running centre, with citizens who pay rightly, late, twice, wrongly, never."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from drivers.messages import PaymentState
from drivers.payment_terminal.gateway_judgement import judge
from drivers.payment_terminal.gateway_orders import GatewayOrder, GatewayRefund, GatewayStatus, OpenOrders
from fleet_server.payments import orders
from fleet_server.payments.tending import tend
from fleet_server.sandbox.payments.bills import payment_code
from kiosk.contracts.payments import PAYMENTS_PATH
from tests.fleet_server.payments.conftest import Cash, wanted

FEN = 2000
ID = "order-0001"
LINES = [
    {"id": "licence", "label": "工本费", "amount_fen": 500, "part": "permit"},
    {"id": "post", "label": "邮寄费", "amount_fen": 1500},
]
DAYS = 80 * 3600.0


def for_channel(channel: str) -> dict[str, Any]:
    return {"channel": channel} | ({"bill": payment_code(FEN, 1)} if channel == "non_tax" else {})


# --- the good way -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
def test_paid_and_delivered_is_paid_once(cash: Cash, channel: str) -> None:
    order = cash.order(**for_channel(channel))
    assert (order["state"], order["delivery"], order["channel"]) == ("open", "none", channel)
    assert cash.till.pay(order["qr"]) == [200]
    paid = cash.look()
    assert (paid["state"], paid["verified"], paid["qr"], paid["delivery"]) == ("paid", False, "", "waiting")
    assert [payment["amount_fen"] for payment in paid["payments"]] == [FEN]
    assert cash.look(verify=True)["verified"]
    assert cash.get("/orders?state=undelivered").json() == {"orders": [ID]}
    assert cash.post(f"/orders/{ID}/delivered", {"outcome": "delivered"}).json()["delivery"] == "delivered"
    assert cash.post(f"/orders/{ID}/delivered", {"outcome": "delivered"}).status_code == 200
    cash.tend(DAYS)
    assert cash.look()["refunded_fen"] == 0
    assert cash.till.left_fen() == FEN
    assert cash.get("/orders?state=undelivered").json() == {"orders": []}


def test_a_payment_nobody_told_of_is_found_by_asking(cash: Cash) -> None:
    order = cash.order()
    cash.till.pay(order["qr"], "silent")
    assert cash.look()["state"] == "open"
    assert cash.look(verify=True)["state"] == "paid"


def test_the_centre_asks_by_itself_when_the_terminal_is_gone(cash: Cash) -> None:
    cash.till.pay(cash.order()["qr"], "silent")
    cash.tend(61)
    assert cash.look()["state"] == "paid"
    cash.tend(DAYS)
    assert (cash.look()["delivery"], cash.till.left_fen()) == ("overdue", 0)


@pytest.mark.parametrize(("code", "channel"), [("281234567890123456", "alipay"), ("131234567890123456", "wechat")])
def test_a_scanned_code_finds_its_provider(cash: Cash, code: str, channel: str) -> None:
    body = {"method": "qr_scanned", "payer_code": code, "channel": None}
    order = cash.order(**body)
    assert (order["state"], order["channel"]) == ("paid", channel)
    assert cash.order(**body)["payments"] == order["payments"], "charged once"
    cash.till.behave("refused", times=1)
    refused = cash.order("order-0002", **body)
    assert (refused["state"], refused["reason"]) == ("refused", "declined")
    cash.till.behave("never", times=1)
    assert cash.order("order-0003", **body)["state"] == "paying"
    assert cash.post("/orders/order-0003/close").json()["state"] == "closed"
    kept = cash.world.settings.data / "fleet.sqlite"
    assert code.encode() not in kept.read_bytes() + kept.with_name("fleet.sqlite-wal").read_bytes()


def test_the_driver_alone_can_order(cash: Cash) -> None:
    """The body of gateway_orders.py names no channel, no payee, no lines; and it understands every answer."""
    body = {name: value for name, value in wanted().items() if name in ("amount_fen", "subject", "expires_at")}
    answer = cash.put(f"/orders/{ID}", body | {"currency": "CNY", "method": "qr_shown"})
    assert (answer.status_code, answer.json()["channel"]) == (200, "alipay")
    order = GatewayOrder.model_validate(answer.json())
    assert judge(order, None).state is PaymentState.PENDING
    cash.till.pay(order.qr, "twice")
    paid = judge(GatewayOrder.model_validate(cash.get(f"/orders/{ID}?verify=true").json()), None)
    assert (paid.state, paid.reason, paid.to_refund_fen) == (PaymentState.SUCCEEDED, "paid_twice", 0)
    refund = cash.put(f"/orders/{ID}/refunds/refund-01", {"amount_fen": FEN, "reason": "r"})
    assert GatewayRefund.model_validate(refund.json()).state == "succeeded"
    assert OpenOrders.model_validate(cash.get("/orders?state=open").json()).orders == ()
    assert GatewayStatus.model_validate(cash.get("/status").json()).methods == ("qr_shown", "qr_scanned")


# --- misfortunes with money -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
def test_what_was_paid_twice_goes_back_once(cash: Cash, channel: str) -> None:
    order = cash.order(**for_channel(channel))
    assert cash.till.pay(order["qr"], "twice") == [200, 200]
    paid = cash.look(verify=True)
    assert (paid["state"], len(paid["payments"]), paid["refunded_fen"]) == ("paid", 2, FEN)
    assert [refund["by_centre"] for refund in paid["refunds"]] == [True]
    assert cash.till.left_fen() == FEN
    cash.post(f"/orders/{ID}/delivered")
    cash.tend(DAYS)
    assert cash.till.left_fen() == FEN


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
@pytest.mark.parametrize(
    ("behave", "reason"), [("wrong_amount", "amount_mismatch"), ("wrong_currency", "currency_mismatch")]
)
def test_another_amount_or_currency_goes_back(cash: Cash, channel: str, behave: str, reason: str) -> None:
    order = cash.order(**for_channel(channel))
    cash.till.pay(order["qr"], behave)
    refused = cash.look(verify=True)
    assert (refused["state"], refused["reason"], refused["delivery"]) == ("refused", reason, "none")
    assert cash.post(f"/orders/{ID}/delivered").json()["code"] == "not_paid"
    assert cash.till.left_fen() == 0


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
def test_money_that_comes_after_the_end_goes_back(cash: Cash, channel: str) -> None:
    order = cash.order(**for_channel(channel))
    assert cash.post(f"/orders/{ID}/close").json()["state"] == "closed"
    assert cash.till.pay(order["qr"], "late") == [200]
    late = cash.look(verify=True)
    assert (late["state"], late["refunded_fen"], cash.till.left_fen()) == ("closed", FEN, 0)


def test_closing_comes_too_late(cash: Cash) -> None:
    order = cash.order()
    cash.till.pay(order["qr"], "silent")
    assert cash.post(f"/orders/{ID}/close").json()["state"] == "paid"
    cash.tend(DAYS)
    assert cash.till.left_fen() == 0


def test_nobody_pays(cash: Cash) -> None:
    order = cash.order()
    assert cash.get("/orders?state=open").json() == {"orders": [ID]}
    cash.tend(3600)
    closed = cash.look()
    assert (closed["state"], closed["reason"]) == ("closed", "expired")
    assert cash.till.trade(order["qr"]).state == "closed"
    assert cash.get("/orders?state=open").json() == {"orders": []}


# --- notices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
@pytest.mark.parametrize(("behave", "heard"), [("lie", [200]), ("forged", [401]), ("other_merchant", [401])])
def test_a_notice_that_is_not_true_pays_nothing(cash: Cash, channel: str, behave: str, heard: list[int]) -> None:
    order = cash.order(**for_channel(channel))
    if behave == "lie":
        assert cash.till.pay(order["qr"], behave) == heard
        assert cash.look(verify=True)["state"] == "open"
    else:
        assert cash.till.pay(order["qr"], behave) == heard
        assert cash.look()["state"] == "open", "the money is there, but this notice did not say so"
        assert cash.look(verify=True)["state"] == "paid"


def test_a_notice_again_and_again_changes_nothing(cash: Cash) -> None:
    cash.till.pay(cash.order()["qr"])
    before = cash.look()
    for _ in range(3):
        assert set(cash.till.notices_again()[-1:]) == {200}
    assert cash.look() == before
    cash.post(f"/orders/{ID}/delivered", {"outcome": "not_delivered"})
    assert cash.till.notices_again()[-1] == 200
    assert cash.till.left_fen() == 0
    assert len(cash.look()["refunds"]) == 1


def test_a_notice_of_one_channel_does_not_pay_at_another(cash: Cash) -> None:
    order = cash.order(channel="wechat")
    trade = cash.till.trade(order["qr"])
    trade.notify_url = trade.notify_url.replace("/wechat/", "/alipay/")
    assert cash.till.pay(order["qr"]) == [401]
    assert cash.client.post("/payments/notify/alipay/nobody").status_code == 503


def test_a_server_that_dies_between_notice_and_commit_hears_it_again(
    cash: Cash, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = cash.order()
    real = orders.record_standing

    def dies(*given: Any, **more: Any) -> None:
        real(*given, **more)
        raise RuntimeError("killed before the commit")

    monkeypatch.setattr(orders, "record_standing", dies)
    assert cash.till.pay(order["qr"]) == [500]
    monkeypatch.setattr(orders, "record_standing", real)
    assert cash.look()["state"] == "open"
    assert cash.till.notices_again()[-1] == 200
    paid = cash.look()
    assert (paid["state"], len(paid["payments"])) == ("paid", 1)


# --- ids --------------------------------------------------------------------------------------------------------------


def test_only_what_makes_sense_is_ordered(cash: Cash) -> None:
    for wrong in (
        {"amount_fen": 0}, {"amount_fen": 20.0}, {"amount_fen": "2000"}, {"currency": "USD"}, {"channel": "bank"},
        {"lines": LINES[:1]}, {"lines": [LINES[0], LINES[0] | {"amount_fen": 1500}]}, {"channel": "non_tax"},
        {"bill": "1"}, {"payer_code": "28"}, {"method": "qr_scanned"}, {"method": "card"}, {"subject": ""},
        {"expires_at": "2020-01-01T00:00:00Z"}, {"expires_at": "2090-01-01T00:00:00"}, {"more": 1},
        {"method": "qr_scanned", "channel": None, "payer_code": "990000000000000000"}, {"payer_code": "１２"},
    ):  # fmt: skip
        answer = cash.put(f"/orders/{ID}", wanted(**wrong))
        assert answer.status_code == 422, wrong
    assert cash.put("/orders/no!", wanted()).status_code == 422
    assert cash.get(f"/orders/{ID}").status_code == 404
    assert cash.client.get(f"{PAYMENTS_PATH}/status").json()["code"] == "unsigned"


# --- delivery and refunds ---------------------------------------------------------------------------------------------


def test_parts_go_back_by_line(cash: Cash) -> None:
    cash.till.pay(cash.order(lines=LINES)["qr"])
    body = {"amount_fen": 500, "reason": "未受理", "lines": ["licence"]}
    for _ in range(2):
        refund = cash.put(f"/orders/{ID}/refunds/refund-01", body)
        assert (refund.status_code, refund.json()["state"]) == (200, "succeeded")
    assert cash.till.left_fen() == 1500
    again = cash.put(f"/orders/{ID}/refunds/refund-02", body)
    assert again.json()["code"] == "unknown_line"
    assert cash.put(f"/orders/{ID}/refunds/refund-01", body | {"amount_fen": 1}).json()["code"] == "duplicate_refund"
    assert cash.put(f"/orders/{ID}/refunds/refund-03", {"amount_fen": 1501}).json()["code"] == "too_much"
    wrong_sum = {"amount_fen": 1, "lines": ["post"]}
    assert cash.put(f"/orders/{ID}/refunds/refund-03", wrong_sum).json()["code"] == "line_sum"
    own = cash.put(f"/orders/{ID}/refunds/centre.overdue", {"amount_fen": 1})
    assert own.status_code == 422
    report = {"outcome": "delivered", "undelivered_lines": ["post"]}
    assert cash.post(f"/orders/{ID}/delivered", report).json()["refunded_fen"] == FEN
    assert cash.till.left_fen() == 0


def test_a_refund_waits_for_its_provider(cash: Cash) -> None:
    cash.till.pay(cash.order()["qr"])
    cash.till.behave("down", times=1)
    refund = cash.put(f"/orders/{ID}/refunds/refund-01", {"amount_fen": 700}).json()
    assert (refund["state"], refund["reason"]) == ("pending", "unreachable")
    cash.till.behave("refuse", times=1)
    cash.tend(2)
    assert cash.look()["refunds"][0]["state"] == "pending", "no balance today"
    cash.tend(DAYS)
    states = {each["refund_id"]: (each["state"], each["amount_fen"]) for each in cash.look()["refunds"]}
    assert states == {"refund-01": ("succeeded", 700), "centre.overdue": ("succeeded", FEN - 700)}
    assert cash.till.left_fen() == 0


# --- providers in trouble ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behave", ["down", "garbage", "bad_signature"])
def test_a_provider_in_trouble_is_asked_again(cash: Cash, behave: str) -> None:
    cash.till.behave(behave, times=1)
    first = cash.put(f"/orders/{ID}", wanted())
    assert (first.status_code, first.json()["code"]) == (503, "provider_unreachable")
    assert "alipay" not in cash.get("/status").json()["channels"]
    assert cash.order()["qr"]
    assert set(cash.get("/status").json()["channels"]) == {"alipay", "wechat", "non_tax", "bank_card"}


def test_a_provider_that_refuses_ends_the_order(cash: Cash) -> None:
    cash.till.behave("refuse", times=1)
    order = cash.order()
    assert (order["state"], order["reason"]) == ("refused", "provider_refused")
    wrong_bill = cash.order("order-0002", channel="non_tax", bill=payment_code(1, 1))
    assert (wrong_bill["state"], wrong_bill["reason"]) == ("refused", "amount_mismatch")


def test_an_id_closed_before_it_was_used_stays_closed(cash: Cash) -> None:
    assert cash.post(f"/orders/{ID}/close").json()["state"] == "closed"
    late = cash.order()
    assert (late["state"], late["qr"]) == ("closed", "")
    assert cash.look(verify=True)["verified"]
    assert not cash.till.house.trades


def test_what_was_not_delivered_goes_back_once(cash: Cash) -> None:
    cash.till.pay(cash.order()["qr"])
    for _ in range(2):
        back = cash.post(f"/orders/{ID}/delivered", {"outcome": "not_delivered"}).json()
        assert (back["delivery"], back["refunded_fen"], len(back["refunds"])) == ("not_delivered", FEN, 1)
    assert cash.post(f"/orders/{ID}/delivered").json()["code"] == "given_back"
    cash.tend(DAYS)
    assert cash.till.left_fen() == 0
    assert len(cash.till.house.trades) == 1


def test_the_window_passes_unless_it_is_extended(cash: Cash) -> None:
    for name in ("order-0001", "order-0002"):
        cash.till.pay(cash.order(name, delivery_seconds=60)["qr"])
    longer = cash.post("/orders/order-0002/extend", {"seconds": 3600})
    assert longer.status_code == 200
    assert cash.post("/orders/order-0002/extend", {"seconds": 1}).json()["deliver_by"] == longer.json()["deliver_by"]
    cash.tend(61)
    assert (cash.look("order-0001")["delivery"], cash.look("order-0002")["delivery"]) == ("overdue", "waiting")
    assert cash.till.left_fen() == FEN
    late = cash.post("/orders/order-0001/delivered")
    assert (late.status_code, late.json()["code"]) == (409, "given_back")
    assert cash.post("/orders/order-0001/extend", {"seconds": 60}).json()["code"] == "given_back"
    assert cash.post("/orders/order-0002/delivered").status_code == 200
    cash.tend(DAYS)
    assert cash.till.left_fen() == FEN
    assert cash.post("/orders/order-0002/extend", {"seconds": 60}).json()["code"] == "delivery_settled"
    assert cash.post("/orders/order-0002/delivered", {"outcome": "not_delivered"}).json()["code"] == "delivery_settled"


@pytest.mark.parametrize("until", ["2099-01-01T00:00:00+08:00", "9999-12-31T23:59:59-14:00"])
def test_no_order_waits_for_years(cash: Cash, until: str) -> None:
    answer = cash.put("/orders/order-0001", wanted(expires_at=until))
    assert (answer.status_code, answer.json()["code"]) == (422, "expires_late")
    assert cash.get("/orders/order-0001").status_code == 404


def test_one_order_that_fails_keeps_no_other_waiting(cash: Cash, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens with the first due row, the ones behind it are seen to in the same round."""
    for place in range(3):
        cash.order(f"order-000{place}")
    asked: list[str] = []

    async def broken(number: str, reference: str = "") -> None:
        asked.append(number)
        raise RuntimeError("a provider's answer nobody thought of")

    monkeypatch.setattr(cash.cashier.counters.of("alipay", "sandbox"), "query", broken)
    asyncio.run(tend(cash.cashier, dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90)))
    assert len(set(asked)) == 3
