"""The payment door: the order interface of `payment_terminal/gateway_qr`, on this machine, before the centre.

A driver knows no keys of ours. It asks here, on 127.0.0.1, with a secret made at this start; what it asks is sent on to
`/terminal/v1/payments` signed by the terminal itself, and the centre's answer comes back as it is. Nothing is kept.

| the door answers | when |
|---|---|
| what the centre answered | it did; but 408 and 429 become 503, and a 409 about anything but an id used twice 422 |
| 401 | the secret is another: the caller is no device of this machine |
| 404 | the interface has no such call: delivery is reported by the house, never by a device |
| 413, 400 | the request is too long, or is none |
| 502, 504 | the centre was not reached, or did not answer in time: it may have got the order, ask again |
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import h11

from drivers.host import DeviceConfig
from kiosk.contracts.errors import Unreachable
from kiosk.contracts.payments import ORDER_ID
from kiosk.machine.fleet.client import FleetClient

GATEWAY_QR = "payment_terminal/gateway_qr"
ADDRESS, SECRET = "address", "secret"
"""The driver's options."""

FORWARD_SECONDS = 3.5
"""Shorter than the driver's own patience with one attempt: it hears why."""
IDLE_SECONDS = 30.0
CONNECTIONS = 16
REQUEST_BYTES = 16 * 1024
ANSWER_BYTES = 64 * 1024

_ID = ORDER_ID.strip("^$")
CALLS = tuple(
    (method, re.compile(path))
    for method, path in (
        ("PUT", rf"/orders/{_ID}"),
        ("GET", rf"/orders/{_ID}(\?verify=true)?"),
        ("POST", rf"/orders/{_ID}/close"),
        ("PUT", rf"/orders/{_ID}/refunds/{_ID}"),
        ("GET", r"/orders\?state=open"),
        ("GET", r"/status"),
    )
)
ID_USED_TWICE = frozenset({"duplicate_order", "duplicate_refund"})


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes

    @classmethod
    def refusal(cls, status: int, code: str) -> _Answer:
        return cls(status, json.dumps({"code": code}).encode())


class PaymentDoor:
    """Listens from the first device that needs it until `close`."""

    def __init__(self, client: FleetClient) -> None:
        self._client = client
        self._secret = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.StreamWriter] = set()

    async def furnish(self, configs: Iterable[DeviceConfig]) -> list[DeviceConfig]:
        """The same devices; a gateway_qr that names no address gets this door's, with its secret."""
        return [await self._furnished(config) for config in configs]

    async def close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for caller in self._callers:
            caller.transport.abort()
        await self._server.wait_closed()

    async def _furnished(self, config: DeviceConfig) -> DeviceConfig:
        if config.driver != GATEWAY_QR or config.options.get(ADDRESS):
            return config
        door = {ADDRESS: await self._open(), SECRET: self._secret}
        return config.model_copy(update={"options": config.options | door})

    async def _open(self) -> str:
        if self._server is None:
            self._server = await asyncio.start_server(self._receive, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    # --- the wire ---------------------------------------------------------------------------------------------------

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._callers) >= CONNECTIONS:
            writer.close()
            return
        self._callers.add(writer)
        wire = h11.Connection(h11.SERVER, max_incomplete_event_size=REQUEST_BYTES)
        try:
            with suppress(OSError, TimeoutError, EOFError):
                while not writer.is_closing():
                    writer.write(_written(wire, await self._answered(wire, reader)))
                    await writer.drain()
                    if {wire.our_state, wire.their_state} != {h11.DONE}:
                        break
                    wire.start_next_cycle()
        finally:
            self._callers.discard(writer)
            writer.close()

    async def _answered(self, wire: h11.Connection, reader: asyncio.StreamReader) -> _Answer:
        """Raises `EOFError` when the caller has gone, `TimeoutError` when it says nothing."""
        try:
            request, body = await _request(wire, reader)
        except h11.RemoteProtocolError as error:
            return _Answer.refusal(error.error_status_hint, "no_request")
        if len(body) > REQUEST_BYTES:
            return _Answer.refusal(413, "too_large")
        if not self._is_ours(request):
            return _Answer.refusal(401, "not_authorised")
        method, target = request.method.decode("ascii"), request.target.decode("ascii")
        if not any(method == known and path.fullmatch(target) for known, path in CALLS):
            return _Answer.refusal(404, "not_found")
        return await self._forward(method, target, body)

    def _is_ours(self, request: h11.Request) -> bool:
        said = [value for name, value in request.headers if name == b"authorization"]
        return len(said) == 1 and hmac.compare_digest(said[0], b"Bearer " + self._secret.encode())

    async def _forward(self, method: str, target: str, body: bytes) -> _Answer:
        headers = {"content-type": "application/json"} if body else None
        try:
            answer = await self._client.request(
                method, f"payments{target}", body=body or None, headers=headers, timeout_seconds=FORWARD_SECONDS,
                limit=ANSWER_BYTES,
            )  # fmt: skip
        except Unreachable as error:
            return _Answer.refusal(504 if error.reason == "timed_out" else 502, error.reason)
        match answer.status:
            case 408 | 429:
                return _Answer(503, answer.content)
            case 409 if answer.problem.code not in ID_USED_TWICE:
                return _Answer(422, answer.content)
            case status:
                return _Answer(status, answer.content)


async def _request(wire: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes]:
    """Reads no further than one byte too many."""
    request, body = None, bytearray()
    async with asyncio.timeout(IDLE_SECONDS):
        while True:
            event = wire.next_event()
            match event:
                case h11.Request():
                    request = event
                case h11.Data():
                    body += event.data
                case h11.ConnectionClosed():
                    raise EOFError
                case h11.NEED_DATA:
                    wire.receive_data(await reader.read(REQUEST_BYTES))
                case _:
                    pass
            if request is not None and (event.__class__ is h11.EndOfMessage or len(body) > REQUEST_BYTES):
                return request, bytes(body)


def _written(wire: h11.Connection, answer: _Answer) -> bytes:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer.body)))]
    if wire.their_state is not h11.DONE:  # the rest of what it sends is not read
        headers.append(("Connection", "close"))
    parts = (h11.Response(status_code=answer.status, headers=headers), h11.Data(answer.body), h11.EndOfMessage())
    return b"".join(wire.send(part) or b"" for part in parts)
