"""People's lives: taxation, civil affairs, education, health."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department

DEPARTMENTS: tuple[Department, ...] = ()
