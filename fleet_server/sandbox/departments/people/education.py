"""教育: student records, places in schools. Manner: plain objects in, result and datas out."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, paper_facts
from fleet_server.sandbox.departments.papers import issued

PLATFORM = "education"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
ASKING = Asking(number="zjhm", name="xm", mismatch=("E001", "身份信息核验不一致"))
PAPER = {
    "document_id": "docId", "title": "docName", "number": "docNo", "identifier": "licNo", "sha256": "digest",
    "verification_code": "checkCode", "issued_at": "issueTime",
}  # fmt: skip
NO_RECORD = ("E101", "未查询到学籍信息")
INCOMPLETE = ("E002", "报名信息不完整")


def _told(citizen: Citizen, **datas: Any) -> dict[str, Any]:
    return {"result": True, "datas": {"zjhm": citizen.id_number, **datas}}


def _student(call: Call) -> tuple[Citizen, dict[str, Any]]:
    citizen, facts = ASKING.known(call, FACTS, NO_RECORD)
    return citizen, facts["student"]


def status(call: Call) -> dict[str, Any]:
    citizen, held = _student(call)
    return _told(citizen, xxmc=held["school"], xh=held["number"], xjzt=held["state"], zynj=held["programme"])


def certificate(call: Call) -> dict[str, Any]:
    citizen, held = _student(call)
    wants_graduation = needed(call, "zmlx", INCOMPLETE) == "graduated"
    if wants_graduation and not held.get("graduated"):
        raise Declined("E102", "尚未毕业")
    if not wants_graduation and held.get("graduated"):
        raise Declined("E103", "已毕业")
    values = {
        "school": held["school"], "programme": held["programme"], "entered_on": held["entered_on"],
        "state": held["state"], "certificate_kind": "毕业证明" if wants_graduation else "在读证明",
        "purpose": str(at(call.body, "yt") or "个人办事"),
    }  # fmt: skip
    paper = issued(call, "student_status_certificate", PLATFORM, citizen, values)
    return _told(citizen, **paper_facts(paper, PAPER))


def _left(call: Call, school: dict[str, Any]) -> int:
    return int(school["left"]) - int(call.city.shelf("school_places").get(school["id"], 0))


def open_schools(call: Call) -> dict[str, Any]:
    with call.city.lock:
        listed = [
            {"xxdm": school["id"], "xxmc": school["name"], "xw": f"还有 {_left(call, school)} 个学位"}
            for school in SHARED["schools"]
            if _left(call, school) > 0
        ]
    return {"result": True, "datas": {"xx": listed}}


def enrol(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    needed(call, "xsxm", INCOMPLETE)
    if needed(call, "xscsrq", INCOMPLETE) > SHARED["born_until"]:
        raise Declined("E201", "未满六周岁")
    if not (at(call.body, "hkbbs") or at(call.body, "hkbtp")):
        raise Declined("E202", "未收到户口簿")
    wanted = needed(call, "xxdm", INCOMPLETE)
    school = next((school for school in SHARED["schools"] if school["id"] == wanted), None)
    with call.city.lock:
        if school is None or _left(call, school) <= 0:
            raise Declined("E203", "学位已满")
        taken = call.city.shelf("school_places")
        taken[wanted] = taken.get(wanted, 0) + 1
    case = handed_in(call, PLATFORM, "RX", f"入学报名 {school['name']}", citizen.id_number, days=10)
    return _told(citizen, bmh=case.number, blzt=case.state, gbrq=case.promised_on.isoformat())


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"result": False, "errno": code, "error": words, "datas": None}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="/jy",
    decline=_decline,
    counters=(
        Counter("students.status", "/xj/query", status),
        Counter("students.certificate", "/xj/certificate", certificate, submits=True),
        Counter("schools.open", "/rx/schools", open_schools),
        Counter("schools.enrol", "/rx/enrol", enrol, submits=True),
    ),
)
