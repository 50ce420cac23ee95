"""Is a card there? Watched on a thread of its own, so that status is known at any moment and costs nothing."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import Final

from drivers.errors import DeviceError, HardwareFault
from drivers.smart_card_reader.links.link import NOTHING, Link, Look
from drivers.smart_card_reader.links.opening import open_link
from drivers.watch import Watch

LOOK_SECONDS: Final = 0.5
"""A change is told at once; so long a quiet reader is not asked."""
PEER_LOOK_SECONDS: Final = 0.1
MISS_SECONDS: Final = 0.08
MISSES: Final = 3
REOPEN_SECONDS: Final = 0.5
TURN_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Sight:
    """`problem` is why the reader cannot be watched. `visits` counts the cards that came."""

    look: Look = NOTHING
    problem: DeviceError | None = None
    visits: int = 0
    known: bool = False

    @property
    def present(self) -> bool:
        return self.known and self.problem is None and self.look.present


class Presence:
    """One card is gone after three misses in a row: worn contacts and moving hands are no removal."""

    def __init__(self, reader: str, look_seconds: float = LOOK_SECONDS) -> None:
        self._reader = reader
        self._look_seconds = look_seconds
        self._news = threading.Condition()
        self._sight = Sight()
        self._misses = 0
        self._stopped = threading.Event()
        self._link: Link | None = None
        self._thread: threading.Thread | None = None

    @property
    def sight(self) -> Sight:
        return self._sight

    def start(self) -> None:
        """Idempotent."""
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="card-presence", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Idempotent; ends within a look."""
        self._stopped.set()
        if self._link is not None:
            self._link.interrupt()
        if self._thread is not None:
            self._thread.join(LOOK_SECONDS * 2)

    def first_sight(self, seconds: float) -> Sight:
        """What is seen, or an unknown sight when the reader has not answered within so many seconds."""
        self.start()
        with self._news:
            self._news.wait_for(lambda: self._sight.known, seconds)
            return self._sight

    def wait(self, *, present: bool, watch: Watch) -> Sight:
        """Until a card is there, or is gone. Raises `CommandCancelled`, `CommandTimedOut` (`no_card`, `card_left`),
        and the `DeviceError` of a reader that cannot be watched."""
        self.start()
        words = ("no card was placed", "no_card") if present else ("the card is still in the reader", "card_left")
        while True:
            with self._news:
                sight = self._sight
                if sight.problem is not None:
                    raise sight.problem
                if sight.known and sight.present == present:
                    return sight
                watch.check(*words)
                self._news.wait(min(TURN_SECONDS, watch.remaining_seconds))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._link = open_link(self._reader)
                with contextlib.closing(self._link):
                    self._watch(self._link)
            except DeviceError as error:
                self._note(problem=error)
            except Exception as error:  # noqa: BLE001 - a fault here must be seen in the status, not end the thread
                self._note(problem=HardwareFault(f"watching the reader failed: {type(error).__name__}", "pcsc_error"))
            finally:
                self._link = None
            self._stopped.wait(REOPEN_SECONDS)

    def _watch(self, link: Link) -> None:
        while not self._stopped.is_set():
            look = link.look(MISS_SECONDS if self._misses else self._look_seconds)
            if look.present or not self._sight.present:
                self._misses = 0
                self._note(look)
                continue
            self._misses += 1
            if self._misses >= MISSES:
                self._misses = 0
                self._note(look)

    def _note(self, look: Look = NOTHING, problem: DeviceError | None = None) -> None:
        with self._news:
            self._misses = 0 if problem is not None else self._misses
            has_come = look.present and not self._sight.present
            self._sight = Sight(look, problem, self._sight.visits + has_come, known=True)
            self._news.notify_all()
