"""Orders paid by card at a machine's own device: the centre keeps what the device says, and never asks anybody else."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from fleet_server.payments.models import PaymentArrived, PaymentOrder, PaymentRefund
from fleet_server.payments.providers import card_devices
from fleet_server.payments.providers.accounts import CardAccount
from fleet_server.payments.providers.protocol import Unreachable
from fleet_server.payments.reconciliation import reconcile
from kiosk.contracts.value import CITY_TIME
from tests.fleet_server.payments.conftest import Cash, wanted

FEN = 2000
REFERENCE = "68000001-0001-001001"
PAID: dict[str, Any] = {"state": "paid", "amount_fen": FEN, "reference": REFERENCE}


def by_card(cash: Cash, order_id: str = "order-0001", **changed: Any) -> dict[str, Any]:
    return cash.order(order_id, channel="bank_card", method="card", **changed)


def said(cash: Cash, order_id: str = "order-0001", **word: Any) -> tuple[int, dict[str, Any]]:
    answer = cash.post(f"/orders/{order_id}/card", word)
    return answer.status_code, answer.json()


def refunds(cash: Cash) -> list[tuple[str, int]]:
    with cash.world.database.reading() as session:
        return [(row.state, row.amount_fen) for row in session.exec(select(PaymentRefund)).all()]


def test_an_order_by_card_is_kept_and_left_to_its_machine(cash: Cash) -> None:
    order = by_card(cash)
    assert (order["state"], order["qr"], order["channel"]) == ("open", "", "bank_card")
    assert "bank_card" in cash.get("/status").json()["channels"]
    cash.tend(seconds=10 * 24 * 3600)
    assert cash.look()["state"] == "open", "no time closes what only the machine knows"
    for _ in range(2):
        assert said(cash, **PAID)[0] == 200
    assert (cash.look()["state"], cash.look()["reference"]) == ("paid", REFERENCE)
    assert cash.post("/orders/order-0001/extend", {"seconds": 60}).status_code == 200
    cash.tend(seconds=10 * 24 * 3600)
    assert (cash.look()["delivery"], cash.look()["refunded_fen"]) == ("waiting", 0), "no window for a card"
    assert cash.post("/orders/order-0001/delivered").status_code == 200
    assert (cash.look()["delivery"], refunds(cash)) == ("delivered", [])
    assert said(cash, **PAID | {"state": "returned"})[0] == 409, "delivered is delivered"


@pytest.mark.parametrize(("state", "ends"), [("returned", "succeeded"), ("owed", "failed")])
def test_what_was_not_delivered_is_written_down_as_the_device_says(cash: Cash, state: str, ends: str) -> None:
    by_card(cash)
    said(cash, **PAID)
    for _ in range(2):
        assert said(cash, **PAID | {"state": state, "reason": "not_delivered"})[0] == 200
    assert (cash.look()["delivery"], refunds(cash)) == ("not_delivered", [(ends, FEN)])
    cash.tend(seconds=3600)
    assert refunds(cash) == [(ends, FEN)]
    if state == "owed":
        assert said(cash, **PAID | {"state": "returned"})[0] == 200, "later the device could after all"
        assert refunds(cash) == [("succeeded", FEN)]


def test_another_amount_is_no_payment_of_the_order(cash: Cash) -> None:
    by_card(cash)
    assert said(cash, state="returned", amount_fen=2100, reference=REFERENCE, reason="amount_mismatch")[0] == 200
    order = cash.look()
    assert (order["state"], order["reason"], order["refunded_fen"]) == ("refused", "amount_mismatch", 2100)
    assert refunds(cash) == [("succeeded", 2100)]
    assert cash.post("/orders/order-0001/delivered").status_code == 409


def test_an_unpaid_word_closes_for_good_also_what_never_arrived(cash: Cash) -> None:
    by_card(cash)
    for _ in range(2):
        assert said(cash, state="unpaid", reason="declined")[0] == 200
    assert cash.look()["state"] == "closed"
    assert said(cash, "order-0002", state="unpaid", reason="cancelled")[0] == 200
    assert by_card(cash, "order-0002")["state"] == "closed", "the order that came late is not opened"
    assert said(cash, "order-0002", **PAID)[0] == 409
    assert said(cash, "order-0003", **PAID)[0] == 404


def test_words_that_cannot_be_are_refused(cash: Cash) -> None:
    by_card(cash)
    for wrong in (
        {"state": "paid"}, PAID | {"state": "unpaid"}, PAID | {"amount_fen": -1}, PAID | {"reference": "a b"},
        PAID | {"reference": ""}, PAID | {"state": "delivered"}, PAID | {"amount_fen": "2000"},
    ):  # fmt: skip
        assert said(cash, **wrong)[0] == 422, wrong
    assert said(cash, **PAID)[0] == 200
    assert said(cash, **PAID | {"reference": "68000001-0002-001002"})[0] == 409
    assert said(cash, state="unpaid")[0] == 409
    cash.order("order-0009")
    assert said(cash, "order-0009", **PAID)[0] == 422, "no card pays what a provider collects"
    stranger = cash.world.terminal("xm-0002")
    assert cash.post("/orders/order-0001/card", PAID, stranger).status_code == 404
    for body in ({"channel": "bank_card"}, {"channel": "alipay", "method": "card"}):
        assert cash.put("/orders/order-0010", wanted(**body)).status_code == 422


def test_the_acquirers_file_is_compared_with_what_the_machines_said(cash: Cash, tmp_path: Path) -> None:
    for number, name in enumerate(("good", "back", "unheard"), 1):
        by_card(cash, f"order-{name}")
        reference = f"68000001-{number:04d}-{1000 + number:06d}"
        said(cash, f"order-{name}", **PAID | {"reference": reference})
        if name == "back":
            said(cash, f"order-{name}", **PAID | {"reference": reference, "state": "returned"})
    cash.cashier.counters._providers["bank_card", "sandbox"] = card_devices.CardDevices(
        CardAccount(id="sandbox", files=str(tmp_path))
    )
    today = dt.datetime.now(CITY_TIME).date()
    rows = ["payment,68000001-0001-001001,20.00", "payment,68000001-0002-001002,20.00"]
    rows += ["reversal,68000001-0002-001002,20.00", "payment,68000001-0003-001003,20.00"]

    def compared(*lines: str) -> tuple[str, list[str]]:
        (tmp_path / f"{today}.csv").write_text("\n".join(["kind,reference,amount", *lines, f"rows,{len(lines)},", ""]))
        found = next(each for each in asyncio.run(reconcile(cash.cashier, today)) if each.channel == "bank_card")
        return found.result, sorted(each.kind for each in found.differences)

    assert compared(*rows) == ("agrees", [])
    assert compared(*rows[:2], "payment,68000009-0001-000001,9.00") == (
        "differs", ["missing_here", "missing_there", "refund_missing_there"],
    )  # fmt: skip
    assert compared(*[row.replace("20.00", "20.01") for row in rows])[1] == [
        *["other_amount"] * 3, "refund_other_amount",
    ]  # fmt: skip
    for broken in (b"", b"kind,reference,amount\nrows,1,\n", b"\xff", b"kind,reference,amount\ntip,1,2.00\nrows,1,\n"):
        with pytest.raises(Unreachable):
            card_devices.read_card_file(broken)
    (tmp_path / f"{today}.csv").unlink()
    assert {each.result for each in asyncio.run(reconcile(cash.cashier, today)) if each.channel == "bank_card"} == {
        "no_file"
    }


def test_money_tells_of_cards_nobody_heard_of_again(cash: Cash) -> None:
    by_card(cash)
    with cash.world.staff_client("auditor") as browser:
        assert "order-0001" in browser.get("/money").text
        assert "银行卡" in browser.get("/money").text
        assert "没有下文" not in browser.get("/money").text
        with cash.world.database.writing() as session:
            order = session.exec(select(PaymentOrder)).one()
            order.expires_at -= dt.timedelta(hours=2)
        assert "没有下文" in browser.get("/money").text
        said(cash, **PAID)
        said(cash, **PAID | {"state": "owed", "reason": "not_delivered"})
        text = browser.get("/money").text
        assert "没有下文" not in text
        assert "应退未退" in text
    with cash.world.database.reading() as session:
        assert session.exec(select(PaymentArrived)).one().heard_by == "device"


def test_two_machines_that_count_alike_take_two_payments(cash: Cash) -> None:
    """A device numbers its payments for itself, and begins anew after a reset: no money is taken for known money."""
    peer = cash.world.terminal(f"alike-{secrets.token_hex(3)}")
    by_card(cash)
    by_card(cash, "order-0002")
    by_card(cash, "order-0003", peer=peer)
    assert said(cash, **PAID)[1]["state"] == "paid"
    for order_id, teller in (("order-0002", cash.peer), ("order-0003", peer)):
        for _ in range(2):
            answer = cash.post(f"/orders/{order_id}/card", PAID, teller)
            assert (answer.status_code, answer.json()["state"]) == (200, "paid")
        assert cash.post(f"/orders/{order_id}/card", PAID | {"reference": "other"}, teller).status_code == 409
        assert cash.post(f"/orders/{order_id}/card", PAID | {"state": "returned"}, teller).status_code == 200
    assert refunds(cash) == [("succeeded", FEN), ("succeeded", FEN)]
    with cash.world.database.reading() as session:
        assert len(session.exec(select(PaymentArrived)).all()) == 3
