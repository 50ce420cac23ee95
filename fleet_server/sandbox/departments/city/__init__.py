"""The city's business: market supervision, credit, utilities, data administration."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments.city import (
    credit,
    data_administration,
    market_supervision,
    other_regions,
    utilities,
)

DEPARTMENTS: tuple[Department, ...] = (
    credit.DEPARTMENT,
    data_administration.DEPARTMENT,
    market_supervision.DEPARTMENT,
    utilities.DEPARTMENT,
    *other_regions.DEPARTMENTS,
)
