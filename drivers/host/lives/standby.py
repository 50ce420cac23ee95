"""A second life of a device that takes long to load: it stands configured behind the first and opens nothing.

Only for drivers that say `standby = True`: their constructor touches no hardware and loads what is costly. It takes
over when the first is lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from drivers.host.process import DeviceProcess

LOG = logging.getLogger("drivers.host")
PREPARE_SECONDS = 1.0


class Standby:
    def __init__(self, start: Callable[[], Awaitable[DeviceProcess]]) -> None:
        self._start = start
        self._life: DeviceProcess | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def is_ready(self) -> bool:
        return self._life is not None and self._life.alive and self._life.ready.done()

    @property
    def pid(self) -> int | None:
        return self._life.pid if self._life is not None and self._life.alive else None

    def prepare(self) -> None:
        """Start one a little later, when the device that just came up has the processor no more."""
        if self._timer is None and not self.is_ready:
            self._timer = asyncio.get_running_loop().call_later(PREPARE_SECONDS, self._prepare)

    def take(self) -> DeviceProcess | None:
        """The standby when it stands; one that is still loading is closer to serving than a new one."""
        life = self.leave()
        if life is None or not life.alive:
            return None
        life.started_at = asyncio.get_running_loop().time()
        return life

    def leave(self) -> DeviceProcess | None:
        """Stop preparing; what was prepared is the caller's."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        life, self._life = self._life, None
        return life

    def _prepare(self) -> None:
        self._timer = None
        if self._starting is None and (self._life is None or not self._life.alive):
            self._starting = asyncio.get_running_loop().create_task(self._begin())

    async def _begin(self) -> None:
        try:
            self._life = await self._start()
        except OSError as error:
            LOG.warning("no standby can be started: %s", error.strerror)
        finally:
            self._starting = None
