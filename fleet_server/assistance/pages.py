"""Pages of remote helpers: who waits, and one call: what kind of screen stands there, and what to say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from sqlalchemy import select
from sqlmodel import Session

from fleet_server.assistance import api, service
from fleet_server.dashboard.forms import Text, attempt
from fleet_server.dashboard.shell import Entry, back_to, language_of, live_part, page, roles, shell_of
from fleet_server.database import Reading, now
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.staff.service import accounts
from fleet_server.terminals.models import Site, Terminal
from kiosk.contracts.assistance import ScreenDescription

READERS = roles(Role.OPERATOR, Role.AUDITOR, Role.ADMINISTRATOR)

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Helper = Annotated[StaffIdentity, Depends(require(Role.OPERATOR))]


def install(app: FastAPI) -> None:
    app.include_router(api.router)
    app.state.background.append(lambda: api.end_silent_for_ever(app.state.database))
    shell_of(app).open_room(
        "assistance", Path(__file__).parent / "templates", Entry("assistance", "/help", "help", READERS, 34)
    )


@router.get("/help")
def show_calls(request: Request, session: Reading, staff: Reader) -> Response:
    return page(request, staff, "assistance/calls.html", **_calls(session))


@router.get("/help/live")
def show_calls_live(request: Request, session: Reading, staff: Reader) -> Response:
    return live_part(request, staff, "assistance/_calls.html", **_calls(session))


@router.get("/help/{call}")
def show_call(request: Request, session: Reading, staff: Helper, call: str) -> Response:
    return page(request, staff, "assistance/call.html", **_call(request, session, call))


@router.get("/help/{call}/live")
def show_call_live(request: Request, session: Reading, staff: Helper, call: str) -> Response:
    return live_part(request, staff, "assistance/_screen.html", **_call(request, session, call))


@router.post("/help/{call}/take", response_model=None)
def take(request: Request, staff: Helper, call: str) -> Response:
    done = attempt(request, staff, lambda session: service.take(session, call, by=staff.account))
    if isinstance(done, ProblemError):
        with request.app.state.database.reading() as session:
            return page(request, staff, "assistance/calls.html", problem=done, **_calls(session))
    return back_to(f"/help/{call}", "help_taken")


@router.post("/help/{call}/say", response_model=None)
def say(
    request: Request, staff: Helper, call: str, *, ready: Text = "", words: Text = "", point: Text = ""
) -> Response:
    def deed(session: Session) -> None:
        service.say(session, call, by=staff.account, ready=ready, words=words, point=point)

    return _back(request, staff, call, attempt(request, staff, deed), "help_said")


@router.post("/help/{call}/end", response_model=None)
def end(request: Request, staff: Helper, call: str) -> Response:
    done = attempt(request, staff, lambda session: service.end_by_helper(session, call, by=staff.account))
    if isinstance(done, ProblemError):
        return _back(request, staff, call, done, "")
    return back_to("/help", "help_ended")


def _back(request: Request, staff: StaffIdentity, call: str, done: object, what: str) -> Response:
    if not isinstance(done, ProblemError):
        return back_to(f"/help/{call}", what)
    with request.app.state.database.reading() as session:
        return page(request, staff, "assistance/call.html", problem=done, **_call(request, session, call))


def _places(session: Session) -> dict[str, Site | None]:
    sites = {site.id: site for site in session.scalars(select(Site))}
    return {row.id: sites.get(row.site) for row in session.scalars(select(Terminal))}


def _calls(session: Session) -> dict[str, Any]:
    waiting, taken = service.waiting(session), service.taken(session)
    return {
        "waiting": waiting,
        "taken": taken,
        "latest": service.latest(session),
        "screens": {call.id: ScreenDescription.model_validate(call.description) for call in (*waiting, *taken)},
        "places": _places(session),
        "names": {row.name: row.display_name for row in accounts(session)},
        "moment": now(),
    }


def _call(request: Request, session: Session, id: str) -> dict[str, Any]:
    call = service.find(session, id)
    return {
        "call": call,
        "is_alive": service.is_alive(call),
        "screen": ScreenDescription.model_validate(call.description) if call.description else None,
        "place": _places(session).get(call.terminal),
        "said_so_far": service.messages(session, id)[::-1],
        "sentences": {name: texts[language_of(request).value] for name, texts in service.sentences().items()},
        "moment": now(),
    }
