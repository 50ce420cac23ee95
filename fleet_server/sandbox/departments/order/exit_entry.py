"""出入境: lodging of visitors, endorsements, progress, border records. Manner: retCode 0 with a body."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import facts_of
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.order import endorsements
from fleet_server.sandbox.departments.order.pictures import is_photograph
from fleet_server.sandbox.departments.papers import issued

FACTS = facts_of("exit_entry")
ASKING = Asking(number="idNo", name="idName", mismatch=("CR404", "人员信息核验不一致"))
PERIOD_YEARS = {"one_year": 1, "five_years": 5, "ten_years": 10}
USES = {"settle": "落户、积分", "study": "留学人员认证、购车", "tax": "税务、社保", "personal": "个人查阅"}
DAYS_OF_A_YEAR = 365
_MAINLAND_FIRST_DIGITS = "123456"
_PAPER = {
    "document_id": "fileId", "title": "fileName", "number": "fileNo", "identifier": "licenseNo", "sha256": "digest",
    "verification_code": "checkCode", "issued_at": "issuedAt",
}  # fmt: skip


def register_lodging(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if citizen.id_number[:1] in _MAINLAND_FIRST_DIGITS:
        raise Declined("CR050", "内地居民不办理境外人员住宿登记")
    address = needed(call, "stay.address", ("CR051", "未填写住宿地址"))
    arrived, until = (needed(call, f"stay.{name}", ("CR052", "住宿日期有误")) for name in ("from", "until"))
    if until <= arrived or arrived > today(call).isoformat():
        raise Declined("CR052", "住宿日期有误")
    proof = at(call.body, "proof")
    if not at(proof, "licenseNo") and not is_photograph(at(proof, "page"), at(proof, "digest")):
        raise Declined("CR053", "缺少住房证明或无法辨认")
    case = handed_in(call, "exit_entry", "ZS", "境外人员住宿登记", citizen.id_number)
    values = {
        "passport": needed(call, "passport", ("CR054", "未填写护照号码")), "origin": str(at(call.body, "origin") or ""),
        "address": address, "arrived": arrived, "until": until, "host": str(at(call.body, "stay.host") or ""),
        "case": case.number,
    }  # fmt: skip
    paper = issued(call, "foreign_lodging_registration", "exit_entry", citizen, values)
    return done(citizen.id_number, caseNo=case.number, **paper_facts(paper, _PAPER))


def progress(call: Call) -> dict[str, Any]:
    missing = ("CR020", "近一年无申请")
    citizen, facts = ASKING.known(call, FACTS, missing)
    listed = facts.get("applications") or []
    if not listed:
        raise Declined(*missing)
    rows = [{"kind": each["kind"], "state": each["state"], "expected": str(each["expected"])} for each in listed]
    return done(citizen.id_number, applications=rows)


def records(call: Call) -> dict[str, Any]:
    """Crossings of the period on a sealed paper; without any there is nothing to print."""
    citizen = ASKING.citizen(call)
    years = PERIOD_YEARS.get(str(at(call.body, "period")), 1)
    until = today(call)
    since = until - dt.timedelta(days=DAYS_OF_A_YEAR * years)
    crossings = (FACTS.get(citizen.id_number) or {}).get("crossings") or []
    inside = [each for each in crossings if since <= dt.date.fromisoformat(str(each["day"])) <= until]
    if not inside:
        raise Declined("CR031", "查询期间无出入境记录")
    rows = tuple(
        (str(place), str(each["day"]), each["way"], each["port"], each["document"])
        for place, each in enumerate(inside, 1)
    )
    values = {
        "since": since.isoformat(), "until": until.isoformat(), "count": str(len(rows)),
        "usage": USES.get(str(at(call.body, "purpose")), USES["personal"]),
    }  # fmt: skip
    paper = issued(call, "exit_entry_records", "immigration", citizen, values, rows=rows)
    return done(citizen.id_number, **paper_facts(paper, _PAPER))


def done(id_number: str, **body: Any) -> dict[str, Any]:
    return {"retCode": "0", "retMsg": "成功", "body": {"idNo": id_number, **body}}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"retCode": code, "retMsg": words, "body": None}


DEPARTMENT = Department(
    id="exit_entry",
    prefix="/crj",
    decline=_decline,
    scheme="sm2",
    counters=(
        Counter("lodging.register", "/lodging/register", register_lodging, submits=True),
        Counter("exit_entry.progress", "/documents/progress", progress),
        Counter("exit_entry.records", "/border/records", records, submits=True),
        *endorsements.counters(ASKING, FACTS, done),
    ),
)
