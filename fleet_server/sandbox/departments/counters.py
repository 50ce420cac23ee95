"""What most counters do: know the citizen, find what the platform knows of them, take a case in, describe a paper."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import Citizen
from fleet_server.sandbox.city import Case
from fleet_server.sandbox.departments.papers import long_time
from fleet_server.sandbox.documents import CITY_TIME, Issued

FRIDAY = 4
PAPER_FIELDS = (
    "document_id", "title", "number", "identifier", "sha256", "verification_code", "issued_at",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Asking:
    """How a platform's calls say who asks: dotted places of number and name, and the refusal when they do not fit."""

    number: str
    name: str
    mismatch: tuple[str, str]

    def citizen(self, call: Call) -> Citizen:
        """Raises `Declined` with `mismatch` when nobody has this number and name."""
        found = call.city.person(at(call.body, self.number), at(call.body, self.name))
        if found is None:
            raise Declined(*self.mismatch)
        return found

    def known(self, call: Call, facts: Mapping[str, Any], missing: tuple[str, str]) -> tuple[Citizen, Any]:
        """The citizen and what `facts_of` holds of them. Raises `Declined` with `missing` when that is nothing."""
        citizen = self.citizen(call)
        held = facts.get(citizen.id_number)
        if held is None:
            raise Declined(*missing)
        return citizen, held


def at(body: Any, path: str) -> Any:
    """The value at a dotted path of a body, or None."""
    for name in path.split("."):
        if not isinstance(body, Mapping):
            return None
        body = body.get(name)
    return body


def needed(call: Call, path: str, missing: tuple[str, str]) -> str:
    """The text at a path. Raises `Declined` with `missing` when it is empty."""
    value = at(call.body, path)
    if value is None or not str(value).strip():
        raise Declined(*missing)
    return str(value)


def handed_in(
    call: Call, department: str, prefix: str, title: str, holder: str, *, days: int = 0, state: str = ""
) -> Case:
    """Number and keep a case. `days` are working days to the promised day; 0 is decided at once."""
    now = call.city.clock()
    case = Case(
        number=call.city.next_case(prefix), department=department, operation=call.operation, title=title,
        holder=holder, handed_in_at=now, promised_on=working_day(now.astimezone(CITY_TIME).date(), days),
        state=state or ("已受理" if days else "已办结"),
    )  # fmt: skip
    call.city.keep_case(case)
    return case


def working_day(day: dt.date, days: int) -> dt.date:
    """The day `days` working days after `day`; Saturdays and Sundays are none."""
    while days > 0:
        day += dt.timedelta(days=1)
        days -= day.weekday() <= FRIDAY
    return day


def today(call: Call) -> dt.date:
    """The day in the city."""
    return call.city.clock().astimezone(CITY_TIME).date()


def paper_facts(paper: Issued, names: Mapping[str, str]) -> dict[str, str]:
    """What a counter tells of an issued paper, under the platform's own names: {our name: its name}."""
    told = {name: getattr(paper, name) for name in PAPER_FIELDS if name in names}
    if "issued_at" in told:
        told["issued_at"] = long_time(paper.issued_at)
    return {names[name]: str(value) for name, value in told.items()}
