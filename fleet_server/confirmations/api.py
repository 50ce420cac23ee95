"""What terminals call when a clerk vouches for a citizen (kiosk/contracts/confirmations.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from fleet_server.confirmations import service
from fleet_server.confirmations.models import ConfirmationRow
from fleet_server.database import Reading
from fleet_server.problems import ProblemError, problem_responses
from fleet_server.security import SignedRoute, TerminalIdentity, signed_terminal
from kiosk.contracts.confirmations import (
    CONFIRMATION_ID,
    CONFIRMATIONS_PATH,
    ClerkWord,
    Confirmation,
    ConfirmationRequest,
)

router = APIRouter(prefix=CONFIRMATIONS_PATH, tags=["confirmations"], route_class=SignedRoute)

Terminal = Annotated[TerminalIdentity, Depends(signed_terminal)]
Named = Annotated[str, Path(pattern=CONFIRMATION_ID)]


@router.put("/{confirmation_id}", responses=problem_responses(401, 403, 409, 413, 422, 503))
def ask_confirmation(
    confirmation_id: Named, body: ConfirmationRequest, request: Request, terminal: Terminal
) -> Confirmation:
    """A clerk has looked at card and citizen; now a second person has three minutes."""
    return _answered(request, lambda session: service.ask(session, terminal.terminal, confirmation_id, body))


@router.post("/{confirmation_id}/second", responses=problem_responses(401, 403, 404, 409, 413, 422, 503))
def confirm_second(confirmation_id: Named, body: ClerkWord, request: Request, terminal: Terminal) -> Confirmation:
    """A second clerk of the same shop agrees."""
    return _answered(request, lambda session: service.second_clerk(session, terminal.terminal, confirmation_id, body))


@router.get("/{confirmation_id}", responses=problem_responses(401, 403, 404, 422, 503))
def show_confirmation(confirmation_id: Named, session: Reading, terminal: Terminal) -> Confirmation:
    """How it stands. Looking changes nothing."""
    return service.of_terminal(session, terminal.terminal, confirmation_id).answer


@router.post("/{confirmation_id}/withdraw", responses=problem_responses(401, 403, 404, 422, 503))
def withdraw_confirmation(confirmation_id: Named, request: Request, terminal: Terminal) -> Confirmation:
    """The citizen gave up; what was decided stays decided."""
    return _answered(request, lambda session: service.withdraw(session, terminal.terminal, confirmation_id))


def _answered(request: Request, deed: Callable[[Session], ConfirmationRow | ProblemError]) -> Confirmation:
    """In one transaction, which is kept also where a wrong PIN was counted."""
    try:
        with request.app.state.database.writing() as session:
            done = deed(session)
    except IntegrityError:  # the same call twice in one moment: the other was quicker
        with request.app.state.database.writing() as session:
            done = deed(session)
    if isinstance(done, ProblemError):
        raise done
    return done.answer
