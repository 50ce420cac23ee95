"""One request, one answer, within a limit: whatever else the line carries (domain.md 1.2, 1.6)."""

from __future__ import annotations

import threading
import time
from typing import Final

from drivers.errors import CommandCancelled, DeviceOffline
from drivers.id_card_reader.sdt.commands import Command
from drivers.id_card_reader.sdt.frames import ANSWER_HEAD_BYTES, Frame, FrameParser, Framing
from drivers.id_card_reader.sdt.line import Line, open_line

PAUSE_WITHIN_ANSWER_SECONDS: Final = 0.6
"""A frame whose beginning has arrived may pause this long, also beyond the command's limit."""
LONGEST_OVERRUN_SECONDS: Final = 1.5
DAMAGED_ANSWER_SECONDS: Final = 0.25
"""After a damaged answer nothing more is owed; this long may a good one still follow what was only noise."""
LONG_DAMAGED_ANSWER_BYTES: Final = 256
"""So much without any frame was a card whose preamble or length was damaged."""


class NoAnswer(Exception):
    """The limit passed without a good answer. `heard` bytes came, `rejected` of their frames were damaged."""

    def __init__(self, command: Command, heard: int, rejected: int) -> None:
        super().__init__(f"{command.name}: no good answer, {heard} bytes and {rejected} damaged frames")
        self.heard = heard
        self.rejected = rejected


class Watch:
    """What bounds a caller's command: a moment on the monotonic clock, and the wish to stop."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Thread-safe. The command ends within one poll of the line."""
        self._cancelled.set()

    @property
    def remaining_seconds(self) -> float:
        return self.ends_at - time.monotonic()

    @property
    def has_ended(self) -> bool:
        return self.remaining_seconds <= 0

    def check(self) -> None:
        """Raises `CommandCancelled`."""
        if self._cancelled.is_set():
            raise CommandCancelled("the command was taken back")

    def pause(self, seconds: float) -> None:
        """Wait, but never past the end. Raises `CommandCancelled`."""
        self._cancelled.wait(max(0.0, min(seconds, self.remaining_seconds)))
        self.check()

    def shorten(self, seconds: float) -> None:
        """End at the latest in so many seconds."""
        self.ends_at = min(self.ends_at, time.monotonic() + seconds)


class Exchange:
    """The conversation with one module. Blocking; used by the reader's own thread only."""

    def __init__(self, port: str, baud_rate: int, usb_framing: Framing = "bulk") -> None:
        self._port = port
        self._baud_rate = baud_rate
        self._usb_framing: Framing = usb_framing
        self._line: Line | None = None
        self._parser = FrameParser(ANSWER_HEAD_BYTES)

    @property
    def is_open(self) -> bool:
        return self._line is not None

    def open(self) -> None:
        """Idempotent. Raises `DeviceAbsent`, `DeviceBusy`, `DeviceOffline`."""
        if self._line is None:
            self._line = open_line(self._port, self._baud_rate, self._usb_framing)

    def close(self) -> None:
        self._parser.reset()
        if self._line is not None:
            self._line.close()
            self._line = None

    def wipe(self) -> None:
        self._parser.reset()

    def ask(self, command: Command, watch: Watch, *, patience: float = 1.0) -> Frame:
        """The module's answer: good or a refusal. Late answers to earlier commands are passed over.

        `patience` stretches the command's limit. Raises `NoAnswer`, `CommandCancelled`, `DeviceOffline` (unplugged; the
        line is closed then, and the next command opens it again).
        """
        if self._line is None:
            raise DeviceOffline(f"the line to {self._port} is closed")
        self._parser.reset()
        try:
            self._line.drain()
            self._line.write(command.request)
            return self._await(self._line, command, watch, command.limit_seconds * patience)
        except DeviceOffline:
            self.close()
            raise

    def _await(self, line: Line, command: Command, watch: Watch, limit_seconds: float) -> Frame:
        asked_at = last_heard_at = time.monotonic()
        while self._may_still_come(watch, asked_at, last_heard_at, limit_seconds):
            watch.check()
            chunk = line.read(self._parser.wanted)
            if chunk:
                last_heard_at = time.monotonic()
            for frame in self._parser.feed(chunk):
                if command.is_answered_by(frame):
                    return frame
        for frame in self._parser.settle():
            if command.is_answered_by(frame):
                return frame
        raise NoAnswer(command, self._parser.heard, self._parser.rejected)

    def _may_still_come(self, watch: Watch, asked_at: float, last_heard_at: float, limit_seconds: float) -> bool:
        now = time.monotonic()
        if now >= watch.ends_at:
            return False
        quiet_seconds = now - last_heard_at
        if self._parser.has_begun:
            latest = asked_at + limit_seconds + LONGEST_OVERRUN_SECONDS
            return quiet_seconds < PAUSE_WITHIN_ANSWER_SECONDS and now < latest
        damaged = self._parser.rejected or self._parser.heard >= LONG_DAMAGED_ANSWER_BYTES
        if damaged and quiet_seconds >= DAMAGED_ANSWER_SECONDS:
            return False
        return now < asked_at + limit_seconds
