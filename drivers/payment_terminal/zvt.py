"""Bank-card terminals that speak ZVT, over TCP or a serial line (device-classes C.10; ECR-Interface ZVT, revision 13).

One thread speaks with the terminal. A payment runs there to its end, whoever waits for it; status and cancel answer
beside it. Amounts are fen, the currency is CNY (0156).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import Field

from drivers.errors import CommandTimedOut, DeviceBusy, DeviceError, DeviceOffline, MediaError, Unsupported
from drivers.messages import (
    Capabilities,
    DeviceClass,
    DeviceStatus,
    Message,
    PaymentMethod,
    PaymentOrder,
    PaymentResult,
    PaymentState,
    RefundResult,
)
from drivers.payment_terminal.health import PARTS, Health
from drivers.payment_terminal.zvt_conversation import Watch
from drivers.payment_terminal.zvt_ledger import Entry, Ledger, Refund
from drivers.payment_terminal.zvt_till import CURRENCY, Place, Till

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.4
FRESH_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 0.8

Result = TypeVar("Result")


class ZvtOptions(Message):
    port: str = Field(
        min_length=1, description="socket://host:20007 (tcp://), or a serial device, best by its by-id link"
    )
    state_path: str = Field(default="", description="file, or existing folder, that keeps the order ids over a restart")
    baud_rate: int = Field(default=9600, ge=1200, le=921600)
    stop_bits: int = Field(default=2, ge=1, le=2)
    password: int = Field(default=0, ge=0, le=999999, repr=False, description="of the register at the terminal")
    config_byte: int = Field(default=0x3A, ge=0, le=255, description="registration: who prints, who leads")
    payment_seconds: float = Field(default=240.0, gt=0, le=900.0, description="after that the terminal is told to end")
    silence_seconds: float = Field(default=60.0, gt=0, le=300.0, description="after that the line counts as dead")


@dataclass
class Running:
    """The payment on the terminal now."""

    order_id: str
    watch: Watch
    begun: asyncio.Event
    end: asyncio.Future[Entry]


class ZvtTerminal:
    """Implements `drivers.protocols.PaymentTerminal`."""

    Options = ZvtOptions

    def __init__(self, options: ZvtOptions) -> None:
        """Raises `Unsupported` (`state_path_unusable`) or `HardwareFault` (`state_damaged`)."""
        self._options = options
        self._ledger = Ledger(options.state_path, options.port)
        place = Place(options.port, options.baud_rate, options.stop_bits, options.password, options.config_byte)
        self._till = Till(self._ledger, place)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="card-terminal")
        self._health = Health()
        self._running: Running | None = None
        self._asking: asyncio.Future[int] | None = None
        self._asked_at = float("-inf")
        self._terminal = "unknown"
        self._closed = False

    async def capabilities(self) -> Capabilities:
        features = {
            "card",
            "can_refund",
            "query_by_order",
            "ids_on_disk" if self._ledger.is_on_disk else "ids_in_memory",
        }
        return Capabilities(
            device_class=DeviceClass.PAYMENT_TERMINAL,
            driver="payment_terminal/zvt",
            version=VERSION,
            serial=self._till.terminal_id or None,
            status_source="polled",
            poll_safe_in_motion=True,
            cancellable=frozenset({"begin", "settle", "find_payment"}),
            features=frozenset(features),
        )

    async def status(self) -> DeviceStatus:
        if self._running is None and not self._closed:
            with suppress(DeviceError, TimeoutError):
                await asyncio.wait_for(self._enquire(), STATUS_SECONDS)
        is_up = self._terminal in ("ok", "not_ready")
        parts = dict.fromkeys(PARTS, "unknown") | {
            "terminal": self._terminal if is_up else "unknown",
            "network": "ok" if is_up else "down",
            "cash_units": "not_fitted",
            "unresolved": str(len(self._ledger.open_orders())),
        }
        further = ["terminal_not_ready"] if self._terminal == "not_ready" else []
        further += [] if self._ledger.is_on_disk else ["ids_not_on_disk"]
        return self._health.status(is_busy=self._running is not None, parts=parts, further=tuple(further))

    async def methods(self) -> tuple[PaymentMethod, ...]:
        status = await self.status()
        return (PaymentMethod.CARD,) if status.is_fit and self._terminal != "not_ready" else ()

    async def begin(self, order: PaymentOrder, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """Raises `DeviceError` when nothing was sent: the order does not exist then and may be begun again."""
        if order.method is not PaymentMethod.CARD:
            raise Unsupported(f"one cannot pay by {order.method} here: choose the card", "method_not_offered")
        if order.currency != CURRENCY:
            raise Unsupported(f"this terminal takes {CURRENCY} only", "currency_refused")
        known = self._ledger.order(order.order_id)
        running = self._running
        if known is not None and known.amount_fen not in (0, order.amount_fen):
            return _failed(order.order_id, "duplicate_order")
        if running is not None:
            if running.order_id != order.order_id:
                raise DeviceBusy("the card terminal has another payment: wait", "terminal_busy")
            return await self._until_begun(running, timeout_seconds)
        if known is not None:
            return _result(known)
        seconds = (order.expires_at - dt.datetime.now(dt.UTC)).total_seconds()
        if seconds <= 0:
            return _failed(order.order_id, "expired")
        running = self._start(order, min(seconds, self._options.payment_seconds))
        return await self._until_begun(running, timeout_seconds)

    async def settle(self, order_id: str, *, timeout_seconds: float = 180.0) -> PaymentResult:
        deadline = _now() + timeout_seconds
        running = self._running
        if running is not None and running.order_id == order_id:
            with suppress(TimeoutError, DeviceError):
                return _result(await asyncio.wait_for(asyncio.shield(running.end), timeout_seconds))
        while True:
            result = await self.find_payment(order_id, timeout_seconds=max(deadline - _now(), 0.05))
            if result.state not in (PaymentState.UNCERTAIN, PaymentState.PAYING):
                return result
            if _now() + LOOK_SECONDS >= deadline:
                reason = "timed_out" if result.state is PaymentState.PAYING else result.reason
                return PaymentResult(order_id=order_id, state=PaymentState.UNCERTAIN, reason=reason)
            await asyncio.sleep(LOOK_SECONDS)

    async def find_payment(self, order_id: str, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """Without `state_path` an id from before a restart is `uncertain`: only staff and the bank know."""
        running = self._running
        if running is not None and running.order_id == order_id:
            return PaymentResult(order_id=order_id, state=PaymentState.PAYING)
        entry = self._ledger.order(order_id)
        if entry is None:
            state = PaymentState.FAILED if self._ledger.is_on_disk else PaymentState.UNCERTAIN
            return PaymentResult(order_id=order_id, state=state, reason="order_unknown")
        if entry.is_open and running is None:
            try:
                entry = await asyncio.wait_for(self._on_line(lambda: self._find(order_id)), timeout_seconds)
            except TimeoutError:
                return PaymentResult(order_id=order_id, state=PaymentState.UNCERTAIN, reason="timed_out")
            except DeviceError as error:
                return PaymentResult(order_id=order_id, state=PaymentState.UNCERTAIN, reason=error.reason)
        return _result(entry)

    async def cancel_payment(self, order_id: str, *, timeout_seconds: float = 15.0) -> PaymentResult:
        running = self._running
        if running is None or running.order_id != order_id:
            if self._ledger.order(order_id) is None:
                closed = Entry(order_id, 0, CURRENCY, PaymentState.CLOSED, "cancelled")
                return _result(self._ledger.save(closed))
            return await self.find_payment(order_id, timeout_seconds=timeout_seconds)
        running.watch.abort.set()
        self._till.interrupt()
        try:
            return _result(await asyncio.wait_for(asyncio.shield(running.end), timeout_seconds))
        except TimeoutError:
            return PaymentResult(order_id=order_id, state=PaymentState.UNCERTAIN, reason="timed_out")
        except DeviceError as error:
            return self._lost(order_id, error)

    async def refund(
        self, order_id: str, refund_id: str, amount_fen: int, reason: str, *, timeout_seconds: float = 30.0
    ) -> RefundResult:
        """The whole payment, before the end of the terminal's day: ZVT gives back less only with the card at hand."""
        del reason
        known = self._ledger.refund(refund_id)
        if known is not None and (known.order_id, known.amount_fen) != (order_id, amount_fen):
            return _refund(Refund(refund_id, order_id, amount_fen, PaymentState.FAILED, "duplicate_order"))
        if known is not None and known.state is not PaymentState.UNCERTAIN:
            return _refund(known)
        entry = self._ledger.order(order_id)
        refusal = _no_refund(entry, amount_fen, self._ledger.refunds_of(order_id), refund_id)
        if entry is None or refusal:
            return _refund(Refund(refund_id, order_id, amount_fen, PaymentState.FAILED, refusal or "order_unknown"))
        if self._running is not None:
            raise DeviceBusy("the card terminal has a payment: wait", "terminal_busy")
        watch = Watch(timeout_seconds, silence_seconds=self._options.silence_seconds)
        open_refund = Refund(refund_id, order_id, amount_fen)
        try:
            work = self._on_line(lambda: self._till.reverse(entry, open_refund, watch))
            return _refund(await asyncio.wait_for(work, timeout_seconds))
        except TimeoutError:
            return _refund(Refund(refund_id, order_id, amount_fen, reason="timed_out"))

    async def unresolved(self, *, timeout_seconds: float = 15.0) -> tuple[str, ...]:
        del timeout_seconds
        return tuple(entry.order_id for entry in self._ledger.open_orders())

    async def wipe(self) -> None:
        """A payment that is not paid yet ends with its citizen's visit; ids and amounts stay, they are nobody's."""
        if self._running is not None:
            self._running.watch.abort.set()
            self._till.interrupt()

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._running is not None:
            self._running.watch.abort.set()
            self._till.interrupt()
            await asyncio.wait({self._running.end}, timeout=CLOSE_SECONDS)
        release = asyncio.get_running_loop().run_in_executor(self._worker, self._release)
        await asyncio.wait({release}, timeout=CLOSE_SECONDS)
        self._worker.shutdown(wait=False)

    # --- the terminal's thread --------------------------------------------------------------------------------------

    def _start(self, order: PaymentOrder, seconds: float) -> Running:
        loop = asyncio.get_running_loop()
        watch = Watch(seconds, silence_seconds=self._options.silence_seconds)
        begun = asyncio.Event()

        def on_begun() -> None:
            loop.call_soon_threadsafe(begun.set)

        work = self._on_line(lambda: self._charge(order, watch, on_begun))
        running = self._running = Running(order.order_id, watch, begun, work)
        work.add_done_callback(self._ended)
        return running

    def _ended(self, end: asyncio.Future[Entry]) -> None:
        self._running = None
        _heard(end)

    async def _until_begun(self, running: Running, timeout_seconds: float) -> PaymentResult:
        begun: asyncio.Future[Any] = asyncio.ensure_future(running.begun.wait())
        both: set[asyncio.Future[Any]] = {begun, running.end}
        try:
            await asyncio.wait(both, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if not begun.done() and not running.end.done():
                running.watch.abort.set()
                self._till.interrupt()
                await asyncio.wait({running.end}, timeout=0.5)
        except asyncio.CancelledError:
            running.watch.abort.set()
            self._till.interrupt()
            raise
        finally:
            begun.cancel()
        if not running.end.done():
            state = PaymentState.PAYING if running.begun.is_set() else PaymentState.UNCERTAIN
            return PaymentResult(
                order_id=running.order_id, state=state, reason="" if running.begun.is_set() else "no_answer"
            )
        try:
            return _result(running.end.result())
        except DeviceError as error:
            return self._lost(running.order_id, error)

    def _lost(self, order_id: str, error: DeviceError) -> PaymentResult:
        """Once it is written down it is uncertain; before, nothing was sent: an error, and the order does not exist."""
        entry = self._ledger.order(order_id)
        if entry is None:
            raise error
        return _result(entry)

    def _charge(self, order: PaymentOrder, watch: Watch, on_begun: Callable[[], None]) -> Entry:
        for earlier in self._ledger.open_orders():
            if self._till.find_again(earlier).is_open:
                raise MediaError("an earlier payment is not resolved yet: staff must look", "earlier_payment_open")
        return self._till.charge(order, watch, on_begun)

    def _find(self, order_id: str) -> Entry:
        entry = self._ledger.order(order_id)
        assert entry is not None  # nothing is ever taken out of the ledger
        return self._till.find_again(entry) if entry.is_open else entry

    async def _enquire(self) -> int:
        """One question at a time, and none so soon after the last."""
        if self._asking is None or self._asking.done():
            if _now() < self._asked_at + FRESH_SECONDS:
                return 0
            self._asking = self._on_line(lambda: self._till.enquire(STATUS_SECONDS - 0.2))
            self._asking.add_done_callback(_heard)
        code = await asyncio.shield(self._asking)
        self._asked_at = _now()
        self._terminal = "ok" if code == 0 else "not_ready"
        return code

    def _on_line(self, work: Callable[[], Result]) -> asyncio.Future[Result]:
        if self._closed:
            raise DeviceOffline("the card terminal was closed")
        return asyncio.get_running_loop().run_in_executor(self._worker, self._noting, work)

    def _noting(self, work: Callable[[], Result]) -> Result:
        try:
            result = work()
        except DeviceError as error:
            if not isinstance(error, MediaError | CommandTimedOut):
                self._health.note(error)
                self._terminal = "unknown"
            raise
        self._health.note(None)
        self._terminal = "ok" if self._terminal == "unknown" else self._terminal
        return result

    def _release(self) -> None:
        self._till.close()
        self._ledger.close()


def _heard(end: asyncio.Future[Any]) -> None:
    """Whoever waits has been told; nobody waits: the health knows."""
    if not end.cancelled():
        end.exception()


def _result(entry: Entry) -> PaymentResult:
    reference = f"{entry.terminal_id or 'zvt'}-{entry.receipt:04d}-{entry.trace:06d}" if entry.receipt >= 0 else ""
    return PaymentResult(
        order_id=entry.order_id, state=entry.state, reason=entry.reason, amount_fen=entry.paid_fen,
        to_refund_fen=entry.back_fen, reference=reference,
    )  # fmt: skip


def _refund(refund: Refund) -> RefundResult:
    back = refund.amount_fen if refund.state is PaymentState.SUCCEEDED else 0
    return RefundResult(
        order_id=refund.order_id, refund_id=refund.refund_id, state=refund.state, amount_fen=back, reason=refund.reason
    )


def _no_refund(entry: Entry | None, amount_fen: int, refunds: list[Refund], refund_id: str) -> str:
    """Why this order cannot be reversed; empty when it can."""
    if entry is None:
        return "order_unknown"
    others = [other for other in refunds if other.refund_id != refund_id and other.state is not PaymentState.FAILED]
    if others:
        return "already_refunded" if others[0].state is PaymentState.SUCCEEDED else "earlier_refund_open"
    if entry.paid_fen == 0 or entry.is_open:
        return "not_paid"
    return "" if amount_fen == entry.paid_fen else "partial_not_possible"


def _failed(order_id: str, reason: str) -> PaymentResult:
    return PaymentResult(order_id=order_id, state=PaymentState.FAILED, reason=reason)


def _now() -> float:
    return asyncio.get_running_loop().time()
