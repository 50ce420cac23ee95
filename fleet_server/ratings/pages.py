"""The page of ratings: what citizens said, and the bad ratings that wait for an answer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from sqlmodel import Session

from fleet_server.dashboard.forms import Text, attempt, read_form
from fleet_server.dashboard.shell import Entry, back_to, language_of, page, roles, shell_of
from fleet_server.database import Reading, Writing, now
from fleet_server.problems import ProblemError
from fleet_server.ratings import export, service
from fleet_server.ratings.models import Answer, FollowUpOutcome
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.staff.service import record
from kiosk.contracts.value import CITY_TIME

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


@router.get("/ratings/export", response_model=None)
def export_ratings(
    session: Writing, staff: Reader, begin: dt.date, end: dt.date, form: Literal["csv", "json"] = "csv"
) -> Response:
    """The ratings of these days as the provincial platform takes them in (export.py); who took them is audited."""
    if begin.year < export.FIRST_YEAR or not 0 <= (end - begin).days < export.LONGEST_DAYS:
        raise ProblemError(422, "ratings_period", f"from the first day to the last, at most {export.LONGEST_DAYS} days")
    rows = export.reported(session, begin, end)
    record(session, staff.account, "ratings_exported", f"{begin} {end} {len(rows)}")
    if form == "json":
        return JSONResponse(export.as_json(rows))
    name = f"ratings-{begin}-{end}.csv"
    return Response(
        export.as_csv(rows), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )  # fmt: skip


def _ratings(request: Request, session: Session) -> dict[str, Any]:
    grades = service.grades(session)
    return {
        "waiting": service.open_follow_ups(session),
        "answered": service.answered_follow_ups(session),
        "grades": grades,
        "everybody": sum(grades.values()),
        "outcomes": list(FollowUpOutcome),
        "moment": now(),
        "today": (today := now().astimezone(CITY_TIME).date()),
        "month": today.replace(day=1),
        "titles": shell_of(request).ask("matter_titles", session, language_of(request), default={}),
    }
