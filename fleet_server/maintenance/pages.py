"""The overview: what is broken now, where, since when, who must act, what to bring; the fleet; today's work."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from sqlmodel import Session

from fleet_server.dashboard.forms import Text, attempt
from fleet_server.dashboard.moments import midnight
from fleet_server.dashboard.shell import Entry, back_to, language_of, live_part, page, roles, shell_of
from fleet_server.database import Reading
from fleet_server.journal import search
from fleet_server.maintenance import service, worklist
from fleet_server.maintenance.worklist import Ticket, Who
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.settings import Settings
from fleet_server.staff import service as staff_service
from fleet_server.terminals import reading
from fleet_server.terminals.reading import Condition, TerminalView

READERS = roles(Role.MAINTAINER, Role.ADMINISTRATOR, Role.AUDITOR)
KEY_LENGTH = 160
FACTS_SECONDS = 0.7
SHOWN_TERMINALS, SHOWN_TRANSACTIONS = 24, 6

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Maintainer = Annotated[StaffIdentity, Depends(require(Role.MAINTAINER))]
Chosen = Annotated[str, Query(max_length=16)]


@dataclass(frozen=True)
class _Facts:
    good_until: float
    tickets: list[Ticket]
    views: list[TerminalView]
    endings: dict[str, int]
    missing: int


def install(app: FastAPI) -> None:
    app.state.overview_lock, app.state.overview_facts = threading.Lock(), None
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
    request.app.state.overview_facts = None
    chosen = f"?who={who}" if who in list(Who) else ""
    return back_to(f"/overview{chosen}", "alert_gone" if isinstance(done, ProblemError) else "alert_taken")


def _overview(request: Request, session: Session, who: str) -> dict[str, Any]:
    shell, facts = shell_of(request), _facts(request, session)
    return {
        "tickets": [ticket for ticket in facts.tickets if not who or ticket.who == who],
        "who": who if who in list(Who) else "",
        "everything": len(facts.tickets),
        "by_who": {actor: sum(ticket.who is actor for ticket in facts.tickets) for actor in Who},
        "sites_affected": len({ticket.site for ticket in facts.tickets}),
        "parts": worklist.bring_along(facts.tickets),
        "views": [view for view in facts.views if view.condition is not Condition.REVOKED],
        "shown_terminals": SHOWN_TERMINALS,
        "counts": reading.counts(facts.views),
        "endings": facts.endings,
        "missing": facts.missing,
        "latest": search.transactions(session, limit=SHOWN_TRANSACTIONS),
        "titles": shell.ask("matter_titles", session, language_of(request), default={}),
        "names": _names(session),
    }


def _facts(request: Request, session: Session) -> _Facts:
    """Read once for everybody who looks in the same moment: the cost does not grow with the number of readers."""
    state = request.app.state
    with state.overview_lock:
        facts: _Facts | None = state.overview_facts
        if facts is None or time.monotonic() > facts.good_until:
            facts = state.overview_facts = _read_facts(session, state.settings)
    return facts


def _read_facts(session: Session, settings: Settings) -> _Facts:
    """The longer the reading took, the longer it serves: watching never takes more than a fifth of a processor."""
    begun, lags = time.monotonic(), search.lags(session)
    views = reading.views(session, settings.silence_seconds, {lag.terminal: lag.missing for lag in lags})
    tickets = worklist.tickets(service.alerts(session, settings), views)
    endings, missing = search.endings_since(session, midnight()), sum(lag.missing for lag in lags)
    done = time.monotonic()
    return _Facts(done + max(FACTS_SECONDS, 4 * (done - begun)), tickets, views, endings, missing)


def _names(session: Session) -> dict[str, str]:
    return {row.name: row.display_name for row in staff_service.accounts(session)}


def _open_tickets(request: Request, session: Session, staff: StaffIdentity, terminal: str) -> str:
    found = [ticket for ticket in _facts(request, session).tickets if ticket.terminal == terminal]
    return shell_of(request).text(
        request, staff, "maintenance/_tickets.html", tickets=found, names=_names(session), who=""
    )
