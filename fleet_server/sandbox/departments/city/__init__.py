"""The city's business: market supervision, credit, utilities, data administration."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department

DEPARTMENTS: tuple[Department, ...] = ()
