"""Staff over JSON: sign in and out, accounts, audit. The pages use the same services."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response

from fleet_server.bodies import StrictRoute
from fleet_server.database import Reading, Writing
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import Role, StaffIdentity, current_staff, end_session, open_session, require
from fleet_server.staff import service
from fleet_server.staff.models import AccountCreate, AccountPublic, AuditPublic, SignedIn, SignIn

router = APIRouter(prefix="/staff/v1", tags=["staff"], route_class=StrictRoute)

Administrator = Annotated[StaffIdentity, Depends(require(Role.ADMINISTRATOR))]
Auditor = Annotated[StaffIdentity, Depends(require(Role.AUDITOR, Role.ADMINISTRATOR))]


@router.post("/session", operation_id="sign_in", responses=problem_responses(401, 403, 422, 429))
def sign_in(request: Request, response: Response, wanted: SignIn) -> SignedIn:
    """Open a session; its cookie is set, its CSRF token answered."""
    return sign_in_with(request, response, wanted)


@router.delete("/session", operation_id="sign_out", status_code=204, responses=problem_responses(401, 403))
def sign_out(response: Response, session: Writing, staff: Annotated[StaffIdentity, Depends(current_staff)]) -> None:
    end_session(session, response, staff)
    service.record(session, staff.account, "signed_out")


@router.get("/session", operation_id="who_am_i", responses=problem_responses(401))
def who_am_i(staff: Annotated[StaffIdentity, Depends(current_staff)]) -> SignedIn:
    return _signed_in(staff)


@router.get("/accounts", operation_id="list_accounts", responses=problem_responses(401, 403))
def list_accounts(session: Reading, _staff: Administrator) -> list[AccountPublic]:
    return [AccountPublic.of(account) for account in service.accounts(session)]


@router.post(
    "/accounts", operation_id="create_account", status_code=201, responses=problem_responses(401, 403, 409, 422)
)
def create_account(session: Writing, staff: Administrator, wanted: AccountCreate) -> AccountPublic:
    return AccountPublic.of(service.create_account(session, wanted, by=staff.account))


@router.get("/audit", operation_id="list_audit", responses=problem_responses(401, 403, 422))
def list_audit(
    session: Reading, _staff: Auditor, before: int | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[AuditPublic]:
    entries = service.audit_log(session, before_id=before, limit=limit)
    return [AuditPublic.model_validate(entry, from_attributes=True) for entry in entries]


def sign_in_with(request: Request, response: Response, wanted: SignIn) -> SignedIn:
    """Shared with the sign-in page. The failed attempt is kept although the answer is a refusal."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ProblemError(403, "cross_site", "this form was sent from another site")
    staff = None
    with request.app.state.database.writing() as session:
        account = service.check_sign_in(session, wanted.name, wanted.password)
        if account is not None:
            staff = open_session(
                session, response, request.app.state.cookie_secret, account=account.name,
                display_name=account.display_name, roles=account.role_set,
                secure=not request.app.state.settings.is_development,
            )  # fmt: skip
    if staff is None:
        raise ProblemError(401, "wrong_password", "name or password is not right")
    return _signed_in(staff)


def _signed_in(staff: StaffIdentity) -> SignedIn:
    return SignedIn(
        name=staff.account, display_name=staff.display_name, roles=sorted(staff.roles), csrf_token=staff.csrf_token
    )
