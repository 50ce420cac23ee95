"""What is wrong now, where, since when, who must act."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlmodel import update

from fleet_server.database import now
from fleet_server.security import TerminalKey
from fleet_server.terminals.models import TerminalStatus
from tests.fleet_server.conftest import World
from tests.fleet_server.peer import Journal, Peer

SINCE = "2026-01-01T08:00:00Z"
JAMMED = {
    "receipt_printer": {
        "device": "user_error",
        "faults": [{"code": "paper_jam", "action": "clear", "since": SINCE}],
        "parts": {"paper": "low"},
    }
}


def hear(world: World, peer: Peer, **changed: Any) -> None:
    with world.client() as client:
        answer = peer.post(client, "/terminal/v1/heartbeats", peer.heartbeat(**changed))
    assert answer.status_code == 200, answer.text
    world.app.state.heartbeats.flush()


def alerts(world: World) -> list[dict[str, Any]]:
    with world.staff_client("maintainer") as client:
        found: list[dict[str, Any]] = client.get("/staff/v1/alerts").json()
    return found


def test_a_device_fault_says_where_since_when_and_who_must_act(any_world: World) -> None:
    peer = any_world.terminal()
    hear(any_world, peer, devices=JAMMED)
    (alert,) = alerts(any_world)
    assert (alert["kind"], alert["terminal"], alert["site"]) == ("device_fault", "bench-1", "shop")
    assert (alert["subject"], alert["action"], alert["since"]) == ("receipt_printer:paper_jam", "clear", SINCE)
    hear(any_world, peer, devices={})
    assert alerts(any_world) == []


def test_a_refused_bundle_says_why(world: World) -> None:
    report = {
        "generation": 1, "bundle": None, "result": "refused", "reason": "under_signed", "detail": "one of two",
        "refused_bundle": "b" * 64,
    }  # fmt: skip
    hear(world, world.terminal(), reported=report)
    (alert,) = alerts(world)
    assert (alert["kind"], alert["detail"]) == ("bundle_refused", "under_signed: one of two")


def test_a_terminal_gone_silent_is_noticed_heard_before_or_never(world: World) -> None:
    heard, never = world.terminal("heard-1"), world.terminal("never-1")
    hear(world, heard)
    assert alerts(world) == []
    long_ago = now() - dt.timedelta(minutes=10)
    with world.database.writing() as session:
        session.exec(update(TerminalStatus).values(heard_at=long_ago))
        session.get_one(TerminalKey, never.terminal).enrolled_at = long_ago
    assert [(alert["kind"], alert["terminal"]) for alert in alerts(world)] == [
        ("silent", "heard-1"),
        ("silent", "never-1"),
    ] or {alert["terminal"] for alert in alerts(world)} == {"heard-1", "never-1"}
    with world.database.writing() as session:
        for name in ("heard-1", "never-1"):
            session.get_one(TerminalKey, name).revoked_at = now()
    assert alerts(world) == []


def test_a_fork_is_an_alarm_until_somebody_settles_it(world: World) -> None:
    peer = world.terminal()
    hear(world, peer)
    journal = Journal(peer)
    journal.transaction("1")
    other = journal.forked(3)
    other.write("rating_skipped")
    with world.client() as client:
        journal.upload(client)
        other.upload(client)
    (alert,) = alerts(world)
    assert alert["kind"] == "fork"
    with world.staff_client("auditor") as client:
        assert client.post("/staff/v1/quarantine/1/settle").status_code == 204
    assert alerts(world) == []


def test_a_wrong_clock_and_a_journal_far_behind_are_told(world: World) -> None:
    hear(world, world.terminal(), clock_offset_ms=90_000, journal_sequence=700)
    assert {alert["kind"] for alert in alerts(world)} == {"clock", "journal_behind"}


def test_somebody_takes_an_alert_on(world: World) -> None:
    hear(world, world.terminal(), devices=JAMMED)
    with world.staff_client("maintainer") as client:
        (alert,) = client.get("/staff/v1/alerts").json()
        taken = client.post("/staff/v1/alerts/take", json={"key": alert["key"], "note": "on my way"})
        assert taken.status_code == 204
        assert client.get("/staff/v1/alerts").json()[0]["taken_by"] == "maintainer"
