"""Every change of a part, once, to whoever watches: debounced, and beside all other commands.

A part that was unknown is known at once; after that a change counts when several looks in a row agree. Whoever watches
gets the present state of each part first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Final

from drivers.errors import DeviceError
from drivers.messages import CabinetEvent

UNKNOWN: Final = "unknown"
LOOKS: Final = 2
LOOKS_AT: Final = {
    ("proximity", "not_present"): 3, ("tamper", "tampered"): 1, ("call_button", "pressed"): 1, ("mains", "lost"): 1,
}  # fmt: skip
"""How many looks must agree, where it is not `LOOKS`: presence goes after three misses, an alarm needs one."""
LOOKS_BEFORE_UNKNOWN: Final = 3
KEPT_EVENTS: Final = 1000
"""Of a watcher that does not fetch them, the oldest go first."""


class PartBoard:
    """What counts as the state of each part."""

    def __init__(self, names: Iterable[str]) -> None:
        self.parts = dict.fromkeys(names, UNKNOWN)
        self._seen: dict[str, tuple[str, int]] = {}

    def hear(self, seen: Mapping[str, str]) -> list[CabinetEvent]:
        """One look. The changes that count now."""
        events = []
        for part, value in seen.items():
            before = self.parts.get(part, UNKNOWN)
            if value == before:
                self._seen.pop(part, None)
                continue
            last, times = self._seen.get(part, (value, 0))
            times = times + 1 if last == value else 1
            self._seen[part] = (value, times)
            if times >= _looks(part, value, before):
                del self._seen[part]
                self.parts[part] = value
                events.append(CabinetEvent(part=part, value=value, before=before))
        return events


def _looks(part: str, value: str, before: str) -> int:
    if value == UNKNOWN:
        return LOOKS_BEFORE_UNKNOWN
    return 1 if before == UNKNOWN else LOOKS_AT.get((part, value), LOOKS)


class _Watcher:
    def __init__(self) -> None:
        self.events: deque[CabinetEvent] = deque(maxlen=KEPT_EVENTS)
        self.wake = asyncio.Event()

    def tell(self, events: Iterable[CabinetEvent]) -> None:
        self.events.extend(events)
        if self.events:
            self.wake.set()


class Watching:
    """Looks for all watchers together, as long as there is one. `look` raises `DeviceError`: all parts unknown then."""

    def __init__(
        self, names: Iterable[str], look: Callable[[], Awaitable[Mapping[str, str]]], interval_seconds: float
    ) -> None:
        self._board = PartBoard(names)
        self._look = look
        self._interval_seconds = interval_seconds
        self._watchers: set[_Watcher] = set()
        self._looking: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()

    async def watch(self) -> AsyncGenerator[CabinetEvent, None]:
        watcher = _Watcher()
        self._watchers.add(watcher)
        try:
            if self._looking is None:
                self._looked.clear()
                self._looking = asyncio.create_task(self._look_on())
            await self._looked.wait()
            watcher.events.clear()  # what led to the present state is part of it
            watcher.tell(CabinetEvent(part=part, value=value) for part, value in self._board.parts.items())
            while True:
                while watcher.events:
                    yield watcher.events.popleft()
                watcher.wake.clear()
                await watcher.wake.wait()
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self.stop()

    def stop(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()

    async def _look_on(self) -> None:
        while True:
            try:
                seen = await self._look()
            except DeviceError:
                seen = dict.fromkeys(self._board.parts, UNKNOWN)
            events = self._board.hear(seen)
            for watcher in self._watchers:
                watcher.tell(events)
            self._looked.set()
            await asyncio.sleep(self._interval_seconds)
