"""Speaks to the card that is there: powers its chip when needed, and keeps it powered between commands."""

from __future__ import annotations

import time
from typing import Final

from drivers.errors import DeviceAbsent, DeviceError, DeviceOffline, MediaError
from drivers.smart_card_reader.links.link import Chip, Link
from drivers.smart_card_reader.links.opening import open_link
from drivers.smart_card_reader.links.presence import MISS_SECONDS, MISSES
from drivers.smart_card_reader.session import CardSession
from drivers.smart_card_reader.writing import RecordWriter
from drivers.watch import Watch

GONE: Final = frozenset({"no_card", "removed"})


class Speaker:
    """Blocking; only on the thread of the commands. Only `power` may be asked from another."""

    def __init__(self, reader: str) -> None:
        self._reader = reader
        self._link: Link | None = None
        self._session: CardSession | None = None
        self._visit = 0
        self.writer = RecordWriter()
        self._refusal = ""

    @property
    def power(self) -> str:
        """XFS words: online, powered_off, hardware_error, no_card."""
        session = self._session
        return "online" if session is not None and session.is_alive else self._refusal or "powered_off"

    def power_up(self, watch: Watch, visit: int) -> bytes:
        """The answer to reset of the card that lies there now: what it was told before is void."""
        self.power_down()
        return self.session(watch, visit).chip.atr

    def session(self, watch: Watch, visit: int) -> CardSession:
        """With the chip as it was left, or powered anew; always for another visit of a card. Raises `DeviceError`."""
        session = self._session
        if session is None or not session.is_alive or visit != self._visit or not session.chip.is_held():
            self.power_down()
            self._visit = visit
            session = self._session = self._powered(watch)
        session.begin(watch)
        return session

    def power_down(self) -> None:
        if self._session is not None and self._session.is_alive:
            self._session.release()
        self._session = None
        self._refusal = ""

    def wipe(self) -> None:
        self.power_down()
        self.writer.forget()

    def close(self) -> None:
        self.wipe()
        if self._link is not None:
            self._link.close()
            self._link = None

    def _powered(self, watch: Watch) -> CardSession:
        try:
            self._link = self._link or open_link(self._reader)
            chip = _connected(self._link, watch)
        except DeviceError as error:
            self._refusal = "hardware_error" if error.reason == "power_failed" else "no_card"
            if isinstance(error, DeviceOffline | DeviceAbsent) and self._link is not None:
                self._link.close()
                self._link = None
            raise
        return CardSession(chip)


def _connected(link: Link, watch: Watch) -> Chip:
    """A card that is seen and does not connect is missing only after three misses."""
    for _ in range(MISSES - 1):
        try:
            return link.connect(watch.remaining_seconds)
        except MediaError as error:
            if error.reason not in GONE:
                raise
        time.sleep(MISS_SECONDS)
        watch.check()
    return link.connect(watch.remaining_seconds)
