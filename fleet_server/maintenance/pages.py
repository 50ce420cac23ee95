"""The overview: what is broken now, where, since when, who must act, what to bring; the fleet; today's work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from sqlmodel import Session

from fleet_server.dashboard.forms import Text, attempt
from fleet_server.dashboard.moments import midnight
from fleet_server.dashboard.shell import Entry, back_to, language_of, live_part, page, roles, shell_of
from fleet_server.database import Reading, now
from fleet_server.journal import search
from fleet_server.maintenance import service, worklist
from fleet_server.maintenance.worklist import Ticket, Who
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.staff import service as staff_service
from fleet_server.terminals import reading

READERS = roles(Role.MAINTAINER, Role.ADMINISTRATOR, Role.AUDITOR)
KEY_LENGTH = 160

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Maintainer = Annotated[StaffIdentity, Depends(require(Role.MAINTAINER))]
Chosen = Annotated[str, Query(max_length=16)]


def install(app: FastAPI) -> None:
    shell = shell_of(app)
    shell.open_room(
        "maintenance", Path(__file__).parent / "templates", Entry("overview", "/overview", "overview", READERS, 10)
    )
    shell.add_panel("terminal", _open_tickets, order=10)


@router.get("/overview")
def show_overview(request: Request, session: Reading, staff: Reader, who: Chosen = "") -> Response:
    return page(request, staff, "maintenance/overview.html", **_overview(request, session, who))


@router.get("/overview/live")
def show_overview_live(request: Request, session: Reading, staff: Reader, who: Chosen = "") -> Response:
    return live_part(request, staff, "maintenance/_overview.html", **_overview(request, session, who))


@router.post("/overview/take", response_model=None)
def take(request: Request, staff: Maintainer, key: Text = "", who: Text = "") -> Response:
    """Say that one is on it; a second person takes it over."""

    def deed(session: Session) -> None:
        known = {alert.key for alert in service.alerts(session, request.app.state.settings)}
        if key[:KEY_LENGTH] not in {each[:KEY_LENGTH] for each in known}:
            raise ProblemError(404, "no_alert", "this is no longer broken")
        service.take(session, key, by=staff.account)

    done = attempt(request, staff, deed)
    if isinstance(done, ProblemError) and done.status != 404:
        raise done
    chosen = f"?who={who}" if who in list(Who) else ""
    return back_to(f"/overview{chosen}", "alert_gone" if isinstance(done, ProblemError) else "alert_taken")


def _overview(request: Request, session: Session, who: str) -> dict[str, Any]:
    settings, shell = request.app.state.settings, shell_of(request)
    lags = search.lags(session)
    views = reading.views(session, settings.silence_seconds, {lag.terminal: lag.missing for lag in lags})
    everything = worklist.tickets(service.alerts(session, settings), views)
    chosen = [ticket for ticket in everything if not who or ticket.who == who]
    endings = search.endings_since(session, midnight())
    return {
        "tickets": chosen, "who": who if who in list(Who) else "", "everything": len(everything),
        "by_who": {actor: sum(ticket.who is actor for ticket in everything) for actor in Who},
        "sites_affected": len({ticket.site for ticket in everything}),
        "parts": worklist.bring_along(everything), "views": views, "counts": reading.counts(views),
        "endings": endings, "missing": sum(lag.missing for lag in lags), "today": now(),
        "latest": search.transactions(session, limit=6),
        "titles": shell.ask("matter_titles", session, language_of(request), default={}),
        "names": {row.name: row.display_name for row in staff_service.accounts(session)},
    }  # fmt: skip


def _open_tickets(request: Request, session: Session, staff: StaffIdentity, terminal: str) -> str:
    settings = request.app.state.settings
    views = reading.views(session, settings.silence_seconds, only=terminal)
    alerts = [alert for alert in service.alerts(session, settings) if alert.terminal == terminal]
    found: list[Ticket] = worklist.tickets(alerts, views)
    names = {row.name: row.display_name for row in staff_service.accounts(session)}
    return shell_of(request).text(request, staff, "maintenance/_tickets.html", tickets=found, names=names, who="")
