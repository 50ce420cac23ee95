"""A running conversation with one printer: requests go out with deadlines, replies come in on a reader thread.

The barrier (GS r) is answered only when everything before it is processed; answers carry no number, so the
conversation counts them and never starts a job while an older answer may still be on its way. A printer with a partial
back-channel answers DLE EOT alone; one without says nothing, and then nothing is asked.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from drivers.receipt_printer.byte_builder import BARRIER, CLEAR_BUFFERS, INITIALISE, ask_status
from drivers.receipt_printer.health import Health, read_automatic, read_health, read_mouth
from drivers.receipt_printer.link import Link, LinkLost
from drivers.receipt_printer.replies import Reply, ReplyKind, ReplyReader

STATUS_SECONDS = 0.7
REQUEST_SECONDS = 1.0
PIECE_BYTES = 512
RESYNC_FILL = bytes(10_240)  # more than one raster band: ends a band that was cut off in mid-transfer
CLEARED = b"\x37\x25\x00"
CLEARED_SECONDS = 0.5
QUIET_SECONDS = 0.15
SYNC_SECONDS = 1.0
CLOSE_SECONDS = 2.0
KEPT_ANSWERS = 16
PRESENTER_STATUS = 20  # DLE EOT n of printers with a presenter

BackChannel = Literal["full", "partial", "none"]


class LinkBlocked(Exception):
    """The printer took nothing within the limit: its buffer is full."""


class Conversation:
    def __init__(self, link: Link, back_channel: BackChannel = "full", *, presenter: bool = False) -> None:
        self._link = link
        self._back_channel = back_channel
        self._replies = ReplyReader(presenter=presenter)
        self._presenter = presenter
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._real_time: deque[int] = deque(maxlen=KEPT_ANSWERS)
        self._mouth: bytes | None = None
        self._barriers = 0
        self._barriers_asked = 0
        self._clearings = 0
        self._lost = False
        self._closing = False
        self.sent = 0
        """Bytes of the current job that the link has taken."""
        self.in_doubt = True
        """An answer to an older barrier may still come, or bytes of an older job may still be in the printer."""
        self.pushed: Health | None = None
        """What the printer said last of itself, unasked (ASB); forgotten whenever it is asked."""
        self._reader = threading.Thread(target=self._read, name="receipt-printer-reader", daemon=True)
        self._reader.start()

    @property
    def is_lost(self) -> bool:
        return self._lost

    @property
    def noise(self) -> int:
        """How much came that no such printer says, answers that nobody asked for included."""
        with self._changed:
            return self._replies.noise + max(0, self._barriers - self._barriers_asked)

    def _read(self) -> None:
        while not self._closing:
            try:
                data = self._link.read()
            except LinkLost:
                with self._changed:
                    self._lost = True
                    self._changed.notify_all()
                return
            with self._changed:
                for reply in self._replies.feed(data):
                    self._note(reply)
                self._changed.notify_all()

    def _note(self, reply: Reply) -> None:
        match reply.kind:
            case ReplyKind.REAL_TIME:
                self._real_time.append(reply.data[0])
            case ReplyKind.BARRIER:
                self._barriers += 1
            case ReplyKind.AUTOMATIC:
                self.pushed = read_automatic(reply.data)
            case ReplyKind.PRESENTER:
                self._mouth = reply.data
            case ReplyKind.BLOCK if reply.data == CLEARED:
                self._clearings += 1

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """True when it came about. Raises `LinkLost`."""
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._lost, max(0.0, seconds))
            if condition():
                return True
            if self._lost:
                raise LinkLost
            return False

    def _put(self, data: bytes) -> None:
        """Send a whole request. Raises `LinkLost`, `LinkBlocked`."""
        deadline = time.monotonic() + REQUEST_SECONDS
        while data:
            if self._lost:
                raise LinkLost
            taken = self._link.write(data)
            data = data[taken:]
            if not taken and time.monotonic() >= deadline:
                raise LinkBlocked

    def ask_health(self, seconds: float = STATUS_SECONDS) -> Health | None:
        """The four real-time status bytes; None without an answer to believe. Raises `LinkLost`, `LinkBlocked`."""
        answers: list[int] = []
        with self._writing:
            self.pushed = None
            noise = self.noise
            for number in (1, 2, 3, 4):
                with self._changed:
                    self._real_time.clear()
                self._put(ask_status(number))
                if not self._wait(lambda: bool(self._real_time), seconds):
                    with self._changed:
                        self._replies.give_up()
                    return None
                answers.append(self._real_time[0])
            health = read_health(*answers)
            if self._presenter:
                health = self._ask_mouth(health, seconds)
        return health if self.noise == noise else None

    def _ask_mouth(self, health: Health, seconds: float) -> Health:
        with self._changed:
            self._mouth = None
        self._put(ask_status(PRESENTER_STATUS))
        self._wait(lambda: self._mouth is not None, seconds)
        return read_mouth(health, self._mouth)

    def send(self, data: bytes | bytearray, deadline: float, stop: threading.Event) -> bool:
        """True when the link took everything before the deadline and `stop`; `sent` counts. Raises `LinkLost`.

        The data of a job end with a barrier where the printer answers one.
        """
        self.sent = 0
        with self._writing:  # a status request in the midst of a raster band would be printed as dots
            while self.sent < len(data):
                if self._lost:
                    raise LinkLost
                if stop.is_set() or time.monotonic() >= deadline:
                    return False
                self.sent += self._link.write(bytes(data[self.sent : self.sent + PIECE_BYTES]))
            self._barriers_asked += self._back_channel == "full"
        return True

    def barrier_count(self) -> int:
        with self._changed:
            return self._barriers

    def wait_barrier(self, seen: int, seconds: float) -> bool:
        """True when more than `seen` answers have come. Raises `LinkLost`."""
        return self._wait(lambda: self._barriers > seen, seconds)

    def synchronise(self, seconds: float = SYNC_SECONDS) -> bool:
        """True when the printer has processed all it was ever sent and no answer is on its way."""
        seen, noise = self.barrier_count(), self.noise
        self.in_doubt = True
        with self._writing:
            self._barriers_asked += 1
            self._put(BARRIER)
        if not self.wait_barrier(seen, seconds):
            return False
        ends_at = time.monotonic() + seconds
        while self.wait_barrier(self.barrier_count(), QUIET_SECONDS):
            if time.monotonic() >= ends_at:
                return False
        self.in_doubt = self.noise != noise
        return not self.in_doubt

    def clear(self) -> bool:
        """Take back what is not yet on paper. True when the printer confirms it (not every model can)."""
        self.in_doubt = True
        with self._writing:
            before = self._clearings
            self._put(CLEAR_BUFFERS)
            cleared = self._back_channel != "none" and self._wait(lambda: self._clearings > before, CLEARED_SECONDS)
            if not cleared:
                for start in range(0, len(RESYNC_FILL), PIECE_BYTES):
                    self._put(RESYNC_FILL[start : start + PIECE_BYTES])
            self._put(INITIALISE)
        return cleared

    def tell(self, request: bytes) -> None:
        """A request without an answer. Raises `LinkLost`, `LinkBlocked`."""
        with self._writing:
            self._put(request)

    def close(self) -> None:
        self._closing = True
        self._link.close()
        self._reader.join(CLOSE_SECONDS)
