"""Staff sessions: a signed cookie, a row that can be ended, a CSRF token for every change, and roles.

The cookie holds a random session id and its signature; the database holds only the id's hash. Whoever changes an
account ends its sessions, so a session's roles are never older than the account's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy import JSON, Column, delete
from sqlmodel import Field, Session, SQLModel, col
from starlette.concurrency import run_in_threadpool

from fleet_server.database import Database, UtcDateTime, now
from fleet_server.problems import ProblemError

COOKIE = "yizhan_staff"
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf_token"
SESSION_LIFETIME = dt.timedelta(hours=8)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class Role(StrEnum):
    ADMINISTRATOR = "administrator"  # accounts, sites, terminals, keys
    AUTHOR = "author"  # writes matters and signs what they hand in
    REVIEWER = "reviewer"  # signs what another has handed in
    MAINTAINER = "maintainer"  # machines and their faults
    AUDITOR = "auditor"  # reads journals, proofs and the audit log
    OPERATOR = "operator"  # confirms citizens together with a clerk


class SignInNeeded(ProblemError):
    """Nobody is signed in. Pages turn this into the sign-in page."""

    def __init__(self) -> None:
        super().__init__(401, "sign_in", "sign in first")


class StaffSession(SQLModel, table=True):
    __tablename__ = "staff_session"

    id_hash: str = Field(primary_key=True, max_length=64)
    account: str = Field(max_length=40, index=True)
    display_name: str = Field(max_length=80)
    roles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    opened_at: dt.datetime = Field(sa_type=UtcDateTime)
    expires_at: dt.datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True)
class StaffIdentity:
    """Who is signed in. `csrf_token` goes into every form as `csrf_token`, or into the header `X-CSRF-Token`."""

    account: str
    display_name: str
    roles: frozenset[Role]
    csrf_token: str
    session_id_hash: str

    def may(self, *roles: Role) -> bool:
        return bool(self.roles.intersection(roles))


def open_session(
    session: Session, response: Response, secret: bytes, *, account: str, display_name: str, roles: frozenset[Role],
    secure: bool,
) -> StaffIdentity:  # fmt: skip
    """Sign an account in: store the session and set its cookie. The password was checked by the caller."""
    session_id = secrets.token_urlsafe(32)
    row = StaffSession(
        id_hash=_hash(session_id), account=account, display_name=display_name, roles=sorted(roles), opened_at=now(),
        expires_at=now() + SESSION_LIFETIME,
    )  # fmt: skip
    session.add(row)
    cookie = f"{session_id}.{_signature(secret, 'cookie', session_id)}"
    lifetime = int(SESSION_LIFETIME.total_seconds())
    response.set_cookie(COOKIE, cookie, max_age=lifetime, httponly=True, secure=secure, samesite="lax", path="/")
    return _identity(row, _signature(secret, "csrf", session_id))


def end_session(session: Session, response: Response, staff: StaffIdentity) -> None:
    session.execute(delete(StaffSession).where(col(StaffSession.id_hash) == staff.session_id_hash))
    response.delete_cookie(COOKIE, path="/")


def end_sessions_of(session: Session, account: str) -> None:
    """End every session of an account, and forget sessions that have run out."""
    session.execute(delete(StaffSession).where(col(StaffSession.account) == account))
    session.execute(delete(StaffSession).where(col(StaffSession.expires_at) < now()))


async def current_staff(request: Request) -> StaffIdentity:
    """Dependency: who is signed in, or `SignInNeeded`. A change without its CSRF token answers 403 `cross_site`."""
    session_id, secret = _session_id(request)
    row = await run_in_threadpool(_session_row, request.app.state.database, session_id)
    staff = _identity(row, _signature(secret, "csrf", session_id))
    request.state.staff = staff
    if request.method not in SAFE_METHODS:
        await _refuse_cross_site(request, staff)
    return staff


async def maybe_staff(request: Request) -> StaffIdentity | None:
    """Dependency: who is signed in, or None: for the sign-in page."""
    try:
        return await current_staff(request)
    except SignInNeeded:
        return None


def require(*roles: Role) -> Callable[..., Coroutine[Any, Any, StaffIdentity]]:
    """Dependency: `staff: Annotated[StaffIdentity, Depends(require(Role.AUDITOR))]`; 403 `wrong_role` without one."""

    async def required(staff: Annotated[StaffIdentity, Depends(current_staff)]) -> StaffIdentity:
        if not staff.may(*roles):
            raise ProblemError(403, "wrong_role", f"this needs the role {' or '.join(roles)}")
        return staff

    required.__dict__["roles"] = roles
    return required


def _session_id(request: Request) -> tuple[str, bytes]:
    secret: bytes = request.app.state.cookie_secret
    session_id, _, signature = request.cookies.get(COOKIE, "").partition(".")
    if not session_id or not hmac.compare_digest(signature.encode(), _signature(secret, "cookie", session_id).encode()):
        raise SignInNeeded
    return session_id, secret


def _session_row(database: Database, session_id: str) -> StaffSession:
    with database.reading() as session:
        row = session.get(StaffSession, _hash(session_id))
    if row is None or row.expires_at < now():
        raise SignInNeeded
    return row


async def _refuse_cross_site(request: Request, staff: StaffIdentity) -> None:
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ProblemError(403, "cross_site", "this form was sent from another site")
    token = request.headers.get(CSRF_HEADER, "")
    if not token and request.headers.get("content-type", "").partition(";")[0].strip() in FORM_TYPES:
        token = str((await request.form()).get(CSRF_FIELD, ""))
    if not hmac.compare_digest(token.encode(), staff.csrf_token.encode()):
        raise ProblemError(403, "cross_site", "the form's token is missing or not of this session")


def _identity(row: StaffSession, csrf_token: str) -> StaffIdentity:
    roles = frozenset(Role(role) for role in row.roles)
    return StaffIdentity(row.account, row.display_name, roles, csrf_token, row.id_hash)


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


def _signature(secret: bytes, purpose: str, session_id: str) -> str:
    return hmac.new(secret, f"{purpose}:{session_id}".encode(), hashlib.sha256).hexdigest()
