"""How a department takes a call: who calls, asked before?, told to misbehave?, then its own work.

The gateway signs each call (`wire`); answers are signed too. A repeated idempotency key gets the first answer again;
the same key with another body is refused.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from fleet_server.exchange.signatures import Scheme
from fleet_server.sandbox.city import City
from fleet_server.sandbox.wire import Heard, Seals, Style, answered, seal_answer
from kiosk.contracts.scenario import SandboxOrder

CALL_WINDOW_SECONDS = 300
KEPT_ANSWERS = 2000
KEPT_NONCES = 20_000
SOMEBODY_ELSE = "350203190001010000"


@dataclass(frozen=True)
class Call:
    """What a counter works with. `body` is the object sent; `verify_at` where papers can be verified."""

    city: City
    body: Mapping[str, Any]
    verify_at: str
    operation: str = ""


class Declined(Exception):
    """The department says no, in its own code and words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


@dataclass(frozen=True)
class Counter:
    """One operation of a department. `work` returns its JSON answer or raises `Declined`; it may block."""

    operation: str
    path: str
    work: Callable[[Call], Any]
    submits: bool = False
    method: Literal["POST", "PUT"] = "POST"


@dataclass(frozen=True)
class Department:
    """`decline` writes a refusal in the department's own manner: (HTTP status, answer).

    `style` and `scheme` are how it is spoken to and what calls and answers are signed with; its counters work on the
    same objects whatever they are. In SOAP all values are text.
    """

    id: str
    prefix: str
    decline: Callable[[str, str], tuple[int, Any]]
    counters: tuple[Counter, ...]
    style: Style = "rest"
    scheme: Scheme = "hmac"


@dataclass
class Desk:
    """Serves every department's calls."""

    city: City
    seals: Seals
    _nonces: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _answers: OrderedDict[tuple[str, str], tuple[str, int, Any]] = field(default_factory=OrderedDict)
    _under_way: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)

    async def serve(self, department: Department, counter: Counter, request: Request) -> Response:
        heard = Heard(request, await request.body(), department.style, department.scheme)
        unsigned = await run_in_threadpool(self._why_not_trusted, heard, department.scheme)
        if unsigned:
            return PlainTextResponse(unsigned, 401)
        order = self.city.orders.take(department.id, counter.operation)
        if order is not None and order.behave == "down":
            return PlainTextResponse("Service Unavailable", 503)
        if order is not None and order.behave == "refuse":
            status, answer = department.decline(order.reason or "REFUSED", "暂不予办理")
            return self._sealed(department, heard, status, answer)
        sent = heard.body()
        if sent is None:
            return PlainTextResponse("Bad Request", 400)
        call = Call(self.city, sent, f"{str(request.base_url).rstrip('/')}/verify", counter.operation)
        status, answer = await self._once(department, counter, call, heard)
        if order is not None and order.behave == "garbage":
            return Response(_GARBAGE[department.style], 200, media_type="application/octet-stream")
        answer = await _as_ordered(order, answer, sent)
        return self._sealed(department, heard, status, answer)

    def _sealed(self, department: Department, heard: Heard, status: int, answer: Any) -> Response:
        response = answered(department.style, status, answer)
        return seal_answer(response, heard.nonce, department.scheme, self.seals.signer(department.scheme))

    async def hand_over(self, document_id: str, request: Request) -> Response:
        """A document's bytes to the gateway, or to nobody."""
        named = request.headers.get("x-yizhan-scheme")
        scheme: Scheme = next((each for each in _SCHEMES if each == named), "hmac")
        unsigned = await run_in_threadpool(self._why_not_trusted, Heard(request, b"", "rest", scheme), scheme)
        if unsigned:
            return PlainTextResponse(unsigned, 401)
        order = self.city.orders.take("documents", "documents.fetch")
        if order is not None and order.behave in ("down", "refuse"):
            return PlainTextResponse("Service Unavailable", 503)
        pdf = await run_in_threadpool(self.city.documents.pdf, document_id)
        if pdf is None:
            return PlainTextResponse("Not Found", 404)
        if order is not None and order.behave == "slow":
            await asyncio.sleep(order.seconds)
        if order is not None and order.behave in ("garbage", "contradict"):
            pdf = pdf[: len(pdf) // 2] + bytes([pdf[len(pdf) // 2] ^ 1]) + pdf[len(pdf) // 2 + 1 :]
        return Response(pdf, media_type="application/pdf")

    async def _once(self, department: Department, counter: Counter, call: Call, heard: Heard) -> tuple[int, Any]:
        key, digest = heard.idempotency_key, heard.digest
        if not (key and counter.submits):
            return await run_in_threadpool(_worked, department, counter, call)
        place = (department.id, key)
        async with self._under_way.setdefault(place, asyncio.Lock()):
            if place not in self._answers:
                status, answer = await run_in_threadpool(_worked, department, counter, call)
                self._answers[place] = (digest, status, answer)
                while len(self._answers) > KEPT_ANSWERS:
                    old, _ = self._answers.popitem(last=False)
                    self._under_way.pop(old, None)
        first_digest, status, answer = self._answers[place]
        if first_digest != digest:
            return 409, {"error": "idempotency key reused with another body"}
        return status, answer

    def _why_not_trusted(self, heard: Heard, scheme: Scheme) -> str:
        if not heard.is_signed(self.seals.verifier(scheme)):
            return "signature does not verify"
        if not heard.moment.isdecimal() or abs(int(heard.moment) - time.time()) > CALL_WINDOW_SECONDS:
            return "moment is not now"
        if heard.nonce in self._nonces:
            return "replayed"
        self._nonces[heard.nonce] = None
        while len(self._nonces) > KEPT_NONCES:
            self._nonces.popitem(last=False)
        return ""


_SCHEMES: tuple[Scheme, ...] = ("hmac", "rsa", "sm2")
_GARBAGE = {"rest": '{"result": {"docu', "form": '{"result": {"docu', "soap": "<S:Envelope><S:Body><resu"}


def _worked(department: Department, counter: Counter, call: Call) -> tuple[int, Any]:
    try:
        return 200, counter.work(call)
    except Declined as declined:
        return department.decline(declined.code, declined.words)


async def _as_ordered(order: SandboxOrder | None, answer: Any, sent: dict[str, Any]) -> Any:
    match order.behave if order is not None else "":
        case "slow":
            await asyncio.sleep(order.seconds if order is not None else 0)
        case "contradict":
            numbers = {value for value in _leaves(sent) if len(value) == 18 and value[:17].isdigit()}
            text = json.dumps(answer, ensure_ascii=False)
            for number in numbers:
                text = text.replace(number, SOMEBODY_ELSE)
            return json.loads(text)
        case _:
            pass
    return answer


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [value] if isinstance(value, str) else []
