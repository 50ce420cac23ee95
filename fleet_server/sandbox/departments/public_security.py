"""公安: population base, residence permits, traffic. Manner: pinyin field names, status 1 or 0 with errcode."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, yuan
from fleet_server.sandbox.departments.certificate_library import identifier_of
from fleet_server.sandbox.departments.order.pictures import is_photograph
from fleet_server.sandbox.departments.order.police import cases, papers, residence
from fleet_server.sandbox.documents import CITY_TIME

EXPIRED_BEYOND_DAYS = 60


def _citizen(call: Call) -> Citizen:
    found = call.city.person(call.body.get("gmsfhm"), call.body.get("xm"))
    if found is None:
        raise Declined("RK404", "查无此人或姓名与号码不符")
    return found


def population(call: Call) -> dict[str, Any]:
    citizen = _citizen(call)
    data = {
        "gmsfhm": citizen.id_number, "xm": citizen.name, "hjdz": citizen.address,
        "jzdz": citizen.residence_address, "lxdh": citizen.phone,
    }  # fmt: skip
    return {"status": "1", "data": data}


def endorse(call: Call) -> dict[str, Any]:
    """A permit from the library is endorsed at once; a picture of one is accepted and looked at by an officer."""
    citizen = _citizen(call)
    if not call.body.get("jzdz"):
        raise Declined("JZ002", "未填写现居住地址")
    if call.body.get("zzbs"):
        held = citizen.certificate("residence_permit")
        if held is None or identifier_of(held) != call.body.get("zzbs"):
            raise Declined("JZ003", "居住证与申请人不符")
        today = call.city.clock().astimezone(CITY_TIME).date()
        until = held.valid_until or today
        if until < today - dt.timedelta(days=EXPIRED_BEYOND_DAYS):
            raise Declined("JZ004", "居住证已逾期六十日以上，使用功能中止，需重新申领")
        state, valid_until = "已签注", _a_year_after(max(until, today)).isoformat()
    elif is_photograph(call.body.get("tp"), call.body.get("tpzy")):
        state, valid_until = "已受理，待审核", None
    else:
        raise Declined("JZ001", "缺少居住证")
    return {
        "status": "1", "ywbh": call.city.next_case("JZ"), "gmsfhm": citizen.id_number, "blzt": state,
        "sfbj": valid_until is not None, "yxqz": valid_until,
    }  # fmt: skip


def violations(call: Call) -> dict[str, Any]:
    citizen = _citizen(call)
    listed = [(vehicle.plate, violation) for vehicle in citizen.vehicles for violation in vehicle.violations]
    return {
        "status": "1", "gmsfhm": citizen.id_number, "zs": len(listed),
        "fkje": yuan(sum(violation.fine_fen for _, violation in listed)),
        "jf": sum(violation.points for _, violation in listed),
        "mx": [
            {
                "hphm": plate, "wfsj": violation.occurred_at, "wfdd": violation.place, "wfxw": violation.act,
                "fkje": yuan(violation.fine_fen), "jf": violation.points,
            }
            for plate, violation in listed
        ],
    }  # fmt: skip


def _a_year_after(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"status": "0", "errcode": code, "errmsg": words}


DEPARTMENT = Department(
    id="public_security",
    prefix="/ga",
    decline=_decline,
    counters=(
        Counter("population.lookup", "/rkk/query", population),
        Counter("residence_permit.endorse", "/jzz/endorse", endorse, submits=True),
        Counter("traffic.violations", "/jtwf/list", violations),
        *papers.COUNTERS,
        *residence.COUNTERS,
        *cases.COUNTERS,
    ),
)
