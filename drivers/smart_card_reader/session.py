"""One powered chip and what it was told: application selected, PIN given (domain.md 3.2)."""

from __future__ import annotations

from typing import Final

from drivers.errors import CommandTimedOut, ConsentRequired, DeviceError, MediaError, Unsupported
from drivers.messages import BankCard, PinResult, SocialSecurityCard
from drivers.smart_card_reader import apdu, bank_card, social_security
from drivers.smart_card_reader.links.link import Chip
from drivers.smart_card_reader.social_security import Item, Values
from drivers.watch import Watch

SELECT_FORMS: Final = (0x02, 0x00)
"""P1 of a file's selection; both are seen."""
NO_SUCH_FORM: Final = frozenset({0x6A86, 0x6A81, 0x6A80, 0x6A82, 0x6B00, 0x6D00, 0x6700})
CURRENT_FILE: Final = 0x04
SHORT_IDENTIFIER: Final = 0x04
LAST_TRY: Final = 1
APDU_SECONDS: Final = 4.0
WRITE_SECONDS: Final = 0.5


class CardSession:
    """Blocking; on the thread of the commands. A failure of the chip ends the session: the next one begins anew."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self._watch = Watch(APDU_SECONDS)
        self._is_selected = False
        self._file: int | None = None
        self._references: dict[int, int] = {}
        self.is_alive = True

    def begin(self, watch: Watch) -> None:
        """A new command: what it asks of the chip keeps its limit."""
        self._watch = watch

    def release(self) -> None:
        self.is_alive = False
        self.chip.release()

    # --- the profile -------------------------------------------------------------------------------------------------

    def read_profile(self) -> SocialSecurityCard:
        """Raises `MediaError`: `wrong_card_type`, `wrong_issuer`, `pin_needed`, `read_failed`, `removed` …"""
        issuer = self._read_plan(social_security.ISSUER_FILE, social_security.ISSUER_PLAN)
        if social_security.IDENTIFICATION.tag not in issuer or social_security.SPECIFICATION.tag not in issuer:
            raise MediaError("the chip does not say what card it is", "read_failed")
        social_security.check_issuer(issuer[social_security.IDENTIFICATION.tag])
        specification = social_security.specification_of(issuer[social_security.SPECIFICATION.tag])
        holder = self._read_plan(social_security.HOLDER_FILE, social_security.holder_plan(specification))
        return social_security.decode_card(issuer, holder)

    def read_bank_card(self) -> BankCard:
        """The bank's application takes the place of the other. Raises `MediaError` as `bank_card.read` does."""
        self._is_selected, self._file = False, None
        return bank_card.read(self.exchange)

    def identification(self) -> bytes:
        """Which card this is. Raises `MediaError` (`wrong_card_type`, `wrong_issuer`, `read_failed`)."""
        record = self.read_record(social_security.ISSUER_FILE, 1, social_security.IDENTIFICATION.expected)
        if record is None:
            raise MediaError("the chip does not say what card it is", "read_failed")
        code = social_security.split_record(record)[1]
        social_security.check_issuer(code)
        return code

    def read_record(self, file: int, record: int, expected: int) -> bytes | None:
        """Tag, length and value, or None when the card has no such record."""
        answer = self._ask_record(file, record, expected)
        if answer.is_done:
            return answer.data
        if answer.status == apdu.RECORD_NOT_FOUND:
            return None
        if answer.status == apdu.NOT_SATISFIED:
            raise MediaError("this card shows its data only after the PIN", "pin_needed")
        raise MediaError(f"the chip refused a record with {answer.status:04X}: place the card again", "read_failed")

    def prepare_write(self, file: int) -> None:
        """All but the write itself. Raises `DeviceError`; `CommandTimedOut` when too little time is left."""
        if self._watch.remaining_seconds < WRITE_SECONDS:
            raise CommandTimedOut("too little time is left to write the card", "timed_out")
        if self._references[file] == CURRENT_FILE:
            self._select_file(file)

    def write_record(self, file: int, record: int, data: bytes) -> apdu.Answer:
        """After `prepare_write`. Sent once, whatever the chip and the clock say."""
        command = apdu.update_record(record, self._references[file], data)
        return apdu.exchange_once(lambda part: self._say(part, APDU_SECONDS), command)

    def _read_plan(self, file: int, plan: tuple[Item, ...]) -> Values:
        values: Values = {}
        known = {item.tag for item in plan}
        for item in plan:
            record = self.read_record(file, item.record, item.expected)
            if record is None:
                continue
            tag, value = social_security.split_record(record)
            if tag not in known or tag in values:
                raise MediaError("the chip's records do not follow their specification", "read_failed")
            values[tag] = value
        return values

    def _ask_record(self, file: int, record: int, expected: int) -> apdu.Answer:
        """By the current file, or by its short identifier where a card's files cannot be selected."""
        self.select_application()
        reference = self._references.get(file)
        if reference is None:
            by_selection = self._select_file(file)
            reference = CURRENT_FILE if by_selection else (file & 0x1F) << 3 | SHORT_IDENTIFIER
            self._references[file] = reference
        elif reference == CURRENT_FILE:
            self._select_file(file)
        return self.exchange(apdu.read_record(record, reference, expected))

    def select_application(self) -> None:
        """Once: selecting it again would make the card forget its PIN."""
        if self._is_selected:
            return
        answer = self.exchange(apdu.select_name(social_security.APPLICATION, expects_answer=False))
        if answer.status == apdu.WRONG_LENGTH:
            answer = self.exchange(apdu.select_name(social_security.APPLICATION, expects_answer=True))
        if not answer.is_done:
            raise MediaError("this card is no social-security card", "wrong_card_type")
        self._is_selected = True
        self._file = None

    def _select_file(self, file: int) -> bool:
        if self._file == file:
            return True
        for form in SELECT_FORMS:
            answer = self.exchange(apdu.select_file(file, form))
            if answer.is_done:
                self._file = file
                return True
            if answer.status not in NO_SUCH_FORM:
                break
        return False

    # --- the PIN -----------------------------------------------------------------------------------------------------

    def verify_pin(self, pin: bytes, *, last_try: bool) -> PinResult:
        """One try at most. Raises `ConsentRequired` (`pin_last_try`) before a last one nobody agreed to."""
        self.select_application()
        left = self._tries_left()
        if left == 0:
            return PinResult(accepted=False, tries_left=0, blocked=True)
        if left == LAST_TRY and not last_try:
            raise ConsentRequired("one try is left, and a wrong PIN locks the card: ask the citizen", "pin_last_try")
        return _pin_result(self.exchange(apdu.verify(pin)))

    def _tries_left(self) -> int | None:
        answer = self.exchange(apdu.verify(b""))
        return 0 if answer.status == apdu.BLOCKED else answer.tries_left

    # --- one exchange ------------------------------------------------------------------------------------------------

    def exchange(self, command: bytes) -> apdu.Answer:
        return apdu.exchange(self._transmit, command)

    def transmit(self, command: bytes) -> bytes:
        """For the caller's own commands; what they select is not known afterwards."""
        if command[1] == apdu.SELECT:
            self._is_selected, self._file = False, None
        return self.exchange(command).raw

    def _transmit(self, command: bytes) -> bytes:
        self._watch.check()
        return self._say(command, min(APDU_SECONDS, self._watch.remaining_seconds))

    def _say(self, command: bytes, seconds: float) -> bytes:
        try:
            return self.chip.transmit(command, seconds)
        except DeviceError:
            self.release()
            raise


def _pin_result(answer: apdu.Answer) -> PinResult:
    if answer.is_done:
        return PinResult(accepted=True)
    if answer.status == apdu.BLOCKED or answer.tries_left == 0:
        return PinResult(accepted=False, tries_left=0, blocked=True)
    if answer.tries_left is not None or answer.status == 0x6300:
        return PinResult(accepted=False, tries_left=answer.tries_left)
    raise Unsupported(f"this card's PIN cannot be checked here ({answer.status:04X})", "pin_unsupported")
