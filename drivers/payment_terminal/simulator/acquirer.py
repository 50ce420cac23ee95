"""Orders at the centre and money at the acquirer, without a network: what the simulated gateway tells and hides."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The centre says no: `code` is the HTTP status."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass
class Order:
    order_id: str
    content: dict[str, Any]
    state: str = "open"
    reason: str = ""
    payments: list[dict[str, Any]] = field(default_factory=list)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: bool = True
    """The acquirer's notice of the last payment has reached the centre."""

    @property
    def refunded_fen(self) -> int:
        return sum(refund["amount_fen"] for refund in self.refunds.values() if refund["state"] == "succeeded")


class Acquirer:
    """The truth. `view` is what the centre says of it."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self._numbers = itertools.count(1)

    def open(self, order_id: str, content: dict[str, Any]) -> tuple[Order, bool]:
        """The order, and whether it is new. Raises `Refused`."""
        content = {key: value for key, value in content.items() if key != "expires_at"}
        known = self.orders.get(order_id)
        if known is None:
            known = self.orders[order_id] = Order(order_id, content)
            return known, True
        if known.content and known.content != content:
            raise Refused(409)
        return known, False

    def pay(self, order: Order, amount_fen: int, currency: str, *, told: bool = True) -> None:
        reference = f"ACQ{next(self._numbers):010d}"
        order.payments.append({"reference": reference, "amount_fen": amount_fen, "currency": currency})
        order.told = told
        if order.state in ("open", "paying"):
            order.state = "paid"

    def close(self, order_id: str) -> Order:
        order = self.orders.setdefault(order_id, Order(order_id, {}, state="closed"))
        if order.state in ("open", "paying"):
            order.state = "closed"
        return order

    def refund(self, order_id: str, refund_id: str, content: dict[str, Any], *, fails: bool) -> dict[str, Any]:
        order = self.orders.get(order_id)
        if order is None:
            raise Refused(404)
        known = order.refunds.get(refund_id)
        if known is not None:
            if known["amount_fen"] != content["amount_fen"]:
                raise Refused(409)
            return known
        there = sum(payment["amount_fen"] for payment in order.payments) - order.refunded_fen
        refund = {"refund_id": refund_id, "order_id": order_id, "amount_fen": content["amount_fen"]}
        if content["amount_fen"] > there:
            return refund | {"state": "failed", "reason": "more_than_was_paid"}
        if fails:
            return refund | {"state": "failed", "reason": "refund_refused"}
        order.refunds[refund_id] = refund | {"state": "succeeded"}
        return order.refunds[refund_id]

    def view(self, order: Order, *, verified: bool) -> dict[str, Any]:
        if verified:
            order.told = True
        state = order.state if order.told or order.state == "closed" else "open"
        payments = order.payments if order.told else []
        shown = state == "open" and order.content.get("method") == "qr_shown"
        return {
            "order_id": order.order_id,
            "amount_fen": order.content.get("amount_fen", 0),
            "currency": order.content.get("currency", "CNY"),
            "state": state,
            "verified": verified,
            "qr": f"https://pay.example/{order.order_id}" if shown else "",
            "payments": payments,
            "refunded_fen": order.refunded_fen,
            "reason": order.reason,
        }
