"""One HTTP exchange with a provider, bounded in time and size. What went wrong says whether to ask again."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from fleet_server.payments.providers.accounts import Account
from fleet_server.payments.providers.protocol import Unreachable
from fleet_server.payments.providers.signatures import private_key, public_key

SECONDS = 3.5
"""Less than a terminal waits for the centre (drivers' order interface: 4 s)."""
MAXIMUM_BYTES = 16 * 1024 * 1024
RESTS_SECONDS = 15.0


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    content: bytes


@dataclass
class Line:
    """The way to one provider's gateway; remembers whether the last call came through."""

    name: str
    failed_at: float | None = None
    _tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @property
    def is_up(self) -> bool:
        """False for a while after a call that failed: the channel is not offered meanwhile."""
        return self.failed_at is None or time.monotonic() - self.failed_at > RESTS_SECONDS

    @contextmanager
    def judging(self) -> Iterator[None]:
        """An answer that cannot be believed counts as none."""
        try:
            yield
        except Unreachable:
            self.failed_at = time.monotonic()
            raise

    async def call(self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        """Raises `Unreachable`."""
        with self.judging():
            try:
                async with asyncio.timeout(SECONDS):
                    reply = await self._exchange(method, url, body, headers or {})
            except TimeoutError as error:
                raise Unreachable("timeout", f"{self.name} gave no answer in time") from error
        self.failed_at = None
        return reply

    async def _exchange(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> Reply:
        content = bytearray()
        try:
            async with (
                httpx.AsyncClient(timeout=SECONDS, verify=self._tls, follow_redirects=False, trust_env=False) as client,
                client.stream(method, url, content=body, headers=headers) as response,
            ):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MAXIMUM_BYTES:
                        raise Unreachable("garbled", f"{self.name} answered without end")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable("down", f"{self.name} cannot be reached") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise Unreachable("timeout", f"{self.name} broke the connection") from error
        if response.status_code >= 500:
            raise Unreachable("down", f"{self.name} answered {response.status_code}")
        return Reply(response.status_code, response.headers, bytes(content))


class Merchant:
    """What every provider with keys opens with: whose account it is, what signs for us, what proves their word."""

    def __init__(self, account: Account, name: str) -> None:
        self.account = account.id
        self._key = private_key(account.private_key.get_secret_value())
        self._theirs = public_key(account.provider_key)
        self.line = Line(name)
