"""The terminal API's way to authorities (kiosk/contracts/fleet.py): services and documents. `install` adds both."""

from __future__ import annotations

import math
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.responses import StreamingResponse

from fleet_server.database import Database
from fleet_server.gateway.authority import Exchange
from fleet_server.gateway.connectors import read_connectors
from fleet_server.gateway.service import Gateway
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import SignedRoute, TerminalIdentity, signed_terminal
from fleet_server.settings import Settings
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.fleet import ServiceAnswer, ServiceRequest

LONGEST_WAIT_SECONDS = 120.0
AUTHORITY_PEM_SECONDS = 5.0

router = APIRouter(prefix="/terminal/v1", tags=["authorities"], route_class=SignedRoute)
Terminal = Annotated[TerminalIdentity, Depends(signed_terminal)]


@router.post("/services/{operation}", responses=problem_responses(401, 403, 404, 409, 413, 422, 502, 503, 504))
async def call_service(
    operation: str,
    body: ServiceRequest,
    request: Request,
    terminal: Terminal,
    x_timeout_seconds: Annotated[float | None, Header()] = None,
) -> ServiceAnswer:
    """Call an authority. The same request id is answered the same; 504 means sent and not answered: ask again."""
    limit = x_timeout_seconds
    if limit is not None and not (math.isfinite(limit) and 0 < limit <= LONGEST_WAIT_SECONDS):
        raise ProblemError(422, "not_valid", "X-Timeout-Seconds is more than 0 and at most 120")
    gateway: Gateway = request.app.state.gateway
    return await gateway.call(terminal.terminal, operation, body, limit)


@router.get(
    "/documents/{document_id}",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
        **problem_responses(401, 403, 404, 502, 503, 504),
    },
)
async def fetch_document(document_id: str, request: Request, terminal: Terminal) -> StreamingResponse:
    """A sealed document this terminal was given, passed through from the authority that issued it."""
    gateway: Gateway = request.app.state.gateway
    headers, content = await gateway.document(terminal.terminal, document_id)
    return StreamingResponse(content, media_type="application/pdf", headers=headers)


def install(app: FastAPI, settings: Settings, database: Database) -> None:
    """Give the app the gateway and its routes. Without an address every call answers 503 `authority_down`."""
    app.state.gateway = Gateway(read_connectors(), exchange_of(settings), database)
    app.include_router(router)


def exchange_of(settings: Settings) -> Exchange | None:
    """Address and key from the settings. Raises `SettingsInvalid` when there is an address and no key."""
    address = settings.authorities_url or settings.sandbox_url
    if not address:
        return None
    key = settings.gateway_key.get_secret_value().encode()
    if not key and settings.gateway_key_file is not None:
        try:
            key = settings.gateway_key_file.read_text().strip().encode()
        except OSError as error:
            raise SettingsInvalid(f"YIZHAN_GATEWAY_KEY_FILE: {settings.gateway_key_file} cannot be read") from error
    if not key:
        raise SettingsInvalid("YIZHAN_GATEWAY_KEY or YIZHAN_GATEWAY_KEY_FILE: give the key the authorities know")
    return Exchange(address.rstrip("/"), key)


def seal_authority_pem(settings: Settings) -> str:
    """PEM of the seal authorities terminals must trust: the configured file, else the sandbox city's own.

    Blocking. Raises `SettingsInvalid` when there is neither.
    """
    pem = settings.seal_authority_pem()
    if pem or not settings.sandbox_url:
        if not pem:
            raise SettingsInvalid("YIZHAN_SEAL_AUTHORITY: give the PEM file of the seal authorities")
        return pem
    try:
        answer = httpx.get(
            f"{settings.sandbox_url.rstrip('/')}/authorities.pem", timeout=AUTHORITY_PEM_SECONDS, trust_env=False
        ).raise_for_status()
    except httpx.HTTPError as error:
        raise SettingsInvalid("the sandbox city does not tell its seal authority: is it running?") from error
    return answer.text
