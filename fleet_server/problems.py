"""Every error the server answers is problem+json (RFC 9457), with a stable `code`. Values sent in are never echoed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosk.contracts.errors import MatterInvalid
from kiosk.contracts.fleet import MAXIMUM_BODY_BYTES, Problem

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request", 401: "Not identified", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 410: "Gone", 413: "Too large", 415: "Unsupported encoding", 422: "Not valid",
    429: "Too many requests", 500: "Internal error", 502: "Authority failed", 503: "Not available",
    504: "Authority silent",
}  # fmt: skip

log = logging.getLogger(__name__)


class ProblemError(Exception):
    """Raised anywhere behind a request; becomes the answer. `more` holds members beyond RFC 9457's own."""

    def __init__(
        self, status: int, code: str, detail: str = "", *, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    def response(self) -> JSONResponse:
        problem = Problem(
            title=TITLES.get(self.status, "Error"), status=self.status, detail=self.detail, code=self.code, **self.more
        )
        content = problem.model_dump(mode="json", exclude_none=True)
        return JSONResponse(content, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI declaration of the problems a route can answer."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": TITLES[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted({*statuses, 500})
    }


def install(app: FastAPI) -> None:
    """Give the app its handlers and the limit on bodies."""
    app.add_middleware(BodyLimit)
    app.exception_handler(ProblemError)(_on_problem)
    app.exception_handler(HTTPException)(_on_http)
    app.exception_handler(RequestValidationError)(_on_validation)
    app.exception_handler(MatterInvalid)(_on_matter)
    app.exception_handler(OperationalError)(_on_database)
    app.exception_handler(PoolTimeout)(_on_database)
    app.exception_handler(ClientDisconnect)(_on_cut_off)
    app.exception_handler(IntegrityError)(_on_database)
    app.exception_handler(DataError)(_on_value)
    app.exception_handler(OverflowError)(_on_value)
    app.exception_handler(Exception)(_on_anything)


async def _on_problem(request: Request, error: ProblemError) -> JSONResponse:
    """What a signed-in person was refused is audited, in a transaction of its own."""
    staff = getattr(request.state, "staff", None)
    if error.status == 403 and staff is not None:
        await run_in_threadpool(request.app.state.audit_refusal, staff.account, error.code, request.url.path)
    return error.response()


async def _on_http(_request: Request, error: HTTPException) -> JSONResponse:
    if isinstance(error.__cause__, ProblemError):
        return error.__cause__.response()
    code = TITLES.get(error.status_code, "error").lower().replace(" ", "_")
    headers = dict(error.headers or {})
    return ProblemError(error.status_code, code, str(error.detail), headers=headers).response()


async def _on_validation(_request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['type']}" for fault in error.errors()[:20]]
    return ProblemError(422, "not_valid", "; ".join(faults)).response()


async def _on_matter(_request: Request, error: MatterInvalid) -> JSONResponse:
    faults = [{"path": path, "line": line, "message": message} for path, line, message in error.faults]
    return ProblemError(422, "matter_invalid", str(error), faults=faults).response()


async def _on_database(_request: Request, error: Exception) -> JSONResponse:
    """Silent, or another was quicker with the same: either way the same call made again is answered."""
    log.error("database: %s", type(error).__name__, exc_info=error)
    problem = ProblemError(
        503, "database", "the database does not take this now: ask again", headers={"Retry-After": "5"}
    )
    return problem.response()


async def _on_cut_off(_request: Request, _error: Exception) -> JSONResponse:
    """Nobody hears this answer. Nor does the log: whoever likes could fill it."""
    return ProblemError(400, "cut_off", "the body ended before its stated length").response()


async def _on_value(request: Request, error: Exception) -> JSONResponse:
    """A number, day or text that fits its kind and yet no database. Its text would echo what was sent."""
    log.warning("%s %s: a value beyond what can be stored: %s", request.method, request.url.path, type(error).__name__)
    return ProblemError(422, "not_valid", "a value is beyond what can be stored").response()


async def _on_anything(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return ProblemError(500, "internal", "the server made a mistake; it has been logged").response()


class BodyLimit:
    """Refuse a body beyond `limit` bytes before anything reads it, whether or not its length was stated.

    `app.state.body_limits` gives addresses that begin in a certain way another limit.
    """

    def __init__(self, app: ASGIApp, limit: int = MAXIMUM_BODY_BYTES) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._limit_of(scope)
        too_large = ProblemError(413, "too_large", f"a body may hold {limit} bytes")
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if not stated.isdigit() or int(stated) > limit:
            await too_large.response()(scope, receive, send)
            return
        await self.app(scope, self._counted(receive, limit, too_large), send)

    def _limit_of(self, scope: Scope) -> int:
        others: dict[str, int] = getattr(scope["app"].state, "body_limits", {}) if "app" in scope else {}
        return next((limit for start, limit in others.items() if scope["path"].startswith(start)), self.limit)

    @staticmethod
    def _counted(receive: Receive, limit: int, too_large: ProblemError) -> Callable[[], Any]:
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large
            return message

        return counted
