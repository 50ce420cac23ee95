"""One bounded, signed way to the fleet server. Every answer teaches the server's clock and whether it is reachable."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
from pydantic import ValidationError

from kiosk.contracts.errors import Unreachable
from kiosk.contracts.fleet import Problem
from kiosk.machine.fleet.identity import MachineKey
from kiosk.machine.fleet.signing import RequestSigner

API = "/terminal/v1"
MAXIMUM_ANSWER_BYTES = 8 * 1024 * 1024
CONNECT_SECONDS = 5.0
CLOCK_STEP_SECONDS = 1.0
"""The Date header has whole seconds: smaller differences say nothing."""


@dataclass(frozen=True)
class Answer:
    """Status, lower-case headers and the whole bounded body."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def problem(self) -> Problem:
        """The problem+json of an error answer; one made from the status when the body is none."""
        try:
            return Problem.model_validate_json(self.content)
        except ValidationError:
            return Problem(title=f"HTTP {self.status}", status=self.status)


class ServerClock:
    """The server's time as this machine knows it: own clock plus an offset learnt from answers."""

    def __init__(self, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self._clock = clock
        self.offset_seconds = 0.0

    def now(self) -> dt.datetime:
        return self._clock() + dt.timedelta(seconds=self.offset_seconds)

    def learn(self, server_time: dt.datetime) -> bool:
        """Take the server's time when it differs by more than the header can say; True when the offset moved."""
        if abs((server_time - self.now()).total_seconds()) <= CLOCK_STEP_SECONDS + 0.5:
            return False
        self.offset_seconds = (server_time - self._clock()).total_seconds()
        return True


class FleetClient:
    """Signed requests to `/terminal/v1`. Raises `Unreachable` for anything that brought no HTTP answer in time."""

    def __init__(
        self, server: str, key: MachineKey, terminal: str, *, ca: Path | None = None, clock: ServerClock | None = None
    ) -> None:
        self.server = server.rstrip("/")
        self.terminal = terminal
        self.clock = clock or ServerClock()
        self.tls = tls_context(ca)
        self.signer = RequestSigner(key, terminal)
        self._http = open_http(self.tls)
        self.last_answer_at: float | None = None
        """Monotonic seconds of the last HTTP answer of any kind."""

    async def get(
        self, path: str, *, headers: dict[str, str] | None = None, timeout_seconds: float = 15.0,
        limit: int = MAXIMUM_ANSWER_BYTES,
    ) -> Answer:  # fmt: skip
        return await self.request("GET", path, headers=headers, timeout_seconds=timeout_seconds, limit=limit)

    async def post(
        self, path: str, body: bytes, *, headers: dict[str, str] | None = None, timeout_seconds: float = 15.0,
        limit: int = MAXIMUM_ANSWER_BYTES,
    ) -> Answer:  # fmt: skip
        headers = {"content-type": "application/json", **(headers or {})}
        return await self.request(
            "POST", path, body=body, headers=headers, timeout_seconds=timeout_seconds, limit=limit
        )

    async def request(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None,
        timeout_seconds: float = 15.0, limit: int = MAXIMUM_ANSWER_BYTES,
    ) -> Answer:  # fmt: skip
        """Sign, send, read at most `limit` bytes. A refusal over a wrong clock is tried once more with the server's."""
        url = f"{self.server}{API}/{path}"
        for attempt in (1, 2):
            signed = self.signer.headers(method, url, now=self.clock.now(), body=body)
            answer = await exchange(
                self._http, method, url, body=body, headers={**(headers or {}), **signed},
                timeout_seconds=timeout_seconds, limit=limit,
            )  # fmt: skip
            self.last_answer_at = time.monotonic()
            clock_moved = self.learn_date(answer.headers.get("date", ""))
            if not (answer.status == httpx.codes.UNAUTHORIZED and clock_moved and attempt == 1):
                break
        return answer

    def learn_date(self, value: str) -> bool:
        """Take the server's time from a Date header; True when this machine's notion of it moved."""
        try:
            return self.clock.learn(parsedate_to_datetime(value))
        except (ValueError, TypeError):
            return False

    async def close(self) -> None:
        await self._http.aclose()


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """Trust the pinned authority only; without a pin, the system's."""
    return ssl.create_default_context(cafile=str(ca) if ca else None)


def open_http(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """No redirects, no proxies from the environment, few connections."""
    return httpx.AsyncClient(
        verify=tls, trust_env=False, follow_redirects=False,
        limits=httpx.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=30.0),
    )  # fmt: skip


async def exchange(
    http: httpx.AsyncClient, method: str, url: str, *, body: bytes | None, headers: dict[str, str],
    timeout_seconds: float, limit: int,
) -> Answer:  # fmt: skip
    """One request with a limit on time as a whole and on bytes. Raises `Unreachable`."""
    timeout = httpx.Timeout(timeout_seconds, connect=min(CONNECT_SECONDS, timeout_seconds))
    deadline = time.monotonic() + timeout_seconds
    received = bytearray()
    try:
        async with http.stream(method, url, content=body, headers=headers, timeout=timeout) as response:
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > limit:
                    raise Unreachable(f"{url}: the answer is longer than {limit} bytes", reason="answer_too_long")
                if time.monotonic() > deadline:
                    raise Unreachable(f"{url}: the answer did not end in {timeout_seconds:g} s", reason="timed_out")
            plain = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, plain, bytes(received))
    except httpx.TimeoutException as error:
        raise Unreachable(f"{url}: no answer in {timeout_seconds:g} s", reason="timed_out") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"{url}: not reached ({type(error).__name__})", reason="not_reached") from error
    finally:
        received[:] = bytes(len(received))
