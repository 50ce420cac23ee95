"""Durable first, acknowledged after; whole or not at all; nothing dropped (DESIGN 2.3, 5)."""

from __future__ import annotations

import base64
import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import zstandard
from sqlmodel import select

from fleet_server.journal import search, service
from fleet_server.journal.models import JournalHead, JournalSegment, Poison, Quarantine, Transaction
from fleet_server.journal.reading import MAXIMUM_DECOMPRESSED_BYTES, entries_in
from kiosk.contracts.bundle import verify_ed25519
from kiosk.contracts.value import canonical_bytes, sha256_hex
from tests.fleet_server.conftest import World
from tests.fleet_server.peer import Journal

NUMBER = "350100-20260101-0001"


def stored(world: World, model: Any) -> list[Any]:
    with world.database.reading() as session:
        return list(session.exec(select(model)).all())


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    return problem


def assert_nothing_stored(world: World) -> None:
    assert stored(world, JournalSegment) == []
    assert stored(world, Transaction) == []


@pytest.mark.parametrize("zstd", [False, True])
def test_a_batch_is_stored_as_received_and_the_receipt_is_the_directors(any_world: World, zstd: bool) -> None:
    peer = any_world.terminal()
    journal = Journal(peer)
    journal.transaction(NUMBER)
    with any_world.client() as client:
        receipt = journal.upload(client, zstd=zstd).json()
    assert (receipt["acked_sequence"], receipt["acked_hash"]) == (6, journal.entries[-1]["hash"])
    signed = canonical_bytes({name: value for name, value in receipt.items() if name != "signature"})
    director = any_world.app.state.director
    verify_ed25519(director.public_key, base64.b64decode(receipt["signature"]), signed)
    assert receipt["key_id"] == director.key_id
    (segment,) = stored(any_world, JournalSegment)
    plain = zstandard.decompress(segment.content) if zstd else segment.content
    assert json.loads(plain) == journal.batch()
    assert 'keyid="bench-1"' in segment.evidence["signature-input"]
    digest = base64.b64encode(bytes.fromhex(sha256_hex(segment.content))).decode()
    assert digest in segment.evidence["content-digest"]


def test_entries_of_the_contracts_own_model_verify(world: World) -> None:
    journal = Journal(world.terminal())
    journal.write_entry("machine_started", {"version": "0.1", "boot_id": "b"})
    journal.write_entry("transaction_begun", {"matter": "no_house_certificate", "version": 1}, NUMBER)
    with world.client() as client:
        assert journal.upload(client).json()["acked_sequence"] == 3


def test_the_same_batch_twice_is_stored_once_and_answered_the_same(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    with any_world.client() as client:
        first, second = journal.upload(client), journal.upload(client)
    assert first.status_code == 200
    assert first.json() == second.json()
    assert len(stored(any_world, JournalSegment)) == 1
    assert stored(any_world, Transaction)[0].printed == ["succeeded"]


def test_a_gap_is_told_the_number_expected_and_nothing_is_stored(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    with any_world.client() as client:
        problem = assert_problem(journal.upload(client, 4), 409, "gap")
        assert problem["expected_sequence"] == 1
        assert_nothing_stored(any_world)
        assert journal.upload(client, 1, 2).status_code == 200
        assert assert_problem(journal.upload(client, 4), 409, "gap")["expected_sequence"] == 3
        assert journal.upload(client, 3).json()["acked_sequence"] == 6


def test_an_overlap_with_the_same_content_is_fine(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    with any_world.client() as client:
        assert journal.upload(client, 1, 3).json()["acked_sequence"] == 3
        assert journal.upload(client, 2, 6).json()["acked_sequence"] == 6
        assert journal.upload(client, 2, 3).json()["acked_sequence"] == 6
    with any_world.database.reading() as session:
        entries = service.stored_entries(session, journal.journal_id, 1, 6)
    assert entries == journal.entries


def test_a_fork_is_kept_alarmed_and_never_merged(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    other = journal.forked(4)
    other.write("rating_given", {"grade": 1}, NUMBER)
    with any_world.client() as client:
        assert journal.upload(client).status_code == 200
        problem = assert_problem(other.upload(client, 1), 409, "fork")
        assert problem["sequence"] == 4
        assert_problem(other.upload(client, 1), 409, "fork")
    (row,) = stored(any_world, Quarantine)
    assert (row.kind, row.sequence) == ("fork", 4)
    assert (row.stored_hash, row.received_hash) == (journal.entries[3]["hash"], other.entries[3]["hash"])
    assert entries_in(row.content, row.encoding) == other.entries
    (head,) = stored(any_world, JournalHead)
    assert (head.head_sequence, head.head_hash) == (6, journal.entries[-1]["hash"])


def test_a_fork_right_after_the_head_is_seen_too(world: World) -> None:
    journal = Journal(world.terminal())
    journal.transaction(NUMBER)
    other = journal.forked(3)
    other.write("rating_skipped", {}, NUMBER)
    other.write("rating_skipped", {}, NUMBER)
    with world.client() as client:
        assert journal.upload(client, 1, 3).status_code == 200
        assert_problem(other.upload(client, 4), 409, "fork")
    assert [row.kind for row in stored(world, Quarantine)] == ["fork"]


def _reorder(batch: dict[str, Any]) -> None:
    batch["entries"][1:3] = batch["entries"][2:0:-1]


def _change(batch: dict[str, Any]) -> None:
    batch["entries"][2]["data"] = {"job_id": "9"}


def _drop(batch: dict[str, Any]) -> None:
    del batch["entries"][2]


def _renumber(batch: dict[str, Any]) -> None:
    batch["first_sequence"] = 2


def _unchain(batch: dict[str, Any]) -> None:
    batch["entries"][2]["previous_hash"] = "a" * 64


def _checkpoint_hash(batch: dict[str, Any]) -> None:
    batch["checkpoint"]["hash"] = "a" * 64


def _checkpoint_signature(batch: dict[str, Any]) -> None:
    batch["checkpoint"]["signature"] = base64.b64encode(bytes(64)).decode()


def _checkpoint_short(batch: dict[str, Any]) -> None:
    batch["checkpoint"]["sequence"] = 2


def _float(batch: dict[str, Any]) -> None:
    batch["entries"][2]["monotonic_ms"] = 1.5


@pytest.mark.parametrize(
    "harm",
    [_reorder, _change, _drop, _renumber, _unchain, _checkpoint_hash, _checkpoint_signature, _checkpoint_short, _float],
)
def test_a_batch_that_does_not_hold_together_is_refused_and_kept_aside(world: World, harm: Any) -> None:
    journal = Journal(world.terminal())
    journal.transaction(NUMBER)
    batch = copy.deepcopy(journal.batch())
    harm(batch)
    with world.client() as client:
        assert_problem(journal.send(client, batch), 422, "chain_broken")
    assert_nothing_stored(world)
    assert [row.kind for row in stored(world, Quarantine)] == ["broken"]


def test_a_checkpoint_may_be_ahead_of_the_batch(world: World) -> None:
    journal = Journal(world.terminal())
    journal.transaction(NUMBER)
    batch = journal.batch(1, 3) | {"checkpoint": journal.batch()["checkpoint"]}
    with world.client() as client:
        assert journal.send(client, batch).json()["acked_sequence"] == 3


def test_a_journal_belongs_to_one_terminal(world: World) -> None:
    journal = Journal(world.terminal())
    thief = Journal(world.terminal("bench-2"), journal.journal_id)
    with world.client() as client:
        assert journal.upload(client).status_code == 200
        assert_problem(thief.upload(client), 409, "other_terminal")
    assert [row.terminal for row in stored(world, Quarantine)] == ["bench-2"]


def test_a_new_journal_begins_with_journal_opened(world: World) -> None:
    peer = world.terminal()
    opened, unopened = Journal(peer), Journal(peer)
    unopened.entries.clear()
    unopened.write("machine_started")
    with world.client() as client:
        assert opened.upload(client).status_code == 200
        assert Journal(peer).upload(client).status_code == 200
        assert_problem(unopened.upload(client), 409, "not_opened")
    assert len(stored(world, JournalHead)) == 2


def test_a_poison_entry_is_set_aside_and_the_rest_flows(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.write("event_of_tomorrow", {"colour": "red"})
    journal.write("transaction_begun", "not a mapping", NUMBER)
    journal.write("transaction_begun", {"version": "many"}, "x" * 60)
    journal.write("rating_given", {"grade": 10**40}, NUMBER)
    journal.write("machine_stopped", occurred_at="yesterday", newcomer=[1, 2])
    journal.write("transaction_ended", {"disposition": "succeeded", "holder": "a\0b"}, NUMBER)
    journal.transaction("350100-20260101-0002")
    with any_world.client() as client:
        assert journal.upload(client).json()["acked_sequence"] == 12
    assert [row.sequence for row in stored(any_world, Poison)] == [2, 3, 4, 5, 6]
    numbers = {row.number: row.disposition for row in stored(any_world, Transaction)}
    assert numbers == {NUMBER: "succeeded", "350100-20260101-0002": "succeeded"}
    with any_world.database.reading() as session:
        assert service.stored_entries(session, journal.journal_id, 1, 12) == journal.entries


def test_a_clock_at_the_end_of_the_calendar_blocks_nothing(any_world: World) -> None:
    """The moment cannot be told in another time zone; entries after it arrive, and every page still opens."""
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    journal.write("rating_given", {"grade": 1}, NUMBER, occurred_at="0001-01-01T00:00:00+14:00")
    journal.write("service_ended", {"case_number": "1"}, NUMBER, occurred_at="9999-12-31T23:59:59-14:00")
    journal.write("service_ended", {"case_number": "2"}, NUMBER, occurred_at="yesterday")
    journal.write("transaction_ended", {"disposition": "succeeded"}, NUMBER)
    last = len(journal.entries)
    with any_world.client() as client:
        assert journal.upload(client).json()["acked_sequence"] == last
    assert [row.sequence for row in stored(any_world, Poison)] == [last - 3, last - 2, last - 1]
    with any_world.staff_client("auditor") as staff:
        export = "/ratings/export?begin=2026-01-01&end=2026-01-01"
        for path in (f"/transactions/{NUMBER}", f"/staff/v1/transactions/{NUMBER}/proof", export):
            assert staff.get(path).status_code == 200, path
        assert NUMBER in staff.get(export).text
        for days in ("begin=9999-12-31&end=9999-12-31", "begin=0001-01-01&end=0001-01-01"):
            assert staff.get(f"/ratings/export?{days}").status_code in (200, 422), days


@pytest.mark.parametrize("number", [0, -1, 2**31, 10**18, 2**63, 10**40])
def test_numbers_no_journal_reaches_are_malformed(any_world: World, number: int) -> None:
    journal = Journal(any_world.terminal())
    with any_world.client() as client:
        assert_problem(journal.send(client, journal.batch() | {"first_sequence": number}), 422, "malformed")
        far = journal.batch()
        far["checkpoint"]["sequence"] = number
        assert_problem(journal.send(client, far), 422, "malformed")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"journal_id": 1}', b"\xff\xfe", b"[" * 100_000, b'{"entries": "x"}']
)
def test_garbage_is_refused_and_nothing_is_stored(world: World, body: bytes) -> None:
    peer = world.terminal()
    with world.client() as client:
        answer = peer.post(client, "/terminal/v1/journals/abc/batches", body)
    assert_problem(answer, 422, "malformed")
    assert_nothing_stored(world)
    assert stored(world, Quarantine) == []


def test_a_bomb_unfolds_no_further_than_its_bound(world: World) -> None:
    peer = world.terminal()
    path = "/terminal/v1/journals/abc/batches"
    bomb = zstandard.compress(b"0" * (MAXIMUM_DECOMPRESSED_BYTES * 50))
    assert len(bomb) < 100_000
    with world.client() as client:
        assert_problem(peer.post(client, path, bomb, headers={"Content-Encoding": "zstd"}), 413, "too_large")
        garbage = peer.post(client, path, b"not zstd", headers={"Content-Encoding": "zstd"})
        assert_problem(garbage, 422, "malformed")
        assert_problem(peer.post(client, path, b"x", headers={"Content-Encoding": "br"}), 415, "encoding")


def test_too_many_entries_are_refused(world: World) -> None:
    journal = Journal(world.terminal())
    for _ in range(500):
        journal.write("machine_started")
    with world.client() as client:
        assert_problem(journal.upload(client), 422, "malformed")
        assert journal.upload(client, 1, 500).json()["acked_sequence"] == 500


def test_a_server_restored_from_an_older_backup_gets_it_again(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    with any_world.client() as client:
        assert journal.upload(client, 1, 2).status_code == 200
        with any_world.database.reading() as session:
            backup = session.get_one(JournalHead, journal.journal_id).model_copy()
        assert journal.upload(client, 3).json()["acked_sequence"] == 6
        with any_world.database.writing() as session:
            for segment in session.exec(select(JournalSegment)).all():
                if segment.last_sequence > 2:
                    session.delete(segment)
            head = session.get_one(JournalHead, journal.journal_id)
            head.head_sequence, head.head_hash = backup.head_sequence, backup.head_hash
        heartbeat = journal.peer.heartbeat(journal_id=journal.journal_id, journal_sequence=6, acknowledged_sequence=6)
        said = journal.peer.post(client, "/terminal/v1/heartbeats", heartbeat).json()["journal"]
        assert said["acked_sequence"] == 2
        assert journal.upload(client, 3).json()["acked_sequence"] == 6
    assert len(stored(any_world, Transaction)) == 1


def test_the_acknowledgement_is_repeated_in_every_heartbeat(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    with any_world.client() as client:
        journal.upload(client)
        heartbeat = journal.peer.heartbeat(journal_id=journal.journal_id, journal_sequence=3)
        answer = journal.peer.post(client, "/terminal/v1/heartbeats", heartbeat).json()
        acknowledged = {
            "journal_id": journal.journal_id,
            "acked_sequence": 1,
            "acked_hash": journal.entries[0]["hash"],
        }
        assert answer["journal"] == acknowledged
    any_world.app.state.heartbeats.flush()
    with any_world.database.reading() as session:
        (lag,) = search.lags(session)
    assert (lag.heard_sequence, lag.acknowledged_sequence, lag.missing) == (3, 1, 2)


def test_uploads_at_the_same_time_store_each_entry_once(any_world: World) -> None:
    peer = any_world.terminal()
    journals = [Journal(peer) for _ in range(3)]
    for journal in journals:
        for number in range(4):
            journal.transaction(f"T{number}")

    def push(journal: Journal, first: int) -> int:
        with any_world.client() as client:
            return int(journal.upload(client, 1, first).status_code)

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(push, journal, last) for journal in journals for last in (21, 7, 14, 21)]
        assert [future.result() for future in futures] == [200] * 12
    with any_world.database.reading() as session:
        for journal in journals:
            assert service.stored_entries(session, journal.journal_id, 1, 21) == journal.entries
        assert search.entry_count(session) == 63


def test_a_transaction_is_found_told_and_proved(any_world: World) -> None:
    journal = Journal(any_world.terminal())
    journal.transaction(NUMBER)
    journal.transaction("350100-20260101-0002")
    with any_world.client() as client:
        journal.upload(client, 1, 4)
        journal.upload(client, 5, zstd=True)
    with any_world.staff_client("auditor") as client:
        found = client.get("/staff/v1/transactions", params={"number": "350100-20260101"}).json()
        assert {row["number"] for row in found} == {NUMBER, "350100-20260101-0002"}
        (row,) = client.get("/staff/v1/transactions", params={"number": NUMBER}).json()
        assert (row["disposition"], row["rating"], row["printed"]) == ("succeeded", 5, ["succeeded"])
        assert (row["matter"], row["holder"]) == ("no_house_certificate", "林**")
        timeline = client.get(f"/staff/v1/transactions/{NUMBER}/timeline").json()
        assert [entry["event"] for entry in timeline] == [entry["event"] for entry in journal.entries[1:6]]
        proof = client.get(f"/staff/v1/transactions/{NUMBER}/proof").json()
    assert proof["is_whole"]
    assert proof["hashes"] == [entry["hash"] for entry in journal.entries[1:6]]


def test_a_proof_names_the_entry_that_was_tampered_with(world: World) -> None:
    journal = Journal(world.terminal())
    journal.transaction(NUMBER)
    with world.client() as client:
        journal.upload(client)
    with world.database.writing() as session:
        segment = session.exec(select(JournalSegment)).one()
        segment.content = segment.content.replace(b'"grade": 5', b'"grade": 1')
    with world.database.reading() as session:
        proof = search.proof(session, search.find_transaction(session, NUMBER))
    assert (proof.is_whole, proof.broken_at) == (False, 5)
