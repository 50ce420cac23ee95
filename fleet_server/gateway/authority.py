"""One signed HTTP call to an authority in its style, bounded in time and size, behind a circuit breaker."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import httpx

from fleet_server.exchange.signatures import HmacKey, Scheme
from fleet_server.gateway.keyring import FileKeyring, Keyring, KeysUnavailable
from fleet_server.gateway.wire import Stamp, Unreadable, Wire, signed_headers
from fleet_server.problems import ProblemError

MAXIMUM_ANSWER_BYTES = 1024 * 1024
OPENS_AFTER = 5
OPEN_SECONDS = 15.0


class AuthorityFailed(Exception):
    """`down`: not served. `timeout`: sent and not answered. `garbled`: answered out of contract.

    `undone`: nothing can have been done there; otherwise a submit is uncertain.
    """

    def __init__(self, kind: str, detail: str, *, undone: bool = False) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.undone = undone

    def problem(self, *, uncertain: bool = False) -> ProblemError:
        """`uncertain` tells the terminal that a submit may have been done: ask again with the same request id."""
        status = {"down": 503, "timeout": 504, "garbled": 502}[self.kind]
        return ProblemError(status, f"authority_{self.kind}", self.detail, uncertain=uncertain)


@dataclass
class Breaker:
    """Closed until OPENS_AFTER failures in a row; then open for OPEN_SECONDS; then one call tries for all."""

    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    opened_at: float | None = None
    trying: bool = False

    def check(self, authority: str) -> None:
        """Raises `AuthorityFailed` down while open."""
        if self.opened_at is None:
            return
        if self.clock() - self.opened_at < OPEN_SECONDS or self.trying:
            raise AuthorityFailed("down", f"{authority} has not answered several times; it is left alone", undone=True)
        self.trying = True

    def note(self, *, good: bool) -> None:
        self.trying = False
        if good:
            self.failures, self.opened_at = 0, None
            return
        self.failures += 1
        if self.failures >= OPENS_AFTER:
            self.opened_at = self.clock()


@dataclass(frozen=True)
class Question:
    """One call. `timeout_seconds` bounds the whole of it."""

    wire: Wire
    idempotency_key: str
    timeout_seconds: float

    @property
    def authority(self) -> str:
        return self.wire.connector.authority


@dataclass(frozen=True)
class Reply:
    status: int
    content: bytes


@dataclass
class Exchange:
    """Where the authorities are reached, and the keys calls are signed with: `key` alone, or a whole ring."""

    address: str
    key: bytes
    ring: Keyring | None = None
    breakers: dict[str, Breaker] = field(default_factory=dict)
    _tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @cached_property
    def keyring(self) -> Keyring:
        return self.ring or FileKeyring(self.key, None)

    def breaker(self, authority: str) -> Breaker:
        return self.breakers.setdefault(authority, Breaker())

    def client(self, timeout_seconds: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.address, timeout=timeout_seconds, verify=self._tls, follow_redirects=False, trust_env=False
        )

    def headers(self, method: str, target: str, body: bytes = b"", idempotency_key: str = "") -> dict[str, str]:
        """Headers of a call signed with the shared key."""
        signed = signed_headers(
            "hmac", HmacKey(self.key), _stamp(idempotency_key), method=method, target=target, content=body
        )
        return {"content-type": "application/json"} | signed

    async def fetch_headers(self, authority: str, scheme: Scheme, path: str) -> dict[str, str]:
        """Headers to fetch a document with. Raises `AuthorityFailed` down without keys."""
        try:
            signer = await self.keyring.signer(authority, scheme)
        except KeysUnavailable as error:
            raise unreachable(authority) from error
        return signed_headers(scheme, signer, _stamp(""), method="GET", target=path)

    async def ask(self, question: Question) -> Reply:
        """The authority's answer of any status below 500, or `AuthorityFailed`."""
        breaker = self.breaker(question.authority)
        breaker.check(question.authority)
        try:
            async with asyncio.timeout(question.timeout_seconds):
                reply = await self._sent(question)
        except TimeoutError as error:
            breaker.note(good=False)
            raise _silent(question.authority) from error
        except AuthorityFailed as failure:
            breaker.note(good=failure.kind == "garbled")
            raise
        except BaseException:
            breaker.note(good=False)
            raise
        breaker.note(good=True)
        return reply

    async def _sent(self, question: Question) -> Reply:
        wire, authority, stamp = question.wire, question.authority, _stamp(question.idempotency_key)
        try:
            packed = wire.packed(stamp, await self.keyring.signer(authority, wire.scheme))
            reply, headers = await self._exchanged(question, packed.headers, packed.content)
            if reply.status in (401, 403):
                self.keyring.forget()
            if reply.status not in wire.connector.refusal_statuses:
                refuse_failed(authority, reply.status)
            if wire.connector.signature.answers:
                verifier = await self.keyring.verifier(authority, wire.scheme)
                wire.check(reply.status, headers, reply.content, stamp.nonce, verifier)
        except KeysUnavailable as error:
            raise unreachable(authority) from error
        except Unreadable as error:
            raise AuthorityFailed("garbled", f"{authority}: {error}") from error
        return reply

    async def _exchanged(
        self, question: Question, headers: dict[str, str], content: bytes
    ) -> tuple[Reply, Mapping[str, str]]:
        authority, operation = question.authority, question.wire.operation
        answer = b""
        try:
            async with (
                self.client(question.timeout_seconds) as client,
                client.stream(operation.method, operation.path, content=content, headers=headers) as response,
            ):
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > MAXIMUM_ANSWER_BYTES:
                        raise AuthorityFailed("garbled", f"{authority} answered more than {MAXIMUM_ANSWER_BYTES} bytes")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise unreachable(authority) from error
        except httpx.TransportError as error:
            raise _silent(authority) from error
        except httpx.DecodingError as error:
            raise AuthorityFailed("garbled", f"{authority} answered what cannot be decoded") from error
        return Reply(response.status_code, answer), response.headers


def _stamp(idempotency_key: str) -> Stamp:
    return Stamp(str(int(time.time())), secrets.token_hex(16), idempotency_key)


def unreachable(authority: str) -> AuthorityFailed:
    return AuthorityFailed("down", f"{authority} cannot be reached", undone=True)


def _silent(authority: str) -> AuthorityFailed:
    return AuthorityFailed("timeout", f"{authority} gave no answer in time")


def refuse_failed(authority: str, status: int) -> None:
    """Raises for the statuses of a server in trouble. Only 503 says that nothing was done."""
    if status == 504:
        raise AuthorityFailed("timeout", f"{authority} answered 504")
    if status >= 500:
        raise AuthorityFailed("down", f"{authority} answered {status}", undone=status == 503)
