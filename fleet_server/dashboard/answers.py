"""What a browser gets beside the pages: headers that keep a page to itself, and problems as pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fleet_server.dashboard.shell import page
from fleet_server.problems import ProblemError
from fleet_server.security import SignInNeeded
from kiosk.contracts.errors import MatterInvalid

MACHINES = ("/terminal/", "/staff/v1/", "/payments/", "/phone/v1/", "/openapi.json")
"""Addresses programs call: their answers stay as they are."""
LIVE = "x-live"

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

Handler = Callable[[Request, Any], Awaitable[Response]]


class PageHeaders:
    """Security headers on every page; nothing a page shows stays in a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(MACHINES):
            await self.app(scope, receive, send)
            return
        keeps = scope["path"].startswith("/static/")
        caching = "public, max-age=31536000, immutable" if keeps else "no-store"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message, HEADERS | {"cache-control": caching})
            await send(message)

        await self.app(scope, receive, with_headers)


def _add(message: MutableMapping[str, Any], headers: dict[str, str]) -> None:
    there = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [
        *message["headers"],
        *((name.encode(), value.encode()) for name, value in headers.items() if name.encode() not in there),
    ]


def install(app: FastAPI) -> None:
    """Problems become pages where a person asked; the handlers of before still run, so refusals stay audited."""
    app.add_middleware(PageHeaders)
    kinds: tuple[type[Exception], ...] = (
        ProblemError, HTTPException, RequestValidationError, MatterInvalid, OperationalError, PoolTimeout,
        IntegrityError, DataError, OverflowError, Exception,
    )  # fmt: skip
    for kind in kinds:
        before: Any = app.exception_handlers[kind]
        app.exception_handler(kind)(_paged(before))


def _paged(before: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await before(request, error)
        if not is_page(request):
            return answer
        if isinstance(error, SignInNeeded):
            wanted = request.url.path if request.method == "GET" else "/"
            return RedirectResponse(f"/sign-in?next={quote(wanted)}", 303)
        headers = {name: value for name, value in answer.headers.items() if name in ("retry-after", "allow")}
        problem = error if isinstance(error, ProblemError) else ProblemError(answer.status_code, "", "")
        staff = getattr(request.state, "staff", None)
        made = page(request, staff, "dashboard/problem.html", status=answer.status_code, failure=problem)
        made.headers.update(headers)
        return made

    return handle


def is_page(request: Request) -> bool:
    """A person with a browser asked for this, not a program and not a page's own script."""
    if request.url.path.startswith(MACHINES) or request.headers.get(LIVE):
        return False
    return "route" in request.scope or "text/html" in request.headers.get("accept", "")
