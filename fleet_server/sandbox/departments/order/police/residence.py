"""公安 residence: registration of those who live here, and their permits."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.departments.counters import at, handed_in, needed, today
from fleet_server.sandbox.departments.order.pictures import is_photograph
from fleet_server.sandbox.departments.order.police.ground import ASKING, done, facts_about

CITY = "厦门"
HALF_A_YEAR = dt.timedelta(days=182)
PERMIT_WORKING_DAYS = 10
PROOFS = ("zscl", "jycl", "jdcl")
"""Proof of home, work or study: an identifier from the library, or a photograph."""
STATIONS = {
    "思明区": "思明分局",
    "湖里区": "湖里分局",
    "集美区": "集美分局",
    "海沧区": "海沧分局",
    "同安区": "同安分局",
    "翔安区": "翔安分局",
}


def register(call: Call) -> dict[str, Any]:
    """Registered at once. An earlier registration of the citizen keeps its day, which the half year counts from."""
    citizen = ASKING.citizen(call)
    if facts_about(citizen, "household").get("local"):
        raise Declined("JZ020", "本市户籍人员无需居住登记")
    address = needed(call, "jzdz", ("JZ002", "未填写现居住地址"))
    if CITY not in address:
        raise Declined("JZ021", "居住地址不在本市")
    earlier = facts_about(citizen, "residence").get("registered_on")
    since = dt.date.fromisoformat(str(earlier)) if earlier else today(call)
    case = handed_in(call, "public_security", "JD", "居住登记", citizen.id_number)
    station = next((name for district, name in STATIONS.items() if district in address), "人口管理处")
    return done(
        citizen, ywbh=case.number, djrq=today(call).isoformat(), pcs=f"厦门市公安局{station}",
        ksqrq=(since + HALF_A_YEAR).isoformat(),
    )  # fmt: skip


def apply(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if facts_about(citizen, "household").get("local"):
        raise Declined("JZ012", "本市户籍人员不申领居住证")
    if citizen.certificate("residence_permit") is not None:
        raise Declined("JZ013", "已持有居住证")
    registered = facts_about(citizen, "residence").get("registered_on")
    if registered is None or dt.date.fromisoformat(str(registered)) + HALF_A_YEAR > today(call):
        raise Declined("JZ011", "居住登记未满半年")
    needed(call, "jzdz", ("JZ002", "未填写现居住地址"))
    if not any(at(call.body, f"{name}.zzbs") or _is_page(at(call.body, name)) for name in PROOFS):
        raise Declined("JZ010", "证明材料缺失或无法辨认")
    case = handed_in(call, "public_security", "JZ", "居住证申领", citizen.id_number, days=PERMIT_WORKING_DAYS)
    return done(citizen, ywbh=case.number, blzt=case.state, zfrq=case.promised_on.isoformat(), sfbj=False)


def _is_page(proof: Any) -> bool:
    return is_photograph(at(proof, "tp"), at(proof, "tpzy"))


COUNTERS = (
    Counter("residence.register", "/jzdj/register", register, submits=True),
    Counter("residence_permit.apply", "/jzz/apply", apply, submits=True),
)
