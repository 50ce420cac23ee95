"""People's lives: taxation, civil affairs, education, health; and more counters of four departments."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments.people import civil_affairs, education, health, identity, taxation

DEPARTMENTS: tuple[Department, ...] = (
    civil_affairs.DEPARTMENT,
    education.DEPARTMENT,
    health.DEPARTMENT,
    identity.DEPARTMENT,
    taxation.DEPARTMENT,
)
