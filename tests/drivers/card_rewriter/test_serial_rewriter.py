"""The driver against its unit: reading, refusing, failing parts, a bad line, an absent or strange device."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from drivers.card_rewriter.serial_rewriter import SerialRewriter
from drivers.card_rewriter.simulator import RewriterSimulator
from drivers.errors import (
    CommandTimedOut,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    NeedsAttention,
)
from drivers.messages import DeviceState, RewriteJob, RewriteOutcome
from tests.drivers.card_rewriter.scenes import JOB, chip_of, endorsed, rewriter_with


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


def other(**changes: object) -> RewriteJob:
    return JOB.model_copy(update=changes)


async def refused(work: Awaitable[object], kind: type[DeviceError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert caught.value.reason == reason


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, "the condition was not met in time"
        await asyncio.sleep(0.02)


def test_a_card_is_read_written_printed_and_handed_back() -> None:
    async def scene() -> None:
        async with rewriter_with() as (rewriter, peer):
            card = await rewriter.read_card(timeout_seconds=5)
            assert (card.card_number, card.holder, card.last_job_id) == ("C00000001", "林测试", "sample-0")
            assert (await rewriter.find_rewrite(JOB)).reason == "not_written"
            assert (await rewriter.rewrite(JOB)).outcome is RewriteOutcome.COMPLETED
            erasures = peer.memory.cards["lin"].erasures
            again = await rewriter.rewrite(JOB)
            assert (again.outcome, again.job_id) == (RewriteOutcome.COMPLETED, "job-1")
            assert peer.memory.cards["lin"].erasures == erasures, "nothing is done twice"
            card = await rewriter.read_card(timeout_seconds=5)
            assert (card.last_job_id, card.print_pending, len(card.endorsements)) == ("job-1", False, 2)
            assert card.endorsements[-1] == JOB.endorsement
            await rewriter.eject()
            await refused(rewriter.wait_removal(timeout_seconds=0.3), CommandTimedOut, "card_left")
            await peer.order("remove")
            await rewriter.wait_removal(timeout_seconds=5)
            await refused(rewriter.read_card(timeout_seconds=0.3), CommandTimedOut, "no_card")
            assert (await rewriter.rewrite(JOB, timeout_seconds=0.3)).reason == "no_card"
            assert (await rewriter.capabilities()).model == "Sample RW-1"

    play(scene)


def test_an_earlier_job_is_never_written_again_even_when_another_came_after_it() -> None:
    async def scene() -> None:
        async with rewriter_with() as (rewriter, peer):
            for job in (JOB, other(job_id="job-2"), JOB, other(job_id="job-2")):
                assert (await rewriter.rewrite(job)).outcome is RewriteOutcome.COMPLETED
            assert chip_of(peer.memory.cards["lin"]).state.jobs == ("sample-0", "job-1", "job-2")

    play(scene)


@pytest.mark.parametrize(
    ("card", "changes", "reason"),
    [
        ("ouyang", {}, "wrong_card"),
        ("blank", {}, "wrong_card_type"),
        ("lin", {"job_id": ""}, "invalid_data"),
        ("lin", {"job_id": "x" * 65}, "invalid_data"),
        ("lin", {"print_lines": ("长" * 61,)}, "invalid_data"),
    ],
)
def test_a_job_that_does_not_fit_the_card_changes_nothing(card: str, changes: dict[str, object], reason: str) -> None:
    async def scene() -> None:
        async with rewriter_with(card) as (rewriter, peer):
            chip, film = bytes(peer.memory.cards[card].chip), list(peer.memory.cards[card].lines)
            result = await rewriter.rewrite(other(**changes), timeout_seconds=20)
            assert (result.outcome, result.reason) == (RewriteOutcome.FAILED, reason)
            assert (bytes(peer.memory.cards[card].chip), peer.memory.cards[card].lines) == (chip, film)

    play(scene)


BEFORE_THE_WRITE = {
    "jam": "card_jammed", "chip_mute": "power_failed", "token_refused": "not_authorised", "head_hot": "head_hot",
    "head_broken": "head_broken", "eraser_broken": "eraser_broken", "cover_open": "cover_open",
    "write_failed": "write_failed", "torn_write": "verify_failed",
}  # fmt: skip
AFTER_THE_WRITE = {"erase_failed": "eraser_broken", "print_failed": "head_broken"}


@pytest.mark.parametrize(("fault", "reason"), BEFORE_THE_WRITE.items())
def test_what_fails_before_the_write_leaves_the_card_as_it_was(fault: str, reason: str) -> None:
    async def scene() -> None:
        async with rewriter_with("lin", fault) as (rewriter, peer):
            result = await rewriter.rewrite(JOB, timeout_seconds=20)
            assert (result.outcome, result.reason) == (RewriteOutcome.FAILED, reason)
            assert endorsed(peer.memory.cards["lin"]) == 0
            assert "签注样例" in peer.memory.cards["lin"].lines
            await peer.order("clear")
            assert (await rewriter.rewrite(JOB)).outcome is RewriteOutcome.COMPLETED
            assert endorsed(peer.memory.cards["lin"]) == 1

    play(scene)


@pytest.mark.parametrize(("fault", "reason"), AFTER_THE_WRITE.items())
def test_what_fails_after_the_write_is_a_pending_print_and_blocks_the_next_job(fault: str, reason: str) -> None:
    async def scene() -> None:
        async with rewriter_with("lin", fault) as (rewriter, peer):
            for _ in range(2):
                result = await rewriter.rewrite(JOB, timeout_seconds=20)
                assert (result.outcome, result.reason) == (RewriteOutcome.PRINT_PENDING, reason)
            assert (await rewriter.read_card()).print_pending
            await peer.order("clear")
            newer = await rewriter.rewrite(other(job_id="job-2"))
            assert (newer.outcome, newer.reason) == (RewriteOutcome.FAILED, "other_print_pending")
            assert (await rewriter.find_rewrite(other(job_id="job-2"))).reason == "not_written"
            assert (await rewriter.rewrite(JOB)).outcome is RewriteOutcome.COMPLETED
            assert endorsed(peer.memory.cards["lin"]) == 1
            assert peer.memory.cards["lin"].lines == list(JOB.print_lines)

    play(scene)


def test_too_little_time_for_the_print_leaves_the_chip_alone() -> None:
    async def scene() -> None:
        async with rewriter_with() as (rewriter, peer):
            result = await rewriter.rewrite(JOB, timeout_seconds=3)
            assert (result.outcome, result.reason) == (RewriteOutcome.FAILED, "timed_out")
            assert endorsed(peer.memory.cards["lin"]) == 0

    play(scene)


@pytest.mark.parametrize("fault", ["noise", "lost_ack", "damaged_answer", "lost_answer", "slow"])
def test_a_bad_line_does_nothing_twice(fault: str) -> None:
    async def scene() -> None:
        async with rewriter_with() as (rewriter, peer):
            await rewriter.status()
            await peer.order("fault", fault)
            result = await rewriter.rewrite(JOB, timeout_seconds=50)
            assert result.outcome is RewriteOutcome.COMPLETED, result
            assert endorsed(peer.memory.cards["lin"]) == 1
            assert peer.memory.cards["lin"].erasures == 1
            assert peer.memory.cards["lin"].lines == list(JOB.print_lines)

    play(scene)


UNREACHABLE: list[tuple[str, type[DeviceError], str, DeviceState]] = [
    ("silent", DeviceOffline, "device_offline", DeviceState.OFFLINE),
    ("wrong_device", HardwareFault, "wrong_device", DeviceState.HARDWARE_ERROR),
    ("unplugged", DeviceAbsent, "device_absent", DeviceState.NO_DEVICE),
]


def test_a_unit_that_cannot_be_spoken_to_is_named_and_used_again() -> None:
    async def one(fault: str, kind: type[DeviceError], reason: str, state: DeviceState) -> None:
        async with rewriter_with("lin", fault) as (rewriter, peer):
            await refused(rewriter.read_card(timeout_seconds=3), kind, reason)
            result = await rewriter.rewrite(JOB, timeout_seconds=20)
            assert (result.outcome, result.reason) == (RewriteOutcome.FAILED, reason)
            assert (await rewriter.find_rewrite(JOB)).outcome is RewriteOutcome.UNCERTAIN
            await until(lambda: _is(rewriter, state))
            status = await rewriter.status()
            assert [item.code for item in status.faults] == [reason]
            assert set(status.parts.values()) == {"unknown"}
            await peer.order("clear")
            await until(lambda: _is(rewriter, DeviceState.ONLINE))
            assert (await rewriter.rewrite(JOB)).outcome is RewriteOutcome.COMPLETED

    async def scene() -> None:
        await asyncio.gather(*(one(*case) for case in UNREACHABLE))

    play(scene)


async def _is(rewriter: SerialRewriter, state: DeviceState) -> bool:
    return (await rewriter.status()).device is state


@pytest.mark.parametrize(
    ("fault", "part", "state"),
    [
        ("jam", ("media", "jammed"), DeviceState.USER_ERROR),
        ("cover_open", ("cover", "open"), DeviceState.USER_ERROR),
        ("head_hot", ("head", "hot"), DeviceState.USER_ERROR),
        ("head_broken", ("head", "inoperative"), DeviceState.HARDWARE_ERROR),
        ("eraser_broken", ("eraser", "inoperative"), DeviceState.HARDWARE_ERROR),
        ("bin_full", ("retain_bin", "full"), DeviceState.ONLINE),
    ],
)
def test_the_status_names_the_part_and_who_must_act(fault: str, part: tuple[str, str], state: DeviceState) -> None:
    async def scene() -> None:
        async with rewriter_with("lin", fault) as (rewriter, _):
            status = await rewriter.status()
            assert status.parts[part[0]] == part[1]
            assert status.device is state
            assert len(status.faults) == 1
            assert (await rewriter.status()).faults[0].since == status.faults[0].since

    play(scene)


def test_a_card_nobody_took_is_kept_unless_the_bin_is_full() -> None:
    async def scene() -> None:
        async with rewriter_with("lin", "bin_full") as (rewriter, peer):
            await rewriter.read_card(timeout_seconds=5)
            await refused(rewriter.retain(), NeedsAttention, "retain_bin_full")
            await peer.order("clear")
            await rewriter.retain()
            assert peer.memory.retained == ["lin"]
            await refused(rewriter.retain(), MediaError, "no_card")
            await rewriter.eject()  # nothing to hand back is no error

    play(scene)


def test_a_command_taken_back_ends_at_once_and_only_one_runs() -> None:
    async def scene() -> None:
        async with rewriter_with("") as (rewriter, peer):
            waiting = asyncio.create_task(rewriter.read_card(timeout_seconds=30))
            await until(lambda: _is(rewriter, DeviceState.BUSY))
            await refused(rewriter.eject(), DeviceBusy, "device_busy")
            waiting.cancel()
            await asyncio.wait({waiting}, timeout=2)
            assert waiting.cancelled()
            await peer.order("place", "lin")
            assert (await rewriter.read_card(timeout_seconds=5)).holder == "林测试"
            await rewriter.close()
            await refused(rewriter.read_card(timeout_seconds=5), DeviceOffline, "device_offline")

    play(scene)


def test_the_port_has_one_owner() -> None:
    async def scene() -> None:
        async with rewriter_with() as (rewriter, peer):
            await rewriter.status()
            second = SerialRewriter(SerialRewriter.Options(port=str(peer._link)))
            await refused(second.read_card(timeout_seconds=2), DeviceBusy, "port_busy")
            assert (await second.status()).device is DeviceState.OFFLINE
            await second.close()

    play(scene)


def test_cards_and_their_places_outlive_the_unit(tmp_path: Path) -> None:
    async def scene() -> None:
        for _ in range(2):
            peer = RewriterSimulator(card="lin", state=str(tmp_path / "cards.json"))
            await peer.start()
            await peer.stop()
        async with rewriter_with("lin", state=tmp_path / "cards.json") as (rewriter, _):
            await rewriter.rewrite(JOB)
        async with rewriter_with("", state=tmp_path / "cards.json") as (rewriter, peer):
            assert peer.memory.position == 1
            assert (await rewriter.read_card(timeout_seconds=5)).last_job_id == "job-1"

    play(scene)


def test_no_misfortune_is_forgotten() -> None:
    tried = {
        *BEFORE_THE_WRITE, *AFTER_THE_WRITE, "noise", "lost_ack", "damaged_answer", "lost_answer", "slow", "silent",
        "wrong_device", "unplugged", "bin_full",
    }  # fmt: skip
    of_power = {"power_cut_before_write", "power_cut_in_write", "power_cut_after_write", "power_cut_in_print"}
    assert tried | of_power == RewriterSimulator.faults
