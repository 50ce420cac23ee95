"""A driver and its virtual reader, for one scene."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.errors import DeviceError
from drivers.messages import RecordWrite
from drivers.smart_card_reader.pcsc import PcscReader
from drivers.smart_card_reader.simulator import CardSimulator

PLACE = RecordWrite(write_id="w1", file="EF06", record=6, value=b"\x35\x02\x11", expected_before=b"\x35\x02\x03")
"""Of the card `lin`: another place of birth."""


@asynccontextmanager
async def reader_with(card: str = "lin", *faults: str) -> AsyncIterator[tuple[PcscReader, CardSimulator]]:
    peer = CardSimulator(card=card)
    reader = PcscReader(PcscReader.Options(reader=await peer.start()))
    try:
        for fault in faults:
            await peer.order("fault", fault)
        yield reader, peer
    finally:
        await reader.close()
        await peer.stop()


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


async def refused(work: Awaitable[object], kind: type[DeviceError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert caught.value.reason == reason


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    ends_at = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < ends_at, "the condition was not met in time"
        await asyncio.sleep(0.02)


async def laid_again(reader: PcscReader, peer: CardSimulator, card: str) -> None:
    """The card that was torn out is gone for the reader, and lies there again."""
    await reader.wait_removal(timeout_seconds=10)
    await peer.order("place", card)
    await reader.wait_card(timeout_seconds=10)
