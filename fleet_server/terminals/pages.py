"""Pages of the terminals: the list, one terminal, new ones, enrolment and revocation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from markupsafe import Markup
from sqlmodel import Session

from fleet_server.dashboard.forms import Text, attempt, read_form
from fleet_server.dashboard.shell import Entry, back_to, live_part, page, roles, shell_of
from fleet_server.database import Reading
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.terminals import reading, service
from fleet_server.terminals.models import EnrolmentCodePublic, SiteCreate, TerminalCreate

READERS = roles(Role.MAINTAINER, Role.ADMINISTRATOR, Role.AUDITOR)
SHOWN = 50
STEWARDS = roles(Role.MAINTAINER, Role.ADMINISTRATOR)

router = APIRouter(include_in_schema=False, prefix="/terminals")

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Steward = Annotated[StaffIdentity, Depends(require(*STEWARDS))]
Chosen = Annotated[str, Query(max_length=20)]
PageNumber = Annotated[int, Query(ge=1, le=2000)]
Administrator = Annotated[StaffIdentity, Depends(require(Role.ADMINISTRATOR))]


def install(app: FastAPI) -> None:
    shell_of(app).open_room(
        "terminals", Path(__file__).parent / "templates", Entry("terminals", "/terminals", "terminal", READERS, 20)
    )


@router.get("")
def list_terminals(
    request: Request, session: Reading, staff: Reader, condition: Chosen = "", page_number: PageNumber = 1
) -> Response:
    return page(request, staff, "terminals/list.html", **_listed(request, session, condition, page_number))


@router.get("/live")
def list_terminals_live(
    request: Request, session: Reading, staff: Reader, condition: Chosen = "", page_number: PageNumber = 1
) -> Response:
    return live_part(request, staff, "terminals/_list.html", **_listed(request, session, condition, page_number))


@router.get("/new")
def show_new(request: Request, session: Reading, staff: Steward) -> Response:
    return page(request, staff, "terminals/new.html", sites=reading.sites(session).values(), given={})


@router.post("", response_model=None)
def create_terminal(
    request: Request, staff: Steward, *, id: Text = "", site: Text = "", group: Text = "", ring: Text = ""
) -> Response:
    def create(session: Session) -> str:
        wanted = read_form(TerminalCreate, id=id, site=site, group=group or None, ring=ring or None)
        return service.create_terminal(session, wanted, by=staff.account).id

    made = attempt(request, staff, create)
    if isinstance(made, ProblemError):
        return _again(request, staff, made, {"id": id, "site": site, "group": group, "ring": ring})
    return back_to(f"/terminals/{made}", "terminal_created")


@router.post("/sites", response_model=None)
def create_site(request: Request, staff: Steward, *, id: Text = "", name: Text = "", address: Text = "") -> Response:
    def create(session: Session) -> str:
        return service.create_site(
            session, read_form(SiteCreate, id=id, name=name, address=address), by=staff.account
        ).id

    made = attempt(request, staff, create)
    if isinstance(made, ProblemError):
        return _again(request, staff, made, {"site_id": id, "name": name, "address": address})
    return back_to("/terminals/new", "site_created")


@router.get("/{terminal}")
def show_terminal(request: Request, session: Reading, staff: Reader, terminal: str) -> Response:
    return page(request, staff, "terminals/one.html", **_one(request, session, staff, terminal))


@router.get("/{terminal}/live")
def show_terminal_live(request: Request, session: Reading, staff: Reader, terminal: str) -> Response:
    return live_part(request, staff, "terminals/_one.html", **_one(request, session, staff, terminal))


@router.post("/{terminal}/enrolment-code", response_model=None)
def make_enrolment_code(request: Request, staff: Steward, terminal: str) -> Response:
    """Shown in this answer and nowhere else: the server keeps only its hash."""
    made = attempt(request, staff, lambda session: service.new_enrolment_code(session, terminal, by=staff.account))
    if isinstance(made, ProblemError):
        raise made
    return page(
        request, staff, "terminals/code.html", made=made, picture=_picture(request, made), server=_server(request)
    )


@router.post("/{terminal}/revoke", response_model=None)
def revoke(request: Request, staff: Administrator, terminal: str) -> Response:
    done = attempt(request, staff, lambda session: service.revoke(session, terminal, by=staff.account))
    if isinstance(done, ProblemError):
        raise done
    return back_to(f"/terminals/{terminal}", "terminal_revoked")


@router.post("/{terminal}/move", response_model=None)
def move(request: Request, staff: Administrator, terminal: str, group: Text = "", ring: Text = "") -> Response:
    def change(session: Session) -> None:
        wanted = read_form(TerminalCreate, id=terminal, site="any", group=group or None, ring=ring or None)
        service.move(session, terminal, group=wanted.group, ring=wanted.ring, by=staff.account)

    done = attempt(request, staff, change)
    if isinstance(done, ProblemError):
        raise done
    return back_to(f"/terminals/{terminal}", "terminal_moved")


def _listed(request: Request, session: Session, condition: str, page_number: int) -> dict[str, Any]:
    missing = shell_of(request).ask("journal_missing", session, default={})
    views = reading.views(session, request.app.state.settings.silence_seconds, missing)
    chosen = [view for view in views if not condition or view.condition == condition]
    start = (page_number - 1) * SHOWN
    return {
        "views": chosen[start : start + SHOWN], "counts": reading.counts(views), "condition": condition,
        "page_number": page_number, "has_more": len(chosen) > start + SHOWN,
    }  # fmt: skip


def _one(request: Request, session: Session, staff: StaffIdentity, terminal: str) -> dict[str, Any]:
    shell = shell_of(request)
    missing = shell.ask("journal_missing", session, default={})
    (view,) = reading.views(session, request.app.state.settings.silence_seconds, missing, only=terminal)
    return {
        "view": view,
        "is_connected": request.app.state.hub.is_connected(terminal),
        "panels": shell.panels("terminal", request, session, staff, terminal),
    }


def _again(request: Request, staff: StaffIdentity, problem: ProblemError, given: dict[str, str]) -> Response:
    with request.app.state.database.reading() as session:
        sites = list(reading.sites(session).values())
    return page(request, staff, "terminals/new.html", problem=problem, sites=sites, given=given)


def _server(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _picture(request: Request, made: EnrolmentCodePublic) -> Markup:
    """The code and the server's address as a QR code: what an installer's machine has to be told."""
    content = f"yizhan-enrol:{_server(request)}#{made.code}"
    return Markup(segno.make(content, error="m").svg_inline(border=4, svgclass="qr", omitsize=True))
