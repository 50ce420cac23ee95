"""Where money is taken: the centre's orders (Alipay, WeChat Pay, the treasury's codes) and the machine's card terminal.

Both ways keep one protocol. An order's id is the caller's and is on disk before `begin`; every call may be repeated.
What may have been sent and was not answered raises `Unreachable`: ask again under the same id, never open another.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from pydantic import ValidationError

from drivers.errors import DeviceError, DeviceOffline
from drivers.messages import PaymentMethod, PaymentOrder, PaymentResult, PaymentState
from drivers.protocols import PaymentTerminal
from kiosk.contracts.errors import Garbled, KioskError, Unreachable
from kiosk.contracts.payments import (
    MAXIMUM_DELIVERY_SECONDS,
    DeliveryExtension,
    DeliveryReport,
    Order,
    OrderRequest,
    PaymentStatus,
)
from kiosk.contracts.value import Contract
from kiosk.machine.fleet.client import Answer, FleetClient

CALL_SECONDS = 6.0
ANSWER_BYTES = 256 * 1024
CARD_LOOK_SECONDS = 2.0

State = Literal["waiting", "paid", "unpaid", "unknown", "returned"]


@dataclass(frozen=True)
class Standing:
    """How an order stands, on the provider's own word.

    waiting: not decided yet. paid: exactly this order, amount and currency. unpaid: closed or refused for good, and
    whatever money arrived goes back. unknown: this order was never opened. returned: paid once, and given back.
    """

    state: State
    reason: str = ""
    qr: str = ""
    surplus_fen: int = 0
    reference: str = ""
    paid_at: dt.datetime | None = None
    channel: str = ""
    is_final: bool = False
    """Delivered or given back: the centre has closed its books on it."""


class GivenBack(KioskError):
    """The money of this order has gone back, or is on its way: nothing may be delivered for it."""


class Till(Protocol):
    async def begin(self, order_id: str, request: OrderRequest) -> Standing: ...

    async def look(self, order_id: str, amount_fen: int, *, verify: bool = False) -> Standing: ...

    async def close(self, order_id: str, amount_fen: int) -> Standing:
        """Close an order that is not paid; `paid` when the payment was quicker. An unknown id can never be paid."""
        ...

    async def allow_delivery(self, order_id: str) -> None:
        """Make sure the money stands while something is delivered for it. Raises `GivenBack`."""
        ...

    async def delivered(self, order_id: str, undelivered_lines: tuple[str, ...] = ()) -> None:
        """Say that it was delivered, except for lines, which go back. Raises `GivenBack`."""
        ...

    async def give_back(self, order_id: str, amount_fen: int) -> None:
        """Nothing was delivered: all of it goes back, once, however often this is called."""
        ...


# --- the centre ----------------------------------------------------------------------------------------------------

Wire = TypeVar("Wire", bound=Contract)


class CentreTill:
    """Orders at the centre (kiosk/contracts/payments.py), over the terminal's own signed way."""

    def __init__(self, client: FleetClient) -> None:
        self._client = client

    async def channels(self) -> frozenset[str]:
        """Channels one can pay by now; empty while the centre or its providers do not answer."""
        try:
            answer = await self._client.get("payments/status", timeout_seconds=CALL_SECONDS, limit=ANSWER_BYTES)
            said = _understood(answer, PaymentStatus)
        except KioskError:
            return frozenset()
        return frozenset(said.channels) if said.acquirer == "signed_in" else frozenset()

    async def begin(self, order_id: str, request: OrderRequest) -> Standing:
        order = await self._order("PUT", f"payments/orders/{order_id}", request)
        return judged(order, request.amount_fen)

    async def look(self, order_id: str, amount_fen: int, *, verify: bool = False) -> Standing:
        """A word of money counts only when the provider was asked for it: then it is asked at once."""
        path = f"payments/orders/{order_id}"
        try:
            order = await self._order("GET", path + ("?verify=true" if verify else ""))
            if not order.verified and (order.state not in ("open", "paying") or order.payments):
                order = await self._order("GET", path + "?verify=true")
        except _Unknown:
            return Standing("unknown")
        return judged(order, amount_fen)

    async def close(self, order_id: str, amount_fen: int) -> Standing:
        order = await self._order("POST", f"payments/orders/{order_id}/close")
        if order.verified or not (order.state == "paid" or order.payments):
            return judged(order, amount_fen)
        return await self.look(order_id, amount_fen, verify=True)

    async def allow_delivery(self, order_id: str) -> None:
        await self._order(
            "POST", f"payments/orders/{order_id}/extend", DeliveryExtension(seconds=MAXIMUM_DELIVERY_SECONDS)
        )

    async def delivered(self, order_id: str, undelivered_lines: tuple[str, ...] = ()) -> None:
        report = DeliveryReport(outcome="delivered", undelivered_lines=undelivered_lines)
        await self._order("POST", f"payments/orders/{order_id}/delivered", report)

    async def give_back(self, order_id: str, amount_fen: int) -> None:
        del amount_fen  # the centre knows what arrived
        try:
            await self._order("POST", f"payments/orders/{order_id}/delivered", DeliveryReport(outcome="not_delivered"))
        except GivenBack:
            return

    async def _order(self, method: str, path: str, body: Contract | None = None) -> Order:
        content = None if body is None else body.model_dump_json().encode()
        headers = {"content-type": "application/json"} if content is not None else None
        answer = await self._client.request(
            method, path, body=content, headers=headers, timeout_seconds=CALL_SECONDS, limit=ANSWER_BYTES
        )
        return _understood(answer, Order)


class _Unknown(KioskError):
    """The centre never got this order."""


def _understood(answer: Answer, kind: type[Wire]) -> Wire:
    """Raises `Unreachable` for whatever may change by asking again, `GivenBack`, `Garbled` for the rest."""
    if answer.status in (200, 201):
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            raise Garbled(f"{error.error_count()} mistakes in the answer about money", reason="garbled") from None
    problem = answer.problem
    if answer.status == 404:
        raise _Unknown("the centre knows no such order")
    if answer.status == 409 and problem.code in ("given_back", "delivery_settled"):
        raise GivenBack(problem.title)
    if answer.status in (401, 403, 408, 429) or answer.status >= 500:
        raise Unreachable(problem.title, reason=problem.code or f"http_{answer.status}")
    raise Garbled(problem.title, reason=problem.code or f"http_{answer.status}")


def judged(order: Order, amount_fen: int) -> Standing:
    """What an order means for the citizen's money. Paid is only this amount in this currency, verified."""
    arrived = [payment for payment in order.payments if payment.currency == order.currency == "CNY"]
    fits = order.amount_fen == amount_fen and any(payment.amount_fen == amount_fen for payment in arrived)
    common: dict[str, Any] = {
        "reason": order.reason, "reference": order.reference, "paid_at": order.paid_at, "channel": order.channel
    }  # fmt: skip
    if order.delivery in ("not_delivered", "overdue"):
        return Standing("returned", is_final=True, **common)
    if order.state == "paid" and order.verified and fits:
        surplus = sum(payment.amount_fen for payment in order.payments) - amount_fen
        return Standing("paid", surplus_fen=surplus, is_final=order.delivery == "delivered", **common)
    if order.state in ("closed", "refused"):
        reason = order.reason or ("declined" if order.state == "refused" else "closed")
        return Standing("unpaid", **common | {"reason": reason})
    if order.amount_fen != amount_fen:
        return Standing("unpaid", **common | {"reason": "amount_mismatch"})
    return Standing("waiting", qr=order.qr if order.state == "open" else "", **common)


# --- the card terminal ---------------------------------------------------------------------------------------------


class CardTill:
    """The machine's own bank-card terminal. It has no window for the delivery: what is not delivered, we give back."""

    def __init__(self, terminal: Callable[[], PaymentTerminal | None]) -> None:
        self._find = terminal

    async def begin(self, order_id: str, request: OrderRequest) -> Standing:
        order = PaymentOrder(
            order_id=order_id, amount_fen=request.amount_fen, currency=request.currency, subject=request.subject,
            method=PaymentMethod.CARD, expires_at=request.expires_at,
        )  # fmt: skip
        return await self._asked(lambda terminal: terminal.begin(order), order_id, request.amount_fen)

    async def look(self, order_id: str, amount_fen: int, *, verify: bool = False) -> Standing:
        if verify:
            return await self._asked(lambda terminal: terminal.find_payment(order_id), order_id, amount_fen)
        try:
            return await self._asked(
                lambda terminal: terminal.settle(order_id, timeout_seconds=CARD_LOOK_SECONDS), order_id, amount_fen
            )
        except Unreachable as error:
            if error.reason == "timed_out":
                return Standing("waiting", channel="bank_card")
            raise

    async def close(self, order_id: str, amount_fen: int) -> Standing:
        return await self._asked(lambda terminal: terminal.cancel_payment(order_id), order_id, amount_fen)

    async def allow_delivery(self, order_id: str) -> None:
        """Nothing to ask: what was paid by card stays until we give it back."""

    async def delivered(self, order_id: str, undelivered_lines: tuple[str, ...] = ()) -> None:
        """The acquirer is not told of deliveries."""

    async def give_back(self, order_id: str, amount_fen: int) -> None:
        await self._refund(order_id, f"{order_id}-back", amount_fen, "not_delivered")

    async def _refund(self, order_id: str, refund_id: str, amount_fen: int, reason: str) -> None:
        terminal = self._terminal()
        try:
            result = await terminal.refund(order_id, refund_id, amount_fen, reason)
        except DeviceError as error:
            raise Unreachable(str(error), reason=error.reason) from error
        if result.state is not PaymentState.SUCCEEDED:
            raise Unreachable("the refund is not certain", reason=result.reason or "refund_open")

    async def _asked(self, ask: Callable[[PaymentTerminal], Any], order_id: str, amount_fen: int) -> Standing:
        try:
            result: PaymentResult = await ask(self._terminal())
        except DeviceOffline as error:
            raise Unreachable(str(error), reason=error.reason) from error
        except DeviceError as error:
            raise Garbled(str(error), reason=error.reason) from error
        if result.to_refund_fen:
            await self._refund(order_id, f"{order_id}-surplus", result.to_refund_fen, result.reason)
        match result.state:
            case PaymentState.SUCCEEDED if result.amount_fen == amount_fen:
                return Standing(
                    "paid", surplus_fen=result.to_refund_fen, reference=result.reference, channel="bank_card"
                )
            case PaymentState.SUCCEEDED | PaymentState.FAILED | PaymentState.CLOSED:
                return Standing("unpaid", reason=result.reason or "declined", channel="bank_card")
            case PaymentState.PENDING | PaymentState.PAYING:
                return Standing("waiting", channel="bank_card")
            case PaymentState.UNCERTAIN:
                raise Unreachable("the card terminal cannot say yet", reason=result.reason or "uncertain")

    def _terminal(self) -> PaymentTerminal:
        terminal = self._find()
        if terminal is None:
            raise Unreachable("no card terminal is configured", reason="not_fitted")
        return terminal
