"""A device as the house sees it: always there, whatever becomes of the process behind it.

A process that crashes, hangs, stops or grows is killed and started again, with a longer pause each time; a driver that
cannot work as it is configured is not started again until somebody changed something.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from drivers.errors import ERROR_KINDS, DeviceAbsent, DeviceError, DeviceOffline, HardwareFault, Unsupported
from drivers.host.interface import Method, methods_of
from drivers.host.process import Command, DeviceProcess, Ending, Limits
from drivers.host.proxy import proxy_class
from drivers.host.spare import Spare, start_process
from drivers.host.status import StatusBoard
from drivers.messages import Capabilities, DeviceState, DeviceStatus, FaultAction, Message
from drivers.registry import protocol_of

LOG = logging.getLogger("drivers.host")

BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 60.0
STOOD, NEVER_STOOD = 0.25, 1.0
"""How far a lost life moves the back-off: a driver that stood comes back sooner than one that never did."""

POLL_SECONDS = 3.0
LOOK_SECONDS = 0.25
WAIT_FOR_RETURN_SECONDS = 3.0
"""A command that meets a device in restart waits this long before it gives up."""


class DeviceConfig(Message):
    """One device of this machine. `driver` is CLASS/MODEL; `options` are checked by the driver's own `Options`."""

    name: str
    driver: str
    options: dict[str, Any] = {}

    @property
    def device_class(self) -> str:
        return self.driver.partition("/")[0]


class SupervisedDevice:
    """One configured device. `proxy` has the protocol of its class; everything else is for the house."""

    def __init__(
        self,
        config: DeviceConfig,
        *,
        limits: Limits | None = None,
        on_change: Callable[[str, DeviceStatus], None] | None = None,
        poll_seconds: float = POLL_SECONDS,
        spare: Spare | None = None,
    ) -> None:
        self.config = config
        self.restarts = 0
        self._limits = limits or Limits()
        self._poll_seconds = poll_seconds
        self._spare = spare
        self._methods = methods_of(protocol_of(config.device_class))
        self._board = StatusBoard(config.name, on_change)
        self._process: DeviceProcess | None = None
        self._capabilities: Capabilities | None = None
        self._queue = asyncio.Lock()
        self._settled = asyncio.Event()
        self._try_again = asyncio.Event()
        self._refusal: DeviceError | None = None
        self._given_up = False
        self._refreshing: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._failures = 0.0
        self._closing = False
        self.proxy: Any = proxy_class(protocol_of(config.device_class))(self)

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to supervise. Idempotent."""
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._board.starting()
            self._tasks = [loop.create_task(self._supervise()), loop.create_task(self._poll())]

    async def open(self, *, timeout_seconds: float = 15.0) -> None:
        """Start, and return when the driver stands. Raises `DeviceError` when it cannot, or not in time."""
        self.start()
        await self._ready_process(timeout_seconds, patient=False)

    async def close(self) -> None:
        """End the process and stop supervising. Idempotent."""
        self._closing = True
        self._board.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._process is not None:
            await self._process.close()

    def recycle(self) -> None:
        """Kill the process and start afresh: nothing it held survives. Also tries again what was given up."""
        if self._process is not None:
            self._process.end("recycled")
        self._try_again.set()

    @property
    def pid(self) -> int | None:
        """The live process's id."""
        return self._process.pid if self._process is not None and self._process.alive else None

    @property
    def is_ready(self) -> bool:
        return self._process is not None and self._process.alive and self._process.ready.done()

    async def _supervise(self) -> None:
        while not self._closing:
            try:
                started = self._spare.take() if self._spare is not None else start_process()
                process = self._process = DeviceProcess(
                    self.config.name, self.config.driver, self.config.options, self._limits, started
                )
            except OSError as error:
                LOG.error("%s: no process can be started: %s", self.config.name, error.strerror)  # noqa: TRY400
                ending, lived, stood = Ending("process_lost"), 0.0, False
            else:
                ending, lived = await self._accompany(process)
                stood = process.ready.done()
            self._try_again.clear()
            pause = self._after(ending, lived, stood=stood)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._try_again.wait(), pause)
            self._given_up = False

    async def _accompany(self, process: DeviceProcess) -> tuple[Ending, float]:
        await asyncio.wait((process.ready, process.ended), return_when=asyncio.FIRST_COMPLETED)
        if process.ready.done() and process.alive:
            self._refusal = None
            self._settled.set()
            self._refresh()
            if self._spare is not None:
                self._spare.replenish()
        ending = await asyncio.shield(process.ended)
        return ending, asyncio.get_running_loop().time() - process.started_at

    def _after(self, ending: Ending, lived_seconds: float, *, stood: bool) -> float | None:
        """Seconds to wait before the next life; None when only a change can help."""
        if ending.code in ("recycled", "closed"):
            self._board.starting()
            return 0.0
        if lived_seconds > STABLE_SECONDS:
            self._failures = 0.0
        refusal = self._refusal = _refusal(self.config.name, ending)
        self._given_up = refusal is not None and _is_permanent(refusal)
        self._settled.set()
        pause = BACK_OFF_SECONDS[min(int(self._failures), len(BACK_OFF_SECONDS) - 1)]
        self._failures += STOOD if stood else NEVER_STOOD
        self.restarts += 1
        if refusal is not None and self._given_up:
            LOG.error("%s: %s", self.config.name, refusal)
            hardware = isinstance(refusal, HardwareFault)
            self._board.down(
                DeviceState.HARDWARE_ERROR if hardware else DeviceState.OFFLINE,
                refusal.reason,
                FaultAction.MAINTENANCE if hardware else FaultAction.CONFIGURATION,
                str(refusal),
            )
            return None
        again = self._failures >= len(BACK_OFF_SECONDS)
        absent = isinstance(refusal, DeviceAbsent)
        self._board.down(
            DeviceState.NO_DEVICE if absent else DeviceState.OFFLINE,
            refusal.reason if refusal is not None else ending.code,
            FaultAction.MAINTENANCE if again else FaultAction.WAIT,
            str(refusal) if refusal is not None else "",
        )
        return pause

    # --- status -----------------------------------------------------------------------------------------------------

    def cached_status(self) -> DeviceStatus:
        """The last known state, or what follows from the state of the process. Never waits."""
        status = self._board.status(busy=self._queue.locked())
        if status.is_fit and not self.is_ready:  # the process ended a moment ago
            return status.model_copy(update={"device": DeviceState.STARTING})
        return status

    async def status(self) -> DeviceStatus:
        """The state now; never raises. While the device moves and cannot be asked, the last known one."""
        if self.is_ready and self._may_ask():
            await asyncio.shield(self._refresh())
        return self.cached_status()

    async def capabilities(self) -> Capabilities:
        """What the device can do; known also while it is being restarted. Raises `DeviceError` when never heard."""
        if self._capabilities is None:
            self._capabilities = await self._request(self._methods["capabilities"], {})
        return self._capabilities

    def _may_ask(self) -> bool:
        idle = not self._queue.locked()
        return idle or (self._capabilities is not None and self._capabilities.poll_safe_in_motion)

    def _refresh(self) -> asyncio.Task[None]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._ask_status())
        return self._refreshing

    async def _ask_status(self) -> None:
        process = self._process
        try:
            if self._capabilities is None:
                await self.capabilities()
            status = await self._request(self._methods["status"], {})
        except DeviceError as error:
            if process is self._process and self.is_ready:
                self._board.down(DeviceState.UNKNOWN, "status_failed", FaultAction.WAIT, str(error))
        else:
            self._board.heard(status)
            if process is not None and status.device is not DeviceState.STARTING and not process.settled:
                process.settled = True
                LOG.info("%s: process %d stands, its state is %s", self.config.name, process.pid, status.device)

    async def _poll(self) -> None:
        """Now and then; at once and often while a driver that stands still says that it is starting."""
        rested = 0.0
        while True:
            pause = min(self._poll_seconds, LOOK_SECONDS)
            await asyncio.sleep(pause)
            rested += pause
            due = rested >= self._poll_seconds or self._board.status().device is DeviceState.STARTING
            if due and self.is_ready and self._may_ask():
                rested = 0.0
                await asyncio.shield(self._refresh())

    # --- commands ---------------------------------------------------------------------------------------------------

    async def request(self, name: str, *args: Any, **kwargs: Any) -> Any:
        method = self._methods[name]
        arguments = method.bind(args, kwargs)
        if not method.queues:
            return await self._request(method, arguments)
        async with contextlib.AsyncExitStack() as stack:
            await self._take_turn(stack)
            return await self._request(method, arguments, stack)

    async def _request(
        self, method: Method, arguments: dict[str, Any], stack: contextlib.AsyncExitStack | None = None
    ) -> Any:
        process = await self._ready_process(WAIT_FOR_RETURN_SECONDS)
        command = process.begin(method, arguments)
        if stack is not None:
            self._keep_turn(stack, command)
        try:
            return await process.answer(command)
        finally:
            process.cancel(command)

    async def stream(self, name: str, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        method = self._methods[name]
        arguments = method.bind(args, kwargs)
        async with contextlib.AsyncExitStack() as stack:
            if method.queues:
                await self._take_turn(stack)
            process = await self._ready_process(WAIT_FOR_RETURN_SECONDS)
            command = process.begin(method, arguments)
            if method.queues:
                self._keep_turn(stack, command)
            try:
                while True:
                    try:
                        item = await process.answer(command)
                    except StopAsyncIteration:
                        return
                    yield item
            finally:
                process.cancel(command)

    async def _take_turn(self, stack: contextlib.AsyncExitStack) -> None:
        """One queue per device. A status that cannot be asked while the device moves is waited for first."""
        await self._queue.acquire()
        stack.callback(self._queue.release)
        if self._refreshing is not None and not self._refreshing.done() and not self._may_ask():
            await asyncio.shield(self._refreshing)

    def _keep_turn(self, stack: contextlib.AsyncExitStack, command: Command) -> None:
        """The next command starts when this one has truly ended in the device, not when its caller has left."""
        stack.pop_all()
        command.finished.add_done_callback(lambda _: self._queue.release())

    async def _ready_process(self, timeout_seconds: float, *, patient: bool = True) -> DeviceProcess:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while not self.is_ready and not self._given_up and (patient or self._refusal is None):
                    self._settled.clear()
                    await self._settled.wait()
        process = self._process
        if process is not None and self.is_ready:
            return process
        if self._refusal is not None:
            raise type(self._refusal)(str(self._refusal), self._refusal.reason)
        why = self._board.reason() or "starting"
        raise DeviceOffline(f"{self.config.name} is not running ({why}): wait, or call maintenance", why)

    async def wipe(self) -> None:
        """Take back what runs and let the driver forget the citizen. A process that is gone holds nothing.

        Raises `DeviceError` when the driver did not confirm: `recycle` then.
        """
        process = self._process
        if process is None or not self.is_ready:
            return
        running = [command.finished for command in process.cancel_all()]
        if running:
            await asyncio.wait(running, timeout=self._limits.cancel_seconds)
        if process.alive:
            method = self._methods["wipe"]
            command = process.begin(method, {})
            try:
                await process.answer(command)
            finally:
                process.cancel(command)


def _refusal(name: str, ending: Ending) -> DeviceError | None:
    if ending.error is None:
        return None
    kind = ERROR_KINDS.get(ending.error["kind"], DeviceError)
    return kind(f"{name}: {ending.error['message']}", ending.error["reason"])


def _is_permanent(refusal: DeviceError) -> bool:
    return isinstance(refusal, HardwareFault | Unsupported) or refusal.reason == "library_missing"
