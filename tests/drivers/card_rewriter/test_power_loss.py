"""Power is lost at every command of a job, before, in the middle of and after it; and the driver dies at every stage.

Afterwards the card, put in again, is in exactly one of three states, and the same job brings it to its end with one
endorsement: never a second one.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from drivers.card_rewriter.commands import Kind
from drivers.card_rewriter.serial_rewriter import SerialRewriter
from drivers.card_rewriter.simulator import RewriterSimulator
from drivers.host import DeviceConfig, SupervisedDevice
from drivers.messages import RewriteOutcome, RewriteResult
from tests.drivers.card_rewriter.scenes import JOB, chip_of, endorsed, rewriter_with

COMPLETED, PENDING, FAILED, UNCERTAIN = (
    RewriteOutcome.COMPLETED, RewriteOutcome.PRINT_PENDING, RewriteOutcome.FAILED, RewriteOutcome.UNCERTAIN
)  # fmt: skip
MOMENTS = ("before", "torn", "after")


async def commands_of_a_whole_job() -> list[int]:
    async with rewriter_with() as (rewriter, peer):
        assert (await rewriter.rewrite(JOB)).outcome is COMPLETED
        return list(peer.commands)


async def cut(state: Path, number: int, moment: str) -> RewriteResult:
    """What the job is said to have come to when power fails at its `number`-th command."""
    async with rewriter_with("lin", state=state) as (rewriter, peer):
        await peer.order(f"cut_{moment}", str(number))
        return await rewriter.rewrite(JOB, timeout_seconds=30)


async def after_the_loss(state: Path) -> tuple[RewriteResult, RewriteResult]:
    """A new unit and a new driver, with nothing but the card: what is found, and how the same job ends then."""
    async with rewriter_with("", state=state) as (rewriter, peer):
        assert peer.memory.position == 1, "a unit without power hands the card back"
        card = peer.memory.cards["lin"]
        before = bytes(card.chip)
        found = await rewriter.find_rewrite(JOB, timeout_seconds=10)
        assert bytes(card.chip) == before, "finding changes nothing"
        assert endorsed(card) == (0 if found.outcome is FAILED else 1)
        assert chip_of(card).state.print_pending == (found.outcome is PENDING)
        again = await rewriter.rewrite(JOB, timeout_seconds=30)
        assert endorsed(card) == 1
        assert len(chip_of(card).state.jobs) == 2, "the earlier endorsement is there still"
        assert card.lines == list(JOB.print_lines)
        assert (await rewriter.find_rewrite(JOB)).outcome is COMPLETED
        return found, again


def test_power_lost_at_every_command_leaves_one_of_three_states_and_never_two_endorsements(tmp_path: Path) -> None:
    async def scene() -> Counter[tuple[str, str]]:
        commands = await commands_of_a_whole_job()
        seen: Counter[tuple[str, str]] = Counter()
        for number, moment in itertools.product(range(len(commands) + 1), MOMENTS):
            state = tmp_path / f"{number}-{moment}"
            said = await cut(state, number + 1, moment)
            found, again = await after_the_loss(state)
            assert again.outcome is COMPLETED, (number, moment)
            assert found.outcome in (COMPLETED, PENDING, FAILED), (number, moment, found)
            assert said.outcome in (found.outcome, UNCERTAIN) or (said.outcome, found.outcome) == (PENDING, COMPLETED)
            if said.outcome is UNCERTAIN:  # only at the stroke itself, or while the chip is asked about it
                assert commands[number] in (Kind.WRITE_CHIP, Kind.READ_CHIP)
            seen[said.outcome, found.outcome] += 1
        return seen

    seen = asyncio.run(scene())
    assert seen[FAILED, FAILED] > 20
    assert seen[UNCERTAIN, FAILED] == 2, "before the stroke, and in its middle"
    assert seen[UNCERTAIN, PENDING] > 3
    assert seen[PENDING, PENDING] > 20
    assert seen[PENDING, COMPLETED] > 3
    assert seen[COMPLETED, COMPLETED] == len(MOMENTS), "power lost after the last command"


def test_power_lost_twice_and_thrice_changes_nothing_of_that(tmp_path: Path) -> None:
    async def scene() -> None:
        commands = len(await commands_of_a_whole_job())
        for first, second in itertools.product(range(8, commands, 5), range(3, 22, 6)):
            state = tmp_path / f"{first}-{second}"
            for number, moment in ((first, "after"), (second, "torn"), (second, "before")):
                await cut(state, number, moment)
            found, again = await after_the_loss(state)
            assert found.outcome in (COMPLETED, PENDING, FAILED)
            assert again.outcome is COMPLETED

    asyncio.run(scene())


def test_a_driver_that_is_lost_at_any_command_leaves_the_rest_to_its_successor() -> None:
    """The unit keeps power, the card inside, and its memory of the last command; the next driver knows nothing."""

    async def scene() -> None:
        commands = len(await commands_of_a_whole_job())
        for number, moment in itertools.product(range(1, commands + 1), ("before", "after")):
            async with rewriter_with() as (lost, peer):
                await peer.order(f"cable_{moment}", str(number))
                said = await lost.rewrite(JOB, timeout_seconds=30)
                await lost.close()
                await peer.order("clear")
                successor = SerialRewriter(SerialRewriter.Options(port=str(peer._link)))
                card = peer.memory.cards["lin"]
                found = await successor.find_rewrite(JOB, timeout_seconds=10)
                assert found.outcome in (COMPLETED, PENDING, FAILED)
                assert endorsed(card) == (0 if found.outcome is FAILED else 1)
                assert said.outcome in (found.outcome, UNCERTAIN, PENDING)
                assert (await successor.rewrite(JOB, timeout_seconds=30)).outcome is COMPLETED
                assert endorsed(card) == 1
                assert card.lines == list(JOB.print_lines)
                await successor.close()

    asyncio.run(scene())


@pytest.mark.parametrize("kind", [Kind.AUTHORISE, Kind.WRITE_CHIP, Kind.ERASE, Kind.PRINT_LINE])
def test_a_killed_driver_leaves_the_card_to_its_successor(kind: Kind) -> None:
    """The process dies in the command; the host says that it does not know, and the card does."""

    class DeadlyUnit(RewriterSimulator):
        device: SupervisedDevice | None = None

        async def _command(self, command: object) -> None:
            device, pid = self.device, self.device.pid if self.device else None
            if device is not None and pid and command.kind == kind:  # type: ignore[attr-defined]
                self.device = None
                os.kill(pid, signal.SIGKILL)
            await super()._command(command)  # type: ignore[arg-type]

    async def scene() -> None:
        peer = DeadlyUnit(card="lin")
        config = DeviceConfig(
            name="rewriter", driver="card_rewriter/serial_rewriter", options={"port": await peer.start()}
        )
        device = SupervisedDevice(config)
        try:
            await device.open()
            peer.device = device
            said = await device.proxy.rewrite(JOB, timeout_seconds=20)
            assert said.outcome is UNCERTAIN
            found = await until_asked(device)
            is_written = kind in (Kind.ERASE, Kind.PRINT_LINE)
            assert found.outcome is (PENDING if is_written else FAILED)
            assert (await device.proxy.rewrite(JOB, timeout_seconds=20)).outcome is COMPLETED
            assert endorsed(peer.memory.cards["lin"]) == 1
            assert peer.memory.cards["lin"].lines == list(JOB.print_lines)
        finally:
            await device.close()
            await peer.stop()

    asyncio.run(scene())


async def until_asked(device: SupervisedDevice) -> RewriteResult:
    """The next process of the driver comes by itself."""
    deadline = asyncio.get_running_loop().time() + 20
    while True:
        if device.is_ready:
            found: RewriteResult = await device.proxy.find_rewrite(JOB, timeout_seconds=10)
            return found
        assert asyncio.get_running_loop().time() < deadline, "the driver did not come back"
        await asyncio.sleep(0.02)


def test_a_command_taken_back_leaves_the_card_as_it_was_or_with_a_pending_print() -> None:
    async def scene() -> None:
        for wait_for in (Kind.READ_CHIP, Kind.ERASE):
            async with rewriter_with("lin", "slow") as (rewriter, peer):
                writing = asyncio.create_task(rewriter.rewrite(JOB, timeout_seconds=60))
                await until_commanded(peer, wait_for)
                writing.cancel()
                await asyncio.wait({writing})
                peer._active.clear()
                found = await rewriter.find_rewrite(JOB, timeout_seconds=10)
                assert found.outcome is (FAILED if wait_for is Kind.READ_CHIP else PENDING)
                assert (await rewriter.rewrite(JOB, timeout_seconds=30)).outcome is COMPLETED
                assert endorsed(peer.memory.cards["lin"]) == 1

    asyncio.run(scene())


async def until_commanded(peer: RewriterSimulator, kind: Kind) -> None:
    deadline = asyncio.get_running_loop().time() + 20
    while kind not in peer.commands:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.01)


def test_the_driver_keeps_nothing_of_a_card() -> None:
    async def scene() -> None:
        async with rewriter_with() as (rewriter, _):
            await rewriter.read_card(timeout_seconds=5)
            await rewriter.wipe()
            remembered = repr(vars(rewriter)) + repr(vars(rewriter._unit)) + repr(vars(rewriter._exchange))
            assert "C00000001" not in remembered
            assert isinstance(rewriter, SerialRewriter)

    asyncio.run(scene())
