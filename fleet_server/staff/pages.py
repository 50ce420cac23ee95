"""Pages of staff: sign in and out, one's own account, everybody's accounts, the audit log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from fleet_server.dashboard.forms import Anybody, Text, attempt, read_form
from fleet_server.dashboard.shell import Entry, back_to, local_path, page, roles, shell_of
from fleet_server.database import Reading, Writing
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, end_session, maybe_staff, require
from fleet_server.staff import service
from fleet_server.staff.api import sign_in_with
from fleet_server.staff.models import AccountCreate, SignIn

AUDIT_PAGE = 100
ADMINISTRATORS = roles(Role.ADMINISTRATOR)
AUDITORS = roles(Role.AUDITOR, Role.ADMINISTRATOR)

router = APIRouter(include_in_schema=False)

Administrator = Annotated[StaffIdentity, Depends(require(*ADMINISTRATORS))]
Auditor = Annotated[StaffIdentity, Depends(require(*AUDITORS))]
Roles = Annotated[tuple[Role, ...], Form()]


def install(app: FastAPI) -> None:
    shell_of(app).open_room(
        "staff", Path(__file__).parent / "templates", Entry("audit", "/audit", "log", AUDITORS, 50),
        Entry("accounts", "/accounts", "people", ADMINISTRATORS, 60),
    )  # fmt: skip


@router.get("/sign-in", response_model=None)
def show_sign_in(
    request: Request, staff: Annotated[StaffIdentity | None, Depends(maybe_staff)], next: str = "/"
) -> Response:
    if staff is not None:
        return RedirectResponse(local_path(next), 303)
    return page(request, None, "staff/sign_in.html", next=local_path(next), name="")


@router.post("/sign-in", response_model=None)
def sign_in(request: Request, name: Text = "", password: Text = "", next: Text = "/") -> Response:
    answer = RedirectResponse(local_path(next), 303)
    try:
        sign_in_with(request, answer, read_form(SignIn, name=name.strip(), password=password))
    except ProblemError as problem:
        shown = problem if problem.code != "form_invalid" else ProblemError(401, "wrong_password")
        return page(request, None, "staff/sign_in.html", problem=shown, next=local_path(next), name=name[:40])
    return answer


@router.post("/sign-out")
def sign_out(session: Writing, staff: Anybody) -> RedirectResponse:
    answer = back_to("/sign-in", "signed_out")
    end_session(session, answer, staff)
    service.record(session, staff.account, "signed_out")
    return answer


@router.get("/account")
def show_own_account(request: Request, session: Reading, staff: Anybody) -> Response:
    return page(request, staff, "staff/own_account.html", account=service.find(session, staff.account))


@router.post("/account/password", response_model=None)
def change_own_password(
    request: Request, session: Reading, staff: Anybody, *, old: Text = "", new: Text = "", again: Text = ""
) -> Response:
    account = service.find(session, staff.account)
    problem: ProblemError | None = None
    if new != again:
        problem = ProblemError(422, "passwords_differ")
    elif not service.is_password(new):
        problem = ProblemError(422, "password_length")
    else:
        done = attempt(request, staff, lambda writing: service.change_password(writing, staff.account, old, new))
        problem = done if isinstance(done, ProblemError) else None
    if problem is None:
        return back_to("/sign-in", "password_changed")
    return page(request, staff, "staff/own_account.html", problem=problem, account=account)


@router.get("/accounts")
def list_accounts(request: Request, session: Reading, staff: Administrator) -> Response:
    return page(request, staff, "staff/accounts.html", accounts=service.accounts(session), given={})


@router.post("/accounts", response_model=None)
def create_account(
    request: Request, staff: Administrator, *, name: Text = "", display_name: Text = "", password: Text = "",
    role: Roles = (),
) -> Response:  # fmt: skip
    def create() -> ProblemError | None:
        wanted = read_form(AccountCreate, name=name, display_name=display_name, roles=list(role), password=password)
        done = attempt(request, staff, lambda session: service.create_account(session, wanted, by=staff.account))
        return done if isinstance(done, ProblemError) else None

    try:
        problem = create()
    except ProblemError as invalid:
        problem = invalid
    if problem is None:
        return back_to("/accounts", "account_created")
    given = {"name": name, "display_name": display_name, "roles": [str(each) for each in role]}
    with request.app.state.database.reading() as session:
        accounts = service.accounts(session)
    return page(request, staff, "staff/accounts.html", problem=problem, accounts=accounts, given=given)


@router.get("/accounts/{name}")
def show_account(request: Request, session: Reading, staff: Administrator, name: str) -> Response:
    return page(request, staff, "staff/account.html", account=service.find(session, name))


@router.post("/accounts/{name}/roles", response_model=None)
def set_roles(
    request: Request, session: Reading, staff: Administrator, name: str, *, role: Roles = (), password: Text = ""
) -> Response:
    account = service.find(session, name)
    if not role:
        return page(request, staff, "staff/account.html", problem=ProblemError(422, "no_role"), account=account)
    done = attempt(
        request, staff,
        lambda writing: service.set_roles(writing, name, list(role), password=password or None, by=staff.account),
    )  # fmt: skip
    if isinstance(done, ProblemError):
        return page(request, staff, "staff/account.html", problem=done, account=account)
    return back_to(f"/accounts/{name}", "roles_set")


@router.post("/accounts/{name}/password", response_model=None)
def reset_password(request: Request, session: Reading, staff: Administrator, name: str, new: Text = "") -> Response:
    account = service.find(session, name)
    if not service.is_password(new):
        problem = ProblemError(422, "password_length")
        return page(request, staff, "staff/account.html", problem=problem, account=account)
    done = attempt(request, staff, lambda writing: service.reset_password(writing, name, new, by=staff.account))
    if isinstance(done, ProblemError):
        return page(request, staff, "staff/account.html", problem=done, account=account)
    return back_to(f"/accounts/{name}", "password_reset")


@router.post("/accounts/{name}/disable", response_model=None)
def disable_account(request: Request, session: Reading, staff: Administrator, name: str) -> Response:
    account = service.find(session, name)
    done: ProblemError | None
    if name == staff.account:
        done = ProblemError(409, "own_account", "nobody closes their own account")
    else:
        done = attempt(request, staff, lambda writing: service.disable(writing, name, by=staff.account))
    if isinstance(done, ProblemError):
        return page(request, staff, "staff/account.html", problem=done, account=account)
    return back_to(f"/accounts/{name}", "account_disabled")


@router.get("/audit")
def show_audit(
    request: Request, session: Reading, staff: Auditor, before: Annotated[int | None, Query(ge=1)] = None,
    account: Annotated[str, Query(max_length=40)] = "",
) -> Response:  # fmt: skip
    entries = service.audit_log(session, before_id=before, limit=AUDIT_PAGE + 1, account=account)
    return page(
        request, staff, "staff/audit.html", entries=entries[:AUDIT_PAGE], has_more=len(entries) > AUDIT_PAGE,
        account=account, names={row.name: row.display_name for row in service.accounts(session)},
    )  # fmt: skip
