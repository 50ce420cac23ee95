"""Pages: requests that wait for an operator's word, and the clerks of the shops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from sqlalchemy import select
from sqlmodel import Session, col

from fleet_server.confirmations import service
from fleet_server.confirmations.models import ClerkCreate, Pin
from fleet_server.dashboard.forms import Text, attempt, read_form
from fleet_server.dashboard.shell import Entry, back_to, language_of, live_part, page, roles, shell_of
from fleet_server.database import Reading, now
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.staff.service import accounts
from fleet_server.terminals.models import Site, Terminal

READERS = roles(Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)
ADMINISTRATORS = roles(Role.ADMINISTRATOR)

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Operator = Annotated[StaffIdentity, Depends(require(Role.OPERATOR))]
Administrator = Annotated[StaffIdentity, Depends(require(*ADMINISTRATORS))]


def install(app: FastAPI) -> None:
    shell_of(app).open_room(
        "confirmations", Path(__file__).parent / "templates",
        Entry("confirmations", "/confirmations", "shield", READERS, 38),
        Entry("clerks", "/clerks", "shop", ADMINISTRATORS, 62),
    )  # fmt: skip


@router.get("/confirmations")
def show_confirmations(request: Request, session: Reading, staff: Reader) -> Response:
    return page(request, staff, "confirmations/confirmations.html", **_requests(request, session))


@router.get("/confirmations/live")
def show_confirmations_live(request: Request, session: Reading, staff: Reader) -> Response:
    return live_part(request, staff, "confirmations/_confirmations.html", **_requests(request, session))


@router.post("/confirmations/confirm", response_model=None)
def confirm(request: Request, staff: Operator, confirmation: Text = "") -> Response:
    return _decided(request, staff, confirmation, "")


@router.post("/confirmations/refuse", response_model=None)
def refuse(request: Request, staff: Operator, confirmation: Text = "", reason: Text = "") -> Response:
    return _decided(request, staff, confirmation, reason or "none")


def _decided(request: Request, staff: StaffIdentity, confirmation: str, refusal: str) -> Response:
    done = attempt(
        request, staff,
        lambda session: service.decide(session, confirmation[:32], account=staff.account, refusal=refusal),
    )  # fmt: skip
    if isinstance(done, ProblemError):
        with request.app.state.database.reading() as session:
            facts = _requests(request, session)
        return page(request, staff, "confirmations/confirmations.html", problem=done, **facts)
    return back_to("/confirmations", "confirmation_refused" if refusal else "confirmation_confirmed")


@router.get("/clerks")
def list_clerks(request: Request, session: Reading, staff: Administrator) -> Response:
    return page(request, staff, "confirmations/clerks.html", **_clerks(session))


@router.post("/clerks", response_model=None)
def create_clerk(
    request: Request, staff: Administrator, *, number: Text = "", site: Text = "", display_name: Text = "",
    account: Text = "", pin: Text = "",
) -> Response:  # fmt: skip
    given = {"number": number, "site": site, "display_name": display_name, "account": account}

    def deed(session: Session) -> None:
        service.create_clerk(session, read_form(ClerkCreate, pin=pin, **given), by=staff.account)

    return _changed(request, staff, attempt(request, staff, deed), "clerk_created", given)


@router.post("/clerks/{number}/pin", response_model=None)
def set_pin(request: Request, staff: Administrator, number: str, pin: Text = "") -> Response:
    def deed(session: Session) -> None:
        service.set_pin(session, number, read_form(Pin, pin=pin).pin, by=staff.account)

    return _changed(request, staff, attempt(request, staff, deed), "clerk_pin_set")


@router.post("/clerks/{number}/disable", response_model=None)
def disable_clerk(request: Request, staff: Administrator, number: str) -> Response:
    done = attempt(request, staff, lambda session: service.disable_clerk(session, number, by=staff.account))
    return _changed(request, staff, done, "clerk_disabled")


def _changed(
    request: Request, staff: StaffIdentity, done: object, what: str, given: dict[str, str] | None = None
) -> Response:
    if not isinstance(done, ProblemError):
        return back_to("/clerks", what)
    with request.app.state.database.reading() as session:
        facts = _clerks(session)
    return page(request, staff, "confirmations/clerks.html", problem=done, **(facts | {"given": given or {}}))


def _requests(request: Request, session: Session) -> dict[str, Any]:
    known = {clerk.number: clerk for clerk in service.clerks(session)}
    sites = {site.id: site for site in session.scalars(select(Site))}
    places = {row.id: sites.get(row.site) for row in session.scalars(select(Terminal))}
    return {
        "waiting": service.waiting(session),
        "latest": service.latest(session),
        "clerks": known,
        "places": places,
        "names": {row.name: row.display_name for row in accounts(session)},
        "reasons": service.REASONS,
        "moment": now(),
        "titles": shell_of(request).ask("matter_titles", session, language_of(request), default={}),
    }


def _clerks(session: Session) -> dict[str, Any]:
    sites = list(session.scalars(select(Site).order_by(col(Site.id))))
    return {
        "clerks": service.clerks(session),
        "sites": sites,
        "shops": {site.id: site.name for site in sites},
        "accounts": accounts(session),
        "given": {},
    }
