"""A real server on a throw-away database: SQLite, and a PostgreSQL cluster of its own."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import pwd
import shutil
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn

from fleet_server.__main__ import prepare
from fleet_server.app import create_app
from fleet_server.database import Database
from fleet_server.gateway.connectors import read_connectors
from fleet_server.matters import service as matters
from fleet_server.migrations import upgrade
from fleet_server.security import Role
from fleet_server.settings import Settings
from fleet_server.staff import service as staff
from fleet_server.staff.models import AccountCreate
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import Scope, SiteCreate, TerminalCreate
from tests.fleet_server.peer import Peer

POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
ASSETS = Path(__file__).parents[2] / "assets" / "matters"
MATTER = ASSETS / "natural_resources" / "no_house_certificate" / "matter.yaml"
PASSWORD = "correct horse battery"
TLS = ssl.create_default_context()
"""Read once: each client of its own would read all authorities of the world, to speak plainly over loopback."""

READ_CONNECTORS = functools.cache(read_connectors)


@dataclass
class World:
    """One running server with its five kinds of staff and two more people."""

    settings: Settings
    app: Any
    url: str

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=20, verify=TLS, trust_env=False)

    @contextlib.contextmanager
    def staff_client(self, name: str) -> Iterator[httpx.Client]:
        """A browser in which this person has signed in."""
        with self.client() as client:
            answer = client.post("/staff/v1/session", json={"name": name, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            yield client

    def terminal(self, name: str = "bench-1", **more: Any) -> Peer:
        """A terminal that has been created and enrolled."""
        with self.database.writing() as session:
            terminals.create_terminal(session, TerminalCreate(id=name, site="shop", **more), by="administrator")
            session.flush()
            code = terminals.new_enrolment_code(session, name, by="administrator").code
        peer = Peer(name)
        with self.client() as client:
            answer = peer.enrol(client, code)
        assert answer.status_code == 200, answer.text
        return peer

    def draft(self, version: int, *, by: str = "author", change: Callable[[str], str] = str) -> int:
        text = change(MATTER.read_text(encoding="utf-8").replace("\nversion: 1\n", f"\nversion: {version}\n"))
        with self.database.writing() as session:
            draft = matters.save_draft(session, text, file="matter.yaml", by=by).id
        assert draft is not None
        return draft

    def submission(self, version: int, *, scope: Scope = Scope.ALL, scope_id: str = "") -> int:
        draft = self.draft(version)
        with self.database.writing() as session:
            row = matters.submit(
                session, self.app.state.repository, [draft], by="author", password=PASSWORD, scope=scope,
                scope_id=scope_id,
            )  # fmt: skip
            assert row.id is not None
            return row.id

    def publish(self, version: int, *, scope: Scope = Scope.ALL, scope_id: str = "") -> str:
        """Two people publish this version; the new bundle's hash."""
        submission = self.submission(version, scope=scope, scope_id=scope_id)
        with self.database.writing() as session:
            repository = self.app.state.repository
            assignment = matters.publish(session, repository, submission, by="reviewer", password=PASSWORD)
            assert assignment is not None
            assert assignment.bundle is not None
            return assignment.bundle


@pytest.fixture(autouse=True, scope="session")
def connectors_read_once() -> Iterator[None]:
    """Hundreds of servers share what the first has read: neither the files nor the frozen connectors change."""
    with pytest.MonkeyPatch.context() as patch:
        for reader in ("fleet_server.gateway.api", "fleet_server.gateway.checking"):
            patch.setattr(f"{reader}.read_connectors", READ_CONNECTORS, raising=False)
        yield


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A private cluster on a socket; put a database's name into the address."""
    if not (POSTGRESQL / "initdb").exists():
        pytest.skip(f"PostgreSQL is not installed: {POSTGRESQL}/initdb is missing (apt install postgresql-15)")
    home = Path(tempfile.mkdtemp(prefix="yizhan-postgresql-"))
    prefix: list[str] = []
    if os.getuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(home, account.pw_uid, account.pw_gid)
        prefix = [str(shutil.which("setpriv")), "--reuid=postgres", "--regid=postgres", "--init-groups"]

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(POSTGRESQL / program), "-D", str(home / "data"), *arguments]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=60, check=False)
        log = home / "log"
        assert done.returncode == 0, done.stdout + done.stderr + (log.read_text() if log.exists() else "")

    options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off -c max_connections=60"
    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    run("pg_ctl", "-w", "-l", str(home / "log"), "-o", options, "start")
    yield f"postgresql://postgres@/%s?host={home}"
    run("pg_ctl", "-m", "immediate", "-w", "stop")
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory made ready once; tests copy it."""
    return prepared(tmp_path_factory.mktemp("sqlite") / "data").data


@pytest.fixture(scope="session")
def postgresql_template(postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with psycopg.connect(postgresql % "postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE ready")
    return prepared(tmp_path_factory.mktemp("files") / "data", postgresql % "ready").data


@pytest.fixture
def sqlite_settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    return Settings(data=Path(shutil.copytree(sqlite_template, tmp_path / "data")))


@pytest.fixture(params=["sqlite", "postgresql"])
def any_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A server made ready, not running: every test that uses it runs twice."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_settings")
        return
    template: Path = request.getfixturevalue("postgresql_template")
    address: str = request.getfixturevalue("postgresql")
    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(address % "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE ready")  # type: ignore[call-overload]
    data = Path(shutil.copytree(template, tmp_path / "data"))
    yield Settings(data=data, database_url=address % name)
    with psycopg.connect(address % "postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


def _people(database: Database) -> None:
    roles = {role.value: [role] for role in Role} | {"author2": [Role.AUTHOR], "both": [Role.AUTHOR, Role.REVIEWER]}
    with database.writing() as session:
        for name, held in roles.items():
            wanted = AccountCreate(name=name, display_name=name.title(), roles=held, password=PASSWORD)
            staff.create_account(session, wanted, by="test")
        terminals.create_site(session, SiteCreate(id="shop", name="便利店"), by="administrator")


class _Door:
    """One uvicorn for the whole run, on a loopback port in a thread; behind it stands the app of the moment."""

    def __init__(self) -> None:
        self.app: Any = None
        config = uvicorn.Config(
            self._serve, host="127.0.0.1", port=0, loop="uvloop", ws="websockets-sansio", log_level="error",
            access_log=False, lifespan="off", interface="asgi3",
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the server did not start"
            self.thread.join(0.01)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
        httpx.get(self.url, timeout=5)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        if self.app is None:
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body"})
        else:
            await self.app(scope, receive, send)

    def call(self, coroutine: Any) -> Any:
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)


_door = functools.cache(_Door)


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[World]:
    """The whole server, with its life before and after; stopped and begun again by a second call."""
    door = _door()
    door.app = create_app(settings)
    life = door.app.router.lifespan_context(door.app)
    door.call(life.__aenter__())
    try:
        yield World(settings, door.app, door.url)
    finally:
        door.call(life.__aexit__(None, None, None))
        door.app = None


def prepared(data: Path, database_url: str = "") -> Settings:
    settings = Settings(data=data, database_url=database_url)
    prepare(settings)
    upgrade(settings.sqlalchemy_url)
    database = Database(settings.sqlalchemy_url)
    _people(database)
    database.dispose()
    return settings


@pytest.fixture
def world(sqlite_settings: Settings) -> Iterator[World]:
    """A server on SQLite."""
    with running(sqlite_settings) as world:
        yield world


@pytest.fixture
def any_world(any_settings: Settings) -> Iterator[World]:
    """A server on SQLite, and one on PostgreSQL."""
    with running(any_settings) as world:
        yield world
