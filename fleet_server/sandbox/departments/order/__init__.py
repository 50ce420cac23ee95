"""Order and law: traffic police, exit and entry, justice."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments.order import exit_entry, traffic_police

DEPARTMENTS: tuple[Department, ...] = (exit_entry.DEPARTMENT, traffic_police.DEPARTMENT)
