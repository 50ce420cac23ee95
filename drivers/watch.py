"""What bounds a caller's command: a moment on the monotonic clock, and the wish to stop."""

from __future__ import annotations

import threading
import time

from drivers.errors import CommandCancelled, CommandTimedOut


class Watch:
    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """From any thread."""
        self._cancelled.set()

    @property
    def remaining_seconds(self) -> float:
        return max(self._ends_at - time.monotonic(), 0.0)

    def check(self, sentence: str = "the card did not finish in time", reason: str = "timed_out") -> None:
        """Raises `CommandCancelled`, or `CommandTimedOut` with these words once the limit has passed."""
        if self._cancelled.is_set():
            raise CommandCancelled("the command was taken back")
        if self.remaining_seconds <= 0:
            raise CommandTimedOut(sentence, reason)
