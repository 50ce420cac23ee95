"""What the three stand-in providers do alike: misbehave as told, let citizens pay, send notices until thanked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from fleet_server.sandbox.payments.clearing import CALLS, PAYMENTS, Channel, ClearingHouse, Payment, Trade

NOTICE_SECONDS = 5.0
AGAIN_SECONDS = (2.0, 8.0, 30.0)

Notice = Callable[[Trade, Payment, str], tuple[dict[str, str], bytes]]
Scanned = Literal["paid", "paying", "wrong_code", "declined"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sent:
    """A notice as it went out, for sending it again."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Counter:
    """`loop` is the server's; known once the first request was served."""

    house: ClearingHouse
    writers: dict[Channel, Notice] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    loop: asyncio.AbstractEventLoop | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, channel: Channel, answer: Callable[[str], Response]) -> Response:
        """`answer` is told how to behave. Slow and garbage do the work first."""
        self.loop = asyncio.get_running_loop()
        told = self.house.take(channel, CALLS)
        behave = told.behave if told else ""
        if behave == "down":
            return PlainTextResponse("Service Unavailable", 503)
        answered = await run_in_threadpool(answer, behave)
        if told is not None and behave == "slow":
            await asyncio.sleep(told.seconds)
        if behave == "garbage":
            return PlainTextResponse('{"code":"SUCC', 200)
        return answered

    def shown(self, trade: Trade) -> None:
        """A code is on a screen: a standing order may say how the citizen pays it."""
        told = self.house.take(trade.channel, PAYMENTS)
        if told is not None:
            self._soon(self._pay_after(trade, told.behave, told.seconds))

    def close(self, trade: Trade) -> bool:
        closed = self.house.close(trade)
        if closed and trade.pays_when_closed:
            trade.pays_when_closed = False
            self._soon(self._pay_after(trade, "paid", 0.0))
        return closed

    async def pay(self, trade: Trade, behave: str = "paid") -> list[int]:
        """The citizen pays now. What the centre answered to each notice (0: nothing)."""
        if behave in ("never", "refused"):
            return []
        if behave == "late" and trade.state != "closed":
            trade.pays_when_closed = True
            return []
        if behave == "lie":
            untrue = Payment(f"99{trade.number[:26]}", trade.amount_fen, "CNY", self.house.clock())
            return [await self._send(trade, untrue, behave)]
        amount_fen = trade.amount_fen - 1 if behave == "wrong_amount" and trade.amount_fen > 1 else trade.amount_fen
        currency = "USD" if behave == "wrong_currency" else "CNY"
        payments = [self.house.receive(trade, amount_fen, currency) for _ in range(2 if behave == "twice" else 1)]
        if behave == "silent":
            return []
        return [await self._send(trade, payment, behave) for payment in payments]

    async def send_again(self) -> list[int]:
        """Every notice that ever went out, once more."""
        return [await self._post(sent) for sent in tuple(self.sent)]

    async def _pay_after(self, trade: Trade, behave: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.pay(trade, behave)

    async def _send(self, trade: Trade, payment: Payment, behave: str) -> int:
        headers, body = self.writers[trade.channel](trade, payment, behave)
        sent = Sent(trade.notify_url, headers, body)
        self.sent.append(sent)
        status = await self._post(sent)
        if status != 200 and behave not in ("forged", "other_merchant", "lie"):
            self._soon(self._insist(trade, payment))
        return status

    async def _insist(self, trade: Trade, payment: Payment) -> None:
        """A provider writes a fresh notice each time: its moment is signed."""
        for seconds in AGAIN_SECONDS:
            await asyncio.sleep(seconds)
            headers, body = self.writers[trade.channel](trade, payment, "paid")
            if await self._post(Sent(trade.notify_url, headers, body)) == 200:
                return

    async def _post(self, sent: Sent) -> int:
        try:
            async with httpx.AsyncClient(timeout=NOTICE_SECONDS, trust_env=False) as client:
                return (await client.post(sent.url, content=sent.body, headers=sent.headers)).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            log.info("a notice found nobody at home")
            return 0

    def announce(self, trade: Trade, payment: Payment) -> None:
        """Send a notice of this payment a little later."""
        self._soon(self._announce(trade, payment))

    async def _announce(self, trade: Trade, payment: Payment) -> None:
        await self._send(trade, payment, "paid")

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        """From a worker thread or the loop itself."""
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self._start, work)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        assert self.loop is not None
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def pay_scanned(house: ClearingHouse, counter: Counter, trade: Trade, code: str, starts: tuple[str, ...]) -> Scanned:
    """A code of the citizen's was charged: paid at once, unless a standing order says otherwise.

    `late` and `never`: the citizen's phone asks for the password and nobody answers.
    """
    if trade.payments:
        return "paid"
    if len(code) != 18 or not code.startswith(starts):
        return "wrong_code"
    told = house.take(trade.channel, PAYMENTS)
    behave = told.behave if told else "paid"
    if behave == "refused":
        return "declined"
    if behave in ("late", "never"):
        trade.state, trade.pays_when_closed = "paying", behave == "late"
        return "paying"
    house.receive(trade, trade.amount_fen - 1 if behave == "wrong_amount" else trade.amount_fen)
    if behave == "twice":
        second = house.receive(trade, trade.amount_fen)
        counter.announce(trade, second)
    return "paid"
