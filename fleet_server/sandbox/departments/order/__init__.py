"""Order and law: traffic police, exit and entry, justice."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments.order import traffic_police

DEPARTMENTS: tuple[Department, ...] = (traffic_police.DEPARTMENT,)
