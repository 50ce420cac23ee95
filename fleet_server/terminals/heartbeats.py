"""Heartbeats are heard in memory and written together, every second or two: no write on a poll (fleet-lessons B.9).

This is the only state that lives in a process, because it may be lost: the next heartbeat says the whole again.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from typing import Any

from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DataError

from fleet_server.database import Database, now
from fleet_server.terminals.models import TerminalStatus
from fleet_server.terminals.service import statuses
from kiosk.contracts.fleet import Heartbeat

ROWS_PER_STATEMENT = 500

log = logging.getLogger(__name__)


class HeartbeatCoalescer:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._heard: dict[str, tuple[dt.datetime, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def hear(self, heartbeat: Heartbeat) -> None:
        with self._lock:
            self._heard[heartbeat.terminal] = (now(), heartbeat.model_dump(mode="json", by_alias=True))

    def flush(self) -> int:
        """Write what was heard since the last flush; what cannot be written now stays for the next one."""
        with self._lock:
            heard, self._heard = self._heard, {}
        names = sorted(heard)
        try:
            for start in range(0, len(names), ROWS_PER_STATEMENT):
                self._write_what_can_be({name: heard[name] for name in names[start : start + ROWS_PER_STATEMENT]})
        except Exception:
            with self._lock:
                self._heard = heard | self._heard
            raise
        return len(names)

    def _write_what_can_be(self, heard: dict[str, tuple[dt.datetime, dict[str, Any]]]) -> None:
        """One heartbeat the database cannot hold is dropped: it never keeps the others from being seen."""
        try:
            self._write(heard)
        except (DataError, ValueError, OverflowError):
            if len(heard) == 1:
                log.warning("a heartbeat of %s cannot be stored", *heard)
                return
            for name, one in heard.items():
                self._write_what_can_be({name: one})

    def _write(self, heard: dict[str, tuple[dt.datetime, dict[str, Any]]]) -> None:
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        with self._database.writing() as session:
            before = statuses(session, list(heard))
            rows = []
            for terminal, (heard_at, heartbeat) in heard.items():
                last = before.get(terminal)
                is_same = last is not None and last.heartbeat.get("reported") == heartbeat["reported"]
                since = last.reported_since if last is not None and is_same else heard_at
                rows.append(
                    {"terminal": terminal, "heard_at": heard_at, "heartbeat": heartbeat, "reported_since": since}
                )
            statement = insert(TerminalStatus).values(rows)
            changed = {name: statement.excluded[name] for name in ("heard_at", "heartbeat", "reported_since")}
            session.execute(statement.on_conflict_do_update(index_elements=["terminal"], set_=changed))
