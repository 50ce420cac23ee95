"""One card, from waiting for it to its fields: find, select and read again for every attempt (domain.md 1.6)."""

from __future__ import annotations

import time
from collections import Counter
from typing import Final

from drivers.errors import CommandTimedOut, DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, MediaError
from drivers.id_card_reader.sdt import commands
from drivers.id_card_reader.sdt.commands import Command, refusal_of
from drivers.id_card_reader.sdt.exchange import NoAnswer, Watch
from drivers.id_card_reader.sdt.line import LINE_LOST
from drivers.id_card_reader.sdt.module import Module
from drivers.id_card_reader.text_block import decode_text_block
from drivers.messages import IdCard

ATTEMPTS: Final = 5
"""Noise, a damaged answer and a refusal may meet on one card; the session's fifteen seconds bound them all."""
CARD_SECONDS: Final = 15.0
"""From when a card is first found; then the citizen is asked to place it again."""
LOST_SECONDS: Final = 3.0
"""A card that failed and is not found again for so long must be lifted: the citizen is told."""
REFUSED_GUESSES: Final = 3
"""So often an attempt without a found card may be refused, before the card must be found again."""
LINE_LOSSES: Final = 2
REDIAL_SECONDS: Final = 2.0
REDIAL_PAUSE_SECONDS: Final = 0.2


class Reading:
    """One call of `read`. Holds what failed so far, so that the last word is the card's error and not a time-out."""

    def __init__(self, module: Module, watch: Watch, *, want_new_address: bool) -> None:
        self._module = module
        self._watch = watch
        self._want_new_address = want_new_address
        self._attempts = 0
        self._refusals: Counter[tuple[str, int]] = Counter()
        self._failure: DeviceError | None = None
        self._insists = False
        self._refused_guesses = 0
        self._is_found = False
        self._lost_at: float | None = None
        self._line_losses = 0

    def run(self) -> IdCard:
        """Raises `CommandTimedOut` when no card came, else the error of device-classes C.1 that fits."""
        while True:
            try:
                self._module.open(self._watch)
                return self._await_card()
            except DeviceOffline as error:
                if error.reason != LINE_LOST:
                    raise
                self._dial_again(error)

    def _await_card(self) -> IdCard:
        while self._module.awaits_turn(self._watch):
            if self._may_read() and (card := self._attempt()):
                return card
            if self._failure is not None and self._is_over():
                raise self._failure
        raise self._last_word()

    def _dial_again(self, lost: DeviceOffline) -> None:
        """A serial server that dropped its connection takes the next one, and a loose plug is soon back in. Raises
        `lost` when it does not come back at once, or goes again and again."""
        self._line_losses += 1
        self._lost_at = None
        if self._is_found:
            self._note_failure(_damaged_answer())
            self._insists = True
        ends_at = time.monotonic() + REDIAL_SECONDS
        while self._line_losses <= LINE_LOSSES and time.monotonic() < ends_at and not self._watch.has_ended:
            self._watch.pause(REDIAL_PAUSE_SECONDS)
            try:
                self._module.open(self._watch)
            except (DeviceAbsent, DeviceBusy, DeviceOffline):
                continue
            return
        raise lost

    def _may_read(self) -> bool:
        """True when a card was found, or an attempt is worth making without."""
        try:
            frame = self._module.find(self._watch)
        except NoAnswer as silence:
            self._raise_if_unfit(silence)
            return False
        if frame.status in commands.FIND.good:
            self._note_found()
            return True
        if frame.status == commands.NO_CARD:
            return self._note_missing()
        self._note_refusal(commands.FIND, frame.status)
        return False

    def _attempt(self) -> IdCard | None:
        """Select and read. None when that failed; what it means was noted."""
        insists, self._insists = self._insists, False
        try:
            data = self._select_and_read(insists=insists)
        except NoAnswer as silence:
            self._raise_if_unfit(silence)
            self._note_failure(_damaged_answer())
            self._insists = True
            return None
        if data is not None:
            return self._decode(data)
        if insists:
            self._refused_guesses += 1
            self._insists = self._refused_guesses < REFUSED_GUESSES
        return None

    def _select_and_read(self, *, insists: bool) -> bytes | None:
        """An insisting attempt is a guess: when it is refused, the error that led to it stays the card's."""
        selected = self._module.ask(commands.SELECT, self._watch)
        if selected.status != commands.DONE and not insists:
            self._note_failure(self._note_refusal(commands.SELECT, selected.status))
            return None
        answer = self._module.ask(commands.READ, self._watch)
        if answer.status == commands.DONE:
            return answer.data
        if not insists:
            self._note_failure(self._note_refusal(commands.READ, answer.status))
        return None

    def _decode(self, data: bytes) -> IdCard | None:
        try:
            text, photo = commands.split_card(data)
            card = decode_text_block(text)
        except MediaError as error:
            self._note_failure(error)
            self._insists = True
            return None
        self._module.note_read()
        new_address = self._module.ask_new_address(self._watch) if self._want_new_address else None
        self._module.ask_missing_sam_id(self._watch)
        return card.model_copy(
            update={"photo": photo or None, "new_address": new_address, "sam_id": self._module.sam_id}
        )

    def _note_found(self) -> None:
        self._insists = False
        self._refused_guesses = 0
        self._lost_at = None
        if not self._is_found:
            self._is_found = True
            self._watch.shorten(CARD_SECONDS)

    def _note_missing(self) -> bool:
        """A module that delivered a damaged answer thinks its card is read and finds it no more: insist."""
        if self._insists:
            return True
        if self._is_found:
            self._failure = self._failure or refusal_of(commands.NO_CARD).as_error("find card", commands.NO_CARD)
        self._lost_at = self._lost_at or time.monotonic()
        return False

    def _raise_if_unfit(self, silence: NoAnswer) -> None:
        if error := self._module.unanswered_error():
            self._module.close()
            raise error from silence

    def _note_refusal(self, command: Command, status: int) -> DeviceError:
        refusal = refusal_of(status)
        error = refusal.as_error(command.name, status)
        self._refusals[command.name, status] += 1
        if self._refusals[command.name, status] >= refusal.tries:
            raise error
        return error

    def _note_failure(self, error: DeviceError) -> None:
        self._failure = error
        self._attempts += 1

    def _is_over(self) -> bool:
        lost_seconds = time.monotonic() - self._lost_at if self._lost_at is not None else 0.0
        return self._attempts >= ATTEMPTS or lost_seconds >= LOST_SECONDS

    def _last_word(self) -> DeviceError:
        if error := self._failure or self._module.silence() or self._module.inoperable_error():
            return error
        return CommandTimedOut("no card was placed on the reader", "no_card")


def _damaged_answer() -> MediaError:
    return MediaError("the card's answer was damaged: lift it and place it again", "read_failed")
