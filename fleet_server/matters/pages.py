"""Pages of the matters: what is published, drafts, submissions, review by a second person."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Form, Request, Response
from sqlmodel import Session

from fleet_server.dashboard.forms import Text, attempt
from fleet_server.dashboard.shell import Entry, back_to, language_of, page, roles, shell_of
from fleet_server.database import Reading
from fleet_server.matters import reading, service
from fleet_server.matters.models import DraftState
from fleet_server.matters.rollout_pages import router as rollout_router
from fleet_server.matters.rollout_pages import scope_from
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.terminals.reading import scope_names
from kiosk.contracts.bundle import MAXIMUM_MATTER_BYTES
from kiosk.contracts.errors import MatterInvalid

READERS = roles(Role.AUTHOR, Role.REVIEWER, Role.ADMINISTRATOR, Role.AUDITOR)
COMMENT_LENGTH = 500

router = APIRouter(include_in_schema=False, prefix="/matters")

Reader = Annotated[StaffIdentity, Depends(require(*READERS))]
Author = Annotated[StaffIdentity, Depends(require(Role.AUTHOR))]
Reviewer = Annotated[StaffIdentity, Depends(require(Role.REVIEWER))]


def install(app: FastAPI) -> None:
    shell = shell_of(app)
    shell.open_room(
        "matters", Path(__file__).parent / "templates", Entry("matters", "/matters", "document", READERS, 40),
        Entry("rollout", "/rollout", "branch", roles(*Role), 45),
    )  # fmt: skip
    shell.offer("matter_titles", reading.titles)
    app.include_router(rollout_router)


@router.get("")
def list_matters(request: Request, session: Reading, staff: Reader) -> Response:
    language = language_of(request)
    newest = reading.newest(session)
    return page(
        request, staff, "matters/list.html", matters=list(newest.values()),
        titles={row.matter: reading.title_of(row, language) for row in newest.values()},
        departments={row.matter: reading.department_of(row, language) for row in newest.values()},
        drafts=[row for row in service.drafts(session) if row.state != DraftState.PUBLISHED],
        submissions=service.submissions(session)[:20],
    )  # fmt: skip


@router.get("/versions/{matter}")
def show_matter(request: Request, session: Reading, staff: Reader, matter: str) -> Response:
    versions = service.versions(session, matter)
    if not versions:
        raise ProblemError(404, "no_matter", "no matter of this name has been published")
    title = reading.title_of(versions[0], language_of(request))
    compared = [reading.compare(after.text, before.text) for before, after in itertools.pairwise(versions)]
    return page(request, staff, "matters/one.html", matter=matter, title=title, versions=versions, compared=compared)


@router.get("/drafts/new")
def show_new_draft(request: Request, session: Reading, staff: Author, matter: str = "") -> Response:
    """Empty, or the text in force with the next version number."""
    before = reading.newest(session).get(matter)
    text = ""
    if before is not None:
        text = before.text.replace(f"\nversion: {before.version}\n", f"\nversion: {before.version + 1}\n", 1)
    return page(request, staff, "matters/draft.html", draft=None, text=text, mistakes=[], change=None, scopes={})


@router.post("/drafts", response_model=None)
def save_new_draft(request: Request, staff: Author, text: Text = "") -> Response:
    return _save(request, staff, text, None)


@router.get("/drafts/{draft}")
def show_draft(request: Request, session: Reading, staff: Reader, draft: int) -> Response:
    row = service.find_draft(session, draft)
    return page(request, staff, "matters/draft.html", text=row.text, mistakes=[], **_draft(session, draft))


@router.post("/drafts/{draft}", response_model=None)
def save_draft(request: Request, staff: Author, draft: int, text: Text = "") -> Response:
    return _save(request, staff, text, draft)


@router.post("/drafts/{draft}/submit", response_model=None)
def submit(
    request: Request, staff: Author, draft: int, *, password: Text = "", scope: Text = "all", scope_id: Text = "",
    also: Annotated[tuple[int, ...], Form()] = (),
) -> Response:  # fmt: skip
    """Hand it in, signed with the author's key, which their password opens for this one signature."""

    def deed(session: Session) -> int:
        chosen, name = scope_from(scope, scope_id, session)
        row = service.submit(
            session, request.app.state.repository, [draft, *also], by=staff.account, password=password, scope=chosen,
            scope_id=name,
        )  # fmt: skip
        assert row.id is not None
        return row.id

    made = attempt(request, staff, deed)
    if isinstance(made, int):
        return back_to(f"/matters/submissions/{made}", "submitted")
    with request.app.state.database.reading() as session:
        row = service.find_draft(session, draft)
        return page(
            request, staff, "matters/draft.html", problem=made, text=row.text, mistakes=[], **_draft(session, draft)
        )


@router.get("/submissions/{submission}")
def show_submission(request: Request, session: Reading, staff: Reader, submission: int) -> Response:
    return page(request, staff, "matters/submission.html", **_submission(session, submission))


@router.post("/submissions/{submission}/publish", response_model=None)
def publish(request: Request, staff: Reviewer, submission: int, password: Text = "") -> Response:
    """The second person's signature over the very same bytes; then it goes out."""
    repository = request.app.state.repository
    made = attempt(
        request, staff,
        lambda session: service.publish(session, repository, submission, by=staff.account, password=password),
    )  # fmt: skip
    if isinstance(made, ProblemError):
        return _undecided(request, staff, submission, made)
    return back_to(f"/matters/submissions/{submission}", "published" if made is not None else "superseded")


@router.post("/submissions/{submission}/return", response_model=None)
def give_back(request: Request, staff: Reviewer, submission: int, comment: Text = "") -> Response:
    said = comment.strip()[:COMMENT_LENGTH]
    if not said:
        return _undecided(request, staff, submission, ProblemError(422, "comment_missing"))
    made = attempt(
        request, staff, lambda session: service.give_back(session, submission, by=staff.account, comment=said)
    )
    if isinstance(made, ProblemError):
        return _undecided(request, staff, submission, made)
    return back_to(f"/matters/submissions/{submission}", "returned")


def _save(request: Request, staff: StaffIdentity, text: str, draft: int | None) -> Response:
    """A draft with mistakes is not kept; the page shows each one at its line, with the text still in it."""
    text = text.replace("\r\n", "\n")
    mistakes: list[tuple[str, int, str]] = []
    problem = None

    def deed(session: Session) -> int:
        if len(text.encode()) > MAXIMUM_MATTER_BYTES:
            raise ProblemError(422, "oversized", "the text is too long")
        row = service.save_draft(session, text, file="matter.yaml", by=staff.account, draft=draft)
        assert row.id is not None
        return row.id

    try:
        made = attempt(request, staff, deed)
    except MatterInvalid as error:
        mistakes, made = error.faults, ProblemError(422, "matter_invalid")
    if isinstance(made, int):
        return back_to(f"/matters/drafts/{made}", "draft_saved")
    problem = made
    with request.app.state.database.reading() as session:
        more = _draft(session, draft) if draft is not None else {"draft": None, "change": None, "scopes": {}}
        return page(request, staff, "matters/draft.html", problem=problem, text=text, mistakes=mistakes, **more)


def _draft(session: Session, draft: int) -> dict[str, Any]:
    row = service.find_draft(session, draft)
    others = [
        each for each in service.drafts(session)
        if each.author == row.author and each.state == DraftState.DRAFT and each.id != row.id
    ]  # fmt: skip
    return {
        "draft": row, "change": reading.change_of(session, row), "scopes": scope_names(session), "others": others,
    }  # fmt: skip


def _submission(session: Session, submission: int) -> dict[str, Any]:
    row = service.find_submission(session, submission)
    return {"row": row, "changes": reading.changes(session, row)}


def _undecided(request: Request, staff: StaffIdentity, submission: int, problem: ProblemError) -> Response:
    with request.app.state.database.reading() as session:
        return page(request, staff, "matters/submission.html", problem=problem, **_submission(session, submission))
