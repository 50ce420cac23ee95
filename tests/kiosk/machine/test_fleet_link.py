from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from drivers.messages import DeviceState, DeviceStatus
from kiosk.contracts.errors import SettingsInvalid, Unreachable
from kiosk.machine.fleet.client import FleetClient, ServerClock
from kiosk.machine.fleet.enrolment import enrol
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.fleet.upload import UploadFailed
from kiosk.machine.fleet_link import FleetLink, Situation
from kiosk.machine.journal import Journal
from kiosk.machine.library import Considered, Library
from tests.kiosk.machine.centre import Centre
from tests.kiosk.machine.city import City, matter


@pytest.fixture
def centre(city: City) -> Iterator[Centre]:
    with Centre(city).running() as running:
        yield running


class Terminal:
    """An enrolled machine with everything the link needs, on a disk of its own."""

    def __init__(self, directory: Path, centre: Centre, clock: ServerClock | None = None) -> None:
        self.directory = directory
        self.centre = centre
        self.clock = clock
        self.ready = 0

    async def enrol(self) -> None:
        self.identity = Identity.open(self.directory)
        await enrol(self.identity, server=self.centre.url, code="GOOD-CODE-1")
        self.open()

    def open(self) -> None:
        self.journal = Journal.open(self.directory / "journal.sqlite", terminal="k1")
        self.client = FleetClient(self.centre.url, self.identity.key, "k1", clock=self.clock)
        self.library = Library.open(
            self.directory / "library", enrolment=self.identity.enrolment, journal=self.journal,
            now=self.client.clock.now,
        )  # fmt: skip
        self.link = FleetLink(
            self.client, self.identity, self.library, self.journal, heartbeat_seconds=0.5, poll_seconds=0.5,
            version="1.0", situation=self.situation, on_bundle_ready=self.bundle_ready,
        )  # fmt: skip

    def situation(self) -> Situation:
        return Situation("home", (), {"printer": DeviceStatus(device=DeviceState.ONLINE)})

    def bundle_ready(self) -> None:
        self.ready += 1
        self.library.activate()

    async def close(self) -> None:
        await self.client.close()
        self.journal.close()


@contextlib.asynccontextmanager
async def terminal_of(directory: Path, centre: Centre, clock: ServerClock | None = None) -> AsyncIterator[Terminal]:
    terminal = Terminal(directory, centre, clock)
    await terminal.enrol()
    try:
        yield terminal
    finally:
        await terminal.close()


@contextlib.asynccontextmanager
async def linked(terminal: Terminal) -> AsyncIterator[None]:
    task = asyncio.create_task(terminal.link.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Any], seconds: float = 8.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def held(centre: Centre, terminal: Terminal) -> list[Any]:
    return centre.entries.get(terminal.journal.journal_id, [])


# --- enrolment -------------------------------------------------------------------------------------------------------


def test_enrolment_once_with_a_key_born_here(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        identity = Identity.open(tmp_path)
        await enrol(identity, server=centre.url, code="GOOD-CODE-1")
        assert identity.terminal == "k1"
        again = Identity.open(tmp_path)
        assert (again.terminal, again.key.public_base64) == ("k1", identity.key.public_base64)
        await enrol(again, server="http://127.0.0.1:1", code="")

    asyncio.run(story())
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("code", ["", "short", "ALREADY-USED"])
def test_a_wrong_code_is_said_with_its_cure(tmp_path: Path, centre: Centre, code: str) -> None:
    with pytest.raises(SettingsInvalid, match="code"):
        asyncio.run(enrol(Identity.open(tmp_path), server=centre.url, code=code))
    assert not Identity.open(tmp_path).is_enrolled


def test_no_server_to_enrol_at_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        asyncio.run(enrol(Identity.open(tmp_path), server="http://127.0.0.1:1", code="GOOD-CODE-1"))


def test_a_damaged_key_is_said_with_its_cure(tmp_path: Path) -> None:
    Identity.open(tmp_path)
    (tmp_path / "machine.key").write_bytes(b"-----BEGIN nothing")
    with pytest.raises(SettingsInvalid, match="enrol the machine anew"):
        Identity.open(tmp_path)


# --- the link as a whole ---------------------------------------------------------------------------------------------


def test_everything_arrives_and_a_hint_brings_a_new_matter_within_seconds(
    tmp_path: Path, centre: Centre, city: City
) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            centre.want(city.desire(city.publish(matter()), 1))
            async with linked(terminal):
                await until(lambda: terminal.library.generation == 1 and centre.sockets)
                assert terminal.link.online
                terminal.link._poll_seconds = 3600.0
                terminal.link.look()
                await until(lambda: centre.count("desired-state") >= 2)
                heard: list[str] = []
                terminal.link._on_hint = heard.append
                await centre.say('{"look": "handover"}')
                await until(lambda: heard == ["handover"])
                centre.want(city.desire(city.publish(matter(version=2)), 2))
                started = time.monotonic()
                await centre.say('{"look": "desired-state"}')
                await until(lambda: terminal.library.generation == 2, 5.0)
                assert time.monotonic() - started < 5.0
                await until(lambda: centre.heartbeats[-1].reported.generation == 2)
                await until(lambda: len(held(centre, terminal)) == terminal.journal.head().sequence)
                await until(lambda: terminal.link.entries_waiting == 0)
            beat = centre.heartbeats[-1]
            assert (beat.stage, beat.terminal, beat.reported.bundle) == ("home", "k1", terminal.library.bundle_hash)
            assert beat.devices["printer"].device is DeviceState.ONLINE

    asyncio.run(story())


def test_noise_on_the_channel_is_no_hint(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal, linked(terminal):
            await until(lambda: centre.sockets)
            [socket] = centre.sockets
            for noise in ("", "[]", "{", '{"look": 7}', "\x00" * 4000):
                await centre.say(noise)
            await centre.say("x" * 10_000)
            await until(lambda: socket not in centre.sockets and centre.sockets)
            assert terminal.link.online

    asyncio.run(story())


def test_the_server_away_and_back_costs_nothing(tmp_path: Path, city: City) -> None:
    async def story() -> None:
        centre = Centre(city)
        with centre.running():
            terminal = Terminal(tmp_path, centre)
            await terminal.enrol()
            async with linked(terminal):
                await until(lambda: terminal.link.online and held(centre, terminal))
        async with linked(terminal):
            fill(terminal, 1200)
            await until(lambda: not terminal.link.online)
            with centre.running():
                await until(lambda: len(held(centre, terminal)) == 1201)
                await until(lambda: terminal.link.online and terminal.link.entries_waiting == 0)
                assert [entry.sequence for entry in held(centre, terminal)] == list(range(1, 1202))
                assert max(len(batch.entries) for batch in centre.batches) <= 500
        await terminal.close()

    asyncio.run(story())


# --- desired state ---------------------------------------------------------------------------------------------------


def test_unchanged_costs_one_small_answer(tmp_path: Path, centre: Centre, city: City) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            assert await terminal.link.pull() is Considered.UNCHANGED
            centre.want(city.desire(city.publish(matter()), 1))
            assert await terminal.link.pull() is Considered.READY
            fetched = centre.count("repository")
            assert await terminal.link.pull() is Considered.UNCHANGED
            assert centre.count("repository") == fetched

    asyncio.run(story())


def test_a_refused_bundle_is_told_and_tried_again(tmp_path: Path, centre: Centre, city: City) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            bundle = city.publish(matter(), sign=False)
            city.sign_all(bundles=1)
            centre.want(city.desire(bundle, 1))
            assert await terminal.link.pull() is Considered.REFUSED
            await terminal.link.beat()
            reported = centre.heartbeats[-1].reported
            assert (reported.result, reported.reason, reported.refused_bundle) == (
                "refused",
                "under_signed",
                bundle.hash,
            )
            city.sign_all()
            assert await terminal.link.pull() is Considered.READY

    asyncio.run(story())


@pytest.mark.parametrize(
    "answer",
    [
        lambda: Response(b"<html>", 200),
        lambda: Response(b"{}" * 100_000, 200),
        lambda: JSONResponse({}, 500),
        lambda: Response(status_code=302, headers={"location": "http://127.0.0.1:1/"}),
    ],
)
def test_garbage_instead_of_a_desired_state_is_unreachable(
    tmp_path: Path, centre: Centre, city: City, answer: Callable[[], Response]
) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            centre.want(city.desire(city.publish(matter()), 1))
            centre.misbehave["desired-state"] = [answer]
            with pytest.raises(Unreachable):
                await terminal.link.pull()
            assert await terminal.link.pull() is Considered.READY

    asyncio.run(story())


# --- clock and refusal -----------------------------------------------------------------------------------------------


def test_a_wrong_clock_is_a_fault_not_a_lock_out(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        late = ServerClock(lambda: dt.datetime.now(dt.UTC) - dt.timedelta(hours=26))
        async with terminal_of(tmp_path, centre, late) as terminal:
            await terminal.link.beat()
            assert terminal.link.online
            assert abs(terminal.link.clock_offset - dt.timedelta(hours=26)) < dt.timedelta(seconds=3)
            doubts = [entry for entry in terminal.journal.entries() if entry.event == "clock_doubtful"]
            assert [round(entry.data["offset_seconds"] / 3600) for entry in doubts] == [26]
            await terminal.link.beat()
            assert centre.heartbeats[-1].clock_offset_ms > 25 * 3600 * 1000
            async with linked(terminal):
                await until(lambda: centre.sockets)

    asyncio.run(story())


def test_a_revoked_machine_knows_and_comes_back_when_it_may(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            centre.misbehave["heartbeats"] = [
                lambda: JSONResponse({"title": "no", "status": 403, "code": "revoked"}, 403)
            ]
            await terminal.link.beat()
            assert (terminal.link.online, terminal.link.denied) == (False, "revoked")
            await terminal.link.beat()
            assert (terminal.link.online, terminal.link.denied) == (True, "")

    asyncio.run(story())


def test_each_request_is_signed_afresh(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            for _ in range(5):
                await terminal.link.beat()
            assert len(centre.nonces) == 5
            centre.keys["k1"] = bytes(32)
            await terminal.link.beat()
            assert terminal.link.denied == "bad_signature"

    asyncio.run(story())


# --- journal upload --------------------------------------------------------------------------------------------------


def fill(terminal: Terminal, number: int) -> None:
    terminal.journal._connection.execute("PRAGMA synchronous = OFF")
    for _ in range(number):
        terminal.journal.append("step_ended", step="s", kind="rate", milliseconds=1)


def test_lost_answers_are_harmless(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 30)
            centre.forge_receipt = True
            with pytest.raises(UploadFailed, match="director"):
                await terminal.link.upload()
            assert terminal.journal.acknowledged()[0] == 0, "a forged receipt frees nothing"
            centre.forge_receipt = False
            assert await terminal.link.upload() == 31
            assert len(held(centre, terminal)) == 31

    asyncio.run(story())


def test_a_receipt_is_repeated_in_the_heartbeat(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 5)
            centre.forge_receipt = True
            with contextlib.suppress(UploadFailed):
                await terminal.link.upload()
            await terminal.link.beat()
            assert terminal.link.entries_waiting == 0

    asyncio.run(story())


def test_a_server_restored_from_a_backup_gets_the_rest_again(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 20)
            await terminal.link.upload()
            del held(centre, terminal)[8:]
            await terminal.link.beat()
            assert terminal.link.entries_waiting == 13
            await terminal.link.upload()
            assert len(held(centre, terminal)) == 21
            del held(centre, terminal)[3:]
            fill(terminal, 1)
            assert await terminal.link.upload() == 19, "a gap rewinds without waiting for a heartbeat"
            assert len(held(centre, terminal)) == 22
            assert terminal.link.journal_alarm == ""

    asyncio.run(story())


def test_a_fork_is_alarmed_and_deletes_nothing(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 10)
            await terminal.link.upload()
            entries = held(centre, terminal)
            entries[-1] = entries[-1].model_copy(update={"hash": "e" * 64})
            acknowledged = terminal.journal.acknowledged()
            await terminal.link.beat()
            assert "another entry" in terminal.link.journal_alarm
            assert terminal.journal.acknowledged() == acknowledged
            fill(terminal, 1)
            with pytest.raises(UploadFailed):
                await terminal.link.upload()
            assert len(terminal.journal.entries()) == 12
            await terminal.link.beat()
            assert centre.heartbeats[-1].model_extra == {"journal_alarm": terminal.link.journal_alarm}

    asyncio.run(story())


def test_a_server_that_holds_more_than_this_machine_is_a_fork(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            centre.misbehave["journals"] = [
                lambda: JSONResponse({"title": "gap", "status": 409, "code": "gap", "expected_sequence": 99}, 409)
            ]
            with pytest.raises(UploadFailed):
                await terminal.link.upload()
            assert "contradicts" in terminal.link.journal_alarm

    asyncio.run(story())


def test_trimmed_entries_that_are_asked_for_are_alarmed(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 10)
            await terminal.link.upload()
            terminal.journal._retention = dt.timedelta(seconds=-60)
            assert terminal.journal.trim() > 0
            del held(centre, terminal)[2:]
            fill(terminal, 1)
            with pytest.raises(UploadFailed):
                await terminal.link.upload()
            assert "keeps them from" in terminal.link.journal_alarm

    asyncio.run(story())


def test_a_server_that_goes_back_and_forth_is_left_alone(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 10)

            def gap(expected: int) -> Callable[[], Response]:
                return lambda: JSONResponse({"title": "", "status": 409, "expected_sequence": expected}, 409)

            centre.misbehave["journals"] = [gap(5 if turn % 2 else 3) for turn in range(100)]
            with pytest.raises(UploadFailed, match="back and forth"):
                await terminal.link.upload()

    asyncio.run(story())


def test_too_large_becomes_smaller(tmp_path: Path, centre: Centre) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            fill(terminal, 10)
            centre.misbehave["journals"] = [lambda: JSONResponse({"title": "", "status": 413}, 413)] * 7
            assert await terminal.link.upload() == 11
            assert max(len(batch.entries) for batch in centre.batches) <= 4

    asyncio.run(story())


def test_the_link_survives_its_own_mistakes(tmp_path: Path, centre: Centre, city: City) -> None:
    async def story() -> None:
        async with terminal_of(tmp_path, centre) as terminal:
            calls = []

            def broken() -> Situation:
                calls.append(1)
                if len(calls) < 3:
                    raise RuntimeError("a device's status could not be made")
                return Situation("home")

            terminal.link._situation = broken
            async with linked(terminal):
                await until(lambda: centre.heartbeats)
                centre.want(city.desire(city.publish(matter()), 1))
                await until(lambda: terminal.library.generation == 1)

    asyncio.run(story())
