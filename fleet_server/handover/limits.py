"""How often one address may ask. In memory of this process, and bounded; nothing personal is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MOST_ADDRESSES = 10_000


class Limit:
    """At most `count` in `seconds` for each address."""

    def __init__(self, count: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._count, self._seconds, self._clock = count, seconds, clock
        self._asked: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def is_reached(self, address: str) -> bool:
        with self._lock:
            began, count = self._asked.get(address, (0.0, 0))
            return count >= self._count and self._clock() - began < self._seconds

    def add(self, address: str) -> None:
        """One more; a window that has passed begins anew."""
        with self._lock:
            now = self._clock()
            if len(self._asked) >= MOST_ADDRESSES:
                self._asked = {key: held for key, held in self._asked.items() if now - held[0] < self._seconds}
            if len(self._asked) >= MOST_ADDRESSES:
                self._asked.clear()
            began, count = self._asked.get(address, (now, 0))
            self._asked[address] = (began, count + 1) if now - began < self._seconds else (now, 1)
