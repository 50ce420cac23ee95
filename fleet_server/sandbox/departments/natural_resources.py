"""不动产登记: who owns what. Manner: code 0 with a result, other codes with a message."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.departments.papers import issued, long_time

USAGES = {
    "school": "子女入学", "rent_fund": "租房提取住房公积金", "public_housing": "申请保障性住房",
    "purchase": "购房资格审核", "other": "其他",
}  # fmt: skip


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


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"code": code, "message": words, "result": None}


DEPARTMENT = Department(
    id="natural_resources",
    prefix="/bdc",
    decline=_decline,
    counters=(
        Counter("real_estate.no_house_certificate", "/v1/no-house-certificates", no_house_certificate, submits=True),
    ),
)
