"""The repository's files for terminals, and drafts, submissions, reviews over JSON for staff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse

from fleet_server.database import Reading, Writing
from fleet_server.matters import service
from fleet_server.matters.models import (
    DraftPublic,
    DraftWrite,
    ReviewWrite,
    RollBackWrite,
    RolledOut,
    SubmissionPublic,
    SubmissionWrite,
    VersionPublic,
)
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import Role, StaffIdentity, require

files = APIRouter(prefix="/terminal/v1", tags=["terminal"])
router = APIRouter(prefix="/staff/v1", tags=["matters"])

Author = Annotated[StaffIdentity, Depends(require(Role.AUTHOR))]
Reviewer = Annotated[StaffIdentity, Depends(require(Role.REVIEWER))]
RollsBack = Annotated[StaffIdentity, Depends(require(Role.REVIEWER, Role.ADMINISTRATOR))]
Reader = Annotated[StaffIdentity, Depends(require(*Role))]


@files.get(
    "/repository/{path:path}",
    operation_id="get_repository_file",
    response_class=FileResponse,
    responses={200: {"content": {"application/octet-stream": {}}}, **problem_responses(404)},
)
def get_repository_file(request: Request, path: str) -> FileResponse:
    """A file of the TUF repository: `metadata/…` or `targets/…`. Its signatures protect it, not this address."""
    root: Path = request.app.state.settings.repository.resolve()
    file = (root / path).resolve()
    is_published = any(file.is_relative_to(root / part) for part in ("metadata", "targets"))
    if not is_published or file.name.startswith(".") or not file.is_file():
        raise ProblemError(404, "no_file", "the repository has no such file")
    caching = "no-cache" if file.name == "timestamp.json" else "public, max-age=31536000, immutable"
    return FileResponse(file, media_type="application/octet-stream", headers={"Cache-Control": caching})


@router.get("/matters", operation_id="list_matter_versions", responses=problem_responses(401, 403))
def list_matter_versions(session: Reading, _staff: Reader, matter: str | None = None) -> list[VersionPublic]:
    return [VersionPublic.model_validate(row, from_attributes=True) for row in service.versions(session, matter)]


@router.get("/drafts", operation_id="list_drafts", responses=problem_responses(401, 403))
def list_drafts(session: Reading, _staff: Reader) -> list[DraftPublic]:
    return [DraftPublic.model_validate(row, from_attributes=True) for row in service.drafts(session)]


@router.post("/drafts", operation_id="save_draft", status_code=201, responses=problem_responses(401, 403, 409, 422))
def save_draft(session: Writing, staff: Author, wanted: DraftWrite) -> DraftPublic:
    """Keep a matter's YAML; every mistake is answered with its line and cure."""
    row = service.save_draft(session, wanted.text, file="matter.yaml", by=staff.account)
    return DraftPublic.model_validate(row, from_attributes=True)


@router.get("/submissions", operation_id="list_submissions", responses=problem_responses(401, 403))
def list_submissions(session: Reading, _staff: Reader) -> list[SubmissionPublic]:
    return [SubmissionPublic.of(row) for row in service.submissions(session)]


@router.post(
    "/submissions", operation_id="submit", status_code=201, responses=problem_responses(401, 403, 404, 409, 422)
)
def submit(request: Request, session: Writing, staff: Author, wanted: SubmissionWrite) -> SubmissionPublic:
    """Hand drafts in, signed with the author's key."""
    row = service.submit(
        session, request.app.state.repository, wanted.drafts, by=staff.account, password=wanted.password,
        scope=wanted.scope, scope_id=wanted.scope_id,
    )  # fmt: skip
    return SubmissionPublic.of(row)


@router.post(
    "/submissions/{submission}/review",
    operation_id="review",
    responses=problem_responses(401, 403, 404, 409, 422),
)
def review(
    request: Request, session: Writing, staff: Reviewer, submission: int, wanted: ReviewWrite
) -> SubmissionPublic:
    """Publish with a second person's signature, or give back. State `superseded`: submit again."""
    if wanted.decision == "return":
        return SubmissionPublic.of(service.give_back(session, submission, by=staff.account, comment=wanted.comment))
    service.publish(session, request.app.state.repository, submission, by=staff.account, password=wanted.password)
    return SubmissionPublic.of(service.find_submission(session, submission))


@router.post("/roll-backs", operation_id="roll_back", responses=problem_responses(401, 403, 404, 409, 422))
def roll_back(session: Writing, staff: RollsBack, wanted: RollBackWrite) -> RolledOut:
    """A new generation that points to an older bundle."""
    assignment = service.roll_back(
        session, wanted.bundle, scope=wanted.scope, scope_id=wanted.scope_id, by=staff.account, reason=wanted.reason
    )
    return RolledOut(generation=assignment.generation, bundle=wanted.bundle)
