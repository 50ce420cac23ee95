"""Charging, finding again and reversing, on the terminal's own thread. Every step is in the ledger before it is taken.

An order whose course was lost is asked after, never charged again: the terminal's last transaction is compared with the
one before the order was begun. The same: it was never carried out. A newer one: it is this order's, because no other
order is begun while one is open.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from drivers.errors import DeviceError, DeviceOffline
from drivers.messages import PaymentOrder, PaymentState
from drivers.payment_terminal.zvt_apdu import CURRENCIES
from drivers.payment_terminal.zvt_conversation import (
    CANCELLED,
    Conversation,
    Outcome,
    Transaction,
    Watch,
    reason_of,
)
from drivers.payment_terminal.zvt_ledger import NONE_YET, Entry, Ledger, Refund
from drivers.payment_terminal.zvt_wire import open_wire

CURRENCY: Final = "CNY"
SHORT_SECONDS: Final = 8.0

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Place:
    """Where the terminal is, and how it is spoken to."""

    port: str
    baud_rate: int
    stop_bits: float
    password: int
    config_byte: int


class Till:
    """One terminal. Blocking; not for two threads at once, but for `interrupt`."""

    def __init__(self, ledger: Ledger, place: Place) -> None:
        self._ledger = ledger
        self._place = place
        self._open: Conversation | None = None
        self.terminal_id = ""

    # --- the line ---------------------------------------------------------------------------------------------------

    def enquire(self, seconds: float) -> int:
        """The terminal's status byte. Raises `DeviceError`."""
        return self._ask(lambda talk: talk.enquire(_short(seconds)), seconds)

    def interrupt(self) -> None:
        talk = self._open
        if talk is not None:
            talk.interrupt()

    def close(self) -> None:
        talk, self._open = self._open, None
        if talk is not None:
            talk.close()

    def _connected(self, seconds: float) -> Conversation:
        if self._open is None:
            place = self._place
            talk = Conversation(open_wire(place.port, place.baud_rate, place.stop_bits), place.password)
            try:
                talk.register(place.config_byte, CURRENCIES[CURRENCY], _short(seconds))
            except BaseException:
                talk.close()
                raise
            self._open = talk
            self.terminal_id = talk.terminal_id or self.terminal_id
        return self._open

    def _ask(self, question: Callable[[Conversation], Answer], seconds: float = SHORT_SECONDS) -> Answer:
        """A question that changes nothing: asked on a new connection when the old one turns out to be dead."""
        was_open = self._open is not None
        try:
            return self._guarded(question, seconds)
        except DeviceOffline as error:
            if not was_open or error.reason not in ("unplugged", "stuck"):
                raise
            return self._guarded(question, seconds)

    def _guarded(self, work: Callable[[Conversation], Answer], seconds: float = SHORT_SECONDS) -> Answer:
        """After an error nobody knows who leads: the connection is given up."""
        talk = self._connected(seconds)
        try:
            return work(talk)
        except BaseException:
            self.close()
            raise

    def _last(self) -> Transaction | None:
        return self._ask(lambda talk: talk.last_transaction(_short(SHORT_SECONDS)))

    # --- an order ---------------------------------------------------------------------------------------------------

    def charge(self, order: PaymentOrder, watch: Watch, on_begun: Callable[[], None]) -> Entry:
        """Raises `DeviceError` as long as nothing was sent and nothing written down."""
        before = self._last()
        if watch.abort.is_set():
            return self._ledger.save(
                Entry(order.order_id, order.amount_fen, order.currency, PaymentState.CLOSED, "cancelled")
            )
        entry = self._ledger.save(
            Entry(
                order.order_id, order.amount_fen, order.currency,
                before_trace=before.trace if before else NONE_YET,
                before_receipt=before.receipt if before else NONE_YET,
            )
        )  # fmt: skip
        try:
            outcome = self._guarded(
                lambda talk: talk.authorise(
                    order.amount_fen, CURRENCIES[order.currency], watch, on_begun,
                    lambda transaction: self._note(entry.order_id, transaction),
                )
            )  # fmt: skip
        except DeviceError as error:
            self._remark(entry.order_id, error.reason)
            raise
        return self._conclude(self._known(entry.order_id), outcome, asked_to_end=watch.abort.is_set())

    def find_again(self, entry: Entry) -> Entry:
        """The end of an open order, or the same entry when the terminal cannot tell. Raises `DeviceError`."""
        last = self._last()
        same = last is None or (last.trace, last.receipt) == (entry.before_trace, entry.before_receipt)
        if last is None or same:
            if entry.trace != NONE_YET:
                return entry  # a payment it told us of is gone from its memory: staff must look
            return self._ledger.change(entry, state=PaymentState.FAILED, reason="not_charged")
        if last.original_trace is not None:
            if entry.trace not in (NONE_YET, last.original_trace):
                return entry
            return self._ledger.change(entry, state=PaymentState.FAILED, reason="reversed", paid_fen=0)
        if entry.trace not in (NONE_YET, last.trace):
            return entry
        return self._decide(entry, last)

    def _note(self, order_id: str, transaction: Transaction) -> None:
        """The result is on disk before the terminal hears that we know."""
        if transaction.result == 0:
            self._ledger.save(replace(_of(self._known(order_id), transaction), reason="not_completed"))

    def _conclude(self, entry: Entry, outcome: Outcome, *, asked_to_end: bool) -> Entry:
        transaction = outcome.transaction
        if transaction is not None and transaction.result == 0:
            return self._decide(entry, transaction) if outcome.ending == "completed" else entry
        code = transaction.result if transaction is not None else outcome.code
        if code == 0 and outcome.ending != "aborted":
            return entry  # completed without a result: asked after
        if asked_to_end and code in (0, CANCELLED):
            return self._ledger.change(entry, state=PaymentState.CLOSED, reason="cancelled")
        return self._ledger.change(entry, state=PaymentState.FAILED, reason=reason_of(code or CANCELLED))

    def _decide(self, entry: Entry, transaction: Transaction) -> Entry:
        if transaction.result != 0:
            return self._ledger.change(entry, state=PaymentState.FAILED, reason=reason_of(transaction.result))
        entry = _of(entry, transaction)
        reason = ""
        if transaction.currency not in (None, CURRENCIES[entry.currency]):
            reason = "currency_mismatch"
        elif entry.paid_fen != entry.amount_fen:
            reason = "amount_mismatch"
        if reason:
            return self._ledger.save(replace(entry, state=PaymentState.FAILED, reason=reason, back_fen=entry.paid_fen))
        return self._ledger.save(replace(entry, state=PaymentState.SUCCEEDED, reason=""))

    # --- the way back -----------------------------------------------------------------------------------------------

    def reverse(self, entry: Entry, refund: Refund, watch: Watch) -> Refund:
        """The refund's end, open when its course was lost. Raises `DeviceError` as long as nothing was sent."""
        last = self._last()
        if last is not None and last.original_trace == entry.trace and last.result == 0:
            return self._reversed(entry, refund)  # an earlier attempt was carried out
        refund = self._ledger.save_refund(refund)
        try:
            outcome = self._guarded(lambda talk: talk.reverse(entry.receipt, watch, lambda _: None))
        except DeviceError as error:
            return self._ledger.save_refund(replace(refund, reason=error.reason))
        transaction = outcome.transaction
        if outcome.ending == "completed" and transaction is not None and transaction.result == 0:
            return self._reversed(entry, refund)
        code = transaction.result if transaction is not None else outcome.code
        if code == 0:
            return self._ledger.save_refund(replace(refund, reason="answer_garbled"))
        return self._ledger.save_refund(replace(refund, state=PaymentState.FAILED, reason=reason_of(code)))

    def _reversed(self, entry: Entry, refund: Refund) -> Refund:
        refund = self._ledger.save_refund(replace(refund, state=PaymentState.SUCCEEDED, reason=""))
        self._ledger.change(entry, back_fen=0)
        return refund

    def _known(self, order_id: str) -> Entry:
        entry = self._ledger.order(order_id)
        assert entry is not None  # written down before anything was sent
        return entry

    def _remark(self, order_id: str, reason: str) -> None:
        entry = self._known(order_id)
        with contextlib.suppress(DeviceError):  # a full disk: it stays open all the same
            self._ledger.change(entry, reason=reason)


def _of(entry: Entry, transaction: Transaction) -> Entry:
    return replace(
        entry, paid_fen=transaction.amount_fen or 0, trace=transaction.trace, receipt=transaction.receipt,
        terminal_id=transaction.terminal_id,
    )  # fmt: skip


def _short(seconds: float) -> Watch:
    return Watch(seconds, answer_seconds=min(5.0, seconds), silence_seconds=seconds, abort_seconds=0)
