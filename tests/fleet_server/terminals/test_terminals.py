"""Enrolment, desired state, the channel, revocation, heartbeats."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select, update
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fleet_server.database import now
from fleet_server.matters import service as matters
from fleet_server.problems import ProblemError
from fleet_server.terminals import desired, service
from fleet_server.terminals.hints import REVOKED
from fleet_server.terminals.models import (
    Assignment,
    EnrolmentCode,
    GenerationCounter,
    Scope,
    Terminal,
    TerminalCreate,
    TerminalStatus,
)
from kiosk.contracts.bundle import SignedDesiredState, verify_desired_state
from tests.fleet_server.conftest import PASSWORD, World
from tests.fleet_server.peer import Peer

DESIRED = "/terminal/v1/desired-state"
HEARTBEATS = "/terminal/v1/heartbeats"


def until(condition: Callable[[], Any], seconds: float = 5) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not so within {seconds} s")


def channel(world: World, peer: Peer, **wrong: Any) -> ClientConnection:
    url = world.url + "/terminal/v1/channel"
    headers = peer.sign("GET", url, **wrong)
    return connect(url.replace("http", "ws"), additional_headers=headers, open_timeout=5, close_timeout=1)


def looks(socket: ClientConnection) -> str:
    answer: str = json.loads(socket.recv(5))["look"]
    return answer


def seen(world: World, peer: Peer) -> SignedDesiredState:
    with world.client() as client:
        answer = peer.get(client, DESIRED)
    assert answer.status_code == 200, answer.text
    return SignedDesiredState.model_validate_json(answer.content)


# --- enrolment -------------------------------------------------------------------------------------


def test_enrolment_answers_what_a_terminal_must_trust(world: World) -> None:
    (world.settings.data / "seal-authority.pem").write_text("PEM")
    with world.database.writing() as session:
        service.create_terminal(session, TerminalCreate(id="new-1", site="shop"), by="administrator")
        session.flush()
        code = service.new_enrolment_code(session, "new-1", by="administrator").code
    with world.client() as client:
        answer = Peer("new-1").enrol(client, code).json()
    assert (answer["terminal"], answer["site"], answer["seal_authority"]) == ("new-1", "便利店", "PEM")
    assert base64.b64decode(answer["director_key"]) == world.app.state.director.public_key
    assert json.loads(answer["repository_root"])["signed"]["_type"] == "root"


def test_a_code_is_spent_once(any_world: World) -> None:
    with any_world.database.writing() as session:
        service.create_terminal(session, TerminalCreate(id="new-1", site="shop"), by="administrator")
        session.flush()
        code = service.new_enrolment_code(session, "new-1", by="administrator").code
    assert len(base64.b32decode(code + "======")) == 16
    with any_world.client() as client:
        assert Peer("new-1").enrol(client, code).status_code == 200
        again = Peer("new-1").enrol(client, code)
    assert (again.status_code, again.json()["code"]) == (403, "enrolment_code")
    with any_world.database.reading() as session:
        assert session.exec(select(EnrolmentCode)).all() == []


def test_an_old_code_and_a_guessed_code_are_refused(world: World) -> None:
    with world.database.writing() as session:
        service.create_terminal(session, TerminalCreate(id="new-1", site="shop"), by="administrator")
        session.flush()
        code = service.new_enrolment_code(session, "new-1", by="administrator").code
        session.exec(update(EnrolmentCode).values(expires_at=now() - dt.timedelta(seconds=1)))
    with world.client() as client:
        assert Peer("new-1").enrol(client, code).status_code == 403
        assert Peer("new-1").enrol(client, "A" * 26).status_code == 403


def test_a_wrong_key_does_not_spend_the_code(world: World) -> None:
    with world.database.writing() as session:
        service.create_terminal(session, TerminalCreate(id="new-1", site="shop"), by="administrator")
        session.flush()
        code = service.new_enrolment_code(session, "new-1", by="administrator").code
    with world.client() as client:
        wrong = client.post("/terminal/v1/enrolments", json={"code": code, "public_key": "!" * 44})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "public_key")
        assert Peer("new-1").enrol(client, code).status_code == 200


def test_enrolling_again_replaces_the_key(world: World) -> None:
    old = world.terminal()
    with world.database.writing() as session:
        code = service.new_enrolment_code(session, old.terminal, by="administrator").code
    fresh = Peer(old.terminal)
    with world.client() as client:
        assert fresh.enrol(client, code).status_code == 200
        assert old.get(client, DESIRED).json()["code"] == "bad_signature"
        assert fresh.get(client, DESIRED).status_code == 404


# --- desired state ---------------------------------------------------------------------------------


def test_the_desired_state_is_the_directors_word(any_world: World) -> None:
    peer = any_world.terminal()
    bundle = any_world.publish(2)
    signed = seen(any_world, peer)
    state = verify_desired_state(
        signed, director_key=any_world.app.state.director.public_key, terminal=peer.terminal, now=now(),
        installed_generation=0,
    )  # fmt: skip
    assert state.bundle == bundle


def test_an_unchanged_state_is_answered_304_and_a_change_200(world: World) -> None:
    peer = world.terminal()
    world.publish(2)
    with world.client() as client:
        etag = peer.get(client, DESIRED).headers["etag"]
        unchanged = peer.get(client, DESIRED, headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        world.publish(3)
        assert peer.get(client, DESIRED, headers={"If-None-Match": etag}).status_code == 200


def test_a_poll_writes_nothing_in_the_database(world: World) -> None:
    peer = world.terminal()
    world.publish(2)
    with world.client() as client, contextlib.closing(sqlite3.connect(world.settings.data / "fleet.sqlite")) as watch:
        before = watch.execute("PRAGMA data_version").fetchone()
        for _ in range(5):
            assert peer.get(client, DESIRED).status_code == 200
        assert watch.execute("PRAGMA data_version").fetchone() == before


def test_the_narrowest_scope_wins_and_the_generation_only_grows(any_world: World) -> None:
    peer = any_world.terminal(group="pilot", ring="early")
    first = any_world.publish(2)
    generations = [seen(any_world, peer).state.generation]

    def change(scope: Scope, scope_id: str, bundle: str | None, expected: str) -> None:
        with any_world.database.writing() as session:
            desired.assign(session, scope=scope, scope_id=scope_id, bundle=bundle, by="administrator")
        state = seen(any_world, peer).state
        assert state.bundle == expected
        generations.append(state.generation)

    ring, group, own, later = ("1" * 64, "2" * 64, "3" * 64, "4" * 64)
    change(Scope.GROUP, "pilot", group, group)
    change(Scope.RING, "early", ring, group)
    change(Scope.TERMINAL, peer.terminal, own, own)
    change(Scope.ALL, "", later, own)
    change(Scope.TERMINAL, peer.terminal, None, group)
    change(Scope.GROUP, "pilot", None, ring)
    change(Scope.RING, "early", None, later)
    change(Scope.ALL, "", first, first)
    with any_world.database.writing() as session:
        service.move(session, peer.terminal, group=None, ring=None, by="administrator")
    generations.append(seen(any_world, peer).state.generation)
    assert generations == sorted(set(generations))


def test_a_change_costs_one_row_whatever_the_fleets_size(world: World) -> None:
    with world.database.writing() as session:
        session.add_all(Terminal(id=f"many-{number}", site="shop") for number in range(300))
        desired.assign(session, scope=Scope.ALL, bundle="1" * 64, by="administrator")
    with world.database.reading() as session:
        assert len(session.exec(select(Assignment)).all()) == 1


def test_a_generation_that_was_rolled_back_is_not_seen(world: World) -> None:
    peer = world.terminal()
    world.publish(2)
    before = seen(world, peer)
    with contextlib.suppress(ZeroDivisionError), world.database.writing() as session:
        desired.assign(session, scope=Scope.ALL, bundle="1" * 64, by="administrator")
        session.flush()
        _ = 1 / 0
    assert seen(world, peer) == before
    with world.database.reading() as session:
        counter = session.get(GenerationCounter, 1)
        assert counter is not None
        assert counter.value == before.state.generation


# --- the channel -----------------------------------------------------------------------------------


def test_a_publication_is_hinted_after_it_can_be_seen(any_world: World) -> None:
    peer = any_world.terminal()
    with channel(any_world, peer) as socket:
        assert looks(socket) == "desired-state"
        until(lambda: any_world.app.state.hub.is_connected(peer.terminal))
        bundle = any_world.publish(2)
        deadline = time.monotonic() + 5
        while True:
            assert looks(socket) == "desired-state"
            with any_world.client() as client:
                answer = peer.get(client, DESIRED)
            if answer.status_code == 200:
                break
            assert time.monotonic() < deadline
        assert answer.json()["state"]["bundle"] == bundle


def test_a_group_hint_reaches_only_the_group(world: World) -> None:
    inside, outside = world.terminal("in-1", group="pilot"), world.terminal("out-1")
    with channel(world, inside) as socket, channel(world, outside) as other:
        assert (looks(socket), looks(other)) == ("desired-state", "desired-state")
        with world.database.writing() as session:
            desired.hint(session, "commands", Scope.GROUP, "pilot")
        while looks(socket) != "commands":
            pass
        with world.database.writing() as session:
            desired.hint(session, "done", Scope.TERMINAL, "out-1")
        heard = []
        while not heard or heard[-1] != "done":
            heard.append(looks(other))
        assert "commands" not in heard


def test_a_change_by_another_process_is_hinted_on_sqlite(world: World) -> None:
    peer = world.terminal()
    with channel(world, peer) as socket:
        assert looks(socket) == "desired-state"
        world.database.listeners.clear()
        world.publish(2)
        assert looks(socket) == "desired-state"


def test_the_channel_is_refused_unsigned_replayed_and_revoked(world: World) -> None:
    peer = world.terminal()
    url = world.url + "/terminal/v1/channel"
    with pytest.raises(InvalidStatus) as unsigned:
        connect(url.replace("http", "ws"))
    assert unsigned.value.response.status_code == 401
    assert json.loads(bytes(unsigned.value.response.body or b""))["code"] == "unsigned"
    with channel(world, peer, nonce="n" * 20):
        pass
    with pytest.raises(InvalidStatus) as replayed:
        channel(world, peer, nonce="n" * 20)
    assert json.loads(bytes(replayed.value.response.body or b""))["code"] == "replayed"
    with world.database.writing() as session:
        service.revoke(session, peer.terminal, by="administrator")
    with pytest.raises(InvalidStatus) as revoked:
        channel(world, peer)
    assert revoked.value.response.status_code == 403


def test_revoking_closes_the_channel_within_five_seconds(any_world: World) -> None:
    peer = any_world.terminal()
    with channel(any_world, peer) as socket:
        looks(socket)
        with any_world.database.writing() as session:
            service.revoke(session, peer.terminal, by="administrator")
        with pytest.raises(ConnectionClosed) as closed:
            until(lambda: socket.recv(5) is None)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == REVOKED
    until(lambda: not any_world.app.state.hub.is_connected(peer.terminal))


# --- heartbeats ------------------------------------------------------------------------------------


def test_heartbeats_are_written_together_later(any_world: World) -> None:
    peers = [any_world.terminal(f"bench-{number}") for number in range(3)]
    with any_world.client() as client:
        for peer in peers:
            for stage in ("home", "session"):
                assert peer.post(client, HEARTBEATS, peer.heartbeat(stage=stage)).status_code == 200

    def stages() -> bool:
        with any_world.database.reading() as session:
            rows = session.exec(select(TerminalStatus)).all()
        return [row.heartbeat["stage"] for row in rows] == ["session"] * 3

    until(stages)


def test_unknown_members_of_a_heartbeat_are_kept(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        assert peer.post(client, HEARTBEATS, peer.heartbeat(humidity=40)).status_code == 200
    world.app.state.heartbeats.flush()
    with world.database.reading() as session:
        assert session.get_one(TerminalStatus, peer.terminal).heartbeat["humidity"] == 40


def test_converged_means_the_reported_hash_and_nothing_else(world: World) -> None:
    peer = world.terminal()
    bundle = world.publish(2)

    def after(reported: dict[str, Any]) -> Any:
        with world.client() as client:
            assert peer.post(client, HEARTBEATS, peer.heartbeat(reported=reported)).status_code == 200
        world.app.state.heartbeats.flush()
        with world.database.reading() as session:
            shown, listed = service.one(session, peer.terminal), service.overview(session)
        assert listed == [shown]
        return shown

    shown = after({"generation": 9, "bundle": "1" * 64, "result": "installed"})
    assert (shown.is_converged, shown.desired_bundle) == (False, bundle)
    shown = after(
        {"generation": 1, "bundle": None, "result": "refused", "reason": "expired", "detail": "d",
         "refused_bundle": bundle}
    )  # fmt: skip
    assert (shown.is_converged, shown.refused_reason, shown.refused_detail) == (False, "expired", "d")
    assert after({"generation": 1, "bundle": bundle, "result": "installed"}).is_converged


def test_reported_since_moves_only_when_the_report_does(world: World) -> None:
    peer = world.terminal()
    found = []
    for result in ("none", "none", "refused"):
        with world.client() as client:
            report = {"generation": 0, "bundle": None, "result": result}
            peer.post(client, HEARTBEATS, peer.heartbeat(reported=report))
        world.app.state.heartbeats.flush()
        with world.database.reading() as session:
            found.append(session.get_one(TerminalStatus, peer.terminal).reported_since)
    assert found[0] == found[1] < found[2]


def test_nothing_is_rolled_out_to_a_terminal_that_does_not_know_it(world: World) -> None:
    old, modern = world.terminal("old-1", group="old"), world.terminal("new-1", group="new")
    with world.client() as client:
        old.post(client, HEARTBEATS, old.heartbeat(step_kinds=["consent", "identify"]))
        modern.post(client, HEARTBEATS, modern.heartbeat())
    world.app.state.heartbeats.flush()
    with pytest.raises(ProblemError) as refused:
        world.publish(2)
    assert refused.value.code == "terminals_behind"
    assert "old-1" in refused.value.detail
    assert "new-1" not in refused.value.detail
    with world.database.writing() as session:
        draft = matters.drafts(session)[0].id or 0
        row = matters.submit(
            session, world.app.state.repository, [draft], by="author", password=PASSWORD, scope=Scope.GROUP,
            scope_id="new",
        )  # fmt: skip
        number = row.id or 0
    with world.database.writing() as session:
        matters.publish(session, world.app.state.repository, number, by="reviewer", password=PASSWORD)
    with world.client() as client:
        assert modern.get(client, DESIRED).status_code == 200
        assert old.get(client, DESIRED).status_code == 404


def test_a_contract_version_beyond_the_terminals_is_not_rolled_out(world: World) -> None:
    peer = world.terminal()
    with world.client() as client:
        peer.post(client, HEARTBEATS, peer.heartbeat(contract_version=0))
    world.app.state.heartbeats.flush()
    with pytest.raises(ProblemError, match="contract version"):
        world.publish(2)


def test_a_terminal_in_no_ring_is_in_the_widest_scope(world: World) -> None:
    with world.database.writing() as session:
        session.add(Terminal(id="plain", site="shop"))
        desired.assign(session, scope=Scope.RING, scope_id="early", bundle="1" * 64, by="a")
        session.flush()
        row = session.exec(select(Terminal).where(col(Terminal.id) == "plain")).one()
        assert desired.resolve(row, desired.applicable(session, row)) is None
