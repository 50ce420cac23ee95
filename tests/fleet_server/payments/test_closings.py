"""An owed refund that was given back by hand: closed by two people, and never given a second time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlmodel import select

from fleet_server.payments.models import PaymentRefund, RefundClosing
from fleet_server.staff.models import AuditEntry
from tests.fleet_server.payments.conftest import Cash
from tests.fleet_server.payments.test_reconciliation import compared

NOTE = {"way": "transfer", "note": "转账凭证 2026-118 号"}


def owed(cash: Cash, order_id: str = "order-0001") -> str:
    """A payment whose refund the provider would not make; the refund's number."""
    cash.till.pay(cash.order(order_id)["qr"])
    cash.till.behave("down", channel="alipay")
    cash.post(f"/orders/{order_id}/delivered", {"outcome": "not_delivered"})
    cash.till.house.behaviours.clear()
    with cash.world.database.writing() as session:
        refund = session.exec(select(PaymentRefund)).one()
        refund.state, refund.reason, refund.look_at = "failed", "provider_refused", None
        return refund.number


@contextmanager
def person(cash: Cash, name: str) -> Iterator[httpx.Client]:
    with cash.world.staff_client(name) as browser:
        browser.headers["Content-Type"] = "application/x-www-form-urlencoded"
        yield browser


def deed(browser: httpx.Client, what: str, number: str, **fields: str) -> int:
    return browser.post(f"/money/refunds/{what}", data={"refund": number, **fields}).status_code


def test_two_people_close_what_went_back_by_hand(cash: Cash) -> None:
    number = owed(cash)
    with person(cash, "maintainer") as first, person(cash, "administrator") as second:
        assert deed(second, "confirm", number) == 404, "nothing is written yet"
        assert deed(first, "write", number, **NOTE) == 303
        assert deed(second, "write", number, **NOTE) == 409
        assert deed(first, "confirm", number) == 403, "one person is not two"
        assert "转账凭证 2026-118 号" in second.get("/money").text
        assert cash.look()["refunded_fen"] == 0, "one person's word moves nothing"
        assert deed(second, "confirm", number) == 303
        assert deed(second, "confirm", number) == 404
        page = second.get("/money").text
        assert "应退未退" not in page
        assert "转账凭证 2026-118 号" in page, "what was done stays to be read"
    assert (cash.look()["refunded_fen"], cash.look()["refunds"][0]["reason"]) == (2000, "by_hand")
    with cash.world.database.reading() as session:
        assert session.get_one(RefundClosing, number).confirmed_by == "administrator"
        actions = session.exec(select(AuditEntry.action).where(AuditEntry.subject == number)).all()
    assert list(actions) == ["refund_closing_written", "refund_closed"]


def test_what_was_given_by_hand_is_given_by_nobody_else(cash: Cash) -> None:
    number = owed(cash)
    with person(cash, "maintainer") as first, person(cash, "administrator") as second:
        deed(first, "write", number, **NOTE)
        deed(second, "confirm", number)
    again = cash.put("/orders/order-0001/refunds/refund-again", {"amount_fen": 2000})
    assert again.status_code in (409, 422)
    left = cash.till.left_fen()
    cash.tend(seconds=7 * 24 * 3600)
    assert cash.till.left_fen() == left, "the provider was not asked again"
    assert all(each.result == "agrees" for each in compared(cash).values()), "the provider's file need not know it"


def test_a_refund_that_came_through_meanwhile_is_owed_no_more(cash: Cash) -> None:
    """The terminal asked again under another id and got it: closing the first one would be a second gift."""
    number = owed(cash)
    with cash.world.database.writing() as session:
        row = session.get_one(PaymentRefund, number)
        content = row.model_dump() | {"number": "f" * 32, "refund_id": "refund-again", "state": "succeeded"}
        session.add(PaymentRefund(**content | {"done_at": dt.datetime.now(dt.UTC)}))
    with person(cash, "maintainer") as browser:
        assert "应退未退" not in browser.get("/money").text
        assert deed(browser, "write", number, **NOTE) == 404


@pytest.mark.parametrize("way", ["", "gift"])
def test_what_is_written_is_checked(cash: Cash, way: str) -> None:
    number = owed(cash)
    with person(cash, "maintainer") as browser:
        assert deed(browser, "write", number, way=way, note="凭证 2026") == 422
        assert deed(browser, "write", number, way="cash", note="   a  ") == 422
        assert deed(browser, "write", number, way="cash", note="退给 13800138000 本人") == 422
        assert deed(browser, "write", "0" * 32, **NOTE) == 404
        assert deed(browser, "write", number, **NOTE) == 303
        assert deed(browser, "withdraw", number) == 303
        assert deed(browser, "withdraw", number) == 404
        assert "应退未退" in browser.get("/money").text
    for name in ("auditor", "operator", "author", "reviewer"):
        with person(cash, name) as browser:
            assert deed(browser, "write", number, **NOTE) == 403
            assert deed(browser, "confirm", number) == 403
