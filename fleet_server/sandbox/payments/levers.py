"""The providers put into the city's application, and the levers of money.

GET    /payments/console     the merchant accounts with their keys, as the centre's configuration has them
GET    /payments/trades      what was asked to be paid, newest first
POST   /payments/pay         {"qr": the shown text or our number, "behave": "paid"}: the citizen pays now; answers
                             what the centre said to each notice
POST   /payments/notices     every notice once more
GET    /payments/orders      how the providers and citizens are told to behave
POST   /payments/orders      one `PaymentBehaviour`
DELETE /payments/orders      all is well again
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from fleet_server.sandbox.city import City
from fleet_server.sandbox.payments.alipay import AlipayGate
from fleet_server.sandbox.payments.clearing import ClearingHouse, PaymentBehaviour
from fleet_server.sandbox.payments.counter import Counter
from fleet_server.sandbox.payments.keys import Keys
from fleet_server.sandbox.payments.non_tax import NonTaxGate
from fleet_server.sandbox.payments.wechat import WeChatGate


class CitizenPays(BaseModel):
    """`qr`: what the screen shows, or our merchant order number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    qr: str
    behave: Literal[
        "paid", "late", "twice", "wrong_amount", "wrong_currency", "never", "refused", "silent", "lie", "forged",
        "other_merchant",
    ] = "paid"  # fmt: skip


def install(app: FastAPI, city: City, keys: Keys) -> None:
    """Open the three gateways and the levers. `app.state.clearing` is their memory, `.counter` what they sent."""
    house = app.state.clearing = ClearingHouse(city.clock)
    counter = app.state.counter = Counter(house)
    for gate in (AlipayGate(house, keys, counter), WeChatGate(house, keys, counter), NonTaxGate(house, keys, counter)):
        gate.install(app)
        match gate:
            case AlipayGate():
                counter.writers["alipay"] = gate.notice
            case WeChatGate():
                counter.writers["wechat"] = gate.notice
            case NonTaxGate():
                counter.writers["non_tax"] = gate.notice
    _open_levers(app, house, counter, keys)


def _open_levers(app: FastAPI, house: ClearingHouse, counter: Counter, keys: Keys) -> None:
    @app.get("/payments/console")
    def console(request: Request) -> dict[str, Any]:
        return keys.console(str(request.base_url).rstrip("/"))

    @app.get("/payments/trades")
    def trades() -> list[dict[str, Any]]:
        return [
            {
                "channel": trade.channel, "number": trade.number, "qr": trade.qr, "amount_fen": trade.amount_fen,
                "subject": trade.subject, "state": trade.state, "left_fen": house.left_of(trade),
                "payments": [payment.reference for payment in trade.payments],
                "refunds": {number: refund.amount_fen for number, refund in trade.refunds.items()},
            }
            for trade in reversed(list(house.trades.values()))
        ]  # fmt: skip

    @app.post("/payments/pay")
    async def pay(pays: CitizenPays) -> dict[str, Any]:
        counter.loop = asyncio.get_running_loop()
        trade = house.shown(pays.qr)
        if trade is None:
            raise HTTPException(404, "nobody asked for this to be paid")
        heard = await counter.pay(trade, pays.behave)
        return {"number": trade.number, "state": trade.state, "notices": heard}

    @app.post("/payments/notices")
    async def notices() -> list[int]:
        return await counter.send_again()

    @app.get("/payments/orders")
    def orders() -> list[dict[str, Any]]:
        return [behaviour.model_dump() | {"left": left} for behaviour, left in house.behaviours]

    @app.post("/payments/orders", status_code=201)
    def give_order(behaviour: PaymentBehaviour) -> list[dict[str, Any]]:
        house.behave(behaviour)
        return orders()

    @app.delete("/payments/orders", status_code=204)
    def clear_orders() -> None:
        house.behaviours.clear()
