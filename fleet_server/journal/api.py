"""Journal intake for terminals; transactions, timelines and proofs over JSON for staff."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Path, Query, Request

from fleet_server.bodies import StrictRoute
from fleet_server.database import Reading, Writing
from fleet_server.journal import search, service
from fleet_server.journal.models import ChainProof, Lag, TimelineEntry, TransactionPublic
from fleet_server.problems import problem_responses
from fleet_server.security import Role, SignedRoute, StaffIdentity, TerminalIdentity, require, signed_terminal
from fleet_server.staff.service import record
from kiosk.contracts.fleet import JournalBatch, JournalReceipt

INTAKE_THREADS = 8
"""Uploads wait here for a thread of their own, so that they can never take those of the rest of the server."""

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "a JournalBatch; with Content-Encoding zstd the digest covers the compressed bytes",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/JournalBatch"}}},
    }
}

router = APIRouter(prefix="/terminal/v1", tags=["terminal"], route_class=SignedRoute)
staff_router = APIRouter(prefix="/staff/v1", tags=["journal"], route_class=StrictRoute)
BODY_MODELS = (JournalBatch,)
"""Models the OpenAPI description names that no route declares by itself."""

JournalId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Reader = Annotated[StaffIdentity, Depends(require(Role.AUDITOR, Role.MAINTAINER, Role.ADMINISTRATOR))]
Auditor = Annotated[StaffIdentity, Depends(require(Role.AUDITOR))]


@router.post(
    "/journals/{journal_id}/batches",
    operation_id="upload_journal_batch",
    openapi_extra=BODY,
    responses=problem_responses(401, 403, 409, 413, 415, 422, 503),
)
async def upload_journal_batch(
    request: Request, journal_id: JournalId, terminal: Annotated[TerminalIdentity, Depends(signed_terminal)]
) -> JournalReceipt:
    """Store the continuation of a journal. The receipt means durable; 409 `gap` carries `expected_sequence`."""
    state, content = request.app.state, await request.body()
    encoding = request.headers.get("content-encoding", "").strip().lower()

    def take_in() -> JournalReceipt:
        return service.take_in(
            state.database, state.director, terminal, journal_id=journal_id, content=content, encoding=encoding
        )

    return await to_thread.run_sync(take_in, limiter=_limiter(request))


@staff_router.get("/transactions", operation_id="list_transactions", responses=problem_responses(401, 403, 422))
def list_transactions(
    session: Reading,
    _staff: Reader,
    number: Annotated[str | None, Query(max_length=40)] = None,
    terminal: Annotated[str | None, Query(max_length=48)] = None,
    matter: Annotated[str | None, Query(max_length=48)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[TransactionPublic]:
    """Newest first; `number` may be the beginning of one."""
    rows = search.transactions(session, number=number, terminal=terminal, matter=matter, limit=limit)
    return [TransactionPublic.model_validate(row, from_attributes=True) for row in rows]


@staff_router.get(
    "/transactions/{number}/timeline", operation_id="get_timeline", responses=problem_responses(401, 403, 404)
)
def get_timeline(session: Reading, _staff: Reader, number: str) -> list[TimelineEntry]:
    return search.timeline(session, search.find_transaction(session, number))


@staff_router.get("/transactions/{number}/proof", operation_id="get_proof", responses=problem_responses(401, 403, 404))
def get_proof(session: Reading, _staff: Reader, number: str) -> ChainProof:
    """Every link recomputed from the stored bytes."""
    return search.proof(session, search.find_transaction(session, number))


@staff_router.get("/journal-lags", operation_id="list_journal_lags", responses=problem_responses(401, 403))
def list_journal_lags(session: Reading, _staff: Reader) -> list[Lag]:
    """Heard in the heartbeat minus acknowledged, per terminal."""
    return search.lags(session)


@staff_router.post(
    "/quarantine/{quarantine}/settle",
    operation_id="settle_quarantine",
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
def settle_quarantine(session: Writing, staff: Auditor, quarantine: int) -> None:
    """A person has looked into it: the alarm ends, what was set aside stays."""
    service.settle(session, quarantine, by=staff.account)
    record(session, staff.account, "quarantine_settled", str(quarantine))


def _limiter(request: Request) -> CapacityLimiter:
    limiter: CapacityLimiter | None = getattr(request.app.state, "intake_limiter", None)
    if limiter is None:
        limiter = request.app.state.intake_limiter = CapacityLimiter(INTAKE_THREADS)
    return limiter
