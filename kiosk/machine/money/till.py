"""Where money is taken: the centre's orders (Alipay, WeChat Pay, the treasury's codes); card.py takes bank cards.

Both ways keep one protocol. An order's id is the caller's and is on disk before `begin`; every call may be repeated.
What may have been sent and was not answered raises `Unreachable`: ask again under the same id, never open another.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from pydantic import ValidationError

from kiosk.contracts.errors import Garbled, KioskError, Unreachable
from kiosk.contracts.payments import (
    MAXIMUM_DELIVERY_SECONDS,
    CardReport,
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

State = Literal["waiting", "paid", "unpaid", "unknown", "returned"]
Back = Literal["returned", "owed"]
"""`owed`: the centre's staff give it back, because the card device cannot."""


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
    is_told: bool = True
    """False: decided on this machine, and the centre does not know it yet. The order stays open until it does."""


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

    async def give_back(self, order_id: str, amount_fen: int) -> Back:
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

    async def give_back(self, order_id: str, amount_fen: int) -> Back:
        del amount_fen  # the centre knows what arrived
        try:
            await self._order("POST", f"payments/orders/{order_id}/delivered", DeliveryReport(outcome="not_delivered"))
        except GivenBack:
            return "returned"
        return "returned"

    async def hear_card(self, order_id: str, said: CardReport) -> None:
        """What the card device says of an order for good. `Garbled` `settled_otherwise`: it said otherwise before."""
        await self._order("POST", f"payments/orders/{order_id}/card", said)

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
