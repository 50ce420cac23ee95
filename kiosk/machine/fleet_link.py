"""The one way to the centre, beside the citizen and never in the way: heartbeat, desired state, journal, hints.

Push is a hint, pull is the truth. Each of the four loops lives on its own; none of their failures reaches the flow.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import websockets
from pydantic import ValidationError
from websockets.asyncio.client import connect

from drivers.messages import DeviceStatus
from kiosk.contracts.bundle import SignedDesiredState
from kiosk.contracts.errors import JournalFull, Unreachable
from kiosk.contracts.fleet import Heartbeat, HeartbeatAnswer
from kiosk.contracts.matter import CONTRACT_VERSION, STEP_KINDS
from kiosk.machine.fleet.backoff import Backoff, jittered, wait_for
from kiosk.machine.fleet.client import API, FleetClient
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.fleet.upload import Uploader, UploadFailed
from kiosk.machine.journal import Journal
from kiosk.machine.library import Considered, Library

DESIRED_STATE_BYTES = 64 * 1024
HINT_BYTES = 4096
HEARTBEAT_LIMITS = (1.0, 3600.0)
DOUBTFUL_CLOCK_SECONDS = 60.0
UPLOAD_PAUSE_SECONDS = 5.0
LONGEST_DENIAL_SECONDS = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Situation:
    """What the heartbeat says about the moment: the stage in a word, why, and every device's whole status."""

    stage: str = "starting"
    stage_reasons: tuple[str, ...] = ()
    devices: dict[str, DeviceStatus] = field(default_factory=dict)


class FleetLink:
    """Made by `kiosk.__main__` once the machine is enrolled; `run()` is one task that ends only when cancelled.

    `situation` is asked before each heartbeat. `on_bundle_ready` is called when a verified bundle waits in the
    library; whoever knows that no citizen is served then calls `Library.activate`. `on_hint` hears what else the
    centre wants looked at (`handover`, …).
    """

    def __init__(
        self, client: FleetClient, identity: Identity, library: Library, journal: Journal, *,
        heartbeat_seconds: float = 15.0, poll_seconds: float = 30.0, version: str = "",
        situation: Callable[[], Situation] = Situation, on_bundle_ready: Callable[[], None] = lambda: None,
        boot_id: str = "", on_hint: Callable[[str], None] = lambda _look: None,
    ) -> None:  # fmt: skip
        self._client = client
        self._identity = identity
        self._library = library
        self._journal = journal
        self._heartbeat_seconds = heartbeat_seconds
        self._poll_seconds = poll_seconds
        self._version = version
        self._situation = situation
        self._on_bundle_ready = on_bundle_ready
        self._on_hint = on_hint
        self._uploader = Uploader(client, identity, journal)
        self._look, self._beat, self._upload = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._etag = ""
        self._desired: SignedDesiredState | None = None
        self._online = False
        self._doubted_offset = 0.0
        self.boot_id = boot_id or uuid.uuid4().hex
        self.denied = ""
        """Why the server refuses this machine (`revoked`, `unknown_terminal`), or empty."""

    @property
    def online(self) -> bool:
        """The server answered the last time it was asked, and knows this machine."""
        return self._online

    @property
    def clock_offset(self) -> dt.timedelta:
        """Server's time minus this machine's."""
        return dt.timedelta(seconds=self._client.clock.offset_seconds)

    @property
    def entries_waiting(self) -> int:
        """Journal entries the server has not acknowledged."""
        return self._uploader.waiting

    @property
    def journal_alarm(self) -> str:
        """Empty, or what the server's journal and this one disagree about."""
        return self._uploader.alarm

    def look(self) -> None:
        """Ask for the desired state now."""
        self._look.set()

    def report_soon(self) -> None:
        """Send a heartbeat now: a device failed, a bundle was activated."""
        self._beat.set()

    async def run(self) -> None:
        """Keep the link until cancelled. Nothing that goes wrong in it ends it."""
        loop = asyncio.get_running_loop()
        self._journal.on_append(lambda: _poke(loop, self._upload))
        self._library.on_change(self.report_soon)
        async with asyncio.TaskGroup() as group:
            for work in (self._beat_on, self._pull_on, self._upload_on, self._listen_on):
                group.create_task(self._forever(work), name=f"fleet {work.__name__.strip('_')}")

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff()
        while True:
            try:
                await work()
                backoff.succeeded()
            except Exception:
                log.exception("the link stumbled and goes on")
                await asyncio.sleep(backoff.next())

    # --- heartbeat -------------------------------------------------------------------------------------------------

    async def _beat_on(self) -> None:
        backoff = Backoff(longest=self._heartbeat_seconds)
        while True:
            try:
                pause = jittered(await self.beat())
                backoff.succeeded()
            except Unreachable as error:
                self._went_offline(error)
                pause = backoff.next()
            await wait_for(self._beat, pause)

    async def beat(self) -> float:
        """Send one heartbeat; returns the seconds until the next, as the server wishes. Raises `Unreachable`."""
        asked_at, asked = time.monotonic(), self._heartbeat()
        answer = await self._client.post("heartbeats", asked.model_dump_json().encode(), limit=DESIRED_STATE_BYTES)
        if answer.status != 200:
            return self._not_served(answer.status, answer.problem.code)
        try:
            heard = HeartbeatAnswer.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unreachable("the server's heartbeat answer cannot be read", reason="garbled") from error
        self._online, self.denied = True, ""
        self._learn_clock(heard.server_time, asked_at)
        if heard.journal is not None:
            self._uploader.hear(heard.journal, asked_at)
        if self._uploader.waiting:
            self._upload.set()
        shortest, longest = HEARTBEAT_LIMITS
        return min(max(float(heard.next_heartbeat_seconds), shortest), longest)

    def _heartbeat(self) -> Heartbeat:
        now, head = self._situation(), self._journal.head()
        return Heartbeat(
            terminal=self._identity.terminal, boot_id=self.boot_id, sent_at=dt.datetime.now(dt.UTC),
            version=self._version, contract_version=CONTRACT_VERSION, step_kinds=STEP_KINDS, stage=now.stage,
            stage_reasons=now.stage_reasons, devices=now.devices, reported=self._library.reported(),
            journal_id=head.journal_id, journal_sequence=head.sequence,
            acknowledged_sequence=self._journal.acknowledged()[0],
            clock_offset_ms=round(self._client.clock.offset_seconds * 1000),
            **({"journal_alarm": self.journal_alarm} if self.journal_alarm else {}),
        )  # fmt: skip

    def _learn_clock(self, server_time: dt.datetime, asked_at: float) -> None:
        travelled = dt.timedelta(seconds=(time.monotonic() - asked_at) / 2)
        self._client.clock.learn(server_time + travelled)
        offset = self._client.clock.offset_seconds
        if abs(offset) > DOUBTFUL_CLOCK_SECONDS and abs(offset - self._doubted_offset) > DOUBTFUL_CLOCK_SECONDS:
            self._doubted_offset = offset
            with contextlib.suppress(JournalFull):
                self._journal.append("clock_doubtful", offset_seconds=round(offset))

    def _not_served(self, status: int, code: str) -> float:
        self._online = False
        if status in (401, 403):
            if code != self.denied:
                log.error("the server refuses this machine: %s", code or status)
            self.denied = code or f"http_{status}"
            return LONGEST_DENIAL_SECONDS
        raise Unreachable(f"the server answers {status}", reason=code or f"http_{status}")

    def _went_offline(self, error: Unreachable) -> None:
        if self._online:
            log.warning("offline: %s", error)
        self._online = False

    # --- desired state ---------------------------------------------------------------------------------------------

    async def _pull_on(self) -> None:
        backoff = Backoff(longest=self._poll_seconds)
        while True:
            try:
                await self.pull()
                pause = jittered(self._poll_seconds)
                backoff.succeeded()
            except Unreachable as error:
                log.info("desired state: %s", error)
                pause = backoff.next()
            await wait_for(self._look, pause)

    async def pull(self) -> Considered:
        """Ask what this machine should run and install it beside what runs. Raises `Unreachable`."""
        headers = {"if-none-match": self._etag} if self._etag else {}
        answer = await self._client.get("desired-state", headers=headers, limit=DESIRED_STATE_BYTES)
        match answer.status:
            case 200:
                try:
                    self._desired = SignedDesiredState.model_validate_json(answer.content)
                except ValidationError as error:
                    raise Unreachable("the desired state cannot be read", reason="garbled") from error
                self._etag = answer.headers.get("etag", "")
            case 404:
                self._desired, self._etag = None, ""
            case 304:
                pass
            case status:
                self._not_served(status, answer.problem.code)
                return Considered.UNCHANGED
        if self._desired is None:
            return Considered.UNCHANGED
        etag, self._etag = self._etag, ""
        considered = await self._library.consider(self._desired, self.fetch)
        if considered is Considered.REFUSED:
            self.report_soon()
            return considered
        self._etag = etag
        if considered is Considered.READY:
            self._on_bundle_ready()
        return considered

    async def fetch(self, path: str, limit: int) -> bytes:
        """A file below `repository/`. Raises `FileNotFoundError` or `Unreachable`."""
        answer = await self._client.get(f"repository/{path}", timeout_seconds=30.0, limit=limit)
        if answer.status == 404:
            raise FileNotFoundError(path)
        if answer.status != 200:
            raise Unreachable(f"{path}: the server answers {answer.status}", reason=f"http_{answer.status}")
        return answer.content

    # --- journal ---------------------------------------------------------------------------------------------------

    async def _upload_on(self) -> None:
        backoff = Backoff()
        while True:
            pause = jittered(UPLOAD_PAUSE_SECONDS)
            try:
                await self.upload()
                backoff.succeeded()
            except (Unreachable, UploadFailed) as error:
                log.info("journal upload: %s", error)
                pause = backoff.next(getattr(error, "retry_after", ""))
                self._upload.clear()
                await asyncio.sleep(pause)
                continue
            await wait_for(self._upload, pause)

    async def upload(self) -> int:
        """Send everything that waits; returns how many entries were acknowledged. Raises as `Uploader.send`."""
        sent, rewinds = 0, 0
        while self._uploader.waiting > 0:
            acknowledged = await self._uploader.send()
            sent += acknowledged
            rewinds = 0 if acknowledged else rewinds + 1
            if rewinds > 16:
                raise UploadFailed("the server asks back and forth without taking an entry")
        return sent

    # --- hints -----------------------------------------------------------------------------------------------------

    async def _listen_on(self) -> None:
        backoff = Backoff()
        while True:
            try:
                await self._listen(backoff)
            except websockets.InvalidStatus as error:
                self._client.learn_date(error.response.headers.get("date", ""))
                log.info("channel: refused with %s", error.response.status_code)
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                log.info("channel: %s", type(error).__name__)
            self.report_soon()
            await asyncio.sleep(backoff.next())

    async def _listen(self, backoff: Backoff) -> None:
        url = f"{self._client.server}{API}/channel"
        signed = self._client.signer.headers("GET", url, now=self._client.clock.now())
        address = "ws" + url.removeprefix("http")
        async with connect(
            address, additional_headers=signed, ssl=self._client.tls if address.startswith("wss:") else None,
            max_size=HINT_BYTES, max_queue=16, open_timeout=10, close_timeout=2, ping_interval=20, ping_timeout=20,
            proxy=None,
        ) as channel:  # fmt: skip
            self.look()
            async for message in channel:
                backoff.succeeded()
                if (hint := _hint(message)) == "desired-state":
                    self.look()
                elif hint:
                    self._on_hint(hint)


def _hint(message: str | bytes) -> str:
    try:
        heard = json.loads(message)
    except ValueError:
        return ""
    return str(heard.get("look", "")) if isinstance(heard, dict) else ""


def _poke(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)
