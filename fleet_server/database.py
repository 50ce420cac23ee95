"""Engine and transactions. One request, one transaction, committed once at its end; services never commit."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel
from starlette.requests import HTTPConnection

BUSY_TIMEOUT_SECONDS = 10
CONCURRENT_WRITERS = 8
LENT_SECONDS, LOOK_SECONDS = 5.0, 0.01
WRITING = "fleet_writing"
NOTIFY_CHANNEL = "yizhan"

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A timezone-aware moment, UTC in every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone was about to be stored")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class Database:
    """Readers take a snapshot; writers on SQLite take the one write lock at BEGIN, so none fails half-way."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._writer_engine = self.engine.execution_options(**{WRITING: True})
        self._write_lock = threading.Lock()
        self.listeners: list[Callable[[str], None]] = []

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Commits at the end, rolls back on any error; what was asked by `after_commit` runs after the commit."""
        if self.is_sqlite and not self._write_lock.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise OperationalError("waiting for the write lock", None, TimeoutError())
        try:
            with Session(self._writer_engine, info={"database": self}, expire_on_commit=False) as session:
                yield session
                session.commit()
                callbacks: list[Callable[[], None]] = session.info.pop("after_commit", [])
        finally:
            if self.is_sqlite:
                self._write_lock.release()
        for callback in callbacks:
            callback()

    def dispose(self) -> None:
        """Close every connection. One still lent to another thread is awaited a little: only its user can give it back.

        The server's last background work may still be in its thread when the server has been told to end.
        """
        pool, until = self.engine.pool, time.monotonic() + LENT_SECONDS
        while isinstance(pool, QueuePool) and pool.checkedout() and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
        self.engine.dispose()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run `callback` once the transaction is durable; never when it is rolled back."""
    session.info.setdefault("after_commit", []).append(callback)


def notify(session: Session, message: str) -> None:
    """Tell every server process, once and only if the transaction commits: `Database.listeners`, or LISTEN."""
    database: Database = session.info["database"]
    if not database.is_sqlite:
        session.execute(select(func.pg_notify(NOTIFY_CHANNEL, message)))
        return
    for listener in database.listeners:
        after_commit(session, lambda listener=listener: listener(message))  # type: ignore[misc]


def keep_to_owner(path: Path) -> None:
    """A database file nobody else on the machine may read: SQLite gives its WAL the same rights.

    It holds hashes of six-digit PINs and everybody's audit. A folder that is missing is left to SQLite to complain of.
    """
    if path.is_file():
        path.chmod(0o600)
    elif path.parent.is_dir():
        path.touch(mode=0o600)


def _sqlite_engine(url: str) -> Engine:
    keep_to_owner(Path(url.removeprefix("sqlite:///").partition("?")[0]))
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql_engine(url: str) -> Engine:
    return create_engine(
        url, pool_size=10, max_overflow=20, pool_timeout=BUSY_TIMEOUT_SECONDS, pool_pre_ping=True, hide_parameters=True
    )


def database_of(connection: HTTPConnection) -> Database:
    database: Database = connection.app.state.database
    return database


def _reading(connection: HTTPConnection) -> Iterator[Session]:
    with database_of(connection).reading() as session:
        yield session


def _writing(connection: HTTPConnection) -> Iterator[Session]:
    with database_of(connection).writing() as session:
        yield session


Reading = Annotated[Session, Depends(_reading, scope="function")]
"""Dependency: a session for a request that changes nothing."""

Writing = Annotated[Session, Depends(_writing, scope="function", max_concurrency=CONCURRENT_WRITERS)]
"""Dependency: the request's transaction. Durable before the answer is sent."""
