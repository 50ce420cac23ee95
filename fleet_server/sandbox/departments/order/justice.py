"""司法: legal aid, appointments with notaries. Manner: state ok or no, everything else in result."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import facts_of, shared_of
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, today, working_day
from fleet_server.sandbox.departments.order.pictures import is_photograph, is_signature

FACTS = facts_of("justice")
SHARED = shared_of("justice")
ASKING = Asking(number="applicant.idNo", name="applicant.name", mismatch=("FY404", "申请人身份核验不一致"))
MEANS_NOT_EXAMINED = ("wages", "injury")
DECISION_DAYS = 7
SLOT_TIMES = ("09:00", "10:30", "14:30", "16:00")
SLOT_DAYS = 3
SHORTEST_STORY = 6


def apply_for_aid(call: Call) -> dict[str, Any]:
    """Taken in for examination. Means are shown by a certificate, or promised with a signature."""
    citizen = ASKING.citizen(call)
    if len(needed(call, "case.story", ("FY001", "未写明案情"))) < SHORTEST_STORY:
        raise Declined("FY001", "未写明案情")
    if at(call.body, "case.hardship") == "certified":
        shown = at(call.body, "proof.licence") or is_photograph(
            at(call.body, "proof.page"), at(call.body, "proof.digest")
        )
    else:
        shown = is_signature(at(call.body, "promise.signature"))
    if not shown:
        raise Declined("FY002", "缺少经济困难证明或承诺")
    if (FACTS.get(citizen.id_number) or {}).get("means_above_line"):
        raise Declined("FY003", "经济状况不符合援助标准")
    case = handed_in(call, "justice", "FY", "法律援助", citizen.id_number, state="已受理，审查中")
    decided = (today(call) + dt.timedelta(days=DECISION_DAYS)).isoformat()
    return done(citizen.id_number, caseNo=case.number, centre=SHARED["legal_aid_centre"], decideBy=decided)


def offices(call: Call) -> dict[str, Any]:
    kind = at(call.body, "kind")
    listed = [each for each in SHARED["offices"] if kind in each["kinds"]]
    if not listed:
        raise Declined("GZ404", "没有可办该事项的公证处")
    return done("", offices=[{name: each[name] for name in ("id", "name", "address")} for each in listed])


def slots(call: Call) -> dict[str, Any]:
    """The next free times of an office; an office far away begins a day later."""
    office = _office(call)
    first = 1 + SHARED["offices"].index(office)
    days = [working_day(today(call), first + more) for more in range(SLOT_DAYS)]
    times = [f"{day.isoformat()} {time}" for day in days for time in SLOT_TIMES[:2]]
    return done("", slots=[{"id": f"s{place}", "time": time} for place, time in enumerate(times, 1)])


def book(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    office = _office(call)
    needed(call, "slot", ("GZ410", "未选择时间"))
    if (FACTS.get(citizen.id_number) or {}).get("appointments_missed", 0) > 1:
        raise Declined("GZ411", "两次预约未到，暂停预约")
    case = handed_in(call, "justice", "GZ", "公证预约", citizen.id_number, state="已预约")
    bring = SHARED["bring"][str(at(call.body, "kind"))]
    return done(citizen.id_number, caseNo=case.number, address=office["address"], bring=bring)


def _office(call: Call) -> dict[str, Any]:
    found = next((each for each in SHARED["offices"] if each["id"] == at(call.body, "office")), None)
    if found is None:
        raise Declined("GZ404", "没有可办该事项的公证处")
    return dict(found)


def done(id_number: str, **result: Any) -> dict[str, Any]:
    return {"state": "ok", "result": {"idNo": id_number, **result} if id_number else result}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"state": "no", "error": {"code": code, "words": words}}


DEPARTMENT = Department(
    id="justice",
    prefix="/sf",
    decline=_decline,
    counters=(
        Counter("legal_aid.apply", "/legal-aid/applications", apply_for_aid, submits=True),
        Counter("notary.offices", "/notaries/offices", offices),
        Counter("notary.slots", "/notaries/slots", slots),
        Counter("notary.book", "/notaries/bookings", book, submits=True),
    ),
)
