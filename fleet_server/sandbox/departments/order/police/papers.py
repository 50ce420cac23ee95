"""公安 papers: temporary identity certificate, household certificate, no criminal record."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.departments.counters import at
from fleet_server.sandbox.departments.order.police.ground import (
    ASKING,
    facts_about,
    local_household,
    mainland,
    paper,
)
from fleet_server.sandbox.departments.papers import issued

TEMPORARY_USES = {
    "flight": "乘坐民航班机",
    "train": "乘坐火车、汽车、船舶",
    "hotel": "住宿登记",
    "exam": "参加考试",
    "other": "其他急需事项",
}
RECORD_USES = {
    "work": "求职、入职",
    "abroad": "出国（境）",
    "adoption": "收养、寄养",
    "licence": "办理从业资格",
    "other": "其他",
}
ENTRIES = {
    "registration": "户口登记情况",
    "relationship": "与户主的关系",
    "former_name": "姓名变更情况",
    "birthplace": "出生地、出生日期",
}


def temporary_certificate(call: Call) -> dict[str, Any]:
    citizen = mainland(call, ("SF001", "非本系统登记人员"))
    number = citizen.id_number
    values = {
        "usage": TEMPORARY_USES.get(str(at(call.body, "yt")), TEMPORARY_USES["other"]),
        "sex": "男" if int(number[16]) % 2 else "女", "birth_date": _long_date(number), "address": citizen.address,
    }  # fmt: skip
    return paper(citizen, issued(call, "temporary_identity_certificate", "public_security", citizen, values))


def household_certificate(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    household = local_household(citizen)
    item = str(at(call.body, "zmsx"))
    entries = {
        "registration": f"{household['since']}起登记为本市居民户口",
        "relationship": household["relation"],
        "birthplace": f"{household['birthplace']}，{_long_date(citizen.id_number)}",
        "former_name": household.get("former_name"),
    }
    if not entries.get(item):
        raise Declined("HJ002", "户口登记簿无此项记载")
    values = {
        "address": citizen.address, "station": household["station"], "item": ENTRIES[item], "entry": entries[item],
        "receiver": str(at(call.body, "jsdw") or "有关单位"),
    }  # fmt: skip
    return paper(citizen, issued(call, "household_certificate", "public_security", citizen, values))


def no_criminal_record(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if facts_about(citizen, "record").get("ask_at_counter"):
        raise Declined("WF001", "需人工核实")
    values = {
        "usage": RECORD_USES.get(str(at(call.body, "yt")), RECORD_USES["other"]),
        "receiver": str(at(call.body, "jsdw") or "有关单位"),
    }
    return paper(citizen, issued(call, "no_criminal_record", "public_security", citizen, values))


def _long_date(number: str) -> str:
    return f"{int(number[6:10])}年{int(number[10:12])}月{int(number[12:14])}日"


COUNTERS = (
    Counter("identity.temporary_certificate", "/lssf/issue", temporary_certificate, submits=True),
    Counter("household.certificate", "/hj/certificate", household_certificate, submits=True),
    Counter("population.no_criminal_record", "/wfz/issue", no_criminal_record, submits=True),
)
