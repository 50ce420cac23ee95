"""The city's departments, each with an interface in its own manner."""

from __future__ import annotations

from fleet_server.sandbox.calls import Department
from fleet_server.sandbox.departments import (
    certificate_library,
    city,
    housing_fund,
    human_resources,
    medical_security,
    messages,
    natural_resources,
    order,
    people,
    public_security,
)

DEPARTMENTS: tuple[Department, ...] = (
    certificate_library.DEPARTMENT,
    housing_fund.DEPARTMENT,
    human_resources.DEPARTMENT,
    medical_security.DEPARTMENT,
    messages.DEPARTMENT,
    natural_resources.DEPARTMENT,
    public_security.DEPARTMENT,
    *order.DEPARTMENTS,
    *people.DEPARTMENTS,
    *city.DEPARTMENTS,
)
