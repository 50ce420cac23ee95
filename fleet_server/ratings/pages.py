"""The page of ratings: what citizens said, and the bad ratings that wait for an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from sqlmodel import Session

from fleet_server.dashboard.forms import Text, attempt, read_form
from fleet_server.dashboard.shell import Entry, back_to, language_of, page, roles, shell_of
from fleet_server.database import Reading, now
from fleet_server.problems import ProblemError
from fleet_server.ratings import service
from fleet_server.ratings.models import Answer, FollowUpOutcome
from fleet_server.security import Role, StaffIdentity, require

READERS = roles(Role.MAINTAINER, Role.ADMINISTRATOR, Role.AUDITOR)

router = APIRouter(include_in_schema=False)

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Answerer = Annotated[StaffIdentity, Depends(require(Role.MAINTAINER))]


def install(app: FastAPI) -> None:
    entry = Entry("ratings", "/ratings", "people", READERS, 36)
    shell_of(app).open_room("ratings", Path(__file__).parent / "templates", entry)


@router.get("/ratings")
def show_ratings(request: Request, session: Reading, staff: Reader) -> Response:
    return page(request, staff, "ratings/ratings.html", **_ratings(request, session))


@router.post("/ratings/answer", response_model=None)
def answer(
    request: Request, staff: Answerer, *, journal: Text = "", number: Text = "", outcome: Text = "", note: Text = ""
) -> Response:
    def deed(session: Session) -> None:
        service.answer(
            session, journal, number, read_form(Answer, outcome=outcome, note=note.strip()), by=staff.account
        )

    done = attempt(request, staff, deed)
    if isinstance(done, ProblemError):
        with request.app.state.database.reading() as session:
            facts = _ratings(request, session)
        return page(request, staff, "ratings/ratings.html", status=done.status, problem=done, **facts)
    return back_to("/ratings", "rating_answered")


def _ratings(request: Request, session: Session) -> dict[str, Any]:
    grades = service.grades(session)
    return {
        "waiting": service.open_follow_ups(session),
        "answered": service.answered_follow_ups(session),
        "grades": grades,
        "everybody": sum(grades.values()),
        "outcomes": list(FollowUpOutcome),
        "moment": now(),
        "titles": shell_of(request).ask("matter_titles", session, language_of(request), default={}),
    }
