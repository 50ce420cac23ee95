"""Two different people vouch for a citizen, or nobody is signed in; PINs are counted; time runs out; all is audited."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import httpx
import pytest
from sqlmodel import select

from fleet_server.confirmations import service
from fleet_server.confirmations.models import Clerk, ClerkCreate, ConfirmationRow
from fleet_server.database import now
from fleet_server.staff.models import AuditEntry
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import SiteCreate
from tests.fleet_server.conftest import PASSWORD, World
from tests.fleet_server.dashboard.conftest import send
from tests.fleet_server.peer import Peer

PINS = {"1001": "402917", "1002": "630148", "2001": "871235"}
ASKED = {
    "transaction_number": "260305-T1-AAAAAA",
    "matter": "no_house_certificate",
    "holder": "林** 350***********0017",
}
PATH = "/terminal/v1/confirmations"


class Shop:
    """A terminal in a shop with two clerks, one of whom has an account too; a third works elsewhere."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.peer: Peer = world.terminal()
        with world.database.writing() as session:
            terminals.create_site(session, SiteCreate(id="elsewhere", name="另一家店"), by="administrator")
            session.flush()
            for number, pin in PINS.items():
                site = "elsewhere" if number == "2001" else "shop"
                wanted = ClerkCreate(number=number, site=site, display_name=f"店员{number}", pin=pin,
                                     account="both" if number == "1001" else "")  # fmt: skip
                service.create_clerk(session, wanted, by="administrator")

    def send(self, method: str, path: str, body: Any = None, peer: Peer | None = None) -> httpx.Response:
        with self.world.client() as client:
            url, content = f"{self.world.url}{PATH}/{path}", b"" if body is None else httpx.Request(
                "POST", "http://x", json=body
            ).content  # fmt: skip
            headers = (peer or self.peer).sign(method, url, content, headers={"Content-Type": "application/json"})
            return client.request(method, url, content=content, headers=headers)

    def ask(self, id: str = "", clerk: str = "1001", pin: str = "", **changed: Any) -> httpx.Response:
        body = ASKED | {"clerk": clerk, "pin": pin or PINS.get(clerk, "402917")} | changed
        return self.send("PUT", id or secrets.token_hex(16), body)

    def second(self, id: str, clerk: str, pin: str = "") -> httpx.Response:
        return self.send("POST", f"{id}/second", {"clerk": clerk, "pin": pin or PINS[clerk]})

    def audited(self) -> list[tuple[str, str]]:
        with self.world.database.reading() as session:
            rows = session.exec(select(AuditEntry)).all()
        return [(row.account, row.action) for row in rows if row.action.startswith(("confirmation", "clerk_"))]


@pytest.fixture
def shop(any_world: World) -> Shop:
    return Shop(any_world)


@contextlib.contextmanager
def signed_in(world: World, name: str) -> Iterator[httpx.Client]:
    with world.client() as client:
        client.headers["Accept"] = "text/html"
        assert client.post("/sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
        yield client


def test_two_clerks_confirm_and_the_audit_names_both_and_no_citizen(shop: Shop) -> None:
    id = secrets.token_hex(16)
    first = shop.ask(id)
    assert first.status_code == 200, first.text
    assert (first.json()["state"], 170 < first.json()["seconds_left"] <= 180) == ("waiting", True)
    assert shop.ask(id).json()["state"] == "waiting"  # the answer was lost: asked again under the same id
    assert shop.ask(id, holder="欧** 350***********0024").status_code == 409
    done = shop.second(id, "1002").json()
    assert (done["state"], done["second"], done["second_is"]) == ("confirmed", "1002", "clerk")
    assert shop.second(id, "1002").json() == done
    assert shop.send("GET", id).json() == done
    assert shop.audited()[3:] == [("clerk:1001", "confirmation_asked"), ("clerk:1002", "confirmation_confirmed")]
    with shop.world.database.reading() as session:
        held = str([entry.model_dump() for entry in session.exec(select(AuditEntry)).all()])
    assert not any(secret in held for secret in (*PINS.values(), "林**"))


def test_nobody_is_both_neither_as_clerk_nor_as_operator(shop: Shop) -> None:
    id = secrets.token_hex(16)
    assert shop.ask(id).status_code == 200
    refused = shop.second(id, "1001")
    assert (refused.status_code, refused.json()["code"]) == (409, "one_person")
    with shop.world.database.writing() as session:
        session.get(Clerk, "1002").account = "both"  # type: ignore[union-attr]
    assert shop.second(id, "1002").json()["code"] == "one_person"
    with shop.world.database.writing() as session:
        session.get(Clerk, "1001").account = "operator"  # type: ignore[union-attr]
    with signed_in(shop.world, "operator") as client:
        page = client.get("/confirmations").text
        assert "您就是第一位核验人" in page
        assert send(client, "/confirmations/confirm", confirmation=id).status_code == 403
    assert shop.send("GET", id).json()["state"] == "waiting"


def test_three_wrong_pins_lock_and_the_right_one_is_refused_then_too(shop: Shop) -> None:
    codes = [shop.ask(pin="111222").json()["code"] for _ in range(3)]
    assert codes == ["clerk_refused", "clerk_refused", "clerk_locked"]
    assert (shop.ask().status_code, shop.ask().json()["code"]) == (403, "clerk_locked")
    with shop.world.database.writing() as session:
        clerk = session.get(Clerk, "1001")
        assert clerk is not None
        assert dt.timedelta(minutes=14) < (clerk.locked_until or now()) - now() < dt.timedelta(minutes=16)
        clerk.locked_until = now() - dt.timedelta(seconds=1)
    assert [shop.ask(pin="111222").json()["code"] for _ in range(3)][-1] == "clerk_locked"
    with shop.world.database.writing() as session:
        clerk = session.get(Clerk, "1001")
        assert clerk is not None
        assert (clerk.locked_until or now()) - now() > dt.timedelta(minutes=29)
        service.set_pin(session, "1001", "518203", by="administrator")
    assert shop.ask(pin="518203").status_code == 200


@pytest.mark.parametrize("clerk", ["2001", "9999"])
def test_a_clerk_of_another_shop_and_an_unknown_one_are_answered_alike(shop: Shop, clerk: str) -> None:
    refused = shop.ask(clerk=clerk)
    assert (refused.status_code, refused.json()["code"]) == (403, "clerk_refused")
    id = secrets.token_hex(16)
    shop.ask(id)
    with shop.world.database.writing() as session:
        service.disable_clerk(session, "1002", by="administrator")
    assert shop.second(id, "1002").json()["code"] == "clerk_refused"


def test_a_request_runs_out_and_cannot_be_revived(shop: Shop) -> None:
    id = secrets.token_hex(16)
    shop.ask(id)
    with shop.world.database.writing() as session:
        row = session.get(ConfirmationRow, id)
        assert row is not None
        row.expires_at = now() - dt.timedelta(seconds=1)
    assert (shop.send("GET", id).json()["state"], shop.send("GET", id).json()["seconds_left"]) == ("expired", 0)
    assert shop.second(id, "1002").json()["code"] == "not_waiting"
    with signed_in(shop.world, "operator") as client:
        assert send(client, "/confirmations/confirm", confirmation=id).status_code == 409
        assert "已过时" in client.get("/confirmations").text
    assert shop.ask(id).json()["state"] == "expired"


def test_a_withdrawn_request_is_gone_and_another_terminal_sees_none(shop: Shop) -> None:
    id = secrets.token_hex(16)
    shop.ask(id)
    stranger = shop.world.terminal("bench-2")
    assert shop.send("GET", id, peer=stranger).status_code == 404
    assert shop.send("POST", f"{id}/withdraw").json()["state"] == "withdrawn"
    assert shop.second(id, "1002").json()["code"] == "not_waiting"


def test_an_operator_sees_the_place_and_masked_values_and_confirms_or_refuses_with_a_reason(shop: Shop) -> None:
    first, second = secrets.token_hex(16), secrets.token_hex(16)
    shop.ask(first)
    shop.ask(second, clerk="1002")
    with signed_in(shop.world, "operator") as client:
        page = client.get("/confirmations").text
        for shown in ("便利店", "bench-1", ASKED["holder"], ASKED["transaction_number"], "店员1001"):
            assert shown in page
        assert send(client, "/confirmations/refuse", confirmation=first, reason="because").status_code == 422
        assert send(client, "/confirmations/refuse", confirmation=first, reason="person_differs").status_code == 303
        assert send(client, "/confirmations/confirm", confirmation=second).status_code == 303
        assert send(client, "/confirmations/confirm", confirmation=second).status_code == 409
    refused, confirmed = shop.send("GET", first).json(), shop.send("GET", second).json()
    assert (refused["state"], refused["reason"]) == ("refused", "person_differs")
    assert (confirmed["state"], confirmed["second"], confirmed["second_is"]) == ("confirmed", "operator", "operator")
    assert ("operator", "confirmation_refused") in shop.audited()


@pytest.mark.parametrize(
    "body", [{"holder": "林测试 350203190102030017"}, {"clerk": "abc"}, {"pin": "12"}, {"more": 1}]
)
def test_what_does_not_fit_is_refused_without_repeating_it(shop: Shop, body: dict[str, Any]) -> None:
    refused = shop.ask(**body)
    assert refused.status_code == 422
    assert not {PINS["1001"], "350203190102030017"} & set(refused.text.split('"'))


def test_an_administrator_manages_clerks(shop: Shop) -> None:
    new = {"number": "3001", "site": "shop", "display_name": "新店员", "pin": "123456", "account": ""}
    with signed_in(shop.world, "administrator") as client:
        assert send(client, "/clerks", **new).status_code == 422
        assert send(client, "/clerks", **(new | {"pin": "739204"})).status_code == 303
        assert send(client, "/clerks", **(new | {"pin": "739204"})).status_code == 409
        assert send(client, "/clerks/3001/pin", pin="000000").status_code == 422
        assert send(client, "/clerks/3001/pin", pin="204739").status_code == 303
        assert shop.ask(clerk="3001", pin="204739").status_code == 200
        assert send(client, "/clerks/3001/disable").status_code == 303
        assert "已停用" in client.get("/clerks").text
    assert shop.ask(clerk="3001", pin="204739").json()["code"] == "clerk_refused"


@pytest.mark.parametrize("word", ["second", "withdraw"])
def test_a_refusal_in_the_same_moment_stands(shop: Shop, word: str) -> None:
    """The operator's refusal is not durable yet when a second clerk agrees: the clerk waits for it, and loses."""
    id = secrets.token_hex(16)
    shop.ask(id)
    with ThreadPoolExecutor(1) as other:
        with shop.world.database.writing() as session:
            service.decide(session, id, account="operator", refusal="person_differs")
            session.flush()
            body = {"clerk": "1002", "pin": PINS["1002"]} if word == "second" else None
            said = other.submit(shop.send, "POST", f"{id}/{word}", body)
            wait([said], timeout=0.4)
        assert said.result().status_code == (409 if word == "second" else 200)
    assert shop.send("GET", id).json()["state"] == "refused"


def test_one_request_sent_many_times_at_once_is_one(shop: Shop) -> None:
    id = secrets.token_hex(16)
    with ThreadPoolExecutor(5) as others:
        answers = [each.result() for each in [others.submit(shop.ask, id) for _ in range(5)]]
    assert {(answer.status_code, answer.json()["state"]) for answer in answers} == {(200, "waiting")}


def test_the_word_of_a_clerk_who_was_dismissed_meanwhile_counts_no_more(shop: Shop) -> None:
    id = secrets.token_hex(16)
    shop.ask(id)
    with shop.world.database.writing() as session:
        service.disable_clerk(session, "1001", by="administrator")
    assert shop.second(id, "1002").json()["code"] == "not_waiting"
    with signed_in(shop.world, "operator") as browser:
        assert send(browser, "/confirmations/confirm", confirmation=id).status_code == 409
        assert send(browser, "/confirmations/refuse", confirmation=id, reason="person_differs").status_code == 303
    assert shop.send("GET", id).json()["state"] == "refused"
