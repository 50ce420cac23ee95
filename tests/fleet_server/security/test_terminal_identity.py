"""Whoever cannot be verified is refused, with problem+json, and nothing is stored (DESIGN 2.4, 5)."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fleet_server.settings import Settings
from fleet_server.terminals import service as terminals
from kiosk.contracts.fleet import MAXIMUM_BODY_BYTES
from tests.fleet_server.conftest import World, running
from tests.fleet_server.peer import Journal, Peer

HEARTBEATS = "/terminal/v1/heartbeats"
DESIRED = "/terminal/v1/desired-state"


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_signed_heartbeat_is_heard(any_world: World) -> None:
    peer = any_world.terminal()
    with any_world.client() as client:
        answer = peer.post(client, HEARTBEATS, peer.heartbeat())
    assert answer.status_code == 200
    assert answer.json()["next_heartbeat_seconds"] > 0


def test_an_unsigned_request_is_refused(world: World) -> None:
    with world.client() as client:
        assert_problem(client.post(HEARTBEATS, json={}), 401, "unsigned")
        assert_problem(client.get(DESIRED), 401, "unsigned")


def test_the_same_request_twice_is_refused(any_world: World) -> None:
    peer = any_world.terminal()
    body = json.dumps(peer.heartbeat()).encode()
    headers = peer.sign("POST", any_world.url + HEARTBEATS, body, headers={"Content-Type": "application/json"})
    with any_world.client() as client:
        assert client.post(HEARTBEATS, content=body, headers=headers).status_code == 200
        assert_problem(client.post(HEARTBEATS, content=body, headers=headers), 401, "replayed")


def test_a_replay_is_refused_after_a_restart_too(any_settings: Settings) -> None:
    with running(any_settings) as world:
        peer = world.terminal()
        headers = peer.sign("GET", world.url + DESIRED)
        with world.client() as client:
            assert_problem(client.get(DESIRED, headers=headers), 404, "nothing_desired")
    with running(any_settings) as world, world.client() as client:
        assert_problem(client.get(DESIRED, headers=headers), 401, "replayed")


def test_a_body_changed_on_the_way_is_refused(world: World) -> None:
    peer = world.terminal()
    body = json.dumps(peer.heartbeat()).encode()
    headers = peer.sign("POST", world.url + HEARTBEATS, body)
    with world.client() as client:
        answer = client.post(HEARTBEATS, content=body.replace(b"home", b"hole"), headers=headers)
    assert_problem(answer, 401, "bad_signature")


def test_a_digest_that_is_not_signed_is_refused(world: World) -> None:
    peer = world.terminal()
    body = json.dumps(peer.heartbeat()).encode()
    signed = peer.sign("POST", world.url + HEARTBEATS, b"", components=("@method", "@path", "@query", "date"))
    signed["content-digest"] = peer.sign("POST", world.url + HEARTBEATS, body)["content-digest"]
    with world.client() as client:
        assert_problem(client.post(HEARTBEATS, content=body, headers=signed), 401, "bad_signature")


def test_another_path_or_query_or_method_is_refused(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        for method, url in (
            ("GET", world.url + "/terminal/v1/other"),
            ("GET", world.url + DESIRED + "?a=1"),
            ("POST", world.url + DESIRED),
        ):
            assert_problem(client.get(DESIRED, headers=peer.sign(method, url)), 401, "bad_signature")


def test_a_query_is_part_of_what_is_signed(world: World) -> None:
    peer = world.terminal()
    path = DESIRED + "?a=%20b"
    with world.client() as client:
        assert_problem(peer.get(client, path), 404, "nothing_desired")


@pytest.mark.parametrize("seconds", [-3600, -121, 130, 3600])
def test_a_signature_outside_its_window_is_refused(world: World, seconds: int) -> None:
    peer = world.terminal()
    with world.client() as client:
        answer = peer.get(client, DESIRED, at=time.time() + seconds, date=time.time())
    assert_problem(answer, 401, "bad_signature")


def test_an_old_date_is_refused(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        assert_problem(peer.get(client, DESIRED, date=time.time() - 3600), 401, "old_date")


def test_a_short_or_missing_nonce_is_refused(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        assert_problem(peer.get(client, DESIRED, nonce="short"), 401, "bad_signature")


def test_a_component_left_out_is_refused(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        for left_out in ("@method", "@path", "@query", "date"):
            covered = tuple(name for name in ("@method", "@path", "@query", "date") if name != left_out)
            assert_problem(peer.get(client, DESIRED, components=covered), 401, "bad_signature")


def test_another_key_or_name_or_label_is_refused(world: World) -> None:
    peer = world.terminal()
    other = world.terminal("bench-2")
    thief = Peer(peer.terminal, Ed25519PrivateKey.generate())
    with world.client() as client:
        assert_problem(thief.get(client, DESIRED), 401, "bad_signature")
        assert_problem(other.get(client, DESIRED, key_id=peer.terminal), 401, "bad_signature")
        assert_problem(peer.get(client, DESIRED, label="other"), 401, "bad_signature")
        assert_problem(peer.get(client, DESIRED, key_id="nobody"), 401, "unknown_terminal")


def test_a_terminal_speaks_for_itself_only(world: World) -> None:
    peer = world.terminal()
    world.terminal("bench-2")
    with world.client() as client:
        answer = peer.post(client, HEARTBEATS, peer.heartbeat(terminal="bench-2"))
    assert_problem(answer, 403, "other_terminal")


def test_malformed_bodies_are_told_apart_from_unsigned_ones(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        assert_problem(client.post(HEARTBEATS, content=b"{{{"), 401, "unsigned")
        assert_problem(peer.post(client, HEARTBEATS, b"{{{"), 422, "not_valid")
        assert_problem(peer.post(client, HEARTBEATS, {"terminal": 3}), 422, "not_valid")


def test_a_validation_problem_never_repeats_what_was_sent(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        answer = peer.post(client, HEARTBEATS, peer.heartbeat(stage={"secret": "350102189901010017"}))
    assert_problem(answer, 422, "not_valid")
    assert "350102189901010017" not in answer.text


def test_an_oversized_body_is_refused_stated_or_not(world: World) -> None:
    peer = world.terminal()
    body = b"x" * (MAXIMUM_BODY_BYTES + 1)
    headers = peer.sign("POST", world.url + HEARTBEATS, body)
    with world.client() as client:
        assert_problem(client.post(HEARTBEATS, content=body, headers=headers), 413, "too_large")
        endless = client.post(HEARTBEATS, content=iter([b"x" * 65536] * 40), headers=headers)
        assert_problem(endless, 413, "too_large")


def test_garbage_in_the_signature_headers_is_refused(world: World) -> None:
    peer = world.terminal()
    good = peer.sign("GET", world.url + DESIRED)
    garbage = [
        "",
        "terminal=()",
        "terminal=1",
        'terminal=("@path");keyid="bench-1"',
        "=" * 5000,
        "terminal=:x:",
    ]
    with world.client() as client:
        for value in garbage:
            answer = client.get(DESIRED, headers=good | {"signature-input": value})
            assert answer.status_code == 401, value
            answer = client.get(DESIRED, headers=good | {"signature": value})
            assert answer.status_code == 401, value


def test_a_revoked_terminal_is_refused_at_once(any_world: World) -> None:
    peer = any_world.terminal()
    with any_world.client() as client:
        assert peer.get(client, DESIRED).status_code == 404
        with any_world.database.writing() as session:
            terminals.revoke(session, peer.terminal, by="administrator")
        assert_problem(peer.get(client, DESIRED), 403, "revoked")
        assert Journal(peer).upload(client).status_code == 403


def test_a_database_that_does_not_answer_denies(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        world.database.engine.dispose()
        world.database.url = "broken"
        (world.settings.data / "fleet.sqlite").rename(world.settings.data / "away")
        (world.settings.data / "fleet.sqlite").mkdir()
        assert_problem(peer.get(client, DESIRED), 503, "unverifiable")


def test_nonces_that_cannot_be_remembered_deny(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        with world.app.state.nonces._engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE seen_nonce")
        assert_problem(peer.get(client, DESIRED), 503, "unverifiable")
