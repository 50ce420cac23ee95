"""One signed HTTP call to an authority, bounded in time and size, behind a circuit breaker.

Every call carries X-Yizhan-Moment, X-Yizhan-Nonce, Idempotency-Key and X-Yizhan-Signature: HMAC-SHA256 (hexadecimal)
over method, path with query, moment, nonce, idempotency key and the body's SHA-256, one a line.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

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

    authority: str
    method: str
    path: str
    body: bytes
    idempotency_key: str
    timeout_seconds: float


@dataclass(frozen=True)
class Reply:
    status: int
    content: bytes


@dataclass
class Exchange:
    """Where the authorities are reached, and the key calls are signed with."""

    address: str
    key: bytes
    breakers: dict[str, Breaker] = field(default_factory=dict)
    _tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def breaker(self, authority: str) -> Breaker:
        return self.breakers.setdefault(authority, Breaker())

    def client(self, timeout_seconds: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.address, timeout=timeout_seconds, verify=self._tls, follow_redirects=False, trust_env=False
        )

    def headers(self, method: str, target: str, body: bytes = b"", idempotency_key: str = "") -> dict[str, str]:
        moment, nonce = str(int(time.time())), secrets.token_hex(16)
        text = "\n".join((method, target, moment, nonce, idempotency_key, hashlib.sha256(body).hexdigest()))
        return {
            "content-type": "application/json",
            "idempotency-key": idempotency_key,
            "x-yizhan-moment": moment,
            "x-yizhan-nonce": nonce,
            "x-yizhan-signature": hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest(),
        }

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
        authority, method, path = question.authority, question.method, question.path
        headers = self.headers(method, path, question.body, question.idempotency_key)
        content = b""
        try:
            async with (
                self.client(question.timeout_seconds) as client,
                client.stream(method, path, content=question.body, headers=headers) as response,
            ):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAXIMUM_ANSWER_BYTES:
                        raise AuthorityFailed("garbled", f"{authority} answered more than {MAXIMUM_ANSWER_BYTES} bytes")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise unreachable(authority) from error
        except httpx.TransportError as error:
            raise _silent(authority) from error
        except httpx.DecodingError as error:
            raise AuthorityFailed("garbled", f"{authority} answered what cannot be decoded") from error
        refuse_failed(authority, response.status_code)
        return Reply(response.status_code, content)


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
