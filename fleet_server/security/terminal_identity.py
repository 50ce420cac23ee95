"""Terminal identity: every request and the channel's upgrade carry an RFC 9421 signature (kiosk/contracts/fleet.py).

What cannot be verified is denied. The terminal's key is read for each request, so a revoked terminal is out at once.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Request, Response
from fastapi.routing import APIRoute
from http_message_signatures import (
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
    algorithms,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Field, SQLModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from fleet_server.bodies import StrictRequest
from fleet_server.database import Database, UtcDateTime
from fleet_server.problems import ProblemError
from fleet_server.security.replay import NonceMemory
from kiosk.contracts.fleet import SIGNATURE_LABEL, SIGNATURE_WINDOW_SECONDS, SIGNED_COMPONENTS

NONCE_LENGTHS = range(16, 129)
HEADERS_OF_EVIDENCE = ("signature-input", "signature", "date", "content-digest", "content-encoding")


class TerminalKey(SQLModel, table=True):
    """The one key a terminal speaks with. Enrolling again replaces it."""

    __tablename__ = "terminal_key"

    terminal: str = Field(primary_key=True, max_length=64)
    public_key: bytes
    enrolled_at: dt.datetime = Field(sa_type=UtcDateTime)
    revoked_at: dt.datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True)
class TerminalIdentity:
    """A verified terminal. `evidence` holds the headers that prove what it said."""

    terminal: str
    public_key: bytes
    evidence: dict[str, str]


@dataclass(frozen=True)
class _SignedMessage:
    method: str
    url: str
    headers: dict[str, str]


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(key)

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return self._key


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = dt.timedelta(seconds=SIGNATURE_WINDOW_SECONDS)


async def signed_terminal(request: Request) -> TerminalIdentity:
    """Dependency: the terminal that signed this request, or 401 `unsigned`, `bad_signature`, `replayed`, …"""
    known: TerminalIdentity | None = getattr(request.state, "terminal", None)
    if known is None:
        known = await run_in_threadpool(_verify, request, request.method, await request.body())
        request.state.terminal = known
    return known


async def verify_upgrade(connection: HTTPConnection) -> TerminalIdentity:
    """The same for the WebSocket upgrade, which is a GET without a body."""
    return await run_in_threadpool(_verify, connection, "GET", b"")


class SignedRoute(APIRoute):
    """A route that verifies the signature before it reads anything of the body's meaning, and takes strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def verified(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            await signed_terminal(strict)
            return await handle(strict)

        return verified


def _verify(connection: HTTPConnection, method: str, body: bytes) -> TerminalIdentity:
    message = _SignedMessage(method, _signed_url(connection), _headers(connection))
    if "signature" not in message.headers or "signature-input" not in message.headers:
        raise ProblemError(401, "unsigned", "requests to this address are signed by an enrolled terminal")
    database: Database = connection.app.state.database
    nonces: NonceMemory = connection.app.state.nonces
    try:
        key = _key_of(database, _stated_key_id(message.headers["signature-input"]))
        result = _checked(message, key, body)
        nonce = result.nonce or ""
        until = int(result.parameters["created"]) + 2 * SIGNATURE_WINDOW_SECONDS + 1
        is_new = nonces.remember(key.terminal, nonce, until)
    except SQLAlchemyError as error:
        raise ProblemError(
            503, "unverifiable", "the signature cannot be verified now", headers={"Retry-After": "5"}
        ) from error
    if not is_new:
        raise ProblemError(401, "replayed", "this request has been made before")
    evidence = {name: message.headers[name] for name in HEADERS_OF_EVIDENCE if name in message.headers}
    return TerminalIdentity(key.terminal, key.public_key, evidence)


def _stated_key_id(signature_input: str) -> str:
    """The keyid as stated: only a place to look for the key. The verifier reads the real one itself."""
    _, found, rest = signature_input.partition(';keyid="')
    key_id = rest.partition('"')[0]
    if not found or not 1 <= len(key_id) <= 64:
        raise ProblemError(401, "bad_signature", "the signature names no terminal")
    return key_id


def _key_of(database: Database, terminal: str) -> TerminalKey:
    with database.reading() as session:
        key = session.get(TerminalKey, terminal)
    if key is None:
        raise ProblemError(401, "unknown_terminal", "no terminal is enrolled by this name")
    if key.revoked_at is not None:
        raise ProblemError(403, "revoked", "this terminal has been revoked")
    return key


def _checked(message: _SignedMessage, key: TerminalKey, body: bytes) -> VerifyResult:
    required = SIGNED_COMPONENTS if body else SIGNED_COMPONENTS[:-1]
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(key.public_key))
    window = dt.timedelta(seconds=SIGNATURE_WINDOW_SECONDS)
    try:
        result = verifier.verify(message, max_age=dt.timedelta(0), require_components=required, body=body)[0]
    except (InvalidSignature, HTTPMessageSignaturesException) as error:
        raise ProblemError(401, "bad_signature", f"the signature does not verify: {str(error)[:200]}") from error
    if result.label != SIGNATURE_LABEL or result.parameters.get("keyid") != key.terminal:
        raise ProblemError(401, "bad_signature", f"the signature is labelled {SIGNATURE_LABEL} and names the terminal")
    if result.nonce is None or len(result.nonce) not in NONCE_LENGTHS:
        raise ProblemError(401, "bad_signature", "the signature carries a nonce of 16 to 128 characters")
    _check_date(message.headers["date"], window)
    return result


def _check_date(value: str, window: dt.timedelta) -> None:
    try:
        stated = email.utils.parsedate_to_datetime(value)
    except ValueError as error:
        raise ProblemError(401, "bad_signature", "the date cannot be read") from error
    if stated.tzinfo is None or abs(stated.timestamp() - time.time()) > window.total_seconds():
        raise ProblemError(401, "old_date", "the date is not within two minutes of the server's")


def _signed_url(connection: HTTPConnection) -> str:
    """The URL as it was sent: path and query undecoded. Scheme and host are not signed: a proxy may change them."""
    path: bytes = connection.scope.get("raw_path") or connection.scope["path"].encode()
    query: bytes = connection.scope.get("query_string", b"")
    target = path.split(b"?")[0] + (b"?" + query if query else b"")
    return "https://fleet.invalid" + target.decode("latin-1")


def _headers(connection: HTTPConnection) -> dict[str, str]:
    combined: dict[str, str] = {}
    for raw_name, raw_value in connection.scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        combined[name] = f"{combined[name]}, {value}" if name in combined else value
    return combined


def public_key_from(text: str) -> bytes:
    """Raw Ed25519 key from base64, or `ValueError`."""
    key = base64.b64decode(text, validate=True)
    Ed25519PublicKey.from_public_bytes(key)
    return key
