"""A citizen, an order, and each kind of terminal with its peer."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.messages import PaymentMethod, PaymentOrder
from drivers.payment_terminal.gateway_qr import GatewayQr
from drivers.payment_terminal.simulator import GatewaySimulator, ZvtSimulator
from drivers.payment_terminal.zvt import ZvtTerminal

FEN = 1250


def order(order_id: str = "YZ-1", method: PaymentMethod = PaymentMethod.CARD, **changes: Any) -> PaymentOrder:
    expires_at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    values: dict[str, Any] = {"amount_fen": FEN, "subject": "工本费", "expires_at": expires_at}
    return PaymentOrder(order_id=order_id, method=method, **(values | changes))


def shown(order_id: str = "YZ-1", **changes: Any) -> PaymentOrder:
    return order(order_id, PaymentMethod.QR_SHOWN, **changes)


@dataclass
class Gateway:
    peer: GatewaySimulator
    terminal: GatewayQr
    address: str


@asynccontextmanager
async def gateway(pays_after: str = "", **options: Any) -> AsyncIterator[Gateway]:
    peer = GatewaySimulator(pays_after=pays_after)
    address = await peer.start()
    quick = {"address": address, "poll_interval_seconds": 0.05, "verify_interval_seconds": 0.2}
    terminal = GatewayQr(GatewayQr.Options.model_validate(quick | options))
    try:
        yield Gateway(peer, terminal, address)
    finally:
        await terminal.close()
        await peer.stop()


@dataclass
class Card:
    peer: ZvtSimulator
    terminal: ZvtTerminal
    address: str
    state_path: Path

    async def another(self) -> ZvtTerminal:
        """The driver after its process was lost: only what is on disk is left."""
        await self.terminal.close()
        self.terminal = card_driver(self.address, self.state_path)
        return self.terminal


def card_driver(address: str, state_path: Path | str) -> ZvtTerminal:
    return ZvtTerminal(ZvtTerminal.Options(port=address, state_path=str(state_path), silence_seconds=3.0))


@asynccontextmanager
async def card(folder: Path, transport: str = "tcp", card_seconds: str = "0.1") -> AsyncIterator[Card]:
    peer = ZvtSimulator(transport=transport, card_seconds=card_seconds)
    address = await peer.start()
    bench = Card(peer, card_driver(address, folder / "orders.sqlite"), address, folder / "orders.sqlite")
    try:
        yield bench
    finally:
        await bench.terminal.close()
        await peer.stop()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)
