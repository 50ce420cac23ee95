"""QR codes shown and scanned, through the order interface of the centre (device-classes C.10, DESIGN 1.5).

The terminal holds no merchant's key and hears no acquirer: it opens an order under the caller's id, shows or sends a
code, and asks until the centre has the acquirer's word. Nothing is kept on disk: the centre keeps the order.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import OrderedDict
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from drivers.errors import DeviceError, MediaError, Unsupported
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
from drivers.payment_terminal.gateway_judgement import FINAL, Expected, judge, needs_verifying
from drivers.payment_terminal.gateway_orders import NEVER_SENT, GatewayOrder, GatewayOrders, GatewayStatus
from drivers.payment_terminal.health import PARTS, Health

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.4
LOOK_SECONDS: Final = 5.0
LAST_LOOK_SECONDS: Final = 0.3
REMEMBERED_ORDERS: Final = 512
METHODS: Final = (PaymentMethod.QR_SHOWN, PaymentMethod.QR_SCANNED)
REFUND_STATES: Final = {
    "succeeded": PaymentState.SUCCEEDED, "pending": PaymentState.UNCERTAIN, "failed": PaymentState.FAILED,
}  # fmt: skip
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class GatewayQrOptions(Message):
    address: str = Field(description="base of the order interface: https://…, or http:// on this machine")
    secret: str = Field(default="", repr=False, description="what the door of this machine wants to hear; set by it")
    ca_file: str | None = Field(default=None, description="the authority of the centre's certificate, PEM")
    methods: frozenset[PaymentMethod] = frozenset(METHODS)
    poll_interval_seconds: float = Field(default=1.0, ge=0.05, le=10.0, description="between two looks at an order")
    verify_interval_seconds: float = Field(
        default=5.0, ge=0.05, le=60.0, description="between two asks at the acquirer"
    )

    @field_validator("address")
    @classmethod
    def _is_safe(cls, address: str) -> str:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("give https://host[:port][/path]")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("http:// is only for this machine: payment orders travel encrypted")
        return address

    @field_validator("methods")
    @classmethod
    def _are_codes(cls, methods: frozenset[PaymentMethod]) -> frozenset[PaymentMethod]:
        if not methods or methods - set(METHODS):
            raise ValueError("qr_shown, qr_scanned or both")
        return methods


class GatewayQr:
    """Implements `drivers.protocols.PaymentTerminal`."""

    Options = GatewayQrOptions

    def __init__(self, options: GatewayQrOptions) -> None:
        """Raises `Unsupported` (`configuration_wrong`) when `ca_file` cannot be read."""
        self._options = options
        try:
            self._orders = GatewayOrders(options.address, options.ca_file, options.secret)
        except (OSError, ValueError) as error:
            raise Unsupported(f"ca_file cannot be read: {error}", "configuration_wrong") from error
        self._expected: OrderedDict[str, Expected] = OrderedDict()
        self._health = Health()
        self._waiting = 0
        self._said: GatewayStatus | None = None
        self._open = "unknown"

    async def capabilities(self) -> Capabilities:
        features = {"query_by_order", "can_refund", "partial_refund", "late_money_is_named"}
        return Capabilities(
            device_class=DeviceClass.PAYMENT_TERMINAL,
            driver="payment_terminal/gateway_qr",
            version=VERSION,
            status_source="polled",
            poll_safe_in_motion=True,
            cancellable=frozenset({"begin", "settle", "find_payment"}),
            features=frozenset(features | {method.value for method in self._options.methods}),
        )

    async def status(self) -> DeviceStatus:
        with suppress(DeviceError):
            await self._ask_status()
        said = self._said
        parts = dict.fromkeys(PARTS, "not_fitted") | {
            "network": "ok" if said else "down",
            "acquirer": said.acquirer if said else "unknown",
            "unresolved": self._open if said else "unknown",
        }
        further = ("acquirer_signed_out",) if said and said.acquirer == "signed_out" else ()
        return self._health.status(is_busy=self._waiting > 0, parts=parts, further=further)

    async def methods(self) -> tuple[PaymentMethod, ...]:
        """None while the centre or its acquirer cannot be reached."""
        try:
            said = await self._ask_status()
        except DeviceError:
            return ()
        if said.acquirer == "signed_out":
            return ()
        return tuple(method for method in METHODS if method in self._options.methods and method.value in said.methods)

    async def begin(self, order: PaymentOrder, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """Raises `DeviceOffline` (`network_down`) when nothing was sent; once it may have been, it ends uncertain."""
        if order.method not in self._options.methods:
            raise Unsupported(f"one cannot pay by {order.method} here: choose another method", "method_not_offered")
        if order.method is PaymentMethod.QR_SCANNED and not order.payer_code:
            raise MediaError("there is no payer's code: scan it again", "payer_code_missing")
        expected = Expected.of(order)
        if self._expected.get(order.order_id, expected) != expected:
            return _failed(order.order_id, "duplicate_order")
        if order.expires_at <= dt.datetime.now(dt.UTC) and order.order_id not in self._expected:
            return _failed(order.order_id, "expired")
        body = {
            "amount_fen": order.amount_fen, "currency": order.currency, "method": order.method.value,
            "subject": order.subject, "expires_at": order.expires_at.isoformat(),
        } | ({"payer_code": order.payer_code} if order.payer_code else {})  # fmt: skip
        deadline = _in(timeout_seconds)
        try:
            said = await self._orders.put(order.order_id, body, deadline)
            self._remember(order.order_id, expected)
            return await self._judged(said, deadline)
        except MediaError as error:
            return _failed(order.order_id, error.reason)
        except DeviceError as error:
            self._health.note(error)
            known = order.order_id in self._expected
            if not known and error.reason in (NEVER_SENT, "not_authorised", "certificate_refused"):
                raise
            self._remember(order.order_id, expected)
            return _uncertain(order.order_id, error.reason)

    async def settle(self, order_id: str, *, timeout_seconds: float = 180.0) -> PaymentResult:
        deadline, verify_at, reason = _in(timeout_seconds), _now() + self._options.verify_interval_seconds, "timed_out"
        self._waiting += 1
        try:
            while True:
                verify = _now() >= verify_at
                if verify:
                    verify_at = _now() + self._options.verify_interval_seconds
                try:
                    one_look = max(min(deadline, _now() + LOOK_SECONDS), _now() + LAST_LOOK_SECONDS)
                    result = await self._judged(await self._orders.get(order_id, one_look, verify=verify), one_look)
                except MediaError as error:
                    return _failed(order_id, error.reason)
                except DeviceError as error:
                    self._health.note(error)
                    reason = error.reason
                else:
                    if result.state in FINAL:
                        return result
                    reason = "timed_out"
                if _now() >= deadline:
                    return _uncertain(order_id, reason)
                await asyncio.sleep(min(self._options.poll_interval_seconds, deadline - _now()))
        finally:
            self._waiting -= 1

    async def find_payment(self, order_id: str, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """`order_unknown`: the centre never got this order. Should it still be on its way, `cancel_payment` bars it."""
        deadline = _in(timeout_seconds)
        try:
            return await self._judged(await self._orders.get(order_id, deadline, verify=True), deadline)
        except MediaError as error:
            return _failed(order_id, error.reason)
        except DeviceError as error:
            self._health.note(error)
            return _uncertain(order_id, error.reason)

    async def cancel_payment(self, order_id: str, *, timeout_seconds: float = 15.0) -> PaymentResult:
        deadline = _in(timeout_seconds)
        try:
            return await self._judged(await self._orders.close_order(order_id, deadline), deadline)
        except MediaError as error:
            return _failed(order_id, error.reason)
        except DeviceError as error:
            self._health.note(error)
            return _uncertain(order_id, error.reason)

    async def refund(
        self, order_id: str, refund_id: str, amount_fen: int, reason: str, *, timeout_seconds: float = 30.0
    ) -> RefundResult:
        deadline = _in(timeout_seconds)
        body = {"amount_fen": amount_fen, "reason": reason}
        state, why, heard = PaymentState.UNCERTAIN, "timed_out", False
        while state is PaymentState.UNCERTAIN:
            try:
                said = await self._orders.refund(order_id, refund_id, body, deadline)
                state, heard = REFUND_STATES[said.state], True
                why = said.reason or ("timed_out" if said.state == "pending" else "")
                self._health.note(None)
            except MediaError as error:
                state, why = PaymentState.FAILED, error.reason
            except DeviceError as error:
                self._health.note(error)
                why = error.reason
                if error.reason == NEVER_SENT and not heard:
                    raise
            if _now() + self._options.poll_interval_seconds >= deadline:
                break
            if state is PaymentState.UNCERTAIN:
                await asyncio.sleep(self._options.poll_interval_seconds)
        back = amount_fen if state is PaymentState.SUCCEEDED else 0
        return RefundResult(order_id=order_id, refund_id=refund_id, state=state, amount_fen=back, reason=why)

    async def unresolved(self, *, timeout_seconds: float = 15.0) -> tuple[str, ...]:
        orders = await self._orders.open_orders(_in(timeout_seconds))
        self._health.note(None)
        self._open = str(len(orders))
        return orders

    async def wipe(self) -> None:
        """Ids and amounts stay, they are nobody's; a payer's code was never kept."""

    async def close(self) -> None:
        await self._orders.aclose()

    async def _judged(self, said: GatewayOrder, deadline: float) -> PaymentResult:
        """An answer that speaks of money is asked for again, this time from the acquirer."""
        if needs_verifying(said):
            said = await self._orders.get(said.order_id, deadline, verify=True)
        self._health.note(None)
        return judge(said, self._expected.get(said.order_id))

    async def _ask_status(self) -> GatewayStatus:
        try:
            self._said = said = await self._orders.status(_in(STATUS_SECONDS))
        except DeviceError as error:
            self._said = None
            self._health.note(error)
            raise
        self._health.note(None)
        return said

    def _remember(self, order_id: str, expected: Expected) -> None:
        self._expected[order_id] = expected
        while len(self._expected) > REMEMBERED_ORDERS:
            self._expected.popitem(last=False)


def _failed(order_id: str, reason: str) -> PaymentResult:
    return PaymentResult(order_id=order_id, state=PaymentState.FAILED, reason=reason)


def _uncertain(order_id: str, reason: str) -> PaymentResult:
    return PaymentResult(order_id=order_id, state=PaymentState.UNCERTAIN, reason=reason)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _in(seconds: float) -> float:
    return _now() + seconds
