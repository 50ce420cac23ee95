"""The stage of the host's tests: a device whose driver misbehaves as told, in a real process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psutil

from drivers.host import DeviceConfig, Limits, SupervisedDevice

QUICK = Limits(grace_seconds=0.2, cancel_seconds=0.3)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 40))  # type: ignore[arg-type]


@asynccontextmanager
async def device(
    behaviour: str = "serve", kind: str = "id_card_reader", limits: Limits | None = None, **options: Any
) -> AsyncIterator[SupervisedDevice]:
    config = DeviceConfig(name="it", driver=f"{kind}/misbehaving", options={"behaviour": behaviour, **options})
    supervised = SupervisedDevice(config, limits=limits)
    try:
        await supervised.open()
        yield supervised
    finally:
        pid = supervised.pid
        await supervised.close()
        assert pid is None or not psutil.pid_exists(pid)


async def until(condition: Callable[[], object], seconds: float = 15.0) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not condition():
        assert loop.time() - begun < seconds, "it did not happen in time"
        await asyncio.sleep(0.005)
    return loop.time() - begun


async def back_after(supervised: SupervisedDevice, pid: int) -> float:
    """Seconds until another process serves."""
    return await until(lambda: supervised.is_ready and supervised.pid != pid)
