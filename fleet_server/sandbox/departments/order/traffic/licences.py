"""交警 licences and vehicles: renewal of driving licences, inspection exemption."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import Citizen, yuan
from fleet_server.sandbox.departments.counters import at, handed_in, needed, today
from fleet_server.sandbox.departments.order.traffic.ground import ASKING, done, facts_about, open_violations
from fleet_server.sandbox.payments.bills import payment_code

LICENCE_FEN = 1000
RENEWABLE_BEFORE = dt.timedelta(days=90)
MARK_BEFORE = dt.timedelta(days=92)
TEST_YEARS = (6, 10)
OLDEST_YEARS = 10


def check_licence(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    licence = facts_about(citizen, "licence")
    if licence is None:
        raise Declined("JT020", "未查到驾驶证")
    until = _day(licence["valid_until"])
    if until - RENEWABLE_BEFORE > today(call):
        raise Declined("JT022", "未到换证时间")
    if not licence.get("medical"):
        raise Declined("JT023", "未查到有效体检")
    if open_violations(citizen):
        raise Declined("JT021", "有未处理的交通违法")
    code = payment_code(LICENCE_FEN, int(call.city.next_case("")[-4:]), today(call).year)
    return done(
        citizen, jszh=licence["number"], zjcx=licence["classes"], yxqz=until.isoformat(), tj=licence["medical"],
        gbfen=str(LICENCE_FEN), gbf=yuan(LICENCE_FEN), jkm=code,
    )  # fmt: skip


def renew_licence(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    licence = facts_about(citizen, "licence")
    if licence is None:
        raise Declined("JT020", "未查到驾驶证")
    needed(call, "jkdd", ("JT011", "未查到缴款记录"))
    case = handed_in(call, "traffic_police", "JSZ", "驾驶证期满换证", citizen.id_number, days=1)
    until = _day(licence["valid_until"])
    return done(citizen, lsh=case.number, yxqz=until.replace(year=until.year + 10).isoformat())


def check_exemption(call: Call) -> dict[str, Any]:
    """The vehicles whose mark may be had now. The reason is that of the first one when there is none."""
    citizen = ASKING.citizen(call)
    vehicles = facts_about(citizen, "vehicles") or []
    if not vehicles:
        raise Declined("JT030", "名下无机动车")
    reasons = {each["id"]: _why_not(each, today(call), citizen) for each in vehicles}
    exempt = [each for each in vehicles if reasons[each["id"]] is None]
    if not exempt:
        raise next(reason for reason in reasons.values() if reason is not None)
    rows = [
        {"xh": each["id"], "hphm": each["plate"], "ms": f"检验有效期至{each['inspected_until']}"} for each in exempt
    ]
    return done(citizen, cl=rows)


def exemption_mark(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    wanted = needed(call, "xh", ("JT035", "未选择机动车"))
    vehicle = next((each for each in facts_about(citizen, "vehicles") or [] if each["id"] == wanted), None)
    if vehicle is None:
        raise Declined("JT035", "未选择机动车")
    if at(call.body, "sg") == "some":
        raise Declined("JT033", "发生过伤人事故，须上线检验")
    case = handed_in(call, "traffic_police", "MJ", "免检标志", citizen.id_number)
    until = _day(vehicle["inspected_until"])
    mark = f"35{case.number[2:]}"
    return done(citizen, lsh=case.number, bzbh=mark, yxqz=until.replace(year=until.year + 2).isoformat())


def _why_not(vehicle: dict[str, Any], day: dt.date, citizen: Citizen) -> Declined | None:
    if open_violations(citizen):
        return Declined("JT021", "有未处理的交通违法")
    until = _day(vehicle["inspected_until"])
    years = until.year - _day(vehicle["registered_on"]).year
    if years in TEST_YEARS or years > OLDEST_YEARS:
        return Declined("JT032", "本次须上线检验")
    if until - MARK_BEFORE > day:
        return Declined("JT031", "未到申领时间")
    return None


def _day(value: Any) -> dt.date:
    return dt.date.fromisoformat(str(value))


COUNTERS = (
    Counter("driving_licence.check", "/jsz/check", check_licence),
    Counter("driving_licence.renew", "/jsz/renew", renew_licence, submits=True),
    Counter("vehicle.exemption_check", "/mj/check", check_exemption),
    Counter("vehicle.exemption_mark", "/mj/mark", exemption_mark, submits=True),
)
