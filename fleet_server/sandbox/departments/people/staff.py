"""人社: employers and their insurance, and who retires."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import yuan
from fleet_server.sandbox.departments.counters import handed_in, needed
from fleet_server.sandbox.departments.papers import issued
from fleet_server.sandbox.departments.people.employers import may_act_for
from fleet_server.sandbox.departments.people.work import ASKING, FACTS, PLATFORM, known, told, told_paper

INCOMPLETE = ("1003", "填报信息不完整")


def insurance_certificate(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    code = needed(call, "body.AAB998", INCOMPLETE)
    if not may_act_for(citizen, code):
        raise Declined("2201", "非法定代表人")
    held = FACTS.get(citizen.id_number, {})
    if held.get("credit_code") != code:
        raise Declined("2202", "单位未办理社会保险登记")
    employer = held["employer"]
    values = {
        "firm_name": held["firm"], "credit_code": code, "registered_on": employer["registered_on"],
        "schemes": employer["schemes"], "people": employer["people"], "base": yuan(employer["base_fen"]),
        "state": employer["state"],
    }  # fmt: skip
    return told_paper(citizen, issued(call, "employer_insurance_certificate", PLATFORM, citizen, values))


def register_insurance(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    code, firm = needed(call, "body.AAB998", INCOMPLETE), needed(call, "body.AAB004", INCOMPLETE)
    if not may_act_for(citizen, code):
        raise Declined("2201", "非法定代表人")
    with call.city.lock:
        registered = call.city.shelf("insured_employers")
        twice = code in registered or FACTS.get(citizen.id_number, {}).get("credit_code") == code
        registered[code] = citizen.id_number
    if twice:
        raise Declined("2203", "单位已办理社会保险登记")
    case = handed_in(call, PLATFORM, "SBD", f"单位社会保险登记 {firm}", citizen.id_number)
    return told(citizen, case=case.number, AAE016=case.state, AAB001=f"3502{case.number[-8:]}")


def standing(call: Call) -> dict[str, Any]:
    """Age, years and an estimate; for who has reached the age and draws no pension yet."""
    citizen = ASKING.citizen(call)
    if citizen.pension is not None:
        raise Declined("6002", "已领取养老待遇")
    held = known(citizen, "retirement", ("6001", "未达到法定退休年龄"))
    return told(citizen, AIC162=held["reached_on"], AIC102=held["years"], AIC263=yuan(held["estimate_fen"]))


def apply_to_retire(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if citizen.pension is not None:
        raise Declined("6002", "已领取养老待遇")
    known(citizen, "retirement", ("6001", "未达到法定退休年龄"))
    needed(call, "body.QM", ("6003", "未收到签字申请"))
    case = handed_in(call, PLATFORM, "TX", "正常退休申请", citizen.id_number, days=20)
    return told(citizen, case=case.number, AAE016=case.state, AAE030=case.promised_on.isoformat())


COUNTERS = (
    Counter("employer.insurance_certificate", "/trade/SB2201", insurance_certificate, submits=True),
    Counter("employer.register_insurance", "/trade/SB2202", register_insurance, submits=True),
    Counter("retirement.standing", "/trade/TX6001", standing),
    Counter("retirement.apply", "/trade/TX6002", apply_to_retire, submits=True),
)
