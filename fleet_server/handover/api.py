"""What terminals ask of a slip (kiosk/contracts/handover.py). Installs the phone's page beside it."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from fleet_server.database import Database, Reading, Writing
from fleet_server.handover import phone, slips
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import SignedRoute, TerminalIdentity, signed_terminal
from fleet_server.settings import Settings
from kiosk.contracts.handover import HandedOver, Slip, SlipRequest, SlipStanding

FORGET_SECONDS = 20.0

log = logging.getLogger(__name__)

router = APIRouter(prefix="/terminal/v1/handovers", tags=["handover"], route_class=SignedRoute)
Terminal = Annotated[TerminalIdentity, Depends(signed_terminal)]
SlipId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.post("", status_code=201, responses=problem_responses(401, 403, 413, 422, 503))
def offer_slip(body: SlipRequest, request: Request, session: Writing, terminal: Terminal) -> Slip:
    """A slip for the citizen's phone, and what its QR code holds. The terminal's earlier slips end."""
    return slips.offer(session, terminal.terminal, body, _page(request))


@router.get("/{id}", responses=problem_responses(401, 403, 404, 422, 503))
def show_slip(id: SlipId, session: Reading, terminal: Terminal) -> SlipStanding:
    """How a slip stands. 404: it has run out, was ended, or is another terminal's."""
    return slips.standing(session, terminal.terminal, id)


@router.get("/{id}/content", responses=problem_responses(401, 403, 404, 409, 422, 503))
def take_content(id: SlipId, session: Reading, terminal: Terminal) -> HandedOver:
    """What the phone sent, sealed; the same again until the slip is deleted."""
    return slips.content(session, terminal.terminal, id)


@router.delete("/{id}", status_code=204, responses=problem_responses(401, 403, 422, 503))
def delete_slip(id: SlipId, session: Writing, terminal: Terminal) -> Response:
    """Forget a slip and what came for it: taken, or no longer wanted."""
    slips.forget(session, terminal.terminal, id)
    return Response(status_code=204)


def install(app: FastAPI) -> None:
    """The phone's page, larger bodies for its photos, and an end to what nobody took."""
    phone.install(app)
    app.state.background.append(lambda: _forget_for_ever(app.state.database))


def _page(request: Request) -> str:
    """Where phones reach this server. Without a setting only a development server says its own address."""
    settings: Settings = request.app.state.settings
    base = settings.phone_url or settings.public_url or (str(request.base_url) if settings.is_development else "")
    if not base:
        raise ProblemError(503, "no_phone_address", "this centre has no public address for phones: YIZHAN_PHONE_URL")
    return f"{base.rstrip('/')}{phone.PAGE}"


async def _forget_for_ever(database: Database) -> None:
    while True:
        await asyncio.sleep(FORGET_SECONDS)
        try:
            await run_in_threadpool(_forget, database)
        except Exception:
            log.exception("slips that have run out could not be deleted")


def _forget(database: Database) -> None:
    with database.writing() as session:
        slips.forget_expired(session)
