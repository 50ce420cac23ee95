"""The centre's order interface in memory, as the contract says, for a terminal whose link can be cut. No network."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from kiosk.contracts.errors import Unreachable
from kiosk.contracts.payments import CardReport, Order, OrderRequest
from kiosk.machine.fleet.client import Answer

AT = dt.datetime(2026, 3, 5, 21, 31, tzinfo=dt.UTC)


class MoneyPeer:
    """Stands where a FleetClient stands. `on_order` is what the citizen does when a code is shown."""

    def __init__(self, channels: tuple[str, ...] = ("alipay", "wechat")) -> None:
        self.channels = channels
        self.orders: dict[str, Order] = {}
        self.requests: list[OrderRequest] = []
        self.calls: list[str] = []
        self.is_down = False
        self.refuses: tuple[int, str] | None = None
        self.on_order: Callable[[str], None] = lambda _order: None
        self.on_call: Callable[[str], None] = lambda _call: None
        self.outcomes: dict[str, str] = {}
        self.card_words: list[CardReport] = []
        """What the machine's card device was reported to say."""
        self.undelivered: tuple[str, ...] = ()
        """Lines the terminal last reported as not delivered."""

    def pay(self, order_id: str, *amounts: int) -> None:
        order = self.orders[order_id]
        arrived = [{"reference": f"P{n}", "amount_fen": fen, "currency": "CNY"} for n, fen in enumerate(amounts)]
        if order.state not in ("open", "paying"):
            self._change(order_id, payments=arrived, refunded_fen=sum(amounts))
        elif amounts[0] != order.amount_fen:
            self._change(order_id, state="refused", reason="amount_mismatch", payments=arrived)
        else:
            self._change(
                order_id, state="paid", payments=arrived, delivery="waiting", reference="P0", paid_at=AT.isoformat(),
                refunded_fen=sum(amounts[1:]),
            )  # fmt: skip

    def refuse(self, order_id: str) -> None:
        self._change(order_id, state="refused", reason="declined")

    def give_back(self, order_id: str) -> None:
        self._change(order_id, delivery="overdue", refunded_fen=self.orders[order_id].amount_fen)

    @property
    def last(self) -> Order:
        return list(self.orders.values())[-1]

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.request("GET", path, **more)

    async def post(self, path: str, body: bytes, **more: Any) -> Answer:
        return await self.request("POST", path, body=body, **more)

    async def request(self, method: str, path: str, *, body: bytes | None = None, **_: Any) -> Answer:
        await asyncio.sleep(0)
        self.on_call(f"{method} {path.rpartition('/')[2]}")
        if self.is_down:
            raise Unreachable("the link is lost", reason="not_reached")
        self.calls.append(f"{method} {path.rpartition('/')[2].partition('?')[0]}")
        code, said = self._answer(method, path.removeprefix("payments/"), body)
        return Answer(code, {}, json.dumps(said).encode())

    def _answer(self, method: str, path: str, body: bytes | None) -> tuple[int, Any]:  # noqa: PLR0911
        path, _, query = path.partition("?")
        words = path.split("/")
        match method, words:
            case "GET", ["status"]:
                state = "signed_in" if self.channels else "signed_out"
                return 200, {"acquirer": state, "methods": ["qr_shown"], "channels": self.channels}
            case "PUT", ["orders", order_id]:
                if self.refuses is not None:
                    return self.refuses[0], {"title": "no", "status": self.refuses[0], "code": self.refuses[1]}
                asked = OrderRequest.model_validate_json(body or b"")
                self.requests.append(asked)
                if order_id not in self.orders:
                    qr = "" if asked.channel == "bank_card" else f"https://pay.example/{order_id}"
                    self.orders[order_id] = Order(
                        order_id=order_id, amount_fen=asked.amount_fen, currency=asked.currency, state="open", qr=qr,
                        channel=asked.channel or "alipay",
                    )  # fmt: skip
                    shown = self._view(order_id)
                    self.on_order(order_id)
                    return 201, shown
            case "POST", ["requests", request_id, "outcome"]:
                return 200, {"request_id": request_id, "outcome": self.outcomes.get(request_id, "failed")}
            case _, ["orders", order_id, *_] if order_id not in self.orders:
                if words[-1] not in ("close", "card"):
                    return 404, {"title": "unknown", "status": 404, "code": "unknown_order"}
                self.orders[order_id] = Order(order_id=order_id, amount_fen=0, currency="CNY", state="closed")
            case "POST", ["orders", order_id, "card"]:
                self._hear(order_id, CardReport.model_validate_json(body or b""))
            case "POST", ["orders", order_id, "close"] if self.orders[order_id].state in ("open", "paying"):
                self._change(order_id, state="closed", qr="")
            case "POST", ["orders", order_id, "extend" | "delivered" as verb]:
                if self.orders[order_id].delivery in ("not_delivered", "overdue"):
                    return 409, {"title": "gone back", "status": 409, "code": "given_back"}
                self._report(order_id, verb, json.loads(body or b"{}"))
            case _:
                pass
        return 200, self._view(words[1], verified="verify=true" in query)

    def _hear(self, order_id: str, said: CardReport) -> None:
        self.card_words.append(said)
        if said.state == "unpaid":
            self._change(order_id, state="closed")
            return
        arrived = [{"reference": said.reference, "amount_fen": said.amount_fen, "currency": "CNY"}]
        is_this = said.amount_fen == self.orders[order_id].amount_fen
        self._change(order_id, state="paid" if is_this else "refused", payments=arrived)
        if said.state != "paid":
            back = {"delivery": "not_delivered"} if is_this else {}
            self._change(order_id, refunded_fen=said.amount_fen if said.state == "returned" else 0, **back)

    def _report(self, order_id: str, verb: str, said: dict[str, Any]) -> None:
        if verb == "delivered":
            self.undelivered = tuple(said.get("undelivered_lines", ()))
            order = self.orders[order_id]
            is_back = said["outcome"] == "not_delivered"
            refunded = order.amount_fen if is_back else order.refunded_fen
            self._change(order_id, delivery=said["outcome"], refunded_fen=refunded)

    def _view(self, order_id: str, *, verified: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = self.orders[order_id].model_dump(mode="json") | {"verified": verified}
        return shown

    def _change(self, order_id: str, **changed: Any) -> None:
        self.orders[order_id] = Order.model_validate(self.orders[order_id].model_dump() | changed)
