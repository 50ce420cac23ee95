"""信用: the public credit report and the bank's credit report. Manner: status ok with report, or error with reason."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, yuan
from fleet_server.sandbox.departments.counters import Asking, paper_facts, today
from fleet_server.sandbox.departments.papers import issued
from fleet_server.sandbox.documents import Issued

PLATFORM = "credit"
FACTS = facts_of(PLATFORM)
ASKING = Asking("person.number", "person.name", ("ID_MISMATCH", "身份信息核验不一致"))
FREE_A_YEAR = 2
FEE_FEN = 1000
PURPOSES = {"job": "求职", "loan": "贷款", "bid": "投标", "school": "升学", "own": "本人了解", "other": "其他"}
PAPER = {
    "document_id": "docId", "title": "docName", "number": "docNo", "identifier": "license", "sha256": "digest",
    "verification_code": "checkCode", "issued_at": "issuedAt",
}  # fmt: skip


def public_report(call: Call) -> dict[str, Any]:
    """Good marks, and decisions of authorities that are still published."""
    citizen = ASKING.citizen(call)
    held = _held(citizen).get("public", {})
    rows = tuple(("守信记录", str(kind), str(body), str(day)) for kind, body, day in held.get("good", ()))
    rows += tuple(("失信记录", str(kind), str(body), str(day)) for kind, body, day in held.get("bad", ()))
    verdict = "查询范围内有失信记录" if held.get("bad") else "未查询到失信记录"
    values = {
        "usage": PURPOSES.get(str(call.body.get("purpose")), PURPOSES["other"]), "good": str(len(held.get("good", ()))),
        "bad": str(len(held.get("bad", ()))), "verdict": verdict,
    }  # fmt: skip
    paper = issued(call, "personal_credit_report", PLATFORM, citizen, values, rows=rows or (("—", "无记录", "—", "—"),))
    return _answer(citizen, paper) | {"verdict": verdict}


def bank_quota(call: Call) -> dict[str, Any]:
    """How often the report was asked for this year; two are free."""
    citizen = ASKING.citizen(call)
    asked = _asked(call, citizen)
    if not _held(citizen).get("bank") and not citizen.social_insurance:
        raise Declined("NO_FILE", "个人信用数据库中没有该人的信息")
    return {
        "status": "ok", "person": citizen.id_number, "asked": asked, "freeLeft": max(FREE_A_YEAR - asked, 0),
        "feeFen": 0 if asked < FREE_A_YEAR else FEE_FEN,
    }  # fmt: skip


def bank_report(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    asked = _asked(call, citizen)
    if asked >= FREE_A_YEAR and not call.body.get("order"):
        raise Declined("FEE_UNPAID", "本年度免费次数已用完，未收到缴费")
    held = _held(citizen).get("bank", {})
    loans = tuple(
        (str(loan["lender"]), str(loan["kind"]), f"{yuan(loan['balance_fen'])}元", str(loan["state"]))
        for loan in held.get("loans", ())
    )
    values = {
        "loans": str(len(loans)), "cards": str(held.get("cards", 0)), "overdue": str(held.get("overdue", 0)),
        "queries": str(asked + 1), "fee": "免费" if asked < FREE_A_YEAR else f"{yuan(FEE_FEN)}元",
    }  # fmt: skip
    rows = loans or (("—", "没有信贷记录", "—", "—"),)
    paper = issued(call, "bank_credit_report", "peoples_bank", citizen, values, rows=rows)
    with call.city.lock:
        call.city.shelf(PLATFORM)[citizen.id_number] = asked + 1
    return _answer(citizen, paper)


def _held(citizen: Citizen) -> dict[str, Any]:
    found: dict[str, Any] = FACTS.get(citizen.id_number, {})
    return found


def _asked(call: Call, citizen: Citizen) -> int:
    before = int(_held(citizen).get("bank", {}).get("asked_in", {}).get(str(today(call).year), 0))
    return int(call.city.shelf(PLATFORM).get(citizen.id_number, before))


def _answer(citizen: Citizen, paper: Issued) -> dict[str, Any]:
    return {"status": "ok", "person": citizen.id_number, "report": paper_facts(paper, PAPER)}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"status": "error", "error": {"code": code, "reason": words}}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="/xypt",
    decline=_decline,
    style="form",
    scheme="rsa",
    counters=(
        Counter("credit.public_report", "/reports/public", public_report, submits=True),
        Counter("credit.bank_quota", "/reports/bank/quota", bank_quota),
        Counter("credit.bank_report", "/reports/bank", bank_report, submits=True),
    ),
)
