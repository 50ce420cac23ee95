"""The city's business: market supervision, credit, utilities, data administration."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments.city import data_administration, market_supervision

DEPARTMENTS: tuple[Department, ...] = (data_administration.DEPARTMENT, market_supervision.DEPARTMENT)
