"""One life of a device's process: started, spoken to, watched, ended. Its successor is another object."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from drivers.errors import (
    ERROR_KINDS,
    CommandCancelled,
    CommandTimedOut,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
)
from drivers.host.channel import Channel, ChannelClosed, FrameTooLarge
from drivers.host.interface import Method
from drivers.host.lives.started import Started
from drivers.host.lives.system import Vitals, read_stderr

LOG = logging.getLogger("drivers.host")
TICK_SECONDS = 0.1
UNASKED_ANSWERS = 2
COLLECT_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """How long, and how much. Seconds and bytes."""

    start_seconds: float = 15.0
    silence_seconds: float = 1.0
    settling_silence_seconds: float = 6.0
    stopped_seconds: float = 0.5
    starved_seconds: float = 4.0
    grace_seconds: float = 1.5
    cancel_seconds: float = 1.5
    close_seconds: float = 2.0
    memory_bytes: int = 1024**3


@dataclass(frozen=True)
class Ending:
    """Why a process ended. `error` is what its driver said when it could not be opened."""

    code: str
    error: dict[str, str] | None = None


@dataclass(eq=False)
class Command:
    """One command under way in the process."""

    number: int
    method: Method
    arguments: dict[str, Any]
    limit: float
    answers: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    finished: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    deadline: float | None = None
    spent: float = 0.0
    cancelled_at: float | None = None
    expired: bool = False


class DeviceProcess:
    """`ready` and `ended` are futures: the first is set when the driver stands, the second always."""

    def __init__(self, name: str, driver: str, options: dict[str, Any], limits: Limits, started: Started) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self._limits = limits
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[Ending] = loop.create_future()
        self.wants_standby = False
        """The driver loads long and opens nothing before its first command: another one may stand ready behind it."""
        self.settled = False
        """The driver has said that it is no longer starting. Before, loading its library may hold its loop up."""
        self._commands: dict[int, Command] = {}
        self._numbers = itertools.count(1)
        self._clock = 0.0
        self._heard_at = 0.0
        self.started_at = loop.time()
        self._started = started
        self._stop_reading = read_stderr(started.errors, name)
        self._vitals = Vitals(started.pid)
        self._channel = Channel(started.connection)
        self._channel.send({"op": "configure", "driver": driver, "options": options})
        self._tasks = [loop.create_task(self._listen()), loop.create_task(self._watch())]

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def mark(self) -> str:
        """What everything it starts carries in its environment."""
        return self._started.mark

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    # --- commands ---------------------------------------------------------------------------------------------------

    def begin(self, method: Method, arguments: dict[str, Any]) -> Command:
        """Send a command. Raises `DeviceOffline`; `MediaError` when its arguments are too large to hand over."""
        command = Command(next(self._numbers), method, arguments, method.limit_seconds(arguments))
        try:
            tree = method.dump_arguments(arguments)
        except PydanticSerializationError:
            raise TypeError(f"{method.name}: an argument is not of the protocol's type") from None
        try:
            self._channel.send({"op": "call", "id": command.number, "method": method.name, "arguments": tree})
        except ChannelClosed as error:
            raise DeviceOffline(f"{self.name} is being restarted", "process_lost") from error
        except FrameTooLarge as error:
            raise MediaError(f"{self.name}: {error}", "too_large") from error
        self._commands[command.number] = command
        if not method.streams:
            self._arm(command)
        return command

    async def answer(self, command: Command) -> Any:
        """The next answer: a result or an item. Raises `StopAsyncIteration` at the end of a stream, `DeviceError`."""
        if command.method.streams:
            self._arm(command)
            if self.alive:
                self._channel.send({"op": "next", "id": command.number})
        frame = await command.answers.get()
        self._disarm(command)
        match frame["op"]:
            case "result" | "item":
                try:
                    return command.method.load_result(frame.pop("value"))
                except ValidationError:  # its text would show what was answered
                    if command.method.acts:
                        return command.method.result_type.uncertain(command.arguments, "driver_broken")
                    raise self._broken(f"answered {command.method.name} with something else") from None
            case "end":
                raise StopAsyncIteration
            case _:
                return self._raise(command, frame["error"])

    def cancel(self, command: Command) -> None:
        """Take a command back; the process is killed when it does not obey."""
        if command.cancelled_at is None and not command.finished.done():
            command.cancelled_at = self._clock
            with contextlib.suppress(ChannelClosed):
                self._channel.send({"op": "cancel", "id": command.number})

    def cancel_all(self) -> list[Command]:
        for command in (running := [c for c in self._commands.values() if c.method.queues]):
            self.cancel(command)
        return running

    def _raise(self, command: Command, error: dict[str, str]) -> Any:
        kind, reason, message = error["kind"], error["reason"], f"{self.name}: {error['message']}"
        lost = kind in ("lost", "internal")
        taken_back = kind == CommandCancelled.kind and command.cancelled_at is not None
        if command.method.acts and (lost or taken_back):
            return command.method.result_type.uncertain(command.arguments, reason)
        if command.expired and (lost or taken_back):
            raise CommandTimedOut(f"{self.name} did not finish within {command.limit:g} s: try again", "timed_out")
        if kind == "lost":
            raise DeviceOffline(f"{self.name} was lost during {command.method.name}: it is being restarted", reason)
        if kind == "internal":
            raise HardwareFault(message, reason)
        raise ERROR_KINDS.get(kind, DeviceError)(message, reason)

    def _broken(self, deed: str) -> HardwareFault:
        return HardwareFault(f"{self.name}: the driver {deed}: report it to its maker", "driver_broken")

    def _arm(self, command: Command) -> None:
        command.deadline = self._clock + max(command.limit + self._limits.grace_seconds - command.spent, 0.0)

    def _disarm(self, command: Command) -> None:
        if command.deadline is not None:
            remaining = command.deadline - self._clock
            if command.method.signature.parameters:  # an endless preview has no limit as a whole
                command.spent = max(command.limit + self._limits.grace_seconds - remaining, 0.0)
            command.deadline = None

    # --- listening --------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        try:
            while True:
                frame = await self._channel.receive()
                self._heard_at = self._clock
                self._hear(frame)
        except (ChannelClosed, KeyError, TypeError):
            self.end("process_lost")

    def _hear(self, frame: dict[str, Any]) -> None:
        match frame["op"]:
            case "beat":
                pass
            case "ready" if not self.ready.done():
                self.wants_standby = bool(frame.get("standby", False))
                self.ready.set_result(None)
            case "failed":
                self.end("driver_failed", frame["error"])
            case operation:
                command = self._commands.get(frame["id"])
                if command is None:
                    return
                if command.answers.qsize() > UNASKED_ANSWERS:
                    self.end("driver_broken")
                    return
                if operation != "item":
                    self._finish(command)
                command.answers.put_nowait(frame)

    def _finish(self, command: Command) -> None:
        self._commands.pop(command.number, None)
        command.finished.set_result(None)

    # --- watching ---------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """The clock runs at most two ticks at once: when the house itself was held up, the device is not blamed."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            self._clock += min(now - before, 2 * TICK_SECONDS)
            before = now
            verdict = self._judge()
            if verdict:
                LOG.warning("%s: %s, its process is killed", self.name, verdict)
                self.end(verdict)
                return

    def _judge(self) -> str:
        silence = self._clock - self._heard_at
        if not self.ready.done():
            return "start_hung" if silence > self._limits.start_seconds else ""
        if silence < TICK_SECONDS * 3:
            self._vitals.mark()
        elif silence > self._limits.stopped_seconds and self._vitals.stopped():
            return "process_stopped"
        elif silence > self._patience(silence):
            return "process_hung"
        if self._vitals.resident_bytes() > self._limits.memory_bytes:
            return "memory_limit"
        for command in self._commands.values():
            if command.cancelled_at is None:
                if command.deadline is not None and self._clock > command.deadline:
                    command.expired = True
                    self.cancel(command)
            elif self._clock > command.cancelled_at + self._limits.cancel_seconds:
                return "command_stuck"
        return ""

    def _patience(self, silence: float) -> float:
        if not self.settled:
            return self._limits.settling_silence_seconds
        starved = silence > self._limits.silence_seconds and self._vitals.starved(silence)
        return self._limits.starved_seconds if starved else self._limits.silence_seconds

    # --- the end ----------------------------------------------------------------------------------------------------

    def end(self, code: str, error: dict[str, str] | None = None) -> None:
        """Kill what is left of the process. Every command under way ends; nobody waits for ever."""
        if self.ended.done():
            return
        self._started.kill()
        self.ended.set_result(Ending(code, error))
        self._channel.close()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        for command in list(self._commands.values()):
            self._finish(command)
            command.answers.put_nowait({"op": "error", "error": {"kind": "lost", "reason": code, "message": code}})
        self._stop_reading()
        self._reaper = asyncio.get_running_loop().create_task(self._reap())

    async def close(self) -> None:
        """Let the driver release its hardware, then end the process and wait until it is gone."""
        if self.alive:
            with contextlib.suppress(ChannelClosed, TimeoutError):
                self._channel.send({"op": "close"})
                await asyncio.wait_for(asyncio.shield(self.ended), self._limits.close_seconds)
            self.end("closed")
        await self._reaper

    async def _reap(self) -> None:
        while not self._started.has_ended:  # noqa: ASYNC110 - works on every loop and thread
            await asyncio.sleep(0.005)
        with contextlib.suppress(TimeoutError):  # when its parent is lost too, it waits for the system to collect it
            async with asyncio.timeout(COLLECT_SECONDS):
                while not self._started.is_gone:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.005)
        await asyncio.to_thread(self._started.kill_strays)
        self._started.forget()
