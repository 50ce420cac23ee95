"""Accounts, sessions, roles, cross-site forms, the audit log (DESIGN 5, staff)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlmodel import select, update

from fleet_server.app import ROOMS
from fleet_server.database import now
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffSession, open_private_key, seal_private_key
from fleet_server.security.passwords import PasswordWrong
from fleet_server.security.staff_identity import COOKIE
from fleet_server.staff import service
from fleet_server.staff.models import Account, AuditEntry
from tests.fleet_server.conftest import PASSWORD, World

SESSION = "/staff/v1/session"
ACCOUNTS = "/staff/v1/accounts"
NEW = {"name": "newcomer", "display_name": "<script>alert(1)</script>", "roles": ["author"], "password": "long enough!"}


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def audited(world: World, action: str) -> list[AuditEntry]:
    with world.database.reading() as session:
        return list(session.exec(select(AuditEntry).where(AuditEntry.action == action)).all())


def test_sign_in_gives_a_session_that_sign_out_ends(any_world: World) -> None:
    with any_world.staff_client("administrator") as client:
        assert client.get(SESSION).json()["roles"] == ["administrator"]
        cookie = client.cookies[COOKIE]
        assert client.delete(SESSION).status_code == 204
        client.cookies.set(COOKIE, cookie)
        assert code(client.get(SESSION)) == (401, "sign_in")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: World) -> None:
    with world.client() as client:
        answer = client.post(SESSION, json={"name": "author", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(world: World) -> None:
    with world.client() as client:
        wrong = client.post(SESSION, json={"name": "author", "password": "wrong"})
        unknown = client.post(SESSION, json={"name": "nobody", "password": "wrong"})
    assert code(wrong) == code(unknown) == (401, "wrong_password")
    assert wrong.json() == unknown.json()
    assert len(audited(world, "sign_in_failed")) == 1


def test_after_five_wrong_passwords_the_right_one_waits(world: World) -> None:
    with world.client() as client:
        for _ in range(5):
            client.post(SESSION, json={"name": "author", "password": "wrong"})
        locked = client.post(SESSION, json={"name": "author", "password": PASSWORD})
        assert code(locked) == (429, "locked")
        assert int(locked.headers["retry-after"]) > 0
        with world.database.writing() as session:
            session.get_one(Account, "author").locked_until = now() - dt.timedelta(seconds=1)
        assert client.post(SESSION, json={"name": "author", "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("value", ["", "x", "x.y", "a.b.c", "é.é"])
def test_a_made_up_cookie_is_nobody(world: World, value: str) -> None:
    with world.client() as client:
        answer = client.get(SESSION, headers={b"Cookie": f"{COOKIE}={value}".encode("latin-1")})
    assert code(answer) == (401, "sign_in")


def test_a_cookie_signed_elsewhere_is_nobody(world: World) -> None:
    with world.staff_client("author") as client:
        world.app.state.cookie_secret = b"another server's secret"
        assert code(client.get(SESSION)) == (401, "sign_in")


def test_a_session_runs_out(world: World) -> None:
    with world.staff_client("author") as client:
        with world.database.writing() as session:
            session.exec(update(StaffSession).values(expires_at=now() - dt.timedelta(seconds=1)))
        assert code(client.get(SESSION)) == (401, "sign_in")


def test_the_wrong_role_is_refused_and_audited(any_world: World) -> None:
    for role in Role:
        with any_world.staff_client(role) as client:
            answer = client.get(ACCOUNTS)
        assert answer.status_code == (200 if role is Role.ADMINISTRATOR else 403)
    refused = audited(any_world, "refused")
    assert {entry.account for entry in refused} == {role.value for role in Role} - {"administrator"}
    assert {(entry.subject, entry.detail["code"]) for entry in refused} == {(ACCOUNTS, "wrong_role")}


def test_a_form_without_the_sessions_token_is_refused_and_audited(world: World) -> None:
    with world.staff_client("administrator") as client, world.staff_client("administrator") as other:
        token = client.headers.pop("X-CSRF-Token")
        assert code(client.post(ACCOUNTS, json=NEW)) == (403, "cross_site")
        foreign = {"X-CSRF-Token": other.headers["X-CSRF-Token"]}
        assert code(client.post(ACCOUNTS, json=NEW, headers=foreign)) == (403, "cross_site")
        evil = {"X-CSRF-Token": token, "Origin": "https://evil.example"}
        assert code(client.post(ACCOUNTS, json=NEW, headers=evil)) == (403, "cross_site")
        assert client.post(ACCOUNTS, json=NEW, headers={"X-CSRF-Token": token}).status_code == 201
    assert len(audited(world, "refused")) == 3


def test_the_token_may_come_in_the_form_itself(world: World) -> None:
    with world.staff_client("administrator") as client:
        token = client.headers.pop("X-CSRF-Token")
        answer = client.post(ACCOUNTS, data={"csrf_token": token})
    assert code(answer) == (422, "not_valid")


def test_signing_in_from_another_site_is_refused(world: World) -> None:
    with world.client() as client:
        answer = client.post(
            SESSION, json={"name": "author", "password": PASSWORD}, headers={"Origin": "https://evil.example"}
        )
    assert code(answer) == (403, "cross_site")


def test_changed_roles_and_disabled_accounts_end_their_sessions(world: World) -> None:
    with world.staff_client("auditor") as client:
        assert client.get("/staff/v1/audit").status_code == 200
        with world.database.writing() as session:
            service.set_roles(session, "auditor", [Role.MAINTAINER], by="administrator")
        assert code(client.get("/staff/v1/audit")) == (401, "sign_in")
    with world.staff_client("auditor") as client:
        with world.database.writing() as session:
            service.disable(session, "auditor", by="administrator")
        assert code(client.get(SESSION)) == (401, "sign_in")
        assert client.post(SESSION, json={"name": "auditor", "password": PASSWORD}).status_code == 401


def test_an_account_is_made_once_and_needs_a_real_password(world: World) -> None:
    with world.staff_client("administrator") as client:
        assert code(client.post(ACCOUNTS, json=NEW | {"password": "short"})) == (422, "not_valid")
        assert code(client.post(ACCOUNTS, json=NEW | {"name": "Bad Name"})) == (422, "not_valid")
        made = client.post(ACCOUNTS, json=NEW).json()
        assert (made["signs"], made["roles"]) == (True, ["author"])
        assert code(client.post(ACCOUNTS, json=NEW)) == (409, "account_exists")
        assert NEW["password"] not in client.get("/staff/v1/audit").text


def test_a_new_password_keeps_the_signing_key_and_a_reset_makes_another(world: World) -> None:
    def key() -> bytes | None:
        with world.database.reading() as session:
            return session.get_one(Account, "author").public_key

    before = key()
    with world.database.writing() as session:
        service.change_password(session, "author", PASSWORD, "a longer password")
    assert key() == before
    with world.database.reading() as session:
        opened = service.open_signing_key(session, "author", "a longer password")
        assert opened.public_key().public_bytes_raw() == before
    with pytest.raises(ProblemError, match="old password"), world.database.writing() as session:
        service.change_password(session, "author", PASSWORD, "whatever it is")
    with world.database.writing() as session:
        service.reset_password(session, "author", "handed over in person", by="administrator")
    assert key() not in (None, before)


def test_a_sealed_key_opens_with_its_password_only() -> None:
    sealed = seal_private_key(b"k" * 32, "right password")
    assert b"k" * 32 not in sealed
    assert open_private_key(sealed, "right password") == b"k" * 32
    with pytest.raises(PasswordWrong):
        open_private_key(sealed, "wrong password")
    with pytest.raises(PasswordWrong):
        open_private_key(sealed[:-1] + bytes([sealed[-1] ^ 1]), "right password")


def test_every_staff_route_but_sign_in_needs_somebody(world: World) -> None:
    routes = [route for room in ROOMS for route in room.routes if isinstance(route, APIRoute)]
    staff_routes = [route for route in routes if route.path.startswith("/staff/") and route.operation_id != "sign_in"]
    assert len(staff_routes) > 15
    with world.client() as client:
        for route in staff_routes:
            for method in route.methods:
                path = route.path.replace("{terminal}", "x").replace("{number}", "1")
                path = path.replace("{submission}", "1").replace("{quarantine}", "1")
                body = {"json": {}} if method == "POST" else {}
                answer = client.request(method, path, **body)
                assert answer.status_code in (401, 422), f"{method} {path}: {answer.status_code}"
                if method == "GET":
                    assert answer.status_code == 401


def test_the_cookie_secret_is_readable_by_its_owner_only(world: World) -> None:
    keys: Path = world.settings.keys
    for file in keys.rglob("*"):
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, file


def test_who_guesses_at_a_foreign_screen_is_signed_out(any_world: World) -> None:
    """A session left open must not be a way to the password, and so to the person's signing key."""
    with any_world.staff_client("reviewer") as screen, any_world.staff_client("reviewer") as elsewhere:
        page = {"old": "guess", "new": "a new password", "again": "a new password"}
        answers = [screen.post("/account/password", data=page).status_code for _ in range(6)]
        assert answers[:5] == [403] * 5
        assert answers[5] == 303, "to the sign-in page"
        assert code(elsewhere.get(SESSION)) == (401, "sign_in")
        with any_world.client() as other:
            assert code(other.post(SESSION, json={"name": "reviewer", "password": PASSWORD})) == (429, "locked")
    with any_world.staff_client("author") as unharmed:
        assert unharmed.get(SESSION).status_code == 200
