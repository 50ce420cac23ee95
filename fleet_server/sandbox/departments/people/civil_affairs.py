"""民政 and 残联: registry appointments, allowances, disability certificates. Manner: param in, flag and info out."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed

PLATFORM = "civil_affairs"
FACTS = facts_of(PLATFORM)
SLOTS: list[dict[str, Any]] = shared_of(PLATFORM)["slots"]
ASKING = Asking(number="param.sfzh", name="param.xm", mismatch=("P001", "身份信息核验不一致"))
INCOMPLETE = ("P002", "预约信息不完整")


def _told(citizen: Citizen, **info: Any) -> dict[str, Any]:
    return {"flag": "1", "msg": "", "info": {"sfzh": citizen.id_number, **info}}


def _left(call: Call, slot: dict[str, Any]) -> int:
    return int(slot["left"]) - int(call.city.shelf("registry_bookings").get(slot["id"], 0))


def slots(call: Call) -> dict[str, Any]:
    """Times with room, for either kind of registration."""
    needed(call, "param.ywlx", INCOMPLETE)
    with call.city.lock:
        free = [
            {"bh": slot["id"], "mc": f"{slot['office']} {slot['at']}", "sy": f"还有 {_left(call, slot)} 个名额"}
            for slot in SLOTS
            if _left(call, slot) > 0
        ]
    return {"flag": "1", "msg": "", "info": {"hy": free}}


def book(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    partner = call.city.person(at(call.body, "param.dfsfzh"), at(call.body, "param.dfxm"))
    if partner is None or partner.id == citizen.id:
        raise Declined("P101", "对方身份信息核验不一致")
    marry = needed(call, "param.ywlx", INCOMPLETE) == "marriage"
    if marry and (citizen.spouse or partner.spouse):
        raise Declined("P102", "已有婚姻登记")
    if not marry and citizen.spouse != partner.id:
        raise Declined("P103", "未查询到双方婚姻登记")
    wanted = needed(call, "param.hybh", INCOMPLETE)
    slot = next((slot for slot in SLOTS if slot["id"] == wanted), None)
    with call.city.lock:
        if slot is None or _left(call, slot) <= 0:
            raise Declined("P104", "该时段已约满")
        booked = call.city.shelf("registry_bookings")
        booked[wanted] = booked.get(wanted, 0) + 1
    case = handed_in(
        call, PLATFORM, "HY", "结婚登记预约" if marry else "离婚登记预约", citizen.id_number, state="已预约"
    )
    return _told(citizen, yyh=case.number, zt=case.state, dz=slot["address"])


def elderly_allowance(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    held = FACTS.get(citizen.id_number, {}).get("allowance")
    if held is None:
        raise Declined("P201", "未查询到高龄津贴信息")
    return _told(citizen, ffzt=held["state"], bz=held["monthly"], ffz=held["paid_to"], yd=held["benefits"])


def disability_certificate(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    held = FACTS.get(citizen.id_number, {}).get("disability")
    if held is None:
        raise Declined("P301", "未查询到残疾人证信息")
    return _told(
        citizen, cjzh=held["number"], lbdj=held["category"], yxqz=held["valid_until"], shbt=held["living"],
        hlbt=held["nursing"], ffz=held["paid_to"],
    )  # fmt: skip


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"flag": "0", "errCode": code, "msg": words, "info": None}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="",
    decline=_decline,
    style="soap",
    scheme="sm2",
    counters=(
        Counter("marriage.slots", "/mz/hydj/slots", slots),
        Counter("marriage.book", "/mz/hydj/book", book, submits=True),
        Counter("elderly.allowance", "/mz/lnr/gljt", elderly_allowance),
        Counter("disability.certificate", "/cl/cjr/zjcx", disability_certificate),
    ),
)
