"""Alerts are read off what terminals last said and off what the journal set aside; only "who took it" is stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session, col

from fleet_server.database import now
from fleet_server.journal.search import lags, quarantined
from fleet_server.maintenance.models import Alert, AlertKind, AlertTaken
from fleet_server.security import TerminalKey
from fleet_server.settings import Settings
from fleet_server.staff.service import record
from fleet_server.terminals import service as terminals
from fleet_server.terminals.models import Terminal, TerminalStatus

CLOCK_TOLERANCE_MS = 30_000
BEHIND_ENTRIES = 500
LOOK = "look"
"""Somebody has to look: neither paper nor part will do."""


def alerts(session: Session, settings: Settings) -> list[Alert]:
    """Everything that is wrong now, longest first."""
    sites = {row.id: row.site for row in session.scalars(select(Terminal))}
    statuses = terminals.statuses(session)
    found = [*_silent(session, statuses, sites, settings), *_set_aside(session, sites), *_behind(session, sites)]
    for status in statuses.values():
        found += _of_heartbeat(status, sites.get(status.terminal, ""))
    taken = {row.key: row.taken_by for row in session.scalars(select(AlertTaken))}
    found = [alert.model_copy(update={"taken_by": taken.get(alert.key)}) for alert in found]
    return sorted(found, key=lambda alert: (alert.since is None, alert.since or now()))


def take(session: Session, key: str, *, by: str, note: str = "") -> None:
    """Say that one is on it; a second person takes it over."""
    session.execute(delete(AlertTaken).where(col(AlertTaken.key) == key))
    session.add(AlertTaken(key=key[:160], taken_by=by, note=note[:300]))
    record(session, by, "alert_taken", key)


def _silent(
    session: Session, statuses: dict[str, TerminalStatus], sites: dict[str, str], settings: Settings
) -> Iterator[Alert]:
    """Enrolled, not revoked, and not heard for too long: counted from enrolment when never heard at all."""
    limit = now() - dt.timedelta(seconds=settings.silence_seconds)
    for key in session.scalars(select(TerminalKey).where(col(TerminalKey.revoked_at).is_(None))):
        status = statuses.get(key.terminal)
        last = status.heard_at if status else key.enrolled_at
        if last < limit:
            yield _alert(
                AlertKind.SILENT, key.terminal, sites, "terminal", action=LOOK, since=last,
                detail="no heartbeat: power, network or the machine itself",
            )  # fmt: skip


def _set_aside(session: Session, sites: dict[str, str]) -> Iterator[Alert]:
    for row in quarantined(session):
        yield _alert(
            AlertKind.FORK, row.terminal, sites, f"{row.journal_id[:8]}-{row.id}", action=LOOK, since=row.received_at,
            detail=f"{row.kind} at entry {row.sequence}: the batch is kept in quarantine {row.id}",
        )  # fmt: skip


def _behind(session: Session, sites: dict[str, str]) -> Iterator[Alert]:
    for lag in lags(session):
        if lag.missing >= BEHIND_ENTRIES:
            yield _alert(
                AlertKind.JOURNAL_BEHIND, lag.terminal, sites, "journal", action=LOOK, since=lag.heard_at,
                detail=f"{lag.missing} entries are on the machine and not here",
            )  # fmt: skip


def _of_heartbeat(status: TerminalStatus, site: str) -> Iterator[Alert]:
    sites = {status.terminal: site}
    for device, state in sorted(status.heartbeat.get("devices", {}).items()):
        for fault in state.get("faults", []):
            yield _alert(
                AlertKind.DEVICE_FAULT, status.terminal, sites, f"{device}:{fault['code']}", action=fault["action"],
                since=_moment(fault.get("since")), detail=fault.get("vendor_text") or fault["code"],
            )  # fmt: skip
    reported: dict[str, Any] = status.heartbeat["reported"]
    if reported["result"] in ("refused", "rolled_back"):
        bundle = reported.get("refused_bundle") or reported.get("bundle") or ""
        yield _alert(
            AlertKind.BUNDLE_REFUSED, status.terminal, sites, f"bundle:{bundle[:12]}", action=LOOK,
            since=status.reported_since, detail=f"{reported['reason']}: {reported.get('detail', '')}",
        )  # fmt: skip
    if abs(status.heartbeat.get("clock_offset_ms", 0)) > CLOCK_TOLERANCE_MS:
        yield _alert(
            AlertKind.CLOCK, status.terminal, sites, "clock", action="configuration", since=status.heard_at,
            detail=f"its clock is {status.heartbeat['clock_offset_ms']} ms off",
        )  # fmt: skip


def _alert(
    kind: AlertKind, terminal: str, sites: dict[str, str], subject: str, *, action: str, since: dt.datetime | None,
    detail: str,
) -> Alert:  # fmt: skip
    return Alert(
        key=f"{kind}:{terminal}:{subject}", kind=kind, terminal=terminal, site=sites.get(terminal, ""),
        subject=subject, action=action, detail=detail[:300], since=since,
    )  # fmt: skip


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
