"""A day's money compared with the providers' files; the command and the page that show it."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any, get_args

import pytest
from sqlmodel import col, delete, select

from fleet_server.__main__ import main
from fleet_server.dashboard.catalogue import catalogue
from fleet_server.database import now
from fleet_server.payments.models import PaymentArrived, PaymentDay, PaymentDifference, PaymentRefund
from fleet_server.payments.providers import daily_files
from fleet_server.payments.providers.alipay import REASONS as ALIPAY_REASONS
from fleet_server.payments.providers.non_tax import REASONS as BILL_REASONS
from fleet_server.payments.providers.protocol import Unreachable
from fleet_server.payments.reconciliation import Compared, reconcile, reconcile_when_due
from fleet_server.sandbox.payments.bills import payment_code
from kiosk.contracts.payments import CentreChannel, Delivery, OrderState
from kiosk.contracts.value import CITY_TIME
from tests.fleet_server.payments.conftest import Cash

FEN = 2000
CHANNELS = ("alipay", "wechat", "non_tax")


def today() -> dt.date:
    return dt.datetime.now(CITY_TIME).date()


def a_day_of_money(cash: Cash) -> None:
    """At every channel one delivered, one given back, one paid twice."""
    for number, channel in enumerate(CHANNELS):
        for serial, end in enumerate(("good", "back", "twice")):
            name = f"order-{channel}-{end}"
            bill = {"bill": payment_code(FEN, 10 * number + serial)} if channel == "non_tax" else {}
            order = cash.order(name, channel=channel, **bill)
            cash.till.pay(order["qr"], "twice" if end == "twice" else "paid")
            outcome = "not_delivered" if end == "back" else "delivered"
            assert cash.post(f"/orders/{name}/delivered", {"outcome": outcome}).status_code == 200


def compared(cash: Cash, day: dt.date | None = None) -> dict[str, Compared]:
    return {each.channel: each for each in asyncio.run(reconcile(cash.cashier, day or today()))}


def kinds(found: Compared) -> list[str]:
    return sorted(each.kind for each in found.differences)


def test_a_good_day_agrees(cash: Cash) -> None:
    a_day_of_money(cash)
    for channel, found in compared(cash).items():
        assert (found.result, found.payments, found.refunds, found.differences) == ("agrees", 4, 2, []), channel
    yesterday = compared(cash, today() - dt.timedelta(days=1))
    assert {each.result for each in yesterday.values()} == {"agrees"}, "nothing was paid, nothing is missing"


def test_money_nobody_told_of_is_found_and_goes_back(cash: Cash) -> None:
    """Paid at the provider under an order that is closed here; no notice came."""
    order = cash.order()
    cash.post("/orders/order-0001/close")
    cash.till.pay(order["qr"], "silent")
    found = compared(cash)["alipay"]
    assert kinds(found) == ["missing_here"]
    assert found.differences[0].theirs_fen == FEN
    assert (cash.look()["refunded_fen"], cash.till.left_fen()) == (FEN, 0)
    assert compared(cash)["alipay"].result == "agrees"
    with cash.world.database.reading() as session:
        kept = session.exec(select(PaymentDifference)).all()
    assert [(row.kind, row.gone_at is not None) for row in kept] == [("missing_here", True)]


def test_every_kind_of_difference_is_named(cash: Cash) -> None:
    a_day_of_money(cash)
    with cash.world.database.writing() as session:
        payments = session.exec(select(PaymentArrived).where(PaymentArrived.channel == "wechat")).all()
        given = session.exec(select(PaymentRefund).order_by(col(PaymentRefund.created_at))).all()
        payments[0].amount_fen += 1
        session.add(PaymentArrived(**payments[1].model_dump() | {"reference": "4200 never was"}))
        last = [row for row in given if row.order_number == payments[2].order_number or row.by_centre][-1]
        session.exec(delete(PaymentRefund).where(col(PaymentRefund.number) == last.number))
        alipay = session.exec(select(PaymentArrived).where(PaymentArrived.channel == "alipay")).all()
        mine = [row for row in given if row.order_number in {each.order_number for each in alipay}]
        mine[0].amount_fen += 7
        session.add(PaymentRefund(**mine[1].model_dump() | {"number": "f" * 32, "refund_id": "made-up"}))
    found = compared(cash)
    assert kinds(found["wechat"]) == ["missing_there", "other_amount"]
    assert kinds(found["alipay"]) == ["refund_missing_there", "refund_other_amount"]
    assert kinds(found["non_tax"]) == ["refund_missing_here"]


def test_a_provider_without_a_file_is_not_a_day_compared(cash: Cash) -> None:
    cash.till.behave("down", channel="alipay")
    found = compared(cash)
    assert {channel: each.result for channel, each in found.items()} == {
        "alipay": "no_file", "wechat": "agrees", "non_tax": "agrees",
    }  # fmt: skip
    with cash.world.database.reading() as session:
        assert {row.channel for row in session.exec(select(PaymentDay)).all()} == {"wechat", "non_tax"}


def test_the_server_compares_yesterday_by_itself_once_files_are_ready(cash: Cash) -> None:
    def days() -> int:
        with cash.world.database.reading() as session:
            return len(session.exec(select(PaymentDay).where(PaymentDay.day == dt.date(2026, 3, 1))).all())

    early, late = (dt.datetime(2026, 3, 2, hour, tzinfo=CITY_TIME) for hour in (9, 10))
    asyncio.run(reconcile_when_due(cash.cashier, early))
    assert days() == 0
    asyncio.run(reconcile_when_due(cash.cashier, late))
    assert days() == 3


@pytest.mark.parametrize(
    "read", [daily_files.read_alipay, daily_files.read_wechat, daily_files.read_non_tax], ids=CHANNELS
)
def test_a_file_that_is_not_whole_is_not_read(read: Any) -> None:
    for nonsense in (
        b"",
        b"nonsense",
        b"\xff\xfe\x00",
        b"PK\x03\x04 broken",
        "总交易单数\n`5".encode(),
        b"H|1|2|3\nP|a",
    ):
        with pytest.raises(Unreachable):
            read(nonsense)


def test_the_command_says_what_differs(cash: Cash, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    a_day_of_money(cash)
    monkeypatch.setenv("YIZHAN_SANDBOX_URL", cash.till.address)
    arguments = ["reconcile", "--data", str(cash.world.settings.data), "--day", today().isoformat()]
    assert main(arguments) == 0
    assert capsys.readouterr().out.count(": agrees, 4 paid, 2 refunds") == 3
    with cash.world.database.writing() as session:
        session.exec(delete(PaymentRefund))
    assert main([*arguments, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [kind for each in told for kind in sorted(d["kind"] for d in each["differences"])] == (
        ["refund_missing_here", "refund_missing_here"] * 3
    )


def test_the_page_shows_what_needs_a_person(cash: Cash) -> None:
    a_day_of_money(cash)
    cash.till.pay(cash.order()["qr"])
    cash.post("/orders/order-0001/delivered", {"outcome": "not_delivered"})
    assert cash.post("/orders/order-0001/delivered").status_code == 409
    with cash.world.database.writing() as session:
        row = session.exec(select(PaymentRefund)).first()
        assert row is not None
        row.state, row.reason, row.done_at = "failed", "provider_refused", now()
    compared(cash)
    headings = {"zh-CN": ("应退未退", "又报办成"), "zh-TW": ("應退未退", "又回報辦成"), "en": ("owed", "had gone back")}
    with cash.world.staff_client("auditor") as browser:
        for language, sentences in headings.items():
            browser.cookies.set("yizhan_language", language)
            text = browser.get("/money").text
            assert all(sentence in text for sentence in sentences)
            assert "¥20.00" in text
            assert "order-wechat-good" in text
        one = browser.get("/money", params={"number": "order-wechat-good"}).text
        assert "order-wechat-good" in one
        assert "order-wechat-back" not in one
        assert "<script>" not in browser.get("/money", params={"number": "<script>alert(1)</script>"}).text
    with cash.world.staff_client("author") as browser:
        assert browser.get("/money").status_code == 403


def test_every_state_of_money_has_its_words() -> None:
    kinds = [
        f"{prefix}{kind}" for prefix in ("", "refund_") for kind in ("missing_here", "missing_there", "other_amount")
    ]
    groups = {
        "state": get_args(OrderState), "delivery": get_args(Delivery), "kind": kinds,
        "channel": get_args(CentreChannel), "result": ("agrees", "differs"),
        "why": {*BILL_REASONS.values(), *ALIPAY_REASONS.values(), "provider_refused"},
    }  # fmt: skip
    wanted = {f"money.{group}.{value}" for group, values in groups.items() for value in values}
    assert len(wanted) > 25
    assert not wanted - set(catalogue())
