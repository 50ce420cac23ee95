"""The module behind the line: who it is, what lies on it, and when it must be called broken (domain.md 1.3 to 1.6).

Blocking; used by the reader's own thread only.
"""

from __future__ import annotations

import contextlib
import time
from typing import Final

from drivers.errors import CommandCancelled, DeviceError, DeviceOffline, HardwareFault, MediaError
from drivers.id_card_reader.citizen_number import parse_date
from drivers.id_card_reader.sdt import commands
from drivers.id_card_reader.sdt.commands import Command
from drivers.id_card_reader.sdt.exchange import Exchange, NoAnswer, Watch
from drivers.id_card_reader.sdt.frames import Frame
from drivers.id_card_reader.text_block import decode_new_address

SAM_ID_TRIES: Final = 3
LATE_SAM_ID_TRIES: Final = 2
LATE_SAM_ID_MISSES: Final = 2
"""After so many cards whose reader still gave no id, it has none."""
MISSES_MEANING_REMOVED: Final = 3
UNANSWERED_TRIES: Final = 3
UNANSWERED_SECONDS: Final = 3.0
MOST_PATIENCE: Final = 3.0
STRETCHED_BY_PATIENCE: Final = (commands.SAM_ID, commands.FIND, commands.SELECT)
ADDRESS_KNOWN: Final = (commands.DONE, commands.NO_CONTENT)
ADDRESS_TRIES: Final = 3
SILENT_ADDRESS_TRIES: Final = 2
ADDRESS_SILENCES: Final = 2
"""A reader that left the question for a new address unanswered at so many cards is not asked it again."""
SHORTEST_NEW_ADDRESS_SECONDS: Final = 0.1
SAM_ID_YEARS: Final = range(1990, 2100)


class Module:
    """One SAM module. Remembers no card; `media`, `sam` and `removal_pending` are what was last seen."""

    def __init__(
        self, exchange: Exchange, port: str, *, poll_interval_seconds: float, presence_probe: bool = True
    ) -> None:
        self._exchange = exchange
        self._port = port
        self._poll_interval_seconds = poll_interval_seconds
        self._presence_probe = presence_probe
        self._may_find_at = 0.0
        self._address_tells_presence = False
        self._forget_peer()
        self.sam_id: str | None = None
        self.sam = "unknown"
        self.media = "unknown"
        self.removal_pending = False

    def _forget_peer(self) -> None:
        self._introduced = self._knows_status = False
        self._sam_id_misses = 0
        self._inoperable_status: int | None = None
        self._has_answered = False
        self._unanswered = 0
        self._heard_nonsense = self._heard_damaged_frames = False
        self._answered_at = time.monotonic()
        self._patience = 1.0
        self._misses = 0
        self._address_silences = 0
        self.sam = self.media = "unknown"

    def open(self, watch: Watch) -> None:
        """Open the line and, once per opening, ask for the module's status and id. Their failures stop nothing."""
        if not self._exchange.is_open:
            self._forget_peer()
            self._exchange.open()
        if not self._introduced:
            self._knows_status = self._is_status_answered(watch)
            self._ask_sam_id(watch, SAM_ID_TRIES if self._knows_status else 1)
            self._introduced = True

    def close(self) -> None:
        self._exchange.close()
        self._forget_peer()

    def ask(self, command: Command, watch: Watch) -> Frame:
        """The module's answer, good or a refusal. Raises as `Exchange.ask`; keeps count of what stays unanswered."""
        try:
            frame = self._exchange.ask(
                command, watch, patience=self._patience if command in STRETCHED_BY_PATIENCE else 1.0
            )
        except NoAnswer as silence:
            self._note_silence(command, silence, was_cut_short=watch.has_ended)
            raise
        self._has_answered = True
        self._unanswered = 0
        self._heard_nonsense = self._heard_damaged_frames = False
        self._answered_at = time.monotonic()
        if frame.status in commands.INOPERABLE:
            self._inoperable_status = frame.status
            self.sam = "inoperable"
        elif frame.status in command.good:
            self._inoperable_status = None
            self.sam = "ok"
        return frame

    def probe(self, watch: Watch) -> None:
        """Is it there, does it answer, is it fit? Raises `DeviceError`. A card may lie there; it is not touched.

        A module that left the status command unanswered is asked for a card instead.
        """
        was_introduced = self._introduced
        self.open(watch)
        try:
            if was_introduced or not self._has_answered:
                self._ask_anything(watch)
        except NoAnswer:
            if error := self.silence():
                self.close()
                raise error from None
        if error := self.inoperable_error():
            raise error

    def inoperable_error(self) -> DeviceError | None:
        """The module's own word that it accepts no work, when that was its last word."""
        if self._inoperable_status is None:
            return None
        return commands.refusal_of(self._inoperable_status).as_error("SAM status", self._inoperable_status)

    def _ask_anything(self, watch: Watch) -> None:
        if self._knows_status:
            self.ask(commands.SAM_STATUS, watch)
        elif self.awaits_turn(watch):
            self.find(watch)

    def _is_status_answered(self, watch: Watch) -> bool:
        try:
            self.ask(commands.SAM_STATUS, watch)
        except NoAnswer:
            return False
        return True

    def awaits_turn(self, watch: Watch) -> bool:
        """Wait until a card may be asked for again; False when the watch ends before. Raises `CommandCancelled`."""
        watch.pause(self._may_find_at - time.monotonic())
        return not watch.has_ended

    def find(self, watch: Watch) -> Frame:
        """Ask for a card; `awaits_turn` keeps it from being more often than the poll interval."""
        self._may_find_at = time.monotonic() + self._poll_interval_seconds
        frame = self.ask(commands.FIND, watch)
        if frame.status in commands.FIND.good:
            self._misses = 0
            self.media = "present"
        elif frame.status == commands.NO_CARD:
            self._note_miss()
        return frame

    def unanswered_error(self) -> DeviceError | None:
        """What to call a peer that has left several questions unanswered for a while; None while it may recover."""
        silent_seconds = time.monotonic() - self._answered_at
        if self._unanswered < UNANSWERED_TRIES or silent_seconds < UNANSWERED_SECONDS:
            return None
        return self.silence()

    def silence(self) -> DeviceError | None:
        """What the questions now unanswered mean: silence, a disturbed line, or a peer that speaks something else."""
        if self._unanswered == 0 or (self._has_answered and self._unanswered == 1):
            return None
        if self._heard_damaged_frames:
            return HardwareFault(f"the reader on {self._port} answers damaged: check its cable", "line_fault")
        if self._heard_nonsense:
            return HardwareFault(
                f"what answers on {self._port} is not an identity card reader: correct the port or the speed",
                "wrong_device",
            )
        return DeviceOffline(f"the reader on {self._port} does not answer: check its power and its cable")

    def ask_new_address(self, watch: Watch) -> str | None:
        """The address noted after the card was issued. Nothing that goes wrong here raises: the card is read by now."""
        if self._address_silences >= ADDRESS_SILENCES or _is_late(watch):
            return None
        try:
            frame = self._ask_address(watch)
        except (CommandCancelled, DeviceOffline):
            return None
        try:
            return decode_new_address(frame.data) if frame and frame.status == commands.DONE else None
        except MediaError:
            return None

    def wait_removal(self, watch: Watch) -> bool:
        """True after three misses in a row, False when the watch ended first. Raises `DeviceError`."""
        self._misses = 0
        while self._misses < MISSES_MEANING_REMOVED:
            if not self.awaits_turn(watch):
                return False
            try:
                self._look(watch)
            except NoAnswer:
                if error := self.unanswered_error():
                    self.close()
                    raise error from None
        return True

    def note_read(self) -> None:
        """A card was read, and is yet to be taken away."""
        self.removal_pending = True
        self.media = "present"
        self._misses = 0

    def _note_miss(self) -> None:
        self._misses += 1
        if self._misses >= MISSES_MEANING_REMOVED or not self.removal_pending:
            self.removal_pending = False
            self.media = "not_present"

    def _note_silence(self, command: Command, silence: NoAnswer, *, was_cut_short: bool) -> None:
        self._heard_nonsense |= silence.heard > 0
        self._heard_damaged_frames |= silence.rejected > 0
        if was_cut_short and self._has_answered:
            return
        self._unanswered += 1
        if command in (commands.FIND, commands.SELECT) and not silence.heard:
            self._patience = min(MOST_PATIENCE, self._patience + 1)

    def _look(self, watch: Watch) -> None:
        """A card that was read may be found again only after it left, but still tells its new address."""
        if self._presence_probe and self.removal_pending and self._address_tells_presence:
            self._may_find_at = time.monotonic() + self._poll_interval_seconds
            if self.ask(commands.NEW_ADDRESS, watch).status in ADDRESS_KNOWN:
                return
            self._address_tells_presence = False
        self.find(watch)

    def _ask_address(self, watch: Watch) -> Frame | None:
        """The last answer. Lost, damaged or refused it is asked for again: without it the old address would be used."""
        self._address_tells_presence = False
        frame: Frame | None = None
        silences = 0
        for _ in range(ADDRESS_TRIES):
            try:
                frame = self.ask(commands.NEW_ADDRESS, watch)
            except NoAnswer as silence:
                silences += not silence.heard
            self._address_tells_presence = frame is not None and frame.status in ADDRESS_KNOWN
            if self._address_tells_presence or silences == SILENT_ADDRESS_TRIES or _is_late(watch):
                break
        self._address_silences = self._address_silences + 1 if frame is None and silences else 0
        return frame

    def ask_missing_sam_id(self, watch: Watch) -> None:
        """A reader too slow or not yet ready at its introduction has shown by now that it answers.

        One answer lost on a disturbed line is asked for again; a caller with no time left counts for nothing.
        """
        if self.sam_id is not None or self._sam_id_misses >= LATE_SAM_ID_MISSES:
            return
        with contextlib.suppress(CommandCancelled, DeviceOffline):
            self._ask_sam_id(watch, LATE_SAM_ID_TRIES)
        if self.sam_id is None and not watch.has_ended:
            self._sam_id_misses += 1

    def _ask_sam_id(self, watch: Watch, tries: int) -> None:
        """The first answer after power-on may be wrong: one that states no possible date is asked for again."""
        self.sam_id = None
        for _ in range(tries):
            try:
                frame = self.ask(commands.SAM_ID, watch)
            except NoAnswer:
                continue
            if frame.status != commands.DONE:
                continue
            self.sam_id = commands.format_sam_id(frame.data)
            made = parse_date(self.sam_id.split("-")[1])
            if made is not None and made.year in SAM_ID_YEARS:
                return


def _is_late(watch: Watch) -> bool:
    return watch.remaining_seconds < SHORTEST_NEW_ADDRESS_SECONDS
