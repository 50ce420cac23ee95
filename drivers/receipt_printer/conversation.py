"""A running conversation with one printer: requests go out with deadlines, replies come in on a reader thread.

The barrier (GS r) is answered only when everything before it is processed; answers carry no number, so the
conversation counts them and never starts a job while an older answer may still be on its way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from drivers.receipt_printer.byte_builder import BARRIER, CLEAR_BUFFERS, INITIALISE, ask_status
from drivers.receipt_printer.health import Health, read_health
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


class LinkBlocked(Exception):
    """The printer took nothing within the limit: its buffer is full."""


class Conversation:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._real_time: list[int] = []
        self._barriers = 0
        self._clearings = 0
        self._lost = False
        self._closing = False
        self.sent = 0
        """Bytes of the current job that the link has taken."""
        self.in_doubt = True
        """An answer to an older barrier may still come, or bytes of an older job may still be in the printer."""
        self._reader = threading.Thread(target=self._read, name="receipt-printer-reader", daemon=True)
        self._reader.start()

    @property
    def is_lost(self) -> bool:
        return self._lost

    def _read(self) -> None:
        replies = ReplyReader()
        while not self._closing:
            try:
                data = self._link.read()
            except LinkLost:
                with self._changed:
                    self._lost = True
                    self._changed.notify_all()
                return
            for reply in replies.feed(data):
                self._note(reply)

    def _note(self, reply: Reply) -> None:
        with self._changed:
            if reply.kind is ReplyKind.REAL_TIME:
                self._real_time.append(reply.data[0])
            elif reply.kind is ReplyKind.BARRIER:
                self._barriers += 1
            elif reply.data == CLEARED:
                self._clearings += 1
            self._changed.notify_all()

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
        """The four real-time status bytes; None when the printer does not answer. Raises `LinkLost`, `LinkBlocked`."""
        answers: list[int] = []
        with self._writing:
            for number in (1, 2, 3, 4):
                with self._changed:
                    self._real_time.clear()
                self._put(ask_status(number))
                if not self._wait(lambda: bool(self._real_time), seconds):
                    return None
                answers.append(self._real_time[0])
        return read_health(*answers)

    def send(self, data: bytes | bytearray, deadline: float, stop: threading.Event) -> bool:
        """True when the link took everything before the deadline and `stop`; `sent` counts. Raises `LinkLost`."""
        self.sent = 0
        with self._writing:  # a status request in the midst of a raster band would be printed as dots
            while self.sent < len(data):
                if self._lost:
                    raise LinkLost
                if stop.is_set() or time.monotonic() >= deadline:
                    return False
                self.sent += self._link.write(bytes(data[self.sent : self.sent + PIECE_BYTES]))
        return True

    def barrier_count(self) -> int:
        with self._changed:
            return self._barriers

    def wait_barrier(self, seen: int, seconds: float) -> bool:
        """True when more than `seen` answers have come. Raises `LinkLost`."""
        return self._wait(lambda: self._barriers > seen, seconds)

    def synchronise(self, seconds: float = SYNC_SECONDS) -> bool:
        """True when the printer has processed all it was ever sent and no answer is on its way."""
        seen = self.barrier_count()
        with self._writing:
            self._put(BARRIER)
        if not self.wait_barrier(seen, seconds):
            self.in_doubt = True
            return False
        while self.wait_barrier(self.barrier_count(), QUIET_SECONDS):
            pass
        self.in_doubt = False
        return True

    def clear(self) -> bool:
        """Take back what is not yet on paper. True when the printer confirms it (not every model can)."""
        self.in_doubt = True
        with self._writing:
            before = self._clearings
            self._put(CLEAR_BUFFERS)
            cleared = self._wait(lambda: self._clearings > before, CLEARED_SECONDS)
            if not cleared:
                for start in range(0, len(RESYNC_FILL), PIECE_BYTES):
                    self._put(RESYNC_FILL[start : start + PIECE_BYTES])
            self._put(INITIALISE)
        return cleared

    def close(self) -> None:
        self._closing = True
        self._link.close()
        self._reader.join(CLOSE_SECONDS)
