"""Database migrations: `upgrade(url)` brings any database to what the models say."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from alembic import command
from alembic.config import Config

MODELS = (
    "fleet_server.security.staff_identity", "fleet_server.security.terminal_identity", "fleet_server.staff.models",
    "fleet_server.terminals.models", "fleet_server.matters.models", "fleet_server.journal.models",
    "fleet_server.maintenance.models", "fleet_server.gateway.models", "fleet_server.payments.models",
    "fleet_server.ratings.models", "fleet_server.confirmations.models",
    "fleet_server.handover.models", "fleet_server.assistance.models",
)  # fmt: skip
"""Every module that declares tables. A room with tables of its own adds its line here."""


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(url: str) -> None:
    """Alembic upgrade head. Several processes may call it: PostgreSQL lets one at a time through."""
    command.upgrade(configuration(url), "head")


def import_models() -> None:
    """Fill the metadata with every room's tables."""
    for name in MODELS:
        if importlib.util.find_spec(name.rpartition(".")[0]) and importlib.util.find_spec(name):
            importlib.import_module(name)
