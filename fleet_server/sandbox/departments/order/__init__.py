"""Order and law: traffic police, exit and entry, justice, and what the unified acceptance platform takes in."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments.order import acceptance, exit_entry, justice, traffic_police

DEPARTMENTS: tuple[Department, ...] = (
    acceptance.DEPARTMENT,
    exit_entry.DEPARTMENT,
    justice.DEPARTMENT,
    traffic_police.DEPARTMENT,
)
