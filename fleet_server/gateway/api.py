"""The terminal API's way to authorities (kiosk/contracts/fleet.py): services and documents."""

from __future__ import annotations

import logging
import math
from typing import Annotated

import httpx
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Request
from fastapi.responses import StreamingResponse

from fleet_server.database import Database
from fleet_server.gateway.authority import Exchange
from fleet_server.gateway.connectors import Connectors, read_connectors
from fleet_server.gateway.keyring import FileKeyring, SandboxKeyring
from fleet_server.gateway.service import Gateway
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import SignedRoute, TerminalIdentity, signed_terminal
from fleet_server.settings import SANDBOX_KEY, Settings
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.fleet import RequestOutcome, ServiceAnswer, ServiceRequest

LONGEST_WAIT_SECONDS = 120.0
AUTHORITY_PEM_SECONDS = 5.0
REQUEST_ID = r"^[A-Za-z0-9._-]{8,64}$"

log = logging.getLogger(__name__)

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


@router.post("/requests/{request_id}/outcome", responses=problem_responses(401, 403))
def request_outcome(
    request_id: Annotated[str, Path(pattern=REQUEST_ID)], request: Request, terminal: Terminal
) -> RequestOutcome:
    """What became of a request whose answer was lost. An id that never arrived is barred."""
    gateway: Gateway = request.app.state.gateway
    found = gateway.outcome(terminal.terminal, request_id)
    return RequestOutcome.model_validate({"request_id": request_id, "outcome": found})


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


def install(app: FastAPI) -> None:
    """Give the app its gateway. Without an address every call answers 503 `authority_down`.

    In development with the sandbox city its seal authority is fetched into the data directory, unless one is named.
    """
    settings: Settings = app.state.settings
    database: Database = app.state.database
    connectors = read_connectors()
    app.state.gateway = Gateway(connectors, exchange_of(settings, connectors), database)
    if settings.is_development and settings.sandbox_url and settings.seal_authority is None:
        try:
            pem = sandbox_authority_pem(settings.sandbox_url)
        except SettingsInvalid as error:
            log.warning("%s", error)
        else:
            settings.data.mkdir(parents=True, exist_ok=True)
            (settings.data / "seal-authority.pem").write_text(pem)


def exchange_of(settings: Settings, connectors: Connectors | None = None) -> Exchange | None:
    """Address and keys from the settings. Raises `SettingsInvalid` for an address without the keys connectors need."""
    address = settings.authorities_url or settings.sandbox_url
    if not address:
        return None
    key = settings.gateway_key.get_secret_value()
    if not key and settings.gateway_key_file is not None:
        try:
            key = settings.gateway_key_file.read_text().strip()
        except OSError as error:
            raise SettingsInvalid(f"YIZHAN_GATEWAY_KEY_FILE: {settings.gateway_key_file} cannot be read") from error
    if not key and settings.sandbox_url and not settings.authorities_url:
        key = SANDBOX_KEY
    if not key:
        raise SettingsInvalid("YIZHAN_GATEWAY_KEY or YIZHAN_GATEWAY_KEY_FILE: give the key the authorities know")
    address = address.rstrip("/")
    if settings.authorities_url:
        known = connectors.authorities.values() if connectors is not None else ()
        return Exchange(address, key.encode(), FileKeyring(key.encode(), settings.gateway_keys, known))
    return Exchange(address, key.encode(), SandboxKeyring(key.encode(), address))


def seal_authority_pem(settings: Settings) -> str:
    """PEM of the seal authorities terminals must trust: the configured file, else the sandbox city's own.

    Blocking. Raises `SettingsInvalid` when there is neither.
    """
    pem = settings.seal_authority_pem()
    if not pem and settings.sandbox_url:
        pem = sandbox_authority_pem(settings.sandbox_url)
    if not pem:
        raise SettingsInvalid("YIZHAN_SEAL_AUTHORITY: give the PEM file of the seal authorities")
    return pem


def sandbox_authority_pem(address: str) -> str:
    try:
        answer = httpx.get(f"{address.rstrip('/')}/authorities.pem", timeout=AUTHORITY_PEM_SECONDS, trust_env=False)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise SettingsInvalid("the sandbox city does not tell its seal authority: is it running?") from error
    return answer.text
