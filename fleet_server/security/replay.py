"""Nonces of signed requests, remembered for as long as their signature could be used again.

They live beside the database of record, not in it: a poll writes nothing there and waits for no disk. On SQLite that is
a file of its own; on PostgreSQL an unlogged table all server processes share. Both survive a restart of the server.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sqlalchemy import BigInteger, Column, MetaData, String, Table, create_engine, delete, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.schema import CreateTable

from fleet_server.database import keep_to_owner

SWEEP_SECONDS = 30

_metadata = MetaData()
seen_nonce = Table(
    "seen_nonce",
    _metadata,
    Column("terminal", String(64), primary_key=True),
    Column("nonce", String(128), primary_key=True),
    Column("until", BigInteger, nullable=False, index=True),
)


class NonceMemory:
    """`remember` answers whether the nonce is new. Errors are raised: what cannot be checked is not let through."""

    def __init__(self, database_url: str, directory: Path) -> None:
        self._is_sqlite = database_url.startswith("sqlite")
        if self._is_sqlite:
            directory.mkdir(parents=True, exist_ok=True)
            keep_to_owner(directory / "nonces.sqlite")
            self._engine = create_engine(
                f"sqlite:///{directory / 'nonces.sqlite'}",
                connect_args={"timeout": 5, "check_same_thread": False},
                hide_parameters=True,
            )
            event.listen(self._engine, "connect", _configure_sqlite)
        else:
            self._engine = create_engine(
                database_url, pool_size=5, max_overflow=15, pool_pre_ping=True, hide_parameters=True
            )
        self._swept_at = 0.0
        self._sweep_lock = threading.Lock()
        self._create()

    def remember(self, terminal: str, nonce: str, until: int) -> bool:
        """True the first time; `until` is the second after which the signature is refused for its age anyway."""
        insert = sqlite_insert if self._is_sqlite else postgresql_insert
        row = insert(seen_nonce).values(terminal=terminal, nonce=nonce, until=until)
        statement = row.on_conflict_do_nothing().returning(seen_nonce.c.nonce)
        with self._engine.begin() as connection:
            is_new = connection.execute(statement).first() is not None
        self._sweep()
        return is_new

    def dispose(self) -> None:
        self._engine.dispose()

    def _sweep(self) -> None:
        if time.monotonic() - self._swept_at < SWEEP_SECONDS or not self._sweep_lock.acquire(blocking=False):
            return
        try:
            self._swept_at = time.monotonic()
            with self._engine.begin() as connection:
                connection.execute(delete(seen_nonce).where(seen_nonce.c.until < int(time.time())))
        finally:
            self._sweep_lock.release()

    def _create(self) -> None:
        if self._is_sqlite:
            _metadata.create_all(self._engine)
            return
        statement = str(CreateTable(seen_nonce, if_not_exists=True).compile(self._engine))
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(statement.replace("CREATE TABLE", "CREATE UNLOGGED TABLE", 1))
                connection.exec_driver_sql("CREATE INDEX IF NOT EXISTS ix_seen_nonce_until ON seen_nonce (until)")
        except (IntegrityError, ProgrammingError):
            with self._engine.connect() as connection:  # another process made it in the same moment
                connection.exec_driver_sql("SELECT 1 FROM seen_nonce LIMIT 1")


def _configure_sqlite(connection: object, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL").close()  # type: ignore[attr-defined]
    connection.execute("PRAGMA synchronous=OFF").close()  # type: ignore[attr-defined]
