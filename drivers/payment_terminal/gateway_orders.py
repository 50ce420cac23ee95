"""The order interface of the centre, spoken by a terminal that holds no merchant's key (DESIGN 1.5).

`address` is the base; bodies are JSON, money is integer fen, every call may be repeated with the same effect.

| call | body | answer |
|---|---|---|
| `PUT /orders/{order_id}` | amount_fen, currency, method, subject, expires_at, payer_code (scanned codes only) | order; 409 when the id has other content |
| `GET /orders/{order_id}[?verify=true]` | | order; with `verify` the centre has asked the acquirer for this answer; 404 |
| `POST /orders/{order_id}/close` | | order: closed, or paid when that was quicker; an unknown id is closed for good |
| `PUT /orders/{order_id}/refunds/{refund_id}` | amount_fen, reason | refund; 409 when the id has other content |
| `GET /orders?state=open` | | `{"orders": [order_id, …]}`: of this terminal, neither paid nor closed |
| `GET /status` | | `{"acquirer": "signed_in" or "signed_out", "methods": […]}` |

order: order_id, amount_fen, currency, state (open, paying, paid, closed, refused), verified (the acquirer was asked for
this very answer), qr (while it is to be shown), payments `[{reference, amount_fen, currency}]` (all money that arrived,
late and double too), refunded_fen, reason. refund: refund_id, order_id, amount_fen, state (succeeded, pending, failed),
reason. 401 and 403: this terminal may not; 404: unknown; 409: id reused; 408, 429, 5xx and silence: ask again; 502 and
504: what answers is a door before the centre, and the centre is not reached. With a `secret`: `Authorization: Bearer`.
"""  # noqa: E501

from __future__ import annotations

import asyncio
import json
import ssl
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.errors import DeviceError, DeviceOffline, HardwareFault, MediaError

ANSWER_BYTES: Final = 64 * 1024
ATTEMPT_SECONDS: Final = 4.0
PAUSE_SECONDS: Final = 0.25
ASK_AGAIN: Final = frozenset({408, 429})
NEVER_SENT: Final = "network_down"
"""The only failure after which nothing can have reached the centre."""

Fen = Annotated[int, Field(ge=0, le=10**12, strict=True)]


class Wire(BaseModel):
    """What the centre says. Keys it may add later are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ArrivedPayment(Wire):
    reference: str = Field(min_length=1, max_length=64)
    amount_fen: Fen
    currency: str


class GatewayOrder(Wire):
    order_id: str
    amount_fen: Fen
    currency: str
    state: Literal["open", "paying", "paid", "closed", "refused"]
    verified: bool = False
    qr: str = Field(default="", max_length=1024, repr=False)
    payments: tuple[ArrivedPayment, ...] = Field(default=(), max_length=64)
    refunded_fen: Fen = 0
    reason: str = Field(default="", pattern=r"^[a-z0-9_]{0,48}$")


class GatewayRefund(Wire):
    refund_id: str
    order_id: str
    amount_fen: Fen
    state: Literal["succeeded", "pending", "failed"]
    reason: str = Field(default="", pattern=r"^[a-z0-9_]{0,48}$")


class GatewayStatus(Wire):
    acquirer: Literal["signed_in", "signed_out"]
    methods: tuple[str, ...] = Field(max_length=16)


class OpenOrders(Wire):
    orders: tuple[str, ...] = Field(max_length=1000)


Answer = TypeVar("Answer", bound=Wire)


class GatewayOrders:
    """Every method raises `DeviceError`: `network_down` (nothing was sent), `no_answer`, `answer_garbled`,
    `gateway_broken` (5xx), `not_authorised`, `certificate_refused`, `wrong_device`; `MediaError` with `order_unknown`,
    `duplicate_order` or `refused` when the centre understood and said no.
    """

    def __init__(self, address: str, ca_file: str | None = None, secret: str = "") -> None:
        self._address = address.rstrip("/")
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {secret}"} if secret else {})
        context = ssl.create_default_context(cafile=ca_file) if address.startswith("https:") else False
        self._client = httpx.AsyncClient(
            verify=context, trust_env=False, follow_redirects=False, timeout=ATTEMPT_SECONDS,
            limits=httpx.Limits(max_connections=4, max_keepalive_connections=1, keepalive_expiry=5.0),
        )  # fmt: skip

    async def put(self, order_id: str, body: dict[str, Any], deadline: float) -> GatewayOrder:
        return self._of(order_id, await self._insist("PUT", _path(order_id), body, GatewayOrder, deadline))

    async def get(self, order_id: str, deadline: float, *, verify: bool) -> GatewayOrder:
        path = _path(order_id) + ("?verify=true" if verify else "")
        return self._of(order_id, await self._insist("GET", path, None, GatewayOrder, deadline))

    async def close_order(self, order_id: str, deadline: float) -> GatewayOrder:
        return self._of(order_id, await self._insist("POST", _path(order_id) + "/close", {}, GatewayOrder, deadline))

    async def refund(self, order_id: str, refund_id: str, body: dict[str, Any], deadline: float) -> GatewayRefund:
        path = f"{_path(order_id)}/refunds/{quote(refund_id, safe='')}"
        said = await self._insist("PUT", path, body, GatewayRefund, deadline)
        if (said.order_id, said.refund_id, said.amount_fen) != (order_id, refund_id, body["amount_fen"]):
            raise HardwareFault("the gateway answered about another refund: report it to the centre", "answer_garbled")
        return said

    async def open_orders(self, deadline: float) -> tuple[str, ...]:
        return (await self._insist("GET", "/orders?state=open", None, OpenOrders, deadline)).orders

    async def status(self, deadline: float) -> GatewayStatus:
        """One attempt: a status does not wait for a network that may come back."""
        return await self._attempt("GET", "/status", None, GatewayStatus, deadline)

    async def aclose(self) -> None:
        await self._client.aclose()

    def _of(self, order_id: str, order: GatewayOrder) -> GatewayOrder:
        if order.order_id != order_id:
            raise HardwareFault("the gateway answered about another order: report it to the centre", "answer_garbled")
        return order

    async def _insist(self, method: str, path: str, body: Any, kind: type[Answer], deadline: float) -> Answer:
        """The same call again until it is answered or the limit is near. The gravest failure wins: one attempt that may
        have arrived makes the whole call one that may have arrived."""
        gravest: DeviceError | None = None
        while True:
            try:
                return await self._attempt(method, path, body, kind, deadline)
            except MediaError:
                raise
            except DeviceError as error:
                if gravest is None or gravest.reason == NEVER_SENT:
                    gravest = error
                if error.reason in ("not_authorised", "certificate_refused") or _left(deadline) <= PAUSE_SECONDS:
                    raise gravest from None
            await asyncio.sleep(PAUSE_SECONDS)

    async def _attempt(self, method: str, path: str, body: Any, kind: type[Answer], deadline: float) -> Answer:
        try:
            async with asyncio.timeout(max(min(ATTEMPT_SECONDS, _left(deadline)), 0.05)):
                code, text = await self._exchange(method, path, body)
        except TimeoutError:
            raise DeviceOffline("the gateway did not answer in time: look at the network", "no_answer") from None
        except httpx.ConnectTimeout as error:
            raise DeviceOffline("the gateway cannot be reached: look at the network", NEVER_SENT) from error
        except httpx.ConnectError as error:
            if isinstance(error.__cause__, ssl.SSLError) or "certificate" in str(error).lower():
                raise DeviceOffline(
                    "the gateway's certificate is not trusted: see ca_file", "certificate_refused"
                ) from None
            raise DeviceOffline("the gateway cannot be reached: look at the network", NEVER_SENT) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise DeviceOffline("the gateway broke the connection: look at the network", "no_answer") from error
        return _understood(code, text, kind)

    async def _exchange(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if content else {})
        request = self._client.stream(method, self._address + path, content=content, headers=headers)
        async with request as response:
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > ANSWER_BYTES:
                    raise HardwareFault("the gateway's answer has no end: something else answers there", "wrong_device")
            return response.status_code, bytes(received)


def _understood(code: int, text: bytes, kind: type[Answer]) -> Answer:
    match code:
        case 401 | 403:
            raise DeviceOffline("the gateway does not know this terminal: enrol it again", "not_authorised")
        case 404:
            raise MediaError("the gateway does not know this order", "order_unknown")
        case 409:
            raise MediaError("this id was used for something else", "duplicate_order")
        case 502 | 504:
            raise DeviceOffline("the centre behind the gateway does not answer: look at the network", "no_answer")
        case _ if 400 <= code < 500 and code not in ASK_AGAIN:
            raise MediaError(f"the gateway refused ({code})", "refused")
        case _ if code >= 500 or code in ASK_AGAIN:
            raise DeviceOffline(
                f"the gateway is in trouble ({code}): it mends itself or the centre is told", "gateway_broken"
            )
        case 200 | 201:
            pass
        case _:
            raise HardwareFault(f"something else answers at the gateway's address ({code}): correct it", "wrong_device")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise HardwareFault("what answers at the gateway's address is no gateway: correct it", "wrong_device") from None
    try:
        return kind.model_validate(value)
    except ValidationError:  # its text would show what was answered
        raise HardwareFault("the gateway answered what its interface does not have", "answer_garbled") from None


def _path(order_id: str) -> str:
    return f"/orders/{quote(order_id, safe='')}"


def _left(deadline: float) -> float:
    return deadline - asyncio.get_running_loop().time()
