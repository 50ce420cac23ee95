"""Asking a device how it is: now and then, at once when something happened, never while it must not be asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Protocol

from drivers.errors import DeviceError
from drivers.host.presence.board import ABSENT, MISSES, StatusBoard
from drivers.host.presence.identity import Identity
from drivers.messages import Capabilities, DeviceState, DeviceStatus, FaultAction

LOG = logging.getLogger("drivers.host")

LOOK_SECONDS = 0.25
AGAIN_SECONDS = 0.1
"""Between the looks at a device that was missed, when somebody waits for the answer."""
PATIENCE_SECONDS = 1.5

DIFFERENT_DEVICE = "different_device"


class Process(Protocol):
    """One life of the device's process."""

    settled: bool

    @property
    def pid(self) -> int: ...


class Looked(Protocol):
    """The device, as far as it is looked at."""

    @property
    def is_ready(self) -> bool: ...
    @property
    def process(self) -> Process | None: ...
    @property
    def is_idle(self) -> bool: ...
    async def ask(self, name: str) -> Any: ...
    def has_settled(self) -> None: ...


class Looker:
    """Keeps the board true. `capabilities` are those heard last."""

    def __init__(self, name: str, device: Looked, board: StatusBoard, identity: Identity, poll_seconds: float) -> None:
        self._name = name
        self._device = device
        self._board = board
        self._identity = identity
        self._poll_seconds = poll_seconds
        self._soon = asyncio.Event()
        self._refreshing: asyncio.Task[None] | None = None
        self.capabilities: Capabilities | None = None

    @property
    def may_ask(self) -> bool:
        """The device stands, and does not move or may be asked while it does."""
        safe = self.capabilities is not None and self.capabilities.poll_safe_in_motion
        return self._device.is_ready and (self._device.is_idle or safe)

    @property
    def under_way(self) -> asyncio.Task[None] | None:
        """A question the device has not answered yet."""
        return None if self._refreshing is None or self._refreshing.done() else self._refreshing

    def soon(self) -> None:
        """Something happened: look as soon as the device may be asked."""
        self._soon.set()

    def refresh(self) -> asyncio.Task[None]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.get_running_loop().create_task(self._ask())
        return self._refreshing

    async def look(self) -> None:
        """Ask now; a device that is missed is asked again until it is there or gone."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        for _ in range(MISSES):
            if not self.may_ask:
                return
            await asyncio.shield(self.refresh())
            if not self._board.in_doubt or loop.time() > deadline:
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def run(self) -> None:
        """Now and then; often while a driver says that it is starting, and when its device was missed."""
        rested, hurry = 0.0, False
        while True:
            pause = min(self._poll_seconds, LOOK_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._soon.wait()
                hurry = True
                self._soon.clear()
            rested += pause
            often = self._board.status().device is DeviceState.STARTING or self._board.in_doubt
            if (hurry or often or rested >= self._poll_seconds) and self.may_ask:
                rested, hurry = 0.0, False
                await asyncio.shield(self.refresh())

    async def _ask(self) -> None:
        process = self._device.process
        try:
            if self.capabilities is None:
                self.capabilities = await self._device.ask("capabilities")
            status: DeviceStatus = await self._device.ask("status")
            if status.device not in ABSENT:
                said: Capabilities = await self._device.ask("capabilities")
                self.capabilities = said
                self._identity.heard(said)
        except DeviceError as error:
            if process is self._device.process and self._device.is_ready:
                self._board.status_failed(str(error))
            return
        if process is not self._device.process:
            return
        self._show(status)
        if process is not None and status.device is not DeviceState.STARTING and not process.settled:
            process.settled = True
            LOG.info("%s: process %d stands, its state is %s", self._name, process.pid, status.device)
            self._device.has_settled()

    def _show(self, status: DeviceStatus) -> None:
        stranger = self._identity.stranger
        if not stranger or status.device in ABSENT:
            self._board.heard(status)
            return
        if self._board.reason() != DIFFERENT_DEVICE:
            LOG.error("%s: %s", self._name, stranger)
        self._board.down(DeviceState.NO_DEVICE, DIFFERENT_DEVICE, FaultAction.CONFIGURATION, stranger)
