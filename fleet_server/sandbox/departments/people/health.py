"""卫健: births, hospital appointments, hygiene licences. Manner: request in, resultCode 0 and res out."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, today
from fleet_server.sandbox.departments.people.employers import may_act_for

PLATFORM = "health"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
HOSPITALS: dict[str, dict[str, Any]] = SHARED["hospitals"]
ASKING = Asking(number="request.idNo", name="request.name", mismatch=("W001", "身份信息核验不一致"))
INCOMPLETE = ("W002", "填报信息不完整")
NO_BIRTH = ("W201", "未查询到分娩记录")
LICENCE_YEARS = 4


def _told(citizen: Citizen, **res: Any) -> dict[str, Any]:
    return {"resultCode": "0", "resultDesc": "", "res": {"idNo": citizen.id_number, **res}}


def _listed(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resultCode": "0", "resultDesc": "", "res": {"list": entries}}


def file_birth(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if citizen.residence_address is None:
        raise Declined("W101", "户籍地和居住地均不在本市")
    with call.city.lock:
        filed = citizen.id_number in call.city.shelf("births_filed")
    if filed or "filed" in FACTS.get(citizen.id_number, {}):
        raise Declined("W102", "已办理生育登记")
    needed(call, "request.expectedDate", INCOMPLETE)
    needed(call, "request.childOrder", INCOMPLETE)
    with call.city.lock:
        call.city.shelf("births_filed")[citizen.id_number] = True
    case = handed_in(call, PLATFORM, "SY", "生育登记", citizen.id_number)
    return _told(citizen, regNo=case.number, status=case.state, centre=SHARED["centre"])


def _birth(call: Call) -> tuple[Citizen, dict[str, Any]]:
    citizen, facts = ASKING.known(call, FACTS, NO_BIRTH)
    if "birth" not in facts:
        raise Declined(*NO_BIRTH)
    return citizen, facts["birth"]


def birth_record(call: Call) -> dict[str, Any]:
    citizen, birth = _birth(call)
    return _told(
        citizen, birthDate=birth["born_on"], sex=birth["sex"], hospital=birth["hospital"], mother=birth["mother_name"],
        father=birth["father_name"],
    )  # fmt: skip


def issue_birth_certificate(call: Call) -> dict[str, Any]:
    """The name begins with the father's or the mother's (民法典 1015)."""
    citizen, birth = _birth(call)
    name = needed(call, "request.childName", INCOMPLETE)
    if name[0] not in (birth["mother_name"][0], birth["father_name"][0]):
        raise Declined("W202", "新生儿姓氏不符合规定")
    case = handed_in(call, PLATFORM, "CSZ", "出生医学证明首次签发", citizen.id_number, days=3)
    return _told(
        citizen, applyNo=case.number, status=case.state, collectAt=f"{birth['hospital']}出生证明窗口",
        promisedDate=case.promised_on.isoformat(),
    )  # fmt: skip


def hospitals(call: Call) -> dict[str, Any]:
    return _listed(
        [{"hosCode": code, "hosName": held["name"], "hosLevel": held["level"]} for code, held in HOSPITALS.items()]
    )


def _hospital(call: Call) -> dict[str, Any]:
    held = HOSPITALS.get(needed(call, "request.hosCode", INCOMPLETE))
    if held is None:
        raise Declined(*INCOMPLETE)
    return held


def clinics(call: Call) -> dict[str, Any]:
    held = _hospital(call)["clinics"]
    return _listed(
        [{"deptCode": code, "deptName": each["name"], "doctor": each["doctor"]} for code, each in held.items()]
    )


def _left(call: Call, clinic: str, time: dict[str, Any]) -> int:
    return int(time["left"]) - int(call.city.shelf("appointments").get(f"{clinic} {time['id']}", 0))


def times(call: Call) -> dict[str, Any]:
    _hospital(call)
    clinic = f"{at(call.body, 'request.hosCode')} {needed(call, 'request.deptCode', INCOMPLETE)}"
    with call.city.lock:
        free = [
            {"timeCode": time["id"], "timeName": time["name"], "left": f"余号 {_left(call, clinic, time)}"}
            for time in SHARED["times"]
            if _left(call, clinic, time) > 0
        ]
    return _listed(free)


def book(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    hospital = _hospital(call)
    clinic = hospital["clinics"].get(needed(call, "request.deptCode", INCOMPLETE))
    time = next((time for time in SHARED["times"] if time["id"] == at(call.body, "request.timeCode")), None)
    if clinic is None or time is None:
        raise Declined(*INCOMPLETE)
    place = f"{at(call.body, 'request.hosCode')} {at(call.body, 'request.deptCode')}"
    key = f"{place} {time['id']}"
    if key in FACTS.get(citizen.id_number, {}).get("appointments", []):
        raise Declined("W302", "重复预约")
    with call.city.lock:
        if _left(call, place, time) <= 0:
            raise Declined("W301", "号源已满")
        taken = call.city.shelf("appointments")
        taken[key] = taken.get(key, 0) + 1
    case = handed_in(call, PLATFORM, "GH", f"{hospital['name']} {clinic['name']}", citizen.id_number, state="已预约")
    return _told(citizen, orderNo=case.number, place=f"{hospital['name']}{clinic['place']}", fee=clinic["fee"])


def license_place(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if not may_act_for(citizen, needed(call, "request.creditCode", INCOMPLETE)):
        raise Declined("W401", "非法定代表人")
    if not (at(call.body, "request.reportImg") and at(call.body, "request.promiseImg")):
        raise Declined("W402", "材料不齐")
    firm = needed(call, "request.unitName", INCOMPLETE)
    case = handed_in(call, PLATFORM, "WS", f"公共场所卫生许可 {firm}", citizen.id_number, state="准予许可")
    day = today(call)
    number = f"厦卫公证字〔{day.year}〕第{case.number[-6:]}号"
    until = f"{day.year + LICENCE_YEARS}-{day:%m-%d}"
    return _told(citizen, applyNo=case.number, status=case.state, licenceNo=number, validUntil=until)


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"resultCode": code, "resultDesc": words, "res": None}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="/wj",
    decline=_decline,
    counters=(
        Counter("births.file", "/sy/dj", file_birth, submits=True),
        Counter("births.record", "/cs/record", birth_record),
        Counter("births.issue_certificate", "/cs/issue", issue_birth_certificate, submits=True),
        Counter("hospitals.list", "/yy/hospitals", hospitals),
        Counter("hospitals.clinics", "/yy/clinics", clinics),
        Counter("hospitals.times", "/yy/times", times),
        Counter("hospitals.book", "/yy/book", book, submits=True),
        Counter("hygiene.license", "/ws/licence", license_place, submits=True),
    ),
)
