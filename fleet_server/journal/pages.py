"""Pages of the journal: transactions by number, one transaction's timeline and its proof, what was set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from fleet_server.dashboard.forms import attempt
from fleet_server.dashboard.moments import read_moment
from fleet_server.dashboard.shell import Entry, back_to, language_of, page, roles, shell_of
from fleet_server.database import Reading
from fleet_server.journal import search, service
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.staff.service import record

READERS = roles(Role.AUDITOR, Role.MAINTAINER, Role.ADMINISTRATOR)
SHOWN = 50
SHOWN_ON_TERMINAL = 8

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Auditor = Annotated[StaffIdentity, Depends(require(Role.AUDITOR))]


def install(app: FastAPI) -> None:
    shell = shell_of(app)
    shell.open_room(
        "journal", Path(__file__).parent / "templates", Entry("transactions", "/transactions", "list", READERS, 30)
    )
    shell.offer("journal_missing", lambda session: {lag.terminal: lag.missing for lag in search.lags(session)})
    shell.add_panel("terminal", _latest, order=20)


@router.get("/transactions", response_model=None)
def list_transactions(
    request: Request, session: Reading, staff: Reader, *,
    number: Annotated[str, Query(max_length=40)] = "", terminal: Annotated[str, Query(max_length=48)] = "",
    disposition: Annotated[str, Query(max_length=16)] = "", page_number: Annotated[int, Query(ge=1, le=200)] = 1,
) -> Response:  # fmt: skip
    wanted = number.strip().upper()
    rows = search.transactions(
        session, number=wanted, terminal=terminal, disposition=disposition, limit=SHOWN + 1,
        skip=(page_number - 1) * SHOWN,
    )  # fmt: skip
    if wanted and [row.number for row in rows] == [wanted]:
        return RedirectResponse(f"/transactions/{wanted}?journal={rows[0].journal_id}", 303)
    return page(
        request, staff, "journal/list.html", rows=rows[:SHOWN], has_more=len(rows) > SHOWN, number=number,
        terminal=terminal, disposition=disposition, page_number=page_number, titles=_titles(request, session),
        set_aside=search.quarantined(session),
    )  # fmt: skip


@router.get("/transactions/{number:path}")
def show_transaction(
    request: Request, session: Reading, staff: Reader, number: str,
    journal: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:  # fmt: skip
    row = search.find_transaction(session, number, journal)
    return page(
        request, staff, "journal/one.html", row=row, titles=_titles(request, session),
        entries=search.timeline(session, row), proof=search.proof(session, row), moment=read_moment,
        receipt=search.receipt(session, request.app.state.director, row),
    )  # fmt: skip


@router.post("/quarantine/{quarantine}/settle")
def settle(request: Request, staff: Auditor, quarantine: int) -> Response:
    def deed(session: Session) -> None:
        service.settle(session, quarantine, by=staff.account)
        record(session, staff.account, "quarantine_settled", str(quarantine))

    done = attempt(request, staff, deed)
    if isinstance(done, ProblemError):
        raise done
    return back_to("/transactions", "quarantine_settled")


def _latest(request: Request, session: Session, staff: StaffIdentity, terminal: str) -> str:
    rows = search.transactions(session, terminal=terminal, limit=SHOWN_ON_TERMINAL)
    titles = _titles(request, session)
    return shell_of(request).text(request, staff, "journal/_latest.html", rows=rows, terminal=terminal, titles=titles)


def _titles(request: Request, session: Session) -> dict[str, Any]:
    titles: dict[str, Any] = shell_of(request).ask("matter_titles", session, language_of(request), default={})
    return titles
