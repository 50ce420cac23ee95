"""Order and law: traffic police, exit and entry, justice."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department

DEPARTMENTS: tuple[Department, ...] = ()
