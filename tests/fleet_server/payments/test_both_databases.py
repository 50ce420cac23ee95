"""What leans on locks and unique keys, and the server's own life: on SQLite and on PostgreSQL."""

from __future__ import annotations

from sqlmodel import select

from fleet_server.payments.models import PaymentOrder
from fleet_server.settings import Settings
from tests.fleet_server.conftest import running
from tests.fleet_server.payments.conftest import Cash, Till, wanted

FEN = 2000
ID = "order-0001"
DAYS = 80 * 3600.0


def test_one_id_is_one_order(any_cash: Cash) -> None:
    cash = any_cash
    expires_at = wanted()["expires_at"]
    first = cash.order(expires_at=expires_at)
    assert cash.order(expires_at=expires_at) == first
    assert len(cash.till.house.trades) == 1
    other = cash.put(f"/orders/{ID}", wanted(amount_fen=1))
    assert (other.status_code, other.json()["code"]) == (409, "duplicate_order")


def test_two_terminals_may_choose_one_id(any_cash: Cash) -> None:
    cash, peer = any_cash, any_cash.world.terminal("bench-2")
    assert cash.get(f"/orders/{ID}", peer).status_code == 404
    mine, theirs = cash.order(), cash.order(peer=peer, amount_fen=700)
    assert mine["qr"] != theirs["qr"]
    cash.till.pay(theirs["qr"])
    assert cash.look()["state"] == "open"
    assert cash.get(f"/orders/{ID}", peer).json()["state"] == "paid"
    assert cash.post(f"/orders/{ID}/delivered").json()["code"] == "not_paid"
    assert cash.get("/orders?state=open", peer).json() == {"orders": []}


def test_a_server_that_begins_again_takes_up_what_is_owed(till: Till, any_settings: Settings) -> None:
    settings = any_settings.model_copy(update={"sandbox_url": till.address})
    with running(settings) as world, world.client() as client:
        before = Cash(world, till, world.terminal(), client)
        before.till.pay(before.order()["qr"])
        with world.database.writing() as session:
            row = session.exec(select(PaymentOrder)).one()
            row.deliver_by = row.look_at = row.created_at
    assert till.left_fen() == FEN
    with running(settings) as world, world.client() as client:
        after = Cash(world, till, before.peer, client)
        for _ in range(200):
            if after.look()["refunds"] and after.look()["refunds"][0]["state"] == "succeeded":
                break
        assert (after.look()["delivery"], after.look()["refunded_fen"], till.left_fen()) == ("overdue", FEN, 0)
