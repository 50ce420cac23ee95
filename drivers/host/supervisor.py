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

from drivers.errors import DeviceAbsent, DeviceError, DeviceOffline, HardwareFault
from drivers.host.claims import Claim, Claimed, Claims
from drivers.host.config import DeviceConfig, is_permanent, refusal_of
from drivers.host.interface import Method, methods_of
from drivers.host.lives.nursery import Nursery
from drivers.host.lives.standby import Standby
from drivers.host.presence.board import StatusBoard
from drivers.host.presence.hotplug import nodes_of
from drivers.host.presence.identity import Identity
from drivers.host.presence.looking import DIFFERENT_DEVICE, Looker
from drivers.host.process import Command, DeviceProcess, Ending, Limits
from drivers.host.proxy import proxy_class
from drivers.messages import Capabilities, DeviceClass, DeviceState, DeviceStatus, FaultAction
from drivers.registry import protocol_of

LOG = logging.getLogger("drivers.host")

BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
STABLE_SECONDS = 60.0
STOOD, NEVER_STOOD = 0.25, 1.0
"""How far a lost life moves the back-off: a driver that stood comes back sooner than one that never did."""

POLL_SECONDS = 3.0
WAIT_FOR_RETURN_SECONDS = 3.0
"""A command that meets a device in restart waits this long before it gives up."""

TAKES_INPUT = frozenset({
    DeviceClass.ID_CARD_READER, DeviceClass.SMART_CARD_READER, DeviceClass.CARD_REWRITER, DeviceClass.FACE_MATCHER,
    DeviceClass.DOCUMENT_SCANNER, DeviceClass.CODE_SCANNER, DeviceClass.SIGNATURE_PAD, DeviceClass.FINGERPRINT_READER,
    DeviceClass.PAYMENT_TERMINAL,
})  # fmt: skip
"""Classes whose commands take something from the citizen: armed while one is under way."""


class SupervisedDevice:
    """One configured device. `proxy` has the protocol of its class; everything else is for the house."""

    def __init__(
        self,
        config: DeviceConfig,
        *,
        limits: Limits | None = None,
        on_change: Callable[[str, DeviceStatus], None] | None = None,
        poll_seconds: float = POLL_SECONDS,
        nursery: Nursery | None = None,
    ) -> None:
        self.config = config
        self.restarts = 0
        self._limits = limits or Limits()
        self._nursery, self._owns_nursery = nursery or Nursery(), nursery is None
        self._methods = methods_of(protocol_of(config.device_class))
        self._board = StatusBoard(config.name, on_change)
        self._identity = Identity(config.expected_device)
        self._looker = Looker(config.name, self, self._board, self._identity, poll_seconds)
        self._claims = Claims(config.name)
        self._standby = Standby(self._start_process)
        self._process: DeviceProcess | None = None
        self._queue = asyncio.Lock()
        self._settled = asyncio.Event()
        self._try_again = asyncio.Event()
        self._refusal: DeviceError | None = None
        self._given_up = False
        self._tasks: list[asyncio.Task[None]] = []
        self._failures = 0.0
        self._closing = False
        self._proxy_class = proxy_class(protocol_of(config.device_class))
        self.proxy: Any = self._proxy_class(self)

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to supervise. Idempotent."""
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._board.starting()
            self._tasks = [loop.create_task(self._supervise()), loop.create_task(self._looker.run())]

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
        lives = [life.close() for life in (self._process, self._standby.leave()) if life is not None]
        await asyncio.gather(*lives)
        if self._owns_nursery:
            self._nursery.close()

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

    @property
    def process(self) -> DeviceProcess | None:
        return self._process

    async def _start_process(self) -> DeviceProcess:
        """One more life of this device. Raises `OSError`."""
        started = await self._nursery.start()
        return DeviceProcess(self.config.name, self.config.driver, self.config.options, self._limits, started)

    async def _supervise(self) -> None:
        while not self._closing:
            try:
                process = self._process = self._standby.take() or await self._start_process()
            except OSError as error:
                LOG.error("%s: no process can be started: %s", self.config.name, error.strerror)  # noqa: TRY400
                ending, lived, stood = Ending("process_lost"), 0.0, False
            else:
                ending, lived = await self._accompany(process)
                stood = process.ready.done()
            self._try_again.clear()
            pause = self._after(ending, lived, stood=stood)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._try_again.wait()
            self._given_up = False

    async def _accompany(self, process: DeviceProcess) -> tuple[Ending, float]:
        await asyncio.wait((process.ready, process.ended), return_when=asyncio.FIRST_COMPLETED)
        if process.ready.done() and process.alive:
            self._refusal = None
            self._settled.set()
            self._looker.refresh()
        ending = await asyncio.shield(process.ended)
        return ending, asyncio.get_running_loop().time() - process.started_at

    def _after(self, ending: Ending, lived_seconds: float, *, stood: bool) -> float | None:
        """Seconds to wait before the next life; None when only a change can help."""
        if ending.code in ("recycled", "closed"):
            self._board.starting()
            return 0.0
        if lived_seconds > STABLE_SECONDS:
            self._failures = 0.0
        refusal = self._refusal = refusal_of(self.config.name, ending)
        self._given_up = refusal is not None and is_permanent(refusal)
        self._settled.set()
        pause = (
            0.0
            if self._standby.is_ready and not self._failures
            else BACK_OFF_SECONDS[min(int(self._failures), len(BACK_OFF_SECONDS) - 1)]
        )
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
            status = status.model_copy(update={"device": DeviceState.STARTING})
        armed = status.armed or (self._queue.locked() and self.config.device_class in TAKES_INPUT)
        return status.model_copy(
            update={"claimed_by": self._claims.claimed_by, "armed": armed, "status_age_ms": self._board.age_ms}
        )

    @property
    def is_fit(self) -> bool:
        return self.cached_status().is_fit

    @property
    def is_idle(self) -> bool:
        """No command that moves anything is under way."""
        return not self._queue.locked()

    async def status(self) -> DeviceStatus:
        """The state now; never raises. While the device moves and cannot be asked, the last known one."""
        await self._looker.look()
        return self.cached_status()

    async def capabilities(self) -> Capabilities:
        """What the device can do; known also while it is being restarted. Raises `DeviceError` when never heard."""
        if self._looker.capabilities is None:
            self._looker.capabilities = await self.ask("capabilities")
        return self._looker.capabilities

    async def ask(self, name: str) -> Any:
        """`status` or `capabilities`, from the driver itself. Raises `DeviceError`."""
        return await self._request(self._methods[name], {})

    def has_settled(self) -> None:
        """The driver serves: a standby may be made ready behind it."""
        if self._process is not None and self._process.wants_standby:
            self._standby.prepare()

    # --- what is plugged in or out ----------------------------------------------------------------------------------

    @property
    def nodes(self) -> frozenset[str]:
        return nodes_of(self.config.options)

    def plugged_in(self, plug: dict[str, str]) -> None:
        """Something came that may be this device: no more waiting, whatever the back-off says."""
        if plug:
            self._identity.plugged(plug)
        self._failures = 0.0
        self._try_again.set()
        self._looker.soon()

    def plugged_out(self) -> None:
        """Something went that may have been this device."""
        self._looker.soon()

    @property
    def stranger(self) -> str:
        """Why what sits there is not the device it should be, for staff; empty when it is, or nobody can tell."""
        return self._identity.stranger

    def acknowledge(self) -> None:
        """An operator says: the device that is there now is the right one."""
        self._identity.accept()
        self._looker.soon()

    # --- claims -----------------------------------------------------------------------------------------------------

    def proxy_of(self, session_id: str) -> Any:
        """The device as that session has it: its first command claims it."""
        return self._proxy_class(Claimed(self, self._claims.of(session_id)))

    def claim(self, session_id: str) -> Any:
        """Hold the device for a session until `release` or `wipe`; its proxy. Raises `DeviceBusy`."""
        self._claims.take(self._claims.of(session_id))
        return self.proxy_of(session_id)

    async def release(self, session_id: str) -> None:
        """The session has ended: if it held the device, its commands are taken back and the driver forgets it.

        Raises `DeviceError` when the driver did not confirm: `recycle` then.
        """
        if self._claims.end(session_id):
            await self.wipe()

    # --- commands ---------------------------------------------------------------------------------------------------

    async def request(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """A command of the house itself, which holds no claim. Raises `DeviceError`."""
        return await self.command(None, name, args, kwargs)

    def stream(self, name: str, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return self.stream_for(None, name, args, kwargs)

    async def command(self, claim: Claim | None, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        method = self._methods[name]
        arguments = method.bind(args, kwargs)
        try:
            if not method.queues:
                return await self._request(method, arguments)
            async with contextlib.AsyncExitStack() as stack:
                await self._take_turn(stack, method, claim)
                return await self._request(method, arguments, stack)
        except (DeviceOffline, DeviceAbsent):
            self._looker.soon()
            raise

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

    async def stream_for(
        self, claim: Claim | None, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AsyncIterator[Any]:
        method = self._methods[name]
        arguments = method.bind(args, kwargs)
        async with contextlib.AsyncExitStack() as stack:
            if method.queues:
                await self._take_turn(stack, method, claim)
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

    async def _take_turn(self, stack: contextlib.AsyncExitStack, method: Method, claim: Claim | None) -> None:
        """One queue per device. A status that cannot be asked while the device moves is waited for first."""
        if method.needs_claim:
            self._claims.take(claim)
        await self._queue.acquire()
        stack.callback(self._queue.release)
        if method.needs_claim:  # the session may have ended while its command waited
            self._claims.take(claim)
        if self.stranger:
            raise DeviceAbsent(
                f"{self.config.name}: {self.stranger}: put the right one back, or accept it", DIFFERENT_DEVICE
            )
        asked = self._looker.under_way
        if asked is not None and not self._looker.may_ask:
            await asyncio.shield(asked)

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
        """The citizen leaves: take back what runs, end every claim, let the driver forget.

        Raises `DeviceError` when the driver did not confirm: `recycle` then.
        """
        self._claims.close_all()
        try:
            await self._forget()
        finally:
            self._claims.free()

    async def _forget(self) -> None:
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
