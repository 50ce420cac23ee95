"""A card terminal without a wire: commands in, ZVT answers out, and a journal that is the truth about the money."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

from drivers.payment_terminal import zvt_apdu as zvt
from drivers.payment_terminal.zvt_apdu import Apdu, NotZvt, bcd, encode_fields, from_bcd, parse_fields

TERMINAL_ID: Final = 68000001
STEPS: Final = ("before_ack", "after_ack", "in_between", "booked", "after_status", "after_status_ack", "at_completion")
"""Where a link can be lost in a payment, in order."""
INTERMEDIATE: Final = Apdu(zvt.INTERMEDIATE_STATUS, b"\x0a")  # insert card
INTERMEDIATE_SECONDS: Final = 0.1
REPLY_SECONDS: Final = 3.0
LATE_SECONDS: Final = 1.5
REVERSAL_SECONDS: Final = 0.15
RESULTS: Final = {"declined": 0x05, "cancelled_by_citizen": 0x6C, "pinpad_defective": 0x89, "bank_unreachable": 0x9B}
REFUSALS: Final = {"busy": 0xA0, "full": 0x6A}


class LinkLost(Exception):
    """Nobody is at the other end any more."""


class Session(Protocol):
    """One connection to a register. Both methods raise `LinkLost`."""

    async def send(self, apdu: Apdu) -> None: ...

    async def receive(self, seconds: float | None) -> Apdu | None:
        """The next one; None when none came in time."""
        ...

    def cut(self) -> None: ...


@dataclass
class Booking:
    trace: int
    receipt: int
    amount_fen: int
    currency: int
    result: int = 0
    original_trace: int | None = None
    is_reversed: bool = False


class CardTerminal:
    """`active` are the misfortunes; `card_seconds` until a citizen's card is read."""

    def __init__(self, card_seconds: float) -> None:
        self.active: set[str] = set()
        self.journal: list[Booking] = []
        self.sent_authorisations = 0
        self._card_seconds = card_seconds
        self._number = 0
        self._is_busy = False

    @property
    def charged_fen(self) -> int:
        """What all citizens together have paid and not got back."""
        payments = [booking for booking in self.journal if booking.original_trace is None and booking.result == 0]
        return sum(payment.amount_fen for payment in payments if not payment.is_reversed)

    async def serve(self, session: Session) -> None:
        """Until the link is lost."""
        try:
            while True:
                apdu = await session.receive(None)
                if apdu is not None and "silent" not in self.active:
                    await self._obey(session, apdu)
        except LinkLost:
            return

    async def _obey(self, session: Session, apdu: Apdu) -> None:
        if apdu.control in (zvt.DONE.control, zvt.ABORT):
            if apdu.control == zvt.ABORT:
                await session.send(zvt.DONE)
            return
        refusal = next((code for name, code in REFUSALS.items() if name in self.active), 0)
        if self._is_busy or (refusal == 0xA0) or (refusal and apdu.control == zvt.AUTHORISATION):
            await session.send(Apdu(bytes([zvt.REFUSED_CLASS, 0xA0 if self._is_busy else refusal])))
            return
        match apdu.control:
            case zvt.REGISTRATION:
                await self._register(session, apdu)
            case zvt.AUTHORISATION:
                await self._authorise(session, apdu)
            case zvt.REVERSAL:
                await self._reverse(session, apdu)
            case zvt.REPEAT_RECEIPT:
                await self._repeat(session)
            case zvt.STATUS_ENQUIRY:
                version = b"2.14.15"
                code = 0xDF if "out_of_order" in self.active else 0
                await self._complete(session, bytes([0xF0, 0xF0, 0xF0 | len(version)]) + version + bytes([code]))
            case zvt.DIAGNOSIS | zvt.END_OF_DAY:
                await self._complete(session)
            case _:
                await session.send(Apdu(b"\x84\x83"))

    async def _register(self, session: Session, apdu: Apdu) -> None:
        if "refuses_registration" in self.active or apdu.data[:3] != bytes(3):
            await session.send(Apdu(b"\x84\x6b"))
        elif apdu.data[4:6] != bcd(156, 2):
            await session.send(Apdu(b"\x84\x6f"))
        else:
            await self._complete(session, encode_fields({zvt.TERMINAL_ID: bcd(TERMINAL_ID, 4), 0x19: b"\x00"}))

    async def _complete(self, session: Session, data: bytes = b"", *, begun: bool = False) -> None:
        if not begun:
            await session.send(zvt.DONE)
        await session.send(Apdu(zvt.COMPLETION, data))
        await session.receive(REPLY_SECONDS)

    # --- a payment --------------------------------------------------------------------------------------------------

    async def _authorise(self, session: Session, apdu: Apdu) -> None:
        try:
            fields = parse_fields(apdu.data)
            amount_fen, currency = from_bcd(fields[zvt.AMOUNT]), from_bcd(fields[zvt.CURRENCY])
        except (NotZvt, KeyError):
            await session.send(Apdu(b"\x84\x9a"))
            return
        self.sent_authorisations += 1
        self._is_busy = True
        try:
            await self._pay(session, amount_fen, currency)
        finally:
            self._is_busy = False

    async def _pay(self, session: Session, amount_fen: int, currency: int) -> None:
        """A terminal whose register is lost goes on with the citizen, and takes back what it cannot report."""
        booking: Booking | None = None
        try:
            self._step(session, "before_ack")
            await session.send(zvt.DONE)
            self._step(session, "after_ack")
            if not await self._card(session):
                await session.send(Apdu(zvt.ABORTED, b"\x6c"))
                await session.receive(REPLY_SECONDS)
                return
            booking = self._book(amount_fen, currency)
            self._step(session, "booked")
            told = await self._tell(session, booking)
        except LinkLost:
            if booking is None:
                await asyncio.sleep(self._card_seconds)
                booking = self._book(amount_fen, currency)
            await self._take_back(booking)
            raise
        if not told:
            await self._take_back(booking)
            await session.send(Apdu(zvt.ABORTED, b"\x6c"))
        elif booking.result:
            await session.send(Apdu(zvt.ABORTED, bytes([booking.result])))
        else:
            self._step(session, "after_status_ack")
            await self._print(session)
            self._step(session, "at_completion")
            await session.send(Apdu(zvt.COMPLETION))
        await session.receive(REPLY_SECONDS)

    async def _card(self, session: Session) -> bool:
        """False when the register took the payment back before a card was read."""
        loop = asyncio.get_running_loop()
        read_at = loop.time() + (LATE_SECONDS if "pay_late" in self.active else self._card_seconds)
        while "never" in self.active or loop.time() < read_at:
            await session.send(INTERMEDIATE)
            self._step(session, "in_between")
            heard = await session.receive(INTERMEDIATE_SECONDS)
            if heard is not None and heard.control == zvt.ABORT:
                await session.send(zvt.DONE)
                return False
            if heard is not None:
                await asyncio.sleep(min(INTERMEDIATE_SECONDS, max(read_at - loop.time(), 0.01)))
        return True

    async def _tell(self, session: Session, booking: Booking) -> bool:
        """True when the register has acknowledged the result."""
        garbled = "garbled_status" in self.active
        for _ in range(3):
            data = b"\x27\x00\x04\x00" if garbled or "garbled_status_once" in self.active else _fields(booking)
            self.active.discard("garbled_status_once")
            await session.send(Apdu(zvt.STATUS_INFORMATION, data))
            self._step(session, "after_status")
            if "status_twice" in self.active:
                await session.send(Apdu(zvt.STATUS_INFORMATION, data))
                await session.receive(REPLY_SECONDS)
            heard = await self._reply(session)
            if heard is None or heard.refusal is None:
                return heard is not None and heard.is_done
        return False

    async def _reply(self, session: Session) -> Apdu | None:
        """A late abort comes too late: it is refused, and the answer to the result is still waited for."""
        while (heard := await session.receive(REPLY_SECONDS)) is not None and heard.control == zvt.ABORT:
            await session.send(Apdu(b"\x84\x83"))
        return heard

    async def _print(self, session: Session) -> None:
        lines = [b"\x00KARTENZAHLUNG", b"\x00"]
        if "prints_garbage" in self.active:
            lines = [bytes(range(256)), b"", b"\xff" * 300, b"\x10\x02\x10\x03"]
        for line in lines:
            await session.send(Apdu(zvt.PRINT_LINE, line))
            await session.receive(REPLY_SECONDS)

    def _book(self, amount_fen: int, currency: int) -> Booking:
        result = next((code for name, code in RESULTS.items() if name in self.active), 0)
        wrong = 100 if "wrong_amount" in self.active else 0
        currency = 978 if "wrong_currency" in self.active else currency
        return self._enter(Booking(0, 0, amount_fen + wrong, currency, result))

    def _enter(self, booking: Booking) -> Booking:
        self._number += 1
        booking.trace, booking.receipt = 1000 + self._number, self._number
        self.journal.append(booking)
        return booking

    async def _take_back(self, booking: Booking) -> None:
        if booking.result == 0 and "no_auto_reversal" not in self.active:
            await asyncio.sleep(REVERSAL_SECONDS)
            self._reversal_of(booking)

    def _reversal_of(self, booking: Booking) -> Booking:
        booking.is_reversed = True
        return self._enter(Booking(0, 0, booking.amount_fen, booking.currency, original_trace=booking.trace))

    # --- afterwards -------------------------------------------------------------------------------------------------

    async def _reverse(self, session: Session, apdu: Apdu) -> None:
        receipt = from_bcd(parse_fields(apdu.data[3:])[zvt.RECEIPT])
        found = [booking for booking in self.journal if booking.receipt == receipt and booking.original_trace is None]
        await session.send(zvt.DONE)
        if not found or found[0].is_reversed or "reversal_fails" in self.active:
            await session.send(Apdu(zvt.ABORTED, b"\x83"))
            await session.receive(REPLY_SECONDS)
            return
        if "lost_before_reversal" in self.active:
            self.active.discard("lost_before_reversal")
            session.cut()
            raise LinkLost
        reversal = self._reversal_of(found[0])
        if "lost_after_reversal" in self.active:
            self.active.discard("lost_after_reversal")
            session.cut()
            raise LinkLost
        await session.send(Apdu(zvt.STATUS_INFORMATION, _fields(reversal)))
        await session.receive(REPLY_SECONDS)
        await self._complete(session, begun=True)

    async def _repeat(self, session: Session) -> None:
        if "cannot_query" in self.active:
            await session.send(Apdu(b"\x84\x83"))
            return
        await session.send(zvt.DONE)
        if not self.journal:
            await session.send(Apdu(zvt.ABORTED, b"\x83"))
            await session.receive(REPLY_SECONDS)
            return
        await session.send(Apdu(zvt.STATUS_INFORMATION, _fields(self.journal[-1])))
        await session.receive(REPLY_SECONDS)
        await self._complete(session, begun=True)

    def _step(self, session: Session, name: str) -> None:
        if f"lost_{name}" in self.active:
            self.active.discard(f"lost_{name}")
            session.cut()
            raise LinkLost


def _fields(booking: Booking) -> bytes:
    fields = {
        zvt.RESULT: bytes([booking.result]),
        zvt.AMOUNT: bcd(booking.amount_fen, 6),
        zvt.CURRENCY: bcd(booking.currency, 2),
        0x0C: b"\x12\x00\x00",
        0x0D: b"\x11\x22",
        0x22: bytes.fromhex("622202eeeeeeeeee0010"),
        zvt.TRACE: bcd(booking.trace, 3),
        zvt.RECEIPT: bcd(booking.receipt, 2),
        zvt.TERMINAL_ID: bcd(TERMINAL_ID, 4),
        0x8B: b"UnionPay\x00",
    }
    if booking.original_trace is not None:
        fields[zvt.ORIGINAL_TRACE] = bcd(booking.original_trace, 3)
    return encode_fields(fields)
