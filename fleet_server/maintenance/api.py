"""Heartbeats in, acknowledgements out; alerts for staff."""

from __future__ import annotations

import zlib
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from fleet_server.bodies import StrictRoute
from fleet_server.database import Reading, Writing, now
from fleet_server.journal.service import acknowledgement
from fleet_server.maintenance import service
from fleet_server.maintenance.models import Alert, AlertTake
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import Role, SignedRoute, StaffIdentity, TerminalIdentity, require, signed_terminal
from kiosk.contracts.fleet import Heartbeat, HeartbeatAnswer

router = APIRouter(prefix="/terminal/v1", tags=["terminal"], route_class=SignedRoute)
staff_router = APIRouter(prefix="/staff/v1", tags=["maintenance"], route_class=StrictRoute)

Reader = Annotated[StaffIdentity, Depends(require(Role.MAINTAINER, Role.ADMINISTRATOR, Role.AUDITOR))]
Maintainer = Annotated[StaffIdentity, Depends(require(Role.MAINTAINER))]


@router.post("/heartbeats", operation_id="send_heartbeat", responses=problem_responses(401, 403, 413, 422, 503))
def send_heartbeat(
    request: Request,
    session: Reading,
    terminal: Annotated[TerminalIdentity, Depends(signed_terminal)],
    heartbeat: Heartbeat,
) -> HeartbeatAnswer:
    """Heard in memory and written later with others; what is durable of the journal is said again every time."""
    if heartbeat.terminal != terminal.terminal:
        raise ProblemError(403, "other_terminal", "a heartbeat speaks for the terminal that signed it")
    request.app.state.heartbeats.hear(heartbeat)
    return HeartbeatAnswer(
        server_time=now(),
        next_heartbeat_seconds=_jittered(request.app.state.settings.heartbeat_seconds, terminal.terminal),
        journal=acknowledgement(session, terminal.terminal, heartbeat.journal_id),
    )


@staff_router.get("/alerts", operation_id="list_alerts", responses=problem_responses(401, 403))
def list_alerts(request: Request, session: Reading, _staff: Reader) -> list[Alert]:
    """What is broken now, longest first."""
    return service.alerts(session, request.app.state.settings)


@staff_router.post(
    "/alerts/take", operation_id="take_alert", status_code=204, responses=problem_responses(401, 403, 422)
)
def take_alert(session: Writing, staff: Maintainer, wanted: AlertTake) -> None:
    service.take(session, wanted.key, by=staff.account, note=wanted.note)


def _jittered(seconds: int, terminal: str) -> int:
    """Each terminal keeps its own pace, a tenth around the average, so that a fleet never comes at once."""
    spread = max(1, seconds // 10)
    return seconds + zlib.crc32(terminal.encode()) % (2 * spread + 1) - spread
