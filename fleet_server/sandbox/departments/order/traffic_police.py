"""交警: violations, fines, licences, vehicles. Manner: success true or false with a code, everything else in data."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.departments.counters import at, handed_in, needed
from fleet_server.sandbox.departments.order.traffic import fines, licences
from fleet_server.sandbox.departments.order.traffic.ground import SHARED, done


def move_notice(call: Call) -> dict[str, Any]:
    """Nobody signs in for this; the owner is called, and never named."""
    plate = needed(call, "hphm", ("JT042", "未填写号牌号码"))
    needed(call, "wz", ("JT042", "未填写停放地点"))
    if plate not in SHARED["reachable_plates"]:
        raise Declined("JT040", "未查到该号牌的联系方式")
    case = handed_in(call, "traffic_police", "YC", "移车通知", "")
    return done(None, lsh=case.number, tzjg="已发短信并拨打车主电话", hf=bool(at(call.body, "lxdh")))


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"success": False, "code": code, "msg": words}


DEPARTMENT = Department(
    id="traffic_police",
    prefix="/jg",
    decline=_decline,
    counters=(
        Counter("vehicle.move_notice", "/yc/notice", move_notice, submits=True),
        *fines.COUNTERS,
        *licences.COUNTERS,
    ),
)
