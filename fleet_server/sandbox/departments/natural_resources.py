"""不动产登记: who owns what. Manner: code 0 with a result, other codes with a message."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import facts_of
from fleet_server.sandbox.departments.counters import Asking
from fleet_server.sandbox.departments.papers import issued, long_time

USAGES = {
    "school": "子女入学", "rent_fund": "租房提取住房公积金", "public_housing": "申请保障性住房",
    "purchase": "购房资格审核", "other": "其他",
}  # fmt: skip


FACTS = facts_of("natural_resources")
ASKING = Asking(number="applicant.idNo", name="applicant.name", mismatch=("4001", "申请人身份信息核验不一致"))


def no_house_certificate(call: Call) -> dict[str, Any]:
    applicant = call.body.get("applicant") or {}
    citizen = call.city.person(applicant.get("idNo"), applicant.get("name"))
    if citizen is None:
        raise Declined("4001", "申请人身份信息核验不一致")
    if citizen.houses:
        raise Declined("4102", "查询到申请人名下存在房屋登记信息，不能出具无房证明")
    values = {
        "usage": USAGES.get(str(call.body.get("usage")), USAGES["other"]),
        "receiver": str(call.body.get("receiver") or "有关单位"),
    }
    paper = issued(call, "no_house_certificate", "natural_resources", citizen, values)
    result = {
        "docId": paper.document_id, "docName": paper.title, "certNo": paper.number, "licenseCode": paper.identifier,
        "digest": paper.sha256, "checkCode": paper.verification_code, "issueTime": long_time(paper.issued_at),
        "applicantIdNo": citizen.id_number,
    }  # fmt: skip
    return {"code": 0, "message": "ok", "result": result}


def progress(call: Call) -> dict[str, Any]:
    """How far a registration is; told to its applicant alone."""
    citizen = ASKING.citizen(call)
    case = FACTS.get(citizen.id_number, {}).get("cases", {}).get(str(call.body.get("caseNo")).upper())
    if case is None:
        raise Declined("4201", "未查询到申请人的登记业务")
    result = {
        "applicantIdNo": citizen.id_number, "regType": case["kind"], "location": case["address"],
        "stage": case["stage"], "readyDate": case["ready_on"], "tip": case["hint"],
    }  # fmt: skip
    return {"code": 0, "message": "ok", "result": result}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"code": code, "message": words, "result": None}


DEPARTMENT = Department(
    id="natural_resources",
    prefix="/bdc",
    decline=_decline,
    counters=(
        Counter("real_estate.no_house_certificate", "/v1/no-house-certificates", no_house_certificate, submits=True),
        Counter("real_estate.progress", "/v1/registrations/progress", progress),
    ),
)
