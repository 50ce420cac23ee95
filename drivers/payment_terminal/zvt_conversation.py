"""Commands to a card terminal and its answers until it gives the word back (ZVT: master and slave change roles).

After 80 00 the terminal leads: intermediate statuses (04 FF), the result (04 0F), lines of a receipt (06 D1, 06 D3),
then completion (06 0F) or abort (06 1E); each is answered 80 00. A result that is not answered makes the terminal
reverse the payment by itself, so it is answered only after it was written down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from drivers.errors import DeviceBusy, DeviceError, DeviceOffline, HardwareFault, Unsupported
from drivers.payment_terminal import zvt_apdu as zvt
from drivers.payment_terminal.zvt_apdu import Apdu, NotZvt, bcd, from_bcd, parse_fields
from drivers.payment_terminal.zvt_wire import Wire

POLL_SECONDS: Final = 0.1
ABORT_SECONDS: Final = 10.0
LAST_TRANSACTION: Final = b"\x03\x03"
"""Field 03, service byte 03: the status information of the last transaction, to find each other again."""

CANCELLED: Final = 0x6C
NOT_POSSIBLE: Final = 0x83
REPEAT_STATUS: Final = 0x9C
"""From the register: say it again. From the terminal: please wait."""


@dataclass
class Watch:
    """The limits of one command, and the wish to end it."""

    seconds: float
    answer_seconds: float = 5.0
    silence_seconds: float = 60.0
    abort_seconds: float = ABORT_SECONDS
    abort: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds


@dataclass(frozen=True)
class Transaction:
    """A status information. Card numbers and names are not taken out of it."""

    result: int
    amount_fen: int | None
    currency: int | None
    trace: int
    receipt: int
    original_trace: int | None
    terminal_id: str


@dataclass(frozen=True)
class Outcome:
    """How a command ended: `refused` before it began, `aborted`, or `completed`."""

    ending: str
    code: int = 0
    transaction: Transaction | None = None
    data: bytes = b""


def _nothing() -> None: ...


def _accept(_: Transaction) -> None: ...


class Conversation:
    """One open wire. Every command raises `DeviceOffline` or `HardwareFault` when the course of it is lost."""

    def __init__(self, wire: Wire, password: int) -> None:
        self._wire = wire
        self._password = bcd(password, 3)
        self.terminal_id = ""

    def register(self, config_byte: int, currency: int, watch: Watch) -> None:
        """06 00; the first command on every connection. Raises `DeviceError` when it is refused."""
        outcome = self.command(Apdu(zvt.REGISTRATION, self._password + bytes([config_byte]) + bcd(currency, 2)), watch)
        if outcome.ending != "completed":
            raise error_of(outcome.code, "to be registered with")
        try:
            terminal_id = parse_fields(outcome.data).get(zvt.TERMINAL_ID)
        except NotZvt:  # what a maker adds to its completion is no reason not to take money
            terminal_id = None
        self.terminal_id = terminal_id.hex() if terminal_id else ""

    def authorise(
        self, amount_fen: int, currency: int, watch: Watch, on_begun: Callable[[], None],
        on_result: Callable[[Transaction], None],
    ) -> Outcome:  # fmt: skip
        """06 01. `on_result` is called before the terminal hears that we know; what it raises ends the conversation."""
        fields = zvt.encode_fields({zvt.AMOUNT: bcd(amount_fen, 6), zvt.CURRENCY: bcd(currency, 2)})
        return self.command(Apdu(zvt.AUTHORISATION, fields), watch, on_begun, on_result)

    def reverse(self, receipt: int, watch: Watch, on_result: Callable[[Transaction], None]) -> Outcome:
        """06 30: the whole payment of that receipt, before the end of the terminal's day."""
        fields = zvt.encode_fields({zvt.RECEIPT: bcd(receipt, 2)})
        return self.command(Apdu(zvt.REVERSAL, self._password + fields), watch, _nothing, on_result)

    def last_transaction(self, watch: Watch) -> Transaction | None:
        """06 20 with service byte 03. None when the terminal holds none. Raises `DeviceError` when it is refused."""
        outcome = self.command(Apdu(zvt.REPEAT_RECEIPT, self._password + LAST_TRANSACTION), watch)
        if outcome.ending == "refused" and outcome.code == NOT_POSSIBLE:
            raise HardwareFault(
                "the card terminal does not tell its last transaction: it cannot be used", "cannot_query"
            )
        if outcome.ending == "refused":
            raise error_of(outcome.code, "to tell its last transaction")
        return outcome.transaction

    def enquire(self, watch: Watch) -> int:
        """05 01: the terminal's status byte, 0 when it is ready."""
        outcome = self.command(Apdu(zvt.STATUS_ENQUIRY, self._password), watch)
        if outcome.ending != "completed":
            raise error_of(outcome.code, "to tell its state")
        try:
            return zvt.software_and_status(outcome.data) or 0
        except NotZvt as error:
            raise _garbled() from error

    def interrupt(self) -> None:
        self._wire.interrupt()

    def close(self) -> None:
        self._wire.close()

    def command(
        self,
        apdu: Apdu,
        watch: Watch,
        on_begun: Callable[[], None] = _nothing,
        on_result: Callable[[Transaction], None] = _accept,
    ) -> Outcome:
        """One command to its end."""
        self._wire.send(apdu)
        course = _Course(self._wire, watch, on_begun, on_result)
        while True:
            received = self._wire.receive(POLL_SECONDS)
            if received is None:
                course.wait()
            elif (outcome := course.hear(received)) is not None:
                return outcome


class _Course:
    """How far one command has come."""

    def __init__(
        self, wire: Wire, watch: Watch, on_begun: Callable[[], None], on_result: Callable[[Transaction], None]
    ) -> None:
        self._wire = wire
        self._watch = watch
        self._on_begun = on_begun
        self._on_result = on_result
        self._begun = self._asked_again = False
        self._abort_at = 0.0
        self._heard_at = time.monotonic()
        self._transaction: Transaction | None = None

    def wait(self) -> None:
        """Nothing came for a moment."""
        now = time.monotonic()
        if now > self._watch.deadline:
            self._watch.abort.set()
        if self._watch.abort.is_set() and self._begun and not self._abort_at and self._watch.abort_seconds:
            self._abort_at = now
            self._wire.send(Apdu(zvt.ABORT))
        patience = self._watch.silence_seconds if self._begun else self._watch.answer_seconds
        given_up = self._abort_at and now > self._abort_at + self._watch.abort_seconds
        if now > self._heard_at + patience or given_up or now > self._watch.deadline + self._watch.abort_seconds:
            if self._wire.is_strange():
                raise HardwareFault("what answers there is no card terminal that speaks ZVT", "wrong_device")
            raise DeviceOffline("the card terminal has fallen silent: look at its screen and its cable", "no_answer")

    def hear(self, received: Apdu) -> Outcome | None:
        self._heard_at = time.monotonic()
        if received.is_done:
            if not self._begun:
                self._begun = True
                self._on_begun()
        elif received.refusal is not None:
            if not self._begun:
                return Outcome("refused", received.refusal)
        elif not self._begun:
            self._leftover(received)
        elif received.control == zvt.STATUS_INFORMATION:
            self._result(received)
        else:
            self._wire.send(zvt.DONE)
            if received.control == zvt.COMPLETION:
                return Outcome("completed", 0, self._transaction, received.data)
            if received.control == zvt.ABORTED:
                return Outcome("aborted", received.data[0] if received.data else 0, self._transaction)
        self.wait()
        return None

    def _leftover(self, received: Apdu) -> None:
        """Of a command whose course was lost. A result nobody waits for is not answered: the terminal takes it back."""
        if received.control != zvt.STATUS_INFORMATION:
            self._wire.send(zvt.DONE)

    def _result(self, received: Apdu) -> None:
        """Once garbled it is asked for again; garbled twice it is not answered, and the terminal takes it back."""
        try:
            transaction = read_transaction(received.data)
        except NotZvt as error:
            if self._asked_again:
                raise _garbled() from error
            self._asked_again = True
            self._wire.send(Apdu(bytes([zvt.REFUSED_CLASS, REPEAT_STATUS])))
            return
        self._on_result(transaction)
        self._transaction = transaction
        self._wire.send(zvt.DONE)


def read_transaction(data: bytes) -> Transaction:
    """The fields of a status information (04 0F). Raises `NotZvt`."""
    fields = parse_fields(data)
    if zvt.RESULT not in fields:
        raise NotZvt("a status information without a result")

    def number(tag: int) -> int | None:
        return from_bcd(fields[tag]) if tag in fields else None

    result = fields[zvt.RESULT][0]
    trace, receipt = number(zvt.TRACE), number(zvt.RECEIPT)
    if result == 0 and (trace is None or receipt is None or number(zvt.AMOUNT) is None):
        raise NotZvt("a payment without amount, trace or receipt number")
    return Transaction(
        result=result,
        amount_fen=number(zvt.AMOUNT),
        currency=number(zvt.CURRENCY),
        trace=-1 if trace is None else trace,
        receipt=-1 if receipt is None else receipt,
        original_trace=number(zvt.ORIGINAL_TRACE),
        terminal_id=fields[zvt.TERMINAL_ID].hex() if zvt.TERMINAL_ID in fields else "",
    )


def _garbled() -> HardwareFault:
    return HardwareFault("the card terminal answers what ZVT does not have: report it to its maker", "answer_garbled")


# --- result codes ---------------------------------------------------------------------------------------------------

_REASONS: Final = {
    0x64: "card_unreadable", 0x65: "card_unreadable", 0x66: "terminal_broken", 0x67: "card_refused",
    0x68: "card_refused", 0x6A: "end_of_day_needed", 0x6B: "not_registered", CANCELLED: "cancelled_at_terminal",
    0x6E: "card_refused", 0x6F: "currency_refused", 0x71: "declined", 0x72: "card_unreadable",
    0x73: "card_unreadable", 0x76: "card_refused", 0x77: "end_of_day_needed", 0x78: "card_refused",
    0x79: "card_refused", 0x7A: "card_refused", 0x7D: "bank_unreachable", 0x83: "not_possible", 0x85: "terminal_broken",
    0x89: "pinpad_defective", 0x9A: "terminal_broken", 0x9B: "bank_unreachable", 0x9C: "terminal_busy",
    0xA0: "terminal_busy", 0xF0: "end_of_day_needed", 0xFB: "terminal_broken", 0xFC: "terminal_broken",
    0xFF: "terminal_broken",
}  # fmt: skip


def reason_of(code: int) -> str:
    """A result code (chapter "Error-Messages") as our word. 01 to 63 (hexadecimal) are the bank's: declined."""
    return _REASONS.get(code, "declined" if 0 < code < 0x64 else "not_possible")


def error_of(code: int, deed: str) -> DeviceError:
    """The error of a command that is no payment."""
    reason, message = reason_of(code), f"the card terminal refuses {deed} ({code:02x})"
    match reason:
        case "terminal_busy":
            return DeviceBusy(f"{message}: it is still at work, wait", reason)
        case "bank_unreachable":
            return DeviceOffline(f"{message}: it does not reach its bank, look at its network", reason)
        case "currency_refused":
            return Unsupported(f"{message}: it is not set up for this currency", reason)
        case _:
            return HardwareFault(f"{message}: call its maintenance", reason)
