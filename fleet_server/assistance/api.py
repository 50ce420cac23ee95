"""What terminals ask of remote helpers (kiosk/contracts/assistance.py)."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from starlette.concurrency import run_in_threadpool

from fleet_server.assistance import service
from fleet_server.database import Database, Writing
from fleet_server.problems import problem_responses
from fleet_server.security import SignedRoute, TerminalIdentity, signed_terminal
from kiosk.contracts.assistance import (
    AssistanceCall,
    AssistanceEnd,
    AssistanceReport,
    AssistanceRequest,
    AssistanceStanding,
)

LOOK_SECONDS = 10.0

log = logging.getLogger(__name__)

router = APIRouter(prefix="/terminal/v1/assistance", tags=["assistance"], route_class=SignedRoute)
Terminal = Annotated[TerminalIdentity, Depends(signed_terminal)]
CallId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.post("", status_code=201, responses=problem_responses(401, 403, 413, 422, 503))
def ask_for_help(body: AssistanceRequest, session: Writing, terminal: Terminal) -> AssistanceCall:
    """The citizen agreed to be helped from afar. An earlier call of this terminal ends."""
    return AssistanceCall(id=service.ask(session, terminal.terminal, body).id)


@router.put("/{id}", responses=problem_responses(401, 403, 404, 413, 422, 503))
def report_screen(id: CallId, body: AssistanceReport, session: Writing, terminal: Terminal) -> AssistanceStanding:
    """What kind of screen stands now, and what the helper has said since. 404: the call is over."""
    return service.report(session, terminal.terminal, id, body)


@router.post("/{id}/end", status_code=204, responses=problem_responses(401, 403, 413, 422, 503))
def end_help(id: CallId, body: AssistanceEnd, session: Writing, terminal: Terminal) -> Response:
    """The citizen, the end of the visit, or nobody who took it ends the call."""
    service.end_by_terminal(session, terminal.terminal, id, body.reason)
    return Response(status_code=204)


async def end_silent_for_ever(database: Database) -> None:
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await run_in_threadpool(_end_silent, database)
        except Exception:
            log.exception("calls that are over could not be ended")


def _end_silent(database: Database) -> None:
    with database.writing() as session:
        service.end_silent(session)
