"""Card rewriters on a serial line: a permit's chip is written, its film erased and printed anew (domain.md 3.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from pydantic import Field

from drivers.card_rewriter.exchange import Exchange
from drivers.card_rewriter.health import Health
from drivers.card_rewriter.saga import Saga
from drivers.card_rewriter.unit import Unit
from drivers.errors import DeviceBusy, DeviceError, DeviceOffline
from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceStatus,
    Message,
    RewritableCard,
    RewriteJob,
    RewriteResult,
)
from drivers.watch import Watch

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.5
ENDING_SECONDS: Final = 0.8

Result = TypeVar("Result")


class SerialRewriter:
    """Keeps `drivers.protocols.CardRewriter`.

    One thread speaks on the line. What became of a job is known to the card alone: nothing is remembered here, so that
    a restart changes nothing.
    """

    class Options(Message):
        port: str = Field(min_length=1, description="serial device, pseudo-terminal, or socket://host:port")
        baud_rate: int = Field(default=115200, ge=9600, le=921600)

    def __init__(self, options: SerialRewriter.Options) -> None:
        self._exchange = Exchange(options.port, options.baud_rate)
        self._unit = Unit(self._exchange)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="card-rewriter")
        self._health = Health()
        self._problem: DeviceError | None = None
        self._running: Watch | None = None
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        return Capabilities(
            device_class=DeviceClass.CARD_REWRITER,
            driver="card_rewriter/serial_rewriter",
            version=VERSION,
            model=self._unit.model or None,
            status_source="polled",
            poll_safe_in_motion=False,
            cancellable=frozenset({"read_card", "wait_removal"}),
            features=frozenset({"chip_write", "film_print", "motor", "retain"}),
        )

    async def status(self) -> DeviceStatus:
        if self._running is None and not self._is_closed:
            future = asyncio.get_running_loop().run_in_executor(self._worker, self._look)
            await asyncio.wait({future}, timeout=STATUS_SECONDS)
        return self._health.status(self._unit.last_status, self._problem, is_busy=self._running is not None)

    async def read_card(self, *, timeout_seconds: float = 30.0) -> RewritableCard:
        def work(watch: Watch) -> RewritableCard:
            self._unit.take_card(watch)
            return self._unit.read_chip().state.as_card()

        return await self._command(work, timeout_seconds)

    async def rewrite(self, job: RewriteJob, *, timeout_seconds: float = 60.0) -> RewriteResult:
        return await self._command(lambda watch: Saga(self._unit, job, watch).run(), timeout_seconds)

    async def find_rewrite(self, job: RewriteJob, *, timeout_seconds: float = 30.0) -> RewriteResult:
        return await self._command(lambda watch: Saga(self._unit, job, watch).find(), timeout_seconds)

    async def eject(self, *, timeout_seconds: float = 10.0) -> None:
        def work(_: Watch) -> None:
            if self._unit.status().media != "not_present":
                self._unit.eject()

        await self._command(work, timeout_seconds)

    async def retain(self, *, timeout_seconds: float = 10.0) -> None:
        await self._command(lambda _: self._unit.retain(), timeout_seconds)

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        await self._command(self._unit.wait_removal, timeout_seconds)

    async def wipe(self) -> None:
        """Also takes back a command that is running. A card in the unit stays there: its owner is still to have it."""
        if self._is_closed:
            return
        if self._running is not None:
            self._running.cancel()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._exchange.wipe)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._running is not None:
            self._running.cancel()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._exchange.close)
        self._worker.shutdown(wait=False)

    def _look(self) -> None:
        try:
            self._unit.status()
        except DeviceError as error:
            self._problem = error
        else:
            self._problem = None

    async def _command(self, work: Callable[[Watch], Result], timeout_seconds: float) -> Result:
        if self._is_closed:
            raise DeviceOffline("the card rewriter was closed")
        if self._running is not None:
            raise DeviceBusy("the card rewriter is busy with another command")
        self._running = watch = Watch(timeout_seconds)
        future = asyncio.get_running_loop().run_in_executor(self._worker, work, watch)
        future.add_done_callback(_heed)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            watch.cancel()
            await asyncio.wait({future}, timeout=ENDING_SECONDS)
            raise
        finally:
            self._running = None


def _heed(future: asyncio.Future[Any]) -> None:
    """A result nobody waits for any more is no accident."""
    if not future.cancelled():
        future.exception()
