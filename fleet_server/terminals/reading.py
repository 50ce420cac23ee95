"""Terminals as the pages show them: how each one is, what its devices say, where it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from fleet_server.database import now
from fleet_server.terminals import service
from fleet_server.terminals.models import Assignment, Site, Terminal, TerminalPublic, TerminalStatus

FIT = frozenset({"online", "busy"})
DEVICE_ORDER = (
    "id_card_reader",
    "face_camera",
    "face_matcher",
    "receipt_printer",
    "document_printer",
    "document_scanner",
)


class Condition(StrEnum):
    """How a terminal is, worst first."""

    SILENT = "silent"
    OUT_OF_SERVICE = "out_of_service"
    IMPAIRED = "impaired"
    SERVING = "serving"
    READY = "ready"
    EXPECTED = "expected"  # created, not enrolled yet
    REVOKED = "revoked"


@dataclass(frozen=True)
class DeviceView:
    name: str
    state: str
    faults: list[dict[str, Any]]
    parts: dict[str, str]
    simulated: bool

    @property
    def mark(self) -> str:
        """good, warn, bad: never told by colour alone."""
        if self.state in FIT:
            return "warn" if self.faults else "good"
        return "warn" if self.state in ("starting", "unknown") else "bad"


@dataclass(frozen=True)
class TerminalView:
    """One terminal with its site and what it last said. `missing`: journal entries heard of and not stored here."""

    public: TerminalPublic
    site: Site
    condition: Condition
    heartbeat: dict[str, Any] = field(default_factory=dict)
    devices: list[DeviceView] = field(default_factory=list)
    missing: int = 0

    @property
    def rollout(self) -> str:
        """none, converged, refused, rolled_back or waiting: where it is on the way to what it should run."""
        if self.public.desired_bundle is None:
            return "none"
        if self.public.is_converged:
            return "converged"
        return self.public.reported_result if self.public.refused_reason is not None else "waiting"  # type: ignore[return-value]


def views(
    session: Session, silence_seconds: int, missing: dict[str, int] | None = None, only: str | None = None
) -> list[TerminalView]:
    """Every terminal, worst first; or the one named."""
    publics = service.overview(session) if only is None else [service.one(session, only)]
    heard = service.statuses(session, None if only is None else [only])
    places = sites(session)
    lacking = missing or {}
    found = [
        _view(public, places[public.site], heard.get(public.id), silence_seconds, lacking.get(public.id, 0))
        for public in publics
    ]
    order = list(Condition)
    return sorted(found, key=lambda view: (order.index(view.condition), view.public.id))


def sites(session: Session) -> dict[str, Site]:
    return {row.id: row for row in session.scalars(select(Site).order_by(col(Site.id)))}


def scope_names(session: Session) -> dict[str, list[str]]:
    """Names that a ring, a group or a terminal is called by, for choosing a scope."""
    columns = {"ring": col(Terminal.ring), "group": col(Terminal.group), "terminal": col(Terminal.id)}
    return {
        name: sorted(str(value) for value in session.scalars(select(column).distinct()) if value is not None)
        for name, column in columns.items()
    }


def assignments(session: Session, limit: int = 20) -> list[Assignment]:
    """The newest sentences of the director."""
    return list(session.scalars(select(Assignment).order_by(col(Assignment.generation).desc()).limit(limit)))


def terminal_count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Terminal)) or 0


def counts(found: Iterable[TerminalView]) -> dict[str, int]:
    made = dict.fromkeys((str(condition) for condition in Condition), 0)
    for view in found:
        made[view.condition] += 1
    return made


def _view(
    public: TerminalPublic, site: Site, status: TerminalStatus | None, silence_seconds: int, missing: int
) -> TerminalView:
    heartbeat = status.heartbeat if status else {}
    devices = [
        DeviceView(
            name, str(state.get("device", "unknown")), list(state.get("faults", [])), dict(state.get("parts", {})),
            bool(state.get("simulated", False)),
        )
        for name, state in sorted(heartbeat.get("devices", {}).items(), key=_place)
    ]  # fmt: skip
    return TerminalView(
        public, site, _condition(public, heartbeat, devices, silence_seconds), heartbeat, devices, missing
    )


def _place(device: tuple[str, Any]) -> tuple[int, str]:
    """In the order in which a citizen meets them."""
    name = device[0]
    return next((at for at, kind in enumerate(DEVICE_ORDER) if name.startswith(kind)), len(DEVICE_ORDER)), name


def _condition(
    public: TerminalPublic, heartbeat: dict[str, Any], devices: list[DeviceView], silence_seconds: int
) -> Condition:
    if public.revoked_at is not None:
        return Condition.REVOKED
    if public.enrolled_at is None:
        return Condition.EXPECTED
    if (public.heard_at or public.enrolled_at) < now() - dt.timedelta(seconds=silence_seconds):
        return Condition.SILENT
    return _condition_said(public, devices) if heartbeat else Condition.EXPECTED


def _condition_said(public: TerminalPublic, devices: list[DeviceView]) -> Condition:
    if public.stage == "out_of_service":
        return Condition.OUT_OF_SERVICE
    if any(device.mark == "bad" or device.faults for device in devices):
        return Condition.IMPAIRED
    return Condition.SERVING if public.stage == "session" else Condition.READY
