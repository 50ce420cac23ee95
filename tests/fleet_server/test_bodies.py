"""Bodies no reader should have to guess at: refused whole, and never seen by staff."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from fleet_server.bodies import DEEPEST, read_json
from fleet_server.problems import ProblemError
from fleet_server.terminals.heartbeats import HeartbeatCoalescer
from fleet_server.terminals.models import TerminalStatus
from kiosk.contracts.fleet import Heartbeat
from tests.fleet_server.conftest import World

HOSTILE = {
    "beyond 64 bits": b"9223372036854775808",
    "as far below": b"-9223372036854775808",
    "five thousand digits": b"1" + b"0" * 5000,
    "no number": b"NaN",
    "endless": b"-Infinity",
    "endless by exponent": b"1e999",
    "half a character": b'"\\ud800"',
    "nul": b'"a\\u0000b"',
    "nul in a name": b'{"a\\u0000": 1}',
    "not UTF-8": b'"\xff\xfe"',
    "too deep": b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
    "as deep as a stack": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_what_json_should_not_carry_is_refused_with_a_reason(value: bytes) -> None:
    with pytest.raises(ProblemError) as refused:
        read_json(b'{"held": ' + value + b"}")
    assert (refused.value.status, refused.value.code) == (422, "not_valid")
    assert len(refused.value.detail) < 120


def test_what_json_may_carry_is_taken() -> None:
    value = {"a": 2**63 - 1, "b": [True, None, -1.5, "厦门 😀"], "c": {}}
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)


def test_a_hostile_heartbeat_is_refused_and_the_fleet_stays_in_view(any_world: World) -> None:
    """Through the real door: signed by an enrolled terminal, with members only a newer terminal would know."""
    peer = any_world.terminal()
    with any_world.client() as client, any_world.staff_client("maintainer") as staff:
        for value in HOSTILE.values():
            body = json.dumps(peer.heartbeat())[:-1].encode() + b', "newer": ' + value + b"}"
            answer = peer.post(client, "/terminal/v1/heartbeats", body)
            assert (answer.status_code, answer.json()["code"]) == (422, "not_valid"), answer.text
        for changed in ({"journal_sequence": 2**63}, {"stage": "\ud800"}, {"stage": "a\0b"}):
            answer = peer.post(client, "/terminal/v1/heartbeats", peer.heartbeat(**changed))
            assert answer.status_code == 422, changed
        any_world.app.state.heartbeats.flush()
        assert staff.get("/terminals").status_code == 200
        assert staff.get("/staff/v1/terminals").status_code == 200


def test_a_heartbeat_no_database_holds_does_not_stop_the_others(any_world: World) -> None:
    """Should one come past the door all the same."""
    for name in ("bench-1", "bench-2"):
        any_world.terminal(name)
    coalescer = HeartbeatCoalescer(any_world.database)
    good = any_world.terminal("bench-3").heartbeat()
    coalescer.hear(Heartbeat.model_validate(good))
    coalescer.hear(Heartbeat.model_validate(good | {"terminal": "bench-2"}))
    coalescer._heard["bench-2"][1]["newer"] = float("nan")  # what PostgreSQL takes in no JSON
    coalescer.flush()
    with any_world.database.reading() as session:
        assert session.get(TerminalStatus, "bench-3") is not None


def test_a_value_beyond_the_database_is_the_senders_mistake(any_world: World) -> None:
    with any_world.staff_client("auditor") as staff:
        far = "9" * 20
        for path in (f"/staff/v1/audit?before={far}", f"/audit?before={far}"):
            assert staff.get(path).status_code == 422
        for path in ("/transactions?number=%00", "/audit?account=%00", "/terminals/%00", "/money?number=%00"):
            assert staff.get(path).status_code in (200, 404, 422), path


def test_a_caller_who_hangs_up_leaves_nothing_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    address = urlsplit(world.url)
    for _ in range(3):
        with socket.create_connection((str(address.hostname), address.port or 0)) as caller:
            caller.sendall(b"POST /terminal/v1/heartbeats HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    with world.client() as client:
        assert client.get("/openapi.json").status_code == 200
    assert "heartbeats" not in caplog.text
