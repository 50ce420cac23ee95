"""What the traffic counters share: who asks, violations with their numbers, and the manner of an answer."""

from __future__ import annotations

from typing import Any, NamedTuple

from fleet_server.sandbox.citizens import Citizen, Violation, facts_of, shared_of
from fleet_server.sandbox.departments.counters import Asking

FACTS = facts_of("traffic_police")
SHARED = shared_of("traffic_police")
ASKING = Asking(number="sfzmhm", name="xm", mismatch=("JT000", "当事人信息核验不一致"))
AUTHORITY_DIGITS = "350299"


class Recorded(NamedTuple):
    """A violation on record: its number is the authority's digits, the day, and a place in the owner's list."""

    number: str
    plate: str
    violation: Violation


def open_violations(citizen: Citizen) -> list[Recorded]:
    found = [(vehicle.plate, each) for vehicle in citizen.vehicles for each in vehicle.violations]
    owner = citizen.id_number[-3:-1]
    return [
        Recorded(f"{AUTHORITY_DIGITS}{each.occurred_at[:7].replace('-', '')}{owner}{at:02d}", plate, each)
        for at, (plate, each) in enumerate(found, 1)
    ]


def facts_about(citizen: Citizen, item: str) -> Any:
    return (FACTS.get(citizen.id_number) or {}).get(item)


def done(citizen: Citizen | None, **data: Any) -> dict[str, Any]:
    who = {} if citizen is None else {"sfzmhm": citizen.id_number}
    return {"success": True, "code": "200", "data": {**who, **data}}
