"""Sites, terminals, enrolment, revocation and the view of the fleet."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets

from sqlalchemy import delete, select
from sqlmodel import Session, col

from fleet_server.database import now
from fleet_server.problems import ProblemError
from fleet_server.security import TerminalKey
from fleet_server.security.terminal_identity import public_key_from
from fleet_server.staff.service import record
from fleet_server.terminals import desired
from fleet_server.terminals.models import (
    EnrolmentCode,
    EnrolmentCodePublic,
    Scope,
    Site,
    SiteCreate,
    Terminal,
    TerminalCreate,
    TerminalPublic,
    TerminalStatus,
)
from kiosk.contracts.fleet import EnrolmentRequest, ReportedState

CODE_BYTES = 16
CODE_LIFETIME = dt.timedelta(hours=1)


def create_site(session: Session, wanted: SiteCreate, *, by: str) -> Site:
    if session.get(Site, wanted.id) is not None:
        raise ProblemError(409, "site_exists", "a site of this name exists")
    site = Site(**wanted.model_dump())
    session.add(site)
    record(session, by, "site_created", site.id)
    return site


def create_terminal(session: Session, wanted: TerminalCreate, *, by: str) -> Terminal:
    if session.get(Site, wanted.site) is None:
        raise ProblemError(404, "no_site", "there is no site of this name")
    if session.get(Terminal, wanted.id) is not None:
        raise ProblemError(409, "terminal_exists", "a terminal of this name exists")
    terminal = Terminal(**wanted.model_dump())
    session.add(terminal)
    record(session, by, "terminal_created", terminal.id, site=terminal.site)
    return terminal


def find(session: Session, terminal: str) -> Terminal:
    row = session.get(Terminal, terminal)
    if row is None:
        raise ProblemError(404, "no_terminal", "there is no terminal of this name")
    return row


def move(session: Session, terminal: str, *, group: str | None, ring: str | None, by: str) -> Terminal:
    """Another group or ring. The move draws a generation of its own, so what the terminal sees never shrinks."""
    row = find(session, terminal)
    row.group, row.ring = group, ring
    row.moved_generation = desired.next_generation(session)
    desired.hint(session, "desired-state", Scope.TERMINAL, terminal)
    record(session, by, "terminal_moved", terminal, group=group, ring=ring)
    return row


def new_enrolment_code(session: Session, terminal: str, *, by: str) -> EnrolmentCodePublic:
    """128 bits, single use, one hour. A new code replaces the ones before it."""
    find(session, terminal)
    session.execute(delete(EnrolmentCode).where(col(EnrolmentCode.terminal) == terminal))
    session.execute(delete(EnrolmentCode).where(col(EnrolmentCode.expires_at) < now()))
    code = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=")
    row = EnrolmentCode(code_hash=_hash(code), terminal=terminal, expires_at=now() + CODE_LIFETIME, created_by=by)
    session.add(row)
    record(session, by, "enrolment_code_made", terminal)
    return EnrolmentCodePublic(terminal=terminal, code=code, expires_at=row.expires_at)


def enrol(session: Session, request: EnrolmentRequest) -> Terminal:
    """Spend the code and remember the machine's key; a key from before is forgotten in the same transaction."""
    try:
        public_key = public_key_from(request.public_key)
    except ValueError as error:
        raise ProblemError(422, "public_key", "the public key is not a raw Ed25519 key in base64") from error
    spend = delete(EnrolmentCode).where(
        col(EnrolmentCode.code_hash) == _hash(request.code.strip().upper()), col(EnrolmentCode.expires_at) >= now()
    )
    name = session.execute(spend.returning(col(EnrolmentCode.terminal))).scalar_one_or_none()
    if name is None:
        raise ProblemError(403, "enrolment_code", "this code is unknown, used or expired; ask for a new one")
    terminal = find(session, name)
    terminal.machine = request.machine
    key = session.get(TerminalKey, name) or TerminalKey(terminal=name, public_key=b"", enrolled_at=now())
    key.public_key, key.enrolled_at, key.revoked_at = public_key, now(), None
    session.add(key)
    record(session, "terminal", "terminal_enrolled", name, machine=request.machine)
    return terminal


def revoke(session: Session, terminal: str, *, by: str) -> None:
    """Its next request is refused and its channel closed; only a new enrolment lets it back."""
    key = session.get(TerminalKey, terminal)
    if key is None:
        raise ProblemError(404, "no_terminal", "no terminal is enrolled by this name")
    key.revoked_at = now()
    desired.hint(session, "revoked", Scope.TERMINAL, terminal)
    record(session, by, "terminal_revoked", terminal)


def members(session: Session, scope: Scope, scope_id: str) -> list[str]:
    """The terminals of a scope."""
    query = select(col(Terminal.id))
    match scope:
        case Scope.ALL:
            pass
        case Scope.RING:
            query = query.where(col(Terminal.ring) == scope_id)
        case Scope.GROUP:
            query = query.where(col(Terminal.group) == scope_id)
        case Scope.TERMINAL:
            query = query.where(col(Terminal.id) == scope_id)
    return list(session.scalars(query))


def statuses(session: Session, terminals: list[str] | None = None) -> dict[str, TerminalStatus]:
    query = select(TerminalStatus)
    if terminals is not None:
        query = query.where(col(TerminalStatus.terminal).in_(terminals))
    return {row.terminal: row for row in session.scalars(query)}


def overview(session: Session) -> list[TerminalPublic]:
    """Every terminal with what it should run, what it says it runs, and whether that is the same."""
    assignments = desired.newest_by_scope(session).values()
    keys = {key.terminal: key for key in session.scalars(select(TerminalKey))}
    heard = statuses(session)
    rows = session.scalars(select(Terminal).order_by(col(Terminal.id)))
    return [_public(row, desired.resolve(row, assignments), keys.get(row.id), heard.get(row.id)) for row in rows]


def one(session: Session, terminal: str) -> TerminalPublic:
    row = find(session, terminal)
    resolved = desired.resolve(row, desired.applicable(session, row))
    return _public(row, resolved, session.get(TerminalKey, terminal), session.get(TerminalStatus, terminal))


def _public(
    row: Terminal, resolved: desired.Resolved | None, key: TerminalKey | None, status: TerminalStatus | None
) -> TerminalPublic:
    heartbeat = status.heartbeat if status else {}
    reported = ReportedState.model_validate(heartbeat["reported"]) if heartbeat else None
    is_refused = reported is not None and reported.result in ("refused", "rolled_back")
    return TerminalPublic(
        id=row.id, site=row.site, group=row.group, ring=row.ring,
        enrolled_at=key.enrolled_at if key else None,
        revoked_at=key.revoked_at if key else None,
        heard_at=status.heard_at if status else None,
        stage=heartbeat.get("stage"), version=heartbeat.get("version"),
        desired_generation=resolved.generation if resolved else None,
        desired_bundle=resolved.bundle if resolved else None,
        reported_bundle=reported.bundle if reported else None,
        reported_result=reported.result if reported else None,
        refused_reason=reported.reason if reported and is_refused else None,
        refused_detail=reported.detail if reported and is_refused else None,
        is_converged=reported is not None and resolved is not None and reported.bundle == resolved.bundle,
    )  # fmt: skip


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
