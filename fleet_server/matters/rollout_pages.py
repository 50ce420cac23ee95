"""Pages of the roll-out: what each terminal should run and runs, and going back to a bundle of before."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from sqlmodel import Session

from fleet_server.dashboard.forms import Anybody, Text, attempt
from fleet_server.dashboard.shell import back_to, live_part, page
from fleet_server.database import Reading
from fleet_server.matters import service
from fleet_server.problems import ProblemError
from fleet_server.security import Role, StaffIdentity, require
from fleet_server.terminals import reading as terminals
from fleet_server.terminals.models import Scope

SHORTEST_REASON, LONGEST_REASON = 3, 200

router = APIRouter(include_in_schema=False, prefix="/rollout")

RollsBack = Annotated[StaffIdentity, Depends(require(Role.REVIEWER, Role.ADMINISTRATOR))]


@router.get("")
def show_rollout(request: Request, session: Reading, staff: Anybody) -> Response:
    return page(request, staff, "matters/rollout.html", **_rollout(request, session))


@router.get("/live")
def show_rollout_live(request: Request, session: Reading, staff: Anybody) -> Response:
    return live_part(request, staff, "matters/_rollout.html", **_rollout(request, session))


@router.post("/back", response_model=None)
def roll_back(
    request: Request,
    staff: RollsBack,
    *,
    bundle: Text = "",
    scope: Text = "all",
    scope_id: Text = "",
    reason: Text = "",
) -> Response:
    """A new generation that points to an older bundle; the reason is kept with it."""
    why = reason.strip()

    def deed(session: Session) -> int:
        if not SHORTEST_REASON <= len(why) <= LONGEST_REASON:
            raise ProblemError(422, "reason_missing", "say why")
        chosen, name = scope_from(scope, scope_id, session)
        return service.roll_back(session, bundle, scope=chosen, scope_id=name, by=staff.account, reason=why).generation

    made = attempt(request, staff, deed)
    if isinstance(made, int):
        return back_to("/rollout", "rolled_back")
    with request.app.state.database.reading() as session:
        return page(request, staff, "matters/rollout.html", problem=made, **_rollout(request, session))


def scope_from(scope: str, scope_id: str, session: Session) -> tuple[Scope, str]:
    """What was chosen in the form; a name that nobody bears is a slip of the pen, and refused."""
    if scope not in list(Scope):
        raise ProblemError(422, "scope", "choose whom it is for")
    chosen, name = Scope(scope), scope_id.strip()
    if chosen is not Scope.ALL and name not in terminals.scope_names(session)[chosen]:
        raise ProblemError(422, "scope_unknown", "no terminal belongs to that name")
    return chosen, name


def _rollout(request: Request, session: Session) -> dict[str, Any]:
    views = terminals.views(session, request.app.state.settings.silence_seconds)
    views = [view for view in views if view.public.revoked_at is None]
    order = ("refused", "rolled_back", "waiting", "none", "converged")
    views.sort(key=lambda view: (order.index(view.rollout), view.public.id))
    counts = {state: sum(view.rollout == state for view in views) for state in order}
    return {
        "views": views, "counts": counts, "bundles": service.bundles(session)[:12],
        "assignments": terminals.assignments(session), "scopes": terminals.scope_names(session),
    }  # fmt: skip
