"""A record is written once and read back; a card torn out in the write is asked, never written again blindly."""

from __future__ import annotations

import pytest

from drivers.errors import MediaError
from drivers.messages import RecordWrite, WriteOutcome
from drivers.smart_card_reader.simulator.samples import CARDS
from drivers.smart_card_reader.social_security import join_record
from tests.drivers.smart_card_reader.scenes import PLACE, laid_again, play, reader_with, refused

NEW = join_record(0x0C, PLACE.value)
OLD = join_record(0x0C, b"\x35\x02\x03")


def other(**changes: object) -> RecordWrite:
    return PLACE.model_copy(update=changes)


def test_a_record_is_written_once_whatever_is_asked_again() -> None:
    async def scene() -> None:
        async with reader_with() as (reader, peer):
            for _ in range(3):
                result = await reader.write_record(PLACE)
                assert (result.outcome, result.reason) == (WriteOutcome.WRITTEN, "")
            assert (await reader.find_write(PLACE)).outcome is WriteOutcome.WRITTEN
            assert (await reader.write_record(other(write_id="w2"))).outcome is WriteOutcome.WRITTEN
            assert peer.cards["lin"].files[0xEF06][6] == NEW
            assert peer.cards["lin"].writes == 1
            assert (await reader.read_profile()).birth_place == "350211"

    play(scene)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expected_before": b"\x35\x01\x01"}, "precondition_failed"),
        ({"value": b"\x35\x02"}, "invalid_data"),
        ({"record": 99}, "record_not_found"),
        ({"identification_code": "35"}, "other_card"),
        ({"file": "EF05", "record": 7, "value": b"B00000001", "expected_before": None}, "auth_needed"),
        ({"file": "EF09"}, "read_failed"),
    ],
)
def test_what_cannot_be_written_is_refused_and_the_card_stays_as_it_was(
    changes: dict[str, object], reason: str
) -> None:
    async def scene() -> None:
        async with reader_with() as (reader, peer):
            before = {file: dict(records) for file, records in peer.cards["lin"].files.items()}
            result = await reader.write_record(other(**changes))
            assert (result.outcome, result.reason) == (WriteOutcome.FAILED, reason)
            assert peer.cards["lin"].files == before
            assert peer.cards["lin"].writes == 0

    play(scene)


@pytest.mark.parametrize(
    ("fault", "found", "reason", "held"),
    [
        ("pull_before_write", WriteOutcome.FAILED, "not_written", OLD),
        ("pull_after_write", WriteOutcome.WRITTEN, "", NEW),
    ],
)
def test_a_card_torn_out_in_the_write_is_uncertain_until_it_lies_there_again(
    fault: str, found: WriteOutcome, reason: str, held: bytes
) -> None:
    async def scene() -> None:
        async with reader_with("lin", fault) as (reader, peer):
            result = await reader.write_record(PLACE)
            assert (result.outcome, result.reason) == (WriteOutcome.UNCERTAIN, "removed")
            assert (await reader.status()).parts["write_pending"] == "yes"
            await laid_again(reader, peer, "ouyang")
            assert (await reader.find_write(PLACE)).reason == "other_card"
            assert (await reader.status()).parts["write_pending"] == "yes"
            await peer.order("remove")
            await laid_again(reader, peer, "lin")
            newer = await reader.write_record(other(write_id="w2"))
            assert (newer.outcome, newer.reason) == (WriteOutcome.FAILED, "reconcile_first")
            result = await reader.find_write(PLACE)
            assert (result.outcome, result.reason) == (found, reason)
            assert (await reader.status()).parts["write_pending"] == "no"
            assert peer.cards["lin"].files[0xEF06][6] == held
            assert peer.cards["ouyang"].writes == 0
            assert (await reader.write_record(other(write_id="w3"))).outcome is WriteOutcome.WRITTEN
            assert peer.cards["lin"].writes == 1

    play(scene)


def test_a_driver_that_was_restarted_finds_the_write_by_what_the_caller_kept() -> None:
    kept = other(identification_code=CARDS["lin"].identification.hex().upper())

    async def scene() -> None:
        async with reader_with("lin", "pull_after_write") as (reader, peer):
            assert (await reader.write_record(kept)).outcome is WriteOutcome.UNCERTAIN
            await reader.wipe()  # nothing is remembered any more
            await laid_again(reader, peer, "ouyang")
            assert (await reader.find_write(kept)).reason == "other_card"
            await peer.order("remove")
            await laid_again(reader, peer, "lin")
            assert (await reader.find_write(kept)).outcome is WriteOutcome.WRITTEN
            assert (await reader.write_record(kept)).outcome is WriteOutcome.WRITTEN
            assert peer.cards["lin"].writes == 1

    play(scene)


def test_without_any_knowledge_of_what_was_there_the_end_stays_open() -> None:
    unknown = other(expected_before=None)

    async def scene() -> None:
        async with reader_with("lin", "pull_before_write") as (reader, peer):
            assert (await reader.write_record(unknown)).outcome is WriteOutcome.UNCERTAIN
            await reader.wipe()
            await laid_again(reader, peer, "lin")
            found = await reader.find_write(unknown)
            assert (found.outcome, found.reason) == (WriteOutcome.UNCERTAIN, "before_unknown")

    play(scene)


@pytest.mark.parametrize(
    ("fault", "outcome"), [("memory_failure", WriteOutcome.FAILED), ("torn_write", WriteOutcome.UNCERTAIN)]
)
def test_only_what_is_read_back_counts(fault: str, outcome: WriteOutcome) -> None:
    async def scene() -> None:
        async with reader_with("lin", fault) as (reader, _):
            result = await reader.write_record(other(value=b"\x36\x03\x04"))
            assert (result.outcome, result.reason) == (outcome, "verify_failed")

    play(scene)


def test_a_card_torn_out_before_the_write_holds_what_it_held() -> None:
    async def scene() -> None:
        async with reader_with("lin") as (reader, peer):
            await peer.order("pull_at", "20")
            result = await reader.write_record(PLACE)
            assert (result.outcome, result.reason) == (WriteOutcome.FAILED, "removed")
            await refused(reader.find_write(PLACE), MediaError, "no_card")
            assert peer.cards["lin"].writes == 0

    play(scene)
