"""What terminals call: enrolment, desired state, the channel. And what staff do with terminals, over JSON."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response, WebSocket

from fleet_server.bodies import StrictRoute
from fleet_server.database import Reading, Writing, now
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import (
    Role,
    SignedRoute,
    StaffIdentity,
    TerminalIdentity,
    require,
    signed_terminal,
    verify_upgrade,
)
from fleet_server.terminals import desired, service
from fleet_server.terminals.models import EnrolmentCodePublic, Site, SiteCreate, TerminalCreate, TerminalPublic
from kiosk.contracts.bundle import SignedDesiredState
from kiosk.contracts.errors import SettingsInvalid
from kiosk.contracts.fleet import EnrolmentAnswer, EnrolmentRequest

enrolment = APIRouter(prefix="/terminal/v1", tags=["terminal"], route_class=StrictRoute)
router = APIRouter(prefix="/terminal/v1", tags=["terminal"], route_class=SignedRoute)
staff_router = APIRouter(prefix="/staff/v1", tags=["terminals"], route_class=StrictRoute)

Staff = Annotated[StaffIdentity, Depends(require(Role.ADMINISTRATOR, Role.MAINTAINER))]
Reader = Annotated[StaffIdentity, Depends(require(*Role))]


@enrolment.post("/enrolments", operation_id="enrol", responses=problem_responses(403, 413, 422, 503))
def enrol(request: Request, session: Writing, wanted: EnrolmentRequest) -> EnrolmentAnswer:
    """Spend a one-time code: from now on the machine's key speaks for this terminal."""
    settings, director = request.app.state.settings, request.app.state.director
    root = settings.repository / "metadata" / "1.root.json"
    if not root.exists():
        raise SettingsInvalid("the repository of matters has no root: run `python -m fleet_server init`")
    terminal = service.enrol(session, wanted)
    site = session.get(Site, terminal.site)
    return EnrolmentAnswer(
        terminal=terminal.id, site=site.name if site is not None else terminal.site,
        director_key=base64.b64encode(director.public_key).decode(),
        director_key_id=director.key_id, repository_root=root.read_text(),
        seal_authority=settings.seal_authority_pem(), server_time=now(),
    )  # fmt: skip


@router.get(
    "/desired-state",
    operation_id="get_desired_state",
    response_model=SignedDesiredState,
    responses={304: {"description": "unchanged"}, **problem_responses(401, 403, 404, 503)},
)
def get_desired_state(
    request: Request,
    session: Reading,
    terminal: Annotated[TerminalIdentity, Depends(signed_terminal)],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """What this terminal should run, in the director's signed words."""
    row = service.find(session, terminal.terminal)
    resolved = desired.resolve(row, desired.applicable(session, row))
    if resolved is None:
        raise ProblemError(404, "nothing_desired", "nothing has been published for this terminal yet")
    lifetime = dt.timedelta(hours=request.app.state.settings.statement_hours)
    signed, etag = desired.statement(request.app.state.director, row.id, resolved, now(), lifetime)
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if if_none_match is not None and etag in (part.strip() for part in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(signed.model_dump_json(by_alias=True), media_type="application/json", headers=headers)


@enrolment.websocket("/channel")
async def channel(socket: WebSocket) -> None:
    """The server says where to look; the terminal says nothing. The upgrade is signed like any request."""
    try:
        identity = await verify_upgrade(socket)
    except ProblemError as problem:
        await socket.send_denial_response(problem.response())
        return
    await socket.accept()
    await socket.app.state.hub.serve(identity.terminal, socket)


@staff_router.get("/terminals", operation_id="list_terminals", responses=problem_responses(401, 403))
def list_terminals(session: Reading, _staff: Reader) -> list[TerminalPublic]:
    return service.overview(session)


@staff_router.post(
    "/terminals", operation_id="create_terminal", status_code=201, responses=problem_responses(401, 403, 404, 409, 422)
)
def create_terminal(session: Writing, staff: Staff, wanted: TerminalCreate) -> TerminalPublic:
    service.create_terminal(session, wanted, by=staff.account)
    session.flush()
    return service.one(session, wanted.id)


@staff_router.post(
    "/sites", operation_id="create_site", status_code=201, responses=problem_responses(401, 403, 409, 422)
)
def create_site(session: Writing, staff: Staff, wanted: SiteCreate) -> SiteCreate:
    service.create_site(session, wanted, by=staff.account)
    return wanted


@staff_router.post(
    "/terminals/{terminal}/enrolment-code",
    operation_id="make_enrolment_code",
    status_code=201,
    responses=problem_responses(401, 403, 404),
)
def make_enrolment_code(session: Writing, staff: Staff, terminal: str) -> EnrolmentCodePublic:
    """A one-time code, shown once, for an hour."""
    return service.new_enrolment_code(session, terminal, by=staff.account)


@staff_router.post(
    "/terminals/{terminal}/revoke",
    operation_id="revoke_terminal",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
def revoke_terminal(session: Writing, staff: Staff, terminal: str) -> None:
    service.revoke(session, terminal, by=staff.account)
