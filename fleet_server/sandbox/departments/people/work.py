"""人社: employment registration, pension payments, social security cards, unemployment benefit."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import Citizen, Pension, SocialInsurance, facts_of, shared_of, yuan
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, paper_facts, today
from fleet_server.sandbox.departments.papers import issued, long_time
from fleet_server.sandbox.documents import Issued

PLATFORM = "human_resources"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
ASKING = Asking(number="body.AAC002", name="body.AAC003", mismatch=("1001", "参保人身份核验失败"))
PAPER = {
    "document_id": "docid", "title": "docname", "number": "docno", "identifier": "license", "sha256": "sha256",
    "verification_code": "vcode", "issued_at": "time",
}  # fmt: skip
MONTHS = 12
LONG_ENOUGH = ((120, "24"), (60, "18"), (MONTHS, "12"))
"""Months paid, and for how many months at most the benefit is paid (失业保险条例 17)."""
OWN_WILL = "own_will"


def known(citizen: Citizen, name: str, missing: tuple[str, str]) -> Any:
    """One fact about a citizen. Raises `Declined` with `missing` when there is none."""
    held = FACTS.get(citizen.id_number, {}).get(name)
    if held is None:
        raise Declined(*missing)
    return held


def told(citizen: Citizen, **body: Any) -> dict[str, Any]:
    """The department's good answer."""
    return {"head": {"rtnCode": "0000", "rtnMsg": "交易成功"}, "body": {"AAC002": citizen.id_number, **body}}


def told_paper(citizen: Citizen, paper: Issued) -> dict[str, Any]:
    return told(citizen, **paper_facts(paper, PAPER))


def registration_certificate(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    held = known(citizen, "employment", ("1101", "无就业失业登记记录"))
    values = {
        "registration": held["registration"], "registered_on": held["registered_on"],
        "registration_number": held["number"], "office": held["office"], "employer": held["employer"],
        "purpose": str(at(call.body, "body.AHC030") or "其他"),
    }  # fmt: skip
    return told_paper(citizen, issued(call, "employment_registration_certificate", PLATFORM, citizen, values))


def pension_statement(call: Call) -> dict[str, Any]:
    """The months of one year that have been paid; the transition part goes only to who worked before 1998."""
    citizen = ASKING.citizen(call)
    if citizen.pension is None:
        raise Declined("3002", "非养老待遇领取人员")
    pension, year = citizen.pension, str(at(call.body, "body.AAE001") or "").removesuffix("年")
    months = _paid_months(pension, year, today(call))
    if not months:
        raise Declined("3003", "该年度无发放记录")
    transition = pension.monthly_fen // 10
    own = pension.monthly_fen * 3 // 10
    basic = pension.monthly_fen - own - transition
    row = (yuan(basic), yuan(own), yuan(transition), yuan(pension.monthly_fen))
    values = {
        "covered_year": year, "count": str(len(months)), "since": pension.since,
        "total": yuan(len(months) * pension.monthly_fen),
    }  # fmt: skip
    rows = tuple((f"{year}年{month:02d}月", *row) for month in months)
    return told_paper(citizen, issued(call, "pension_statement", PLATFORM, citizen, values, rows=rows))


def _paid_months(pension: Pension, year: str, day: dt.date) -> range:
    first_year, first_month = int(pension.since[:4]), int(pension.since[5:7])
    if not year.isdigit() or not first_year <= int(year) <= day.year:
        return range(0)
    last = day.month if int(year) == day.year else MONTHS
    return range(first_month if int(year) == first_year else 1, last + 1)


def card_state(call: Call, citizen: Citizen) -> tuple[dict[str, Any], str]:
    """The citizen's card and its state now. Raises `Declined` when there is no card."""
    card = known(citizen, "social_card", ("4001", "未查询到社会保障卡"))
    with call.city.lock:
        return card, call.city.shelf("social_cards").get(citizen.id_number, card["state"])


def social_card_status(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    card, state = card_state(call, citizen)
    return told(
        citizen, AAZ500=card["card_number"], AAE008=card["bank"], AAZ502=state, AAZ503=card["issued_on"],
    )  # fmt: skip


def change_card_state(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    _, state = card_state(call, citizen)
    lost = at(call.body, "body.BZ01") == "report"
    if lost and state == "已挂失":
        raise Declined("4003", "卡已挂失")
    if not lost and state != "已挂失":
        raise Declined("4002", "卡未挂失")
    new_state = "已挂失" if lost else "正常"
    with call.city.lock:
        call.city.shelf("social_cards")[citizen.id_number] = new_state
    case = handed_in(call, PLATFORM, "SK", "社保卡挂失" if lost else "社保卡解挂", citizen.id_number)
    return told(citizen, case=case.number, AAZ502=new_state, AAE036=long_time(case.handed_in_at))


def unemployment_entitlement(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    months = _benefit_months(_ended_insurance(citizen))
    bank = FACTS.get(citizen.id_number, {}).get("social_card", {}).get("bank")
    return told(
        citizen, AJC090=months, AJC091=yuan(SHARED["unemployment_monthly_fen"]),
        AAE008=f"社保卡银行账户（{bank}）" if bank else "待登记",
    )  # fmt: skip


def claim_unemployment(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    _benefit_months(_ended_insurance(citizen))
    if at(call.body, "body.AJC020") == OWN_WILL:
        raise Declined("5003", "本人意愿中断就业")
    case = handed_in(call, PLATFORM, "SY", "失业保险金申领", citizen.id_number, days=10)
    month = (case.promised_on.replace(day=1) + dt.timedelta(days=32)).strftime("%Y年%m月")
    return told(citizen, case=case.number, AAE016=case.state, AJC030=month)


def _ended_insurance(citizen: Citizen) -> SocialInsurance:
    record = citizen.social_insurance
    if record is None:
        raise Declined("5002", "缴费不足一年")
    if not record.ended:
        raise Declined("5001", "仍在参保缴费")
    return record


def _benefit_months(record: SocialInsurance) -> str:
    for months, paid in LONG_ENOUGH:
        if record.months >= months:
            return paid
    raise Declined("5002", "缴费不足一年")


COUNTERS = (
    Counter("employment.registration_certificate", "/trade/JY1101", registration_certificate, submits=True),
    Counter("pension.statement", "/trade/YL3105", pension_statement, submits=True),
    Counter("social_card.status", "/trade/SK4001", social_card_status),
    Counter("social_card.change_state", "/trade/SK4005", change_card_state, submits=True),
    Counter("unemployment.entitlement", "/trade/SY5001", unemployment_entitlement),
    Counter("unemployment.claim", "/trade/SY5002", claim_unemployment, submits=True),
)
