"""人社: insurance certificates, the rights record, pension qualification. Manner: head and body, LD/T field names."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, SocialInsurance, yuan
from fleet_server.sandbox.departments.papers import issued, long_time
from fleet_server.sandbox.departments.people import cards, staff, work
from fleet_server.sandbox.documents import CITY_TIME, Issued

SHARE_PENSION, SHARE_UNEMPLOYMENT = 8, 5
MONTHS = 12


def _citizen(call: Call) -> Citizen:
    body = call.body.get("body") or {}
    found = call.city.person(body.get("AAC002"), body.get("AAC003"))
    if found is None:
        raise Declined("1001", "参保人身份核验失败")
    return found


def _insured(citizen: Citizen) -> SocialInsurance:
    if citizen.social_insurance is None:
        raise Declined("2001", "无参保登记记录")
    return citizen.social_insurance


def certificate(call: Call) -> dict[str, Any]:
    citizen = _citizen(call)
    record = _insured(citizen)
    values = {
        "employer": record.employer, "since": record.since, "months": str(record.months),
        "schemes": "、".join(record.schemes), "base": yuan(record.base_fen),
        "state": "暂停参保" if record.ended else "正常参保",
    }  # fmt: skip
    return _answer(citizen, issued(call, "social_insurance_certificate", "human_resources", citizen, values))


def rights_record(call: Call) -> dict[str, Any]:
    """Twelve months of one year, each with base and own share; a year before the first month has none."""
    citizen = _citizen(call)
    record = _insured(citizen)
    year = str((call.body.get("body") or {}).get("AAE001", "")).removesuffix("年")
    this_year = call.city.clock().astimezone(CITY_TIME).year
    if not year.isdigit() or not int(record.since[:4]) <= int(year) <= this_year:
        raise Declined("2002", "该年度无缴费记录")
    first = int(record.since[5:7]) if year == record.since[:4] else 1
    last = min(MONTHS, call.city.clock().astimezone(CITY_TIME).month) if int(year) == this_year else MONTHS
    if first > last:
        raise Declined("2002", "该年度无缴费记录")
    rows = tuple(
        (
            f"{year}年{month:02d}月", yuan(record.base_fen), yuan(record.base_fen * SHARE_PENSION // 100),
            yuan(record.base_fen * SHARE_UNEMPLOYMENT // 1000), "已到账",
        )
        for month in range(first, last + 1)
    )  # fmt: skip
    values = {
        "covered_year": year, "employer": record.employer, "count": str(len(rows)),
        "total": yuan(len(rows) * (record.base_fen * SHARE_PENSION // 100)),
    }  # fmt: skip
    return _answer(citizen, issued(call, "rights_record", "human_resources", citizen, values, rows=rows))


def qualify(call: Call) -> dict[str, Any]:
    citizen = _citizen(call)
    if citizen.pension is None:
        raise Declined("3001", "非养老待遇领取人员")
    local = call.city.clock().astimezone(CITY_TIME)
    return _wrapped(
        {
            "AAC002": citizen.id_number, "case": call.city.next_case("YL"), "result": "认证通过",
            "certified_on": local.date().isoformat(), "next_before": f"{local.year + 1}-12-31",
        }
    )  # fmt: skip


def _answer(citizen: Citizen, paper: Issued) -> dict[str, Any]:
    return _wrapped(
        {
            "AAC002": citizen.id_number, "docid": paper.document_id, "docname": paper.title, "docno": paper.number,
            "license": paper.identifier, "sha256": paper.sha256, "vcode": paper.verification_code,
            "time": long_time(paper.issued_at),
        }
    )  # fmt: skip


def _wrapped(body: dict[str, Any]) -> dict[str, Any]:
    return {"head": {"rtnCode": "0000", "rtnMsg": "交易成功"}, "body": body}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"head": {"rtnCode": code, "rtnMsg": words}, "body": None}


DEPARTMENT = Department(
    id="human_resources",
    prefix="/rs",
    decline=_decline,
    counters=(
        Counter("social_insurance.certificate", "/trade/SB2101", certificate, submits=True),
        Counter("social_insurance.rights_record", "/trade/SB2105", rights_record, submits=True),
        Counter("pension.qualify", "/trade/YL3001", qualify, submits=True),
        *work.COUNTERS,
        *cards.COUNTERS,
        *staff.COUNTERS,
    ),
)
