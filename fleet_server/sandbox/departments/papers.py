"""What departments share when they issue a paper."""

from __future__ import annotations

import datetime as dt

from fleet_server.sandbox.calls import Call
from fleet_server.sandbox.citizens import Citizen
from fleet_server.sandbox.documents import CITY_TIME, Issued


def issued(
    call: Call, kind: str, department: str, citizen: Citizen, values: dict[str, str], *,
    rows: tuple[tuple[str, ...], ...] = (),
) -> Issued:  # fmt: skip
    """Issue a document about this citizen, kept in the city's document office."""
    known = {"name": citizen.name, "id_number": citizen.id_number, "id_kind": _id_kind(citizen.id_number), **values}
    return call.city.documents.issue(
        kind, department, known, now=call.city.clock(), verify_at=call.verify_at, rows=rows
    )


def long_time(moment: dt.datetime) -> str:
    return moment.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M:%S")


def _id_kind(number: str) -> str:
    if number.startswith(("81", "82", "83")):
        return "港澳台居民居住证号码"
    if number.startswith("9") or not number[:1].isdigit():
        return "外国人永久居留身份证号码"
    return "居民身份证号码"
