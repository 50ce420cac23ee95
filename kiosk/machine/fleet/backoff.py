"""How long to wait: jittered when all is well, full-jitter exponential when it is not (the herd, not the average)."""

from __future__ import annotations

import asyncio
import contextlib
import random

LONGEST_SECONDS = 60.0


class Backoff:
    """Counts failures in a row. `next` is a random wait below a bound that doubles from `first` to `longest`."""

    def __init__(self, first: float = 1.0, longest: float = LONGEST_SECONDS) -> None:
        self._first = first
        self._longest = longest
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def next(self, retry_after: str = "") -> float:
        """Seconds to wait after one more failure; a server's Retry-After is respected within the longest wait."""
        bound = min(self._longest, self._first * 2.0 ** min(self._failures, 16))
        self._failures += 1
        wait = random.uniform(0.1 * bound, bound)
        if retry_after.isascii() and retry_after.isdigit():
            wait += float(retry_after[:6])
        return min(wait, self._longest)


def jittered(seconds: float) -> float:
    """Around `seconds`, a fifth more or less, so that a fleet never speaks in chorus."""
    return seconds * random.uniform(0.8, 1.2)


async def wait_for(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set (and clear it) or the time is over; True when it was set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    was_set = event.is_set()
    event.clear()
    return was_set
