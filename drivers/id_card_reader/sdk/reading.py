"""One card through a vendor's library, from waiting to fields: approach and read again for every attempt."""

from __future__ import annotations

import re
import time
from typing import Final

from drivers.errors import CommandTimedOut, DeviceError, MediaError
from drivers.id_card_reader.citizen_number import parse_date
from drivers.id_card_reader.sdk.family import VendorReader
from drivers.id_card_reader.sdt.exchange import Watch
from drivers.id_card_reader.text_block import decode_new_address, decode_text_block
from drivers.messages import IdCard

ATTEMPTS: Final = 5
CARD_SECONDS: Final = 15.0
LOST_SECONDS: Final = 3.0
MISSES_MEANING_REMOVED: Final = 3
SAM_ID_TRIES: Final = 3
_MADE_ON: Final = re.compile(r"-(\d{8})-")


class VendorModule:
    """The reader and what was last seen on it. Blocking; used by the driver's own thread only."""

    def __init__(self, reader: VendorReader, ports: range, poll_interval_seconds: float) -> None:
        self.reader = reader
        self._ports = ports
        self._poll_interval_seconds = poll_interval_seconds
        self._is_open = False
        self._may_look_at = 0.0
        self.sam_id: str | None = None
        self.sam = self.media = "unknown"
        self.removal_pending = False

    def open(self) -> None:
        """Idempotent. The first answer after power-on may be wrong: an id without a possible date is asked again."""
        if self._is_open:
            return
        self.reader.open(self._ports)
        self._is_open = True
        for _ in range(SAM_ID_TRIES):
            self.sam_id = self.reader.sam_id()
            made = _MADE_ON.search(self.sam_id or "")
            if self.sam_id is None or (made and parse_date(made[1]) is not None):
                break

    def probe(self) -> None:
        self.open()
        self.reader.check()
        self.sam = "ok"

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.sam = self.media = "unknown"
            self.reader.close()

    def awaits_turn(self, watch: Watch) -> bool:
        """Wait until a card may be looked for again; False when the watch ends before. Raises `CommandCancelled`."""
        watch.pause(self._may_look_at - time.monotonic())
        self._may_look_at = time.monotonic() + self._poll_interval_seconds
        return not watch.has_ended

    def finds_card(self) -> bool:
        found = self.reader.approach()
        self.sam = "ok"
        self.media = "present" if found else "not_present"
        return found

    def note_read(self) -> None:
        self.removal_pending = True

    def wait_removal(self, watch: Watch) -> bool:
        """True after three misses in a row, False when the watch ended first."""
        self.open()
        misses = 0
        while misses < MISSES_MEANING_REMOVED:
            if not self.awaits_turn(watch):
                return False
            try:
                is_present = self.reader.is_present()
            except MediaError:
                is_present = True
            misses = 0 if is_present else misses + 1
        self.removal_pending = False
        self.media = "not_present"
        return True


class VendorReading:
    """One call of `read`. Holds what failed so far: the last word is the card's error and not a time-out."""

    def __init__(self, module: VendorModule, watch: Watch, *, want_new_address: bool) -> None:
        self._module = module
        self._watch = watch
        self._want_new_address = want_new_address
        self._failure: DeviceError | None = None
        self._attempts = 0
        self._lost_at: float | None = None
        self._is_found = False

    def run(self) -> IdCard:
        """Raises `CommandTimedOut` when no card came, else the error of device-classes C.1 that fits."""
        self._module.open()
        while self._module.awaits_turn(self._watch):
            try:
                if self._finds() and (card := self._read()):
                    return card
            except MediaError as error:
                self._failure = error
                self._attempts += 1
            if self._failure is not None and self._is_over():
                raise self._failure
        raise self._failure or CommandTimedOut("no card was placed on the reader", "no_card")

    def _finds(self) -> bool:
        if self._module.finds_card():
            self._lost_at = None
            if not self._is_found:
                self._is_found = True
                self._watch.shorten(CARD_SECONDS)
            return True
        self._lost_at = self._lost_at or time.monotonic()
        return False

    def _read(self) -> IdCard:
        text, photo = self._module.reader.read()
        card = decode_text_block(text)
        self._module.note_read()
        new_address = self._module.reader.new_address() if self._want_new_address else None
        return card.model_copy(
            update={
                "photo": photo or None,
                "new_address": decode_new_address(new_address) if new_address else None,
                "sam_id": self._module.sam_id,
            }
        )

    def _is_over(self) -> bool:
        lost_seconds = time.monotonic() - self._lost_at if self._lost_at is not None else 0.0
        return self._attempts >= ATTEMPTS or lost_seconds >= LOST_SECONDS
