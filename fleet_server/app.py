"""create_app(settings): the only place that puts the rooms together."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.concurrency import run_in_threadpool

from fleet_server import problems
from fleet_server.database import Database
from fleet_server.journal import api as journal
from fleet_server.maintenance import api as maintenance
from fleet_server.matters import api as matters
from fleet_server.matters.repository import MatterRepository
from fleet_server.security import FileDirector
from fleet_server.security.replay import NonceMemory
from fleet_server.settings import Settings
from fleet_server.staff import api as staff
from fleet_server.staff.service import count_wrong_password, record
from fleet_server.terminals import api as terminals
from fleet_server.terminals.heartbeats import HeartbeatCoalescer
from fleet_server.terminals.hints import ChannelHub
from kiosk.contracts.fleet import Problem

HEARTBEAT_FLUSH_SECONDS = 1.0
REPOSITORY_REFRESH_SECONDS = 600.0
ROOMS = (
    terminals.enrolment, terminals.router, terminals.staff_router, matters.files, matters.router, journal.router,
    journal.staff_router, maintenance.router, maintenance.staff_router, staff.router,
)  # fmt: skip
OPTIONAL_ROOMS = (
    "fleet_server.gateway.api", "fleet_server.payments.api", "fleet_server.handover.api",
    "fleet_server.dashboard.pages", "fleet_server.staff.pages",
    "fleet_server.terminals.pages", "fleet_server.matters.pages", "fleet_server.journal.pages",
    "fleet_server.maintenance.pages", "fleet_server.payments.pages", "fleet_server.ratings.pages",
    "fleet_server.confirmations.api", "fleet_server.confirmations.pages", "fleet_server.assistance.pages",
)  # fmt: skip
"""Where present, each offers `router`, and may offer `install(app)` for what else it needs. What is to run as long as
the server lives is put into `app.state.background`: callables that return a coroutine."""

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    """The whole server. Raises `SettingsInvalid` when a key it cannot do without is missing."""
    app = FastAPI(title="Yizhan fleet server", version="1", lifespan=_lifespan, docs_url=None, redoc_url=None)
    state = app.state
    state.settings = settings
    state.database = Database(settings.sqlalchemy_url)
    state.nonces = NonceMemory(settings.sqlalchemy_url, settings.data)
    state.director = FileDirector(settings.keys / "director.key")
    state.repository = repository_of(settings)
    state.cookie_secret = settings.cookie_secret()
    state.heartbeats = HeartbeatCoalescer(state.database)
    state.hub = ChannelHub(state.database)
    state.audit_refusal = _audit_refusal(state.database)
    state.background = []
    problems.install(app)
    for router in ROOMS:
        app.include_router(router)
    for name in OPTIONAL_ROOMS:
        _include(app, name)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def repository_of(settings: Settings) -> MatterRepository:
    return MatterRepository(
        settings.repository, online_key=settings.keys / "online.key", offline_keys=settings.offline_keys_directory
    )


def _include(app: FastAPI, name: str) -> None:
    parent = name.rpartition(".")[0]
    if importlib.util.find_spec(parent) is None or importlib.util.find_spec(name) is None:
        return
    module = importlib.import_module(name)
    app.include_router(module.router)
    install: Callable[[FastAPI], None] | None = getattr(module, "install", None)
    if install is not None:
        install(app)


def _audit_refusal(database: Database) -> Callable[[str, str, str], None]:
    def audit(account: str, code: str, path: str) -> None:
        with database.writing() as session:
            record(session, account, "refused", path, code=code)
            if code == "password_wrong":
                count_wrong_password(session, account)

    return audit


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    state = app.state
    state.hub.start(asyncio.get_running_loop())
    tasks = [
        asyncio.create_task(state.hub.watch()),
        asyncio.create_task(_repeat(state.heartbeats.flush, HEARTBEAT_FLUSH_SECONDS)),
        asyncio.create_task(_repeat(state.repository.refresh_when_due, REPOSITORY_REFRESH_SECONDS)),
        *(asyncio.create_task(work()) for work in state.background),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            await run_in_threadpool(state.heartbeats.flush)
        state.nonces.dispose()
        state.database.dispose()


async def _repeat(work: Callable[[], Any], seconds: float) -> None:
    """A failure is logged and tried again: these tasks live as long as the server."""
    while True:
        try:
            await run_in_threadpool(work)
        except Exception:
            log.exception("%s failed", getattr(work, "__qualname__", work))
        await asyncio.sleep(seconds)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description, with the models that routes name by reference only."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        _, definitions = models_json_schema(
            [(model, "validation") for model in (Problem, *journal.BODY_MODELS)],
            ref_template="#/components/schemas/{model}",
        )
        components: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
        for name, schema in definitions["$defs"].items():
            components.setdefault(name, schema)
        problem = problems.problem_responses(422)[422]
        for operation in (operation for path in document["paths"].values() for operation in path.values()):
            if "422" in operation["responses"]:
                operation["responses"]["422"] = problem
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema
