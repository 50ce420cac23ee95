"""The gateway's rules: allow-listed operations, one outcome per request id, masked facts kept, documents passed on."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from starlette.concurrency import run_in_threadpool

from fleet_server.database import Database, now
from fleet_server.gateway.authority import AuthorityFailed, Exchange, Question, Reply, refuse_failed, unreachable
from fleet_server.gateway.connectors import Connector, Connectors
from fleet_server.gateway.mapping import answer_of, body_of, checked_payload, not_offered_there, region_of
from fleet_server.gateway.models import GatewayRequest
from fleet_server.gateway.wire import Wire
from fleet_server.problems import ProblemError
from kiosk.contracts.fleet import ServiceAnswer, ServiceRequest

DOCUMENT_SECONDS = 20.0
MAXIMUM_DOCUMENT_BYTES = 8 * 1024 * 1024
RETRY_PAUSE_SECONDS = 0.2
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

log = logging.getLogger(__name__)


@dataclass
class Gateway:
    """One for the server process; `database` keeps the facts."""

    connectors: Connectors
    exchange: Exchange | None
    database: Database

    async def call(
        self, terminal: str, name: str, request: ServiceRequest, timeout_seconds: float | None = None
    ) -> ServiceAnswer:
        """Ask the authority behind `name`. Raises `ProblemError`: 404, 409 id reused, 422, 502 to 504."""
        if not self.connectors.offered(name):
            raise ProblemError(404, "unknown_operation", "no connector offers this operation")
        if _REQUEST_ID.fullmatch(request.request_id) is None:
            raise ProblemError(422, "payload_invalid", "request_id has 8 to 64 letters, digits, dots, dashes")
        region = region_of(name, request.payload)
        found = self.connectors.find(name, region)
        if found is None:
            return not_offered_there(request.request_id)
        connector, operation = found
        payload = checked_payload(name, operation, request.payload)
        exchange = self._exchange()
        facts = GatewayRequest(
            terminal=terminal, request_id=request.request_id, operation=name,
            transaction_number=request.transaction_number, matter=request.matter,
            payload_mac=_mac(exchange.key, payload), outcome="begun", first_at=now(), last_at=now(),
        )  # fmt: skip
        try:
            await run_in_threadpool(self._begin, facts)
        except IntegrityError:  # the same request twice in one moment: the other was quicker
            await run_in_threadpool(self._begin, facts)
        limit = min(operation.timeout_seconds, timeout_seconds or operation.timeout_seconds)
        key = hashlib.sha256(f"{terminal}\n{request.request_id}".encode()).hexdigest()
        wire = Wire(connector, operation, body_of(operation, payload))
        question = Question(wire, key, limit)
        try:
            reply = await _asked(exchange, question, operation.attempts)
            answer = answer_of(wire, payload, reply, request.request_id)
        except AuthorityFailed as failure:
            uncertain = operation.effect == "submit" and not failure.undone
            await run_in_threadpool(
                self._end, facts, "uncertain" if uncertain else "failed", f"authority_{failure.kind}", None
            )
            log.warning("%s: authority_%s: %s", name, failure.kind, failure.detail)
            raise failure.problem(uncertain=uncertain) from failure
        await run_in_threadpool(self._end, facts, answer.outcome, answer.reason, answer)
        return answer

    def outcome(self, terminal: str, request_id: str) -> str:
        """What became of a request. One that never arrived is barred: it is failed from now on, whenever it comes."""
        with self.database.writing() as session:
            known = session.get(GatewayRequest, (terminal, request_id))
            if known is None:
                moment = now()
                session.add(
                    GatewayRequest(
                        terminal=terminal, request_id=request_id, operation="", payload_mac="", outcome="failed",
                        reason="never_arrived", tries=0, first_at=moment, last_at=moment,
                    )
                )  # fmt: skip
                return "failed"
            return known.outcome

    async def document(self, terminal: str, document_id: str) -> tuple[dict[str, str], AsyncIterator[bytes]]:
        """Headers and bytes of a sealed document this terminal was given. The file is stored nowhere."""
        authority, _, file_id = document_id.partition(".")
        connector = self.connectors.authorities.get(authority)
        known = await run_in_threadpool(self._was_given, terminal, document_id)
        if connector is None or connector.document_path is None or not file_id.isalnum() or not known:
            raise ProblemError(404, "unknown_document", "this terminal was given no such document")
        path = connector.document_path.replace("{id}", file_id)
        return await _opened(self._exchange(), connector, path)

    def _exchange(self) -> Exchange:
        if self.exchange is None:
            raise ProblemError(503, "authority_down", "no way to the authorities is configured")
        return self.exchange

    def _begin(self, facts: GatewayRequest) -> None:
        with self.database.writing() as session:
            known = session.get(GatewayRequest, (facts.terminal, facts.request_id))
            if known is None:
                session.add(GatewayRequest(**facts.model_dump()))
                return
            same = hmac.compare_digest(known.payload_mac, facts.payload_mac) and known.operation == facts.operation
            if not same:
                raise ProblemError(409, "request_id_reused", "this request id was used for another request")
            known.tries += 1
            known.last_at = facts.last_at

    def _end(self, facts: GatewayRequest, outcome: str, reason: str, answer: ServiceAnswer | None) -> None:
        with self.database.writing() as session:
            known = session.get_one(GatewayRequest, (facts.terminal, facts.request_id))
            known.outcome, known.reason, known.last_at = outcome, reason, dt.datetime.now(dt.UTC)
            if answer is not None:
                known.case_number = answer.case_number
                known.document_id = answer.data.get("document_id")

    def _was_given(self, terminal: str, document_id: str) -> bool:
        with self.database.reading() as session:
            statement = select(GatewayRequest.request_id).where(
                GatewayRequest.terminal == terminal, GatewayRequest.document_id == document_id
            )
            return session.exec(statement).first() is not None


async def _asked(exchange: Exchange, question: Question, attempts: int) -> Reply:
    """Ask, and ask again while nothing was done there and time is left."""
    deadline = time.monotonic() + question.timeout_seconds
    while True:
        attempts -= 1
        left = max(deadline - time.monotonic(), 0.05)
        try:
            return await exchange.ask(dataclasses.replace(question, timeout_seconds=left))
        except AuthorityFailed as failure:
            if failure.kind != "down" or attempts <= 0 or time.monotonic() + RETRY_PAUSE_SECONDS > deadline:
                raise
        await asyncio.sleep(RETRY_PAUSE_SECONDS)


def _mac(key: bytes, payload: dict[str, str]) -> str:
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


async def _opened(exchange: Exchange, connector: Connector, path: str) -> tuple[dict[str, str], AsyncIterator[bytes]]:
    authority = connector.authority
    async with AsyncExitStack() as stack:
        try:
            signed = await exchange.fetch_headers(authority, connector.signature.scheme, path)
            client = await stack.enter_async_context(exchange.client(DOCUMENT_SECONDS))
            response = await stack.enter_async_context(client.stream("GET", path, headers=signed))
            _refuse_no_document(authority, response)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise unreachable(authority).problem() from error
        except httpx.TransportError as error:
            raise AuthorityFailed("timeout", f"{authority} sent no document in time").problem() from error
        except AuthorityFailed as failure:
            raise failure.problem() from failure
        headers = {"content-length": response.headers["content-length"], "cache-control": "no-store"}
        return headers, _passed_on(response, stack.pop_all())


def _refuse_no_document(authority: str, response: httpx.Response) -> None:
    if response.status_code == 404:
        raise ProblemError(404, "unknown_document", f"{authority} has no such document")
    refuse_failed(authority, response.status_code)
    media_type = response.headers.get("content-type", "").partition(";")[0]
    length = response.headers.get("content-length", "")
    fits = length.isdigit() and int(length) <= MAXIMUM_DOCUMENT_BYTES
    if response.status_code != 200 or media_type != "application/pdf" or not fits:
        raise AuthorityFailed("garbled", f"{authority} did not send a document")


async def _passed_on(response: httpx.Response, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    async with stack:
        async for chunk in response.aiter_raw():
            yield chunk
