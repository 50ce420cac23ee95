"""A small fleet server for tests of the link: keeps the contract, remembers everything, and misbehaves on order."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import format_datetime
from typing import Any

import uvicorn
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kiosk.contracts.bundle import SignedDesiredState
from kiosk.contracts.events import GENESIS, JournalEntry
from kiosk.contracts.fleet import (
    SIGNATURE_LABEL,
    SIGNED_COMPONENTS,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatAnswer,
    JournalAcknowledgement,
    JournalBatch,
    JournalReceipt,
)
from kiosk.contracts.value import canonical_bytes
from tests.kiosk.machine.city import City


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, keys: dict[str, bytes]) -> None:
        self.keys = keys

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        held = self.keys.get(key_id)
        return Ed25519PublicKey.from_public_bytes(held) if held else None


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = dt.timedelta(seconds=120)


class _Message:
    def __init__(self, connection: HTTPConnection, method: str, url: str) -> None:
        self.method = method
        self.url = url
        self.headers = dict(connection.headers)


class Centre:
    """`misbehave` maps a path's first word to an answer given instead (once per entry in its list)."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.codes = {"GOOD-CODE-1"}
        self.keys: dict[str, bytes] = {}
        self.desired: SignedDesiredState | None = None
        self.etag = 0
        self.entries: dict[str, list[JournalEntry]] = {}
        self.batches: list[JournalBatch] = []
        self.heartbeats: list[Heartbeat] = []
        self.requests: list[str] = []
        self.nonces: set[str] = set()
        self.misbehave: dict[str, list[Callable[[], Response]]] = {}
        self.clock_error = dt.timedelta()
        self.services: Callable[[str, dict[str, Any]], Any] = lambda _operation, _request: JSONResponse({}, 500)
        self.documents: dict[str, bytes] = {}
        self.sockets: set[WebSocket] = set()
        self.forge_receipt = False
        self.tell_acknowledged = True
        self.port = 0
        self.app = Starlette(
            routes=[
                Route("/terminal/v1/enrolments", self._enrol, methods=["POST"]),
                WebSocketRoute("/terminal/v1/channel", self._channel),
                Route("/terminal/v1/{rest:path}", self._any, methods=["GET", "POST"]),
            ]
        )

    # --- running -----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def running(self, **options: Any) -> Iterator[Centre]:
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=self.port, log_level="error", lifespan="off", date_header=False,
            ws="websockets-sansio", timeout_graceful_shutdown=1, **options,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.should_exit = True
            thread.join(10)

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.clock_error

    def want(self, signed: SignedDesiredState) -> None:
        self.desired, self.etag = signed, self.etag + 1

    def count(self, path: str) -> int:
        return sum(1 for request in self.requests if request.split(" ")[1].startswith(path))

    async def say(self, text: str) -> None:
        """Put a text into every open channel."""
        for socket in list(self.sockets):
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(socket.send_text(text), self._loop))

    # --- answering ---------------------------------------------------------------------------------------------------

    async def _enrol(self, request: Request) -> Response:
        wanted = EnrolmentRequest.model_validate_json(await request.body())
        if wanted.code not in self.codes:
            return self._problem(403, "bad_code", "the code has been used or has run out")
        self.codes.discard(wanted.code)
        self.keys["k1"] = base64.b64decode(wanted.public_key)
        return Response(self.city.enrolment().model_dump_json(), media_type="application/json")

    async def _channel(self, socket: WebSocket) -> None:
        problem = self._verify(socket, "GET", b"")
        if problem is not None:
            await socket.send_denial_response(problem)
            return
        await socket.accept()
        self._loop = asyncio.get_running_loop()
        self.sockets.add(socket)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        self.sockets.discard(socket)

    async def _any(self, request: Request) -> Response:
        path = request.path_params["rest"]
        self.requests.append(f"{request.method} {path}")
        body = await request.body()
        word = path.split("/")[0]
        if self.misbehave.get(word):
            answer = self.misbehave[word].pop(0)()
        else:
            answer = self._verify(request, request.method, body) or self._answer(word, path, request, body)
        answer.headers["date"] = format_datetime(self.now(), usegmt=True)
        return answer

    def _answer(self, word: str, path: str, request: Request, body: bytes) -> Response:
        match word:
            case "heartbeats":
                return self._heartbeat(body)
            case "desired-state":
                return self._desired_state(request.headers.get("if-none-match", ""))
            case "journals":
                return self._take(path.split("/")[1], zstandard.decompress(body))
            case "services":
                return self.services(path.removeprefix("services/"), json.loads(body))
            case _:
                content = {**self.documents, **self.city.files}.get(path.partition("/")[2])
                return Response(content) if content is not None else self._problem(404, "not_found")

    def _heartbeat(self, body: bytes) -> Response:
        heartbeat = Heartbeat.model_validate_json(body)
        self.heartbeats.append(heartbeat)
        held = self.entries.get(heartbeat.journal_id, [])
        word = None
        if self.tell_acknowledged:
            last = held[-1] if held else None
            word = JournalAcknowledgement(
                journal_id=heartbeat.journal_id, acked_sequence=last.sequence if last else 0,
                acked_hash=last.hash if last else GENESIS,
            )  # fmt: skip
        answer = HeartbeatAnswer(server_time=self.now(), next_heartbeat_seconds=1, journal=word)
        return Response(answer.model_dump_json(), media_type="application/json")

    def _desired_state(self, known: str) -> Response:
        if self.desired is None:
            return self._problem(404, "nothing_desired")
        etag = f'"{self.etag}"'
        if known == etag:
            return Response(status_code=304, headers={"etag": etag})
        return Response(self.desired.model_dump_json(), media_type="application/json", headers={"etag": etag})

    def _take(self, journal_id: str, content: bytes) -> Response:
        batch = JournalBatch.model_validate_json(content)
        held = self.entries.setdefault(journal_id, [])
        if batch.first_sequence > len(held) + 1:
            return self._problem(409, "gap", expected_sequence=len(held) + 1)
        for entry in batch.entries:
            if entry.sequence <= len(held):
                if held[entry.sequence - 1].hash != entry.hash:
                    return self._problem(409, "fork")
                continue
            previous = held[-1].hash if held else GENESIS
            if entry.previous_hash != previous or entry.computed_hash() != entry.hash:
                return self._problem(409, "fork")
            held.append(entry)
        self.batches.append(batch)
        receipt = JournalReceipt(
            journal_id=journal_id, acked_sequence=held[-1].sequence, acked_hash=held[-1].hash, stored_at=self.now(),
            key_id="director", signature="",
        )  # fmt: skip
        signature = self.city.director.sign(canonical_bytes(receipt.model_dump(mode="json", exclude={"signature"})))
        if self.forge_receipt:
            signature = bytes(64)
        signed = receipt.model_copy(update={"signature": base64.b64encode(signature).decode()})
        return Response(signed.model_dump_json(), media_type="application/json")

    def _verify(self, connection: HTTPConnection, method: str, body: bytes) -> Response | None:
        query = connection.scope["query_string"].decode()
        url = "https://x" + connection.scope["raw_path"].decode().split("?")[0] + (f"?{query}" if query else "")
        verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_Keys(self.keys))
        try:
            result = verifier.verify(
                _Message(connection, method, url), max_age=dt.timedelta(0), body=body,
                require_components=SIGNED_COMPONENTS if body else SIGNED_COMPONENTS[:-1],
            )[0]  # fmt: skip
        except (InvalidSignature, HTTPMessageSignaturesException):
            return self._problem(401, "bad_signature")
        age = abs((self.now() - dt.datetime.fromtimestamp(result.parameters["created"], dt.UTC)).total_seconds())
        if result.label != SIGNATURE_LABEL or age > 120:
            return self._problem(401, "old_date")
        if result.nonce in self.nonces:
            return self._problem(401, "replayed")
        self.nonces.add(result.nonce)
        return None

    def _problem(self, status: int, code: str, detail: str = "", **more: Any) -> Response:
        content = {"title": code, "status": status, "code": code, "detail": detail, **more}
        headers = {"date": format_datetime(self.now(), usegmt=True)}
        return JSONResponse(content, status, headers=headers, media_type="application/problem+json")


def _json(body: bytes) -> Any:
    import json

    return json.loads(body)
