"""Desired state: one assignment row per change, resolved when a terminal asks, by the narrowest scope (DESIGN 2.2).

The generation a terminal sees is the greatest of all rows that could have told it something, and of its last move
between groups. Every one of these only grows, so what a terminal sees only grows, whatever scope wins.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ScalarSelect, func, select, update
from sqlmodel import Session, col

from fleet_server.database import notify
from fleet_server.problems import ProblemError
from fleet_server.security import Director
from fleet_server.security.director import sign_value
from fleet_server.terminals.models import Assignment, GenerationCounter, Scope, Terminal
from kiosk.contracts.bundle import DesiredState, SignedDesiredState

NARROWEST_FIRST = (Scope.TERMINAL, Scope.GROUP, Scope.RING, Scope.ALL)
WINDOW = dt.timedelta(hours=24)
CLOCK_MARGIN = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Resolved:
    generation: int
    bundle: str


def assign(
    session: Session, *, scope: Scope, scope_id: str = "", bundle: str | None, by: str, reason: str = ""
) -> Assignment:
    """A new generation for a scope; one row whatever the fleet's size. The hint goes out with the commit."""
    if (scope is Scope.ALL) == bool(scope_id):
        raise ProblemError(422, "scope", "scope all names nobody; every other scope names its ring, group or terminal")
    if scope is Scope.ALL and bundle is None:
        raise ProblemError(422, "scope", "the widest scope always names a bundle")
    row = Assignment(
        generation=next_generation(session), scope=scope, scope_id=scope_id, bundle=bundle, reason=reason, created_by=by
    )
    session.add(row)
    hint(session, "desired-state", scope, scope_id)
    return row


def next_generation(session: Session) -> int:
    """The row stays locked until the commit: a greater generation is never visible before a smaller one."""
    statement = (
        update(GenerationCounter)
        .where(col(GenerationCounter.id) == 1)
        .values(value=col(GenerationCounter.value) + 1)
        .returning(col(GenerationCounter.value))
    )
    value: int = session.execute(statement).scalar_one()
    return value


def take_turn(session: Session) -> None:
    """Until the commit nobody else publishes: for whoever has to look at the repository before writing to it."""
    session.execute(select(col(GenerationCounter.value)).where(col(GenerationCounter.id) == 1).with_for_update())


def hint(session: Session, look: str, scope: Scope, scope_id: str = "") -> None:
    """Tell connected terminals of the scope where to look, once this transaction is durable."""
    notify(session, json.dumps({"look": look, "scope": scope, "scope_id": scope_id}))


def applicable(session: Session, terminal: Terminal) -> list[Assignment]:
    """The newest assignment of each scope this terminal is in."""
    newest = [_newest(scope, name) for scope, name in _scopes_of(terminal)]
    return list(session.scalars(select(Assignment).where(col(Assignment.generation).in_(newest))))


def newest_by_scope(session: Session) -> dict[tuple[str, str], Assignment]:
    """The newest assignment of every scope, for views over the whole fleet."""
    newest = select(func.max(Assignment.generation)).group_by(col(Assignment.scope), col(Assignment.scope_id))
    rows = session.scalars(select(Assignment).where(col(Assignment.generation).in_(newest)))
    return {(row.scope, row.scope_id): row for row in rows}


def resolve(terminal: Terminal, assignments: Iterable[Assignment]) -> Resolved | None:
    """What this terminal should run, of assignments that include all of its scopes' newest ones."""
    by_scope = {(row.scope, row.scope_id): row for row in assignments}
    mine = [by_scope[key] for key in _scopes_of(terminal) if key in by_scope]
    bundle = next((row.bundle for row in mine if row.bundle is not None), None)
    if bundle is None:
        return None
    return Resolved(max(terminal.moved_generation, *(row.generation for row in mine)), bundle)


def statement(
    director: Director, terminal: str, resolved: Resolved, moment: dt.datetime, lifetime: dt.timedelta
) -> tuple[SignedDesiredState, str]:
    """The director's sentence and its ETag: the same for a day, so that an unchanged state is answered 304."""
    start = dt.datetime.fromtimestamp(moment.timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds(), dt.UTC)
    state = DesiredState(
        terminal=terminal, generation=resolved.generation, bundle=resolved.bundle, not_before=start - CLOCK_MARGIN,
        not_after=start + WINDOW + lifetime,
    )  # fmt: skip
    signed = SignedDesiredState(
        state=state, key_id=director.key_id, algorithm=director.algorithm, signature=sign_value(director, state)
    )
    return signed, f'"{resolved.generation}-{resolved.bundle[:16]}-{int(start.timestamp())}-{director.key_id}"'


def _scopes_of(terminal: Terminal) -> list[tuple[str, str]]:
    names = {Scope.TERMINAL: terminal.id, Scope.GROUP: terminal.group, Scope.RING: terminal.ring, Scope.ALL: ""}
    return [(str(scope), name) for scope in NARROWEST_FIRST if (name := names[scope]) is not None]


def _newest(scope: str, scope_id: str) -> ScalarSelect[int | None]:
    query = select(func.max(Assignment.generation))
    return query.where(col(Assignment.scope) == scope, col(Assignment.scope_id) == scope_id).scalar_subquery()
