"""The centre's order interface on a loopback port, with an acquirer that can be told to lie, lag and lose.

Orders: `pay [ORDER]`, `pay_other FEN [ORDER]`, `fault NAME`, `clear`, `charged ORDER` (net fen the citizen is out of
pocket), `orders`. With `pays_after` seconds the citizen pays each new order by himself.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from drivers.payment_terminal.simulator.acquirer import Acquirer, Order, Refused

FAULTS: Final = frozenset(
    {
        "pay_late", "pay_twice", "never", "wrong_amount", "wrong_currency", "declined", "notify_lost",
        "paid_after_close",
        "slow", "silent", "garbage", "broken", "endless", "wrong_device", "another_order", "network_down",
        "not_authorised", "signed_out", "lost_once", "refund_fails", "refund_lost_once",
    }
)  # fmt: skip
DISTURBANCES: Final = frozenset({"slow", "silent", "garbage", "broken", "endless", "wrong_device", "not_authorised"})
LATE_SECONDS: Final = 1.5
SLOW_SECONDS: Final = 0.6
HEAD_BYTES: Final = 16 * 1024
BODY_BYTES: Final = 64 * 1024
REASONS: Final = {200: "OK", 201: "Created", 404: "Not Found"}


class GatewaySimulator:
    """Options, all strings: `pays_after` (seconds; empty: only when ordered to), `port`."""

    faults: frozenset[str] = FAULTS

    def __init__(self, pays_after: str = "", port: str = "0") -> None:
        self._pays_after = float(pays_after) if pays_after else None
        self._port = int(port)
        self._active: set[str] = set()
        self._server: asyncio.Server | None = None
        self._citizens: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.acquirer = Acquirer()

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> str:
        await self._listen()
        return f"http://127.0.0.1:{self._port}/terminal/v1/payments"

    async def stop(self) -> None:
        await self._hang_up()
        for citizen in self._citizens:
            citizen.cancel()
        await asyncio.gather(*self._citizens, return_exceptions=True)

    async def order(self, verb: str, argument: str = "") -> str:
        match verb, argument.split():
            case "fault", [name] if name in FAULTS:
                self._active.add(name)
                if name == "network_down":
                    await self._hang_up()
            case "clear", []:
                self._active.clear()
                if self._server is None:
                    await self._listen()
            case "pay", words if len(words) < 2:
                order = self._named(words)
                self.acquirer.pay(order, order.content["amount_fen"], "CNY", told="notify_lost" not in self._active)
            case "pay_other", [fen, *words] if fen.isdigit() and len(words) < 2:
                self.acquirer.pay(self._named(words), int(fen), "CNY")
            case "charged", [_] as words:
                order = self._named(words)
                return str(sum(payment["amount_fen"] for payment in order.payments) - order.refunded_fen)
            case "orders", []:
                return json.dumps({order.order_id: order.state for order in self.acquirer.orders.values()})
            case _:
                raise ValueError(f"unknown order {verb} {argument}".strip())
        return "ok"

    def _named(self, words: list[str]) -> Order:
        orders = [order for order in self.acquirer.orders.values() if order.content]
        found = [order for order in orders if not words or order.order_id == words[0]]
        if not found:
            raise ValueError("there is no such order")
        return found[-1]

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=HEAD_BYTES)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        await server.wait_closed()
        while self._writers:  # noqa: ASYNC110 - the readers of aborted connections end in the next turns of the loop
            await asyncio.sleep(0)

    # --- the citizen ------------------------------------------------------------------------------------------------

    def _act(self, order: Order) -> None:
        """What happens to a new order by itself."""
        if self._pays_after is not None and "never" not in self._active:
            citizen = asyncio.create_task(self._pay_by_himself(order, self._pays_after))
            self._citizens.add(citizen)
            citizen.add_done_callback(self._citizens.discard)

    async def _pay_by_himself(self, order: Order, seconds: float) -> None:
        await asyncio.sleep(LATE_SECONDS if "pay_late" in self._active else seconds)
        if "paid_after_close" in self._active:
            while order.state == "open":  # noqa: ASYNC110 - whoever closes the order knows nothing of citizens
                await asyncio.sleep(0.02)
        elif order.state != "open":
            return
        if "declined" in self._active:
            order.state, order.reason = "refused", "declined"
            return
        fen = order.content["amount_fen"] + (100 if "wrong_amount" in self._active else 0)
        currency = "USD" if "wrong_currency" in self._active else order.content["currency"]
        self.acquirer.pay(order, fen, currency, told="notify_lost" not in self._active)
        if "pay_twice" in self._active:
            self.acquirer.pay(order, fen, currency)

    # --- the wire ---------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            while await self._one_request(reader, writer):
                pass
        self._writers.discard(writer)
        writer.close()

    async def _one_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head[1:])}
        length = int(headers.get("content-length", "0"))
        if length > BODY_BYTES:
            return False
        body = json.loads(await reader.readexactly(length)) if length else {}
        if not await self._disturb(reader, writer):
            return False
        code, answer = self._answer(method, target, body)
        is_write = method in ("PUT", "POST")
        lost = "lost_once" if "/refunds/" not in target else "refund_lost_once"
        if is_write and lost in self._active:
            self._active.discard(lost)
            return False
        await _send(writer, code, json.dumps(answer).encode())
        return True

    async def _disturb(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """False when the misfortune has already answered, or never will."""
        match sorted(
            self._active & {"slow", "silent", "garbage", "broken", "endless", "wrong_device", "not_authorised"}
        ):
            case ["slow"]:
                await asyncio.sleep(SLOW_SECONDS)
                return True
            case []:
                return True
            case ["silent"]:
                await reader.read()  # until whoever waits has gone
            case ["garbage"]:
                await _send(writer, 200, b'{"order_id": 7, "state": "perhaps"}')
            case ["broken"]:
                await _send(writer, 503, b"{}")
            case ["not_authorised"]:
                await _send(writer, 401, b"{}")
            case ["wrong_device", *_]:
                await _send(writer, 200, b"<html><body>It works!</body></html>")
            case _:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
                while "endless" in self._active:
                    writer.write(b"0," * 2048)
                    await writer.drain()
        return False

    def _answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(target)
        words = [unquote(word) for word in parts.path.split("/")[4:]]
        query = parse_qs(parts.query)
        try:
            match words:
                case ["orders", *rest] if rest:
                    return self._about_order(method, rest, body, verified=query.get("verify") == ["true"])
                case ["orders"] if method == "GET":
                    orders = self.acquirer.orders.values()
                    return 200, {"orders": [order.order_id for order in orders if order.state == "open"]}
                case ["status"] if method == "GET":
                    acquirer = "signed_out" if "signed_out" in self._active else "signed_in"
                    return 200, {"acquirer": acquirer, "methods": ["qr_shown", "qr_scanned"]}
        except Refused as error:
            return error.code, {}
        return 404, {}

    def _about_order(self, method: str, words: list[str], body: dict[str, Any], *, verified: bool) -> tuple[int, Any]:
        match method, words:
            case "PUT", [order_id]:
                order, is_new = self.acquirer.open(order_id, body)
                if is_new:
                    self._act(order)
                return 201 if is_new else 200, self._view(order, verified=False)
            case "GET", [order_id] if order_id in self.acquirer.orders:
                return 200, self._view(self.acquirer.orders[order_id], verified=verified)
            case "POST", [order_id, "close"]:
                return 200, self._view(self.acquirer.close(order_id), verified=False)
            case "PUT", [order_id, "refunds", refund_id]:
                return 200, self.acquirer.refund(order_id, refund_id, body, fails="refund_fails" in self._active)
        raise Refused(404)

    def _view(self, order: Order, *, verified: bool) -> dict[str, Any]:
        view = self.acquirer.view(order, verified=verified)
        return view | {"order_id": "somebody-else"} if "another_order" in self._active else view


async def _send(writer: asyncio.StreamWriter, code: int, body: bytes) -> None:
    reason = REASONS.get(code, "Status")
    head = f"HTTP/1.1 {code} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
