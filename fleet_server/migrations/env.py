"""Alembic's door: it runs this file. One transaction; SQLite alters tables by copying them."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import text
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from fleet_server.database import Database, UtcDateTime
from fleet_server.migrations import import_models

MIGRATION_LOCK = 7_102_024


def _rendered(kind: str, thing: object, _context: AutogenContext) -> str | Literal[False]:
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, AutoString):
        return f"sa.String(length={thing.length})"
    return False


import_models()
_database = Database(context.config.get_main_option("sqlalchemy.url") or "")
_writer = _database.engine.execution_options(fleet_writing=True)
with _writer.begin() as connection:
    if not _database.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        render_item=_rendered,
        compare_type=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()
_database.dispose()
