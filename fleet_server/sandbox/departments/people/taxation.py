"""税务: income tax records, residents' premiums, firms. Manner: data in, rtnCode 00 and data out."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of, yuan
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.papers import issued
from fleet_server.sandbox.departments.people.employers import may_act_for

PLATFORM = "taxation"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
ASKING = Asking(number="data.nsrsbh", name="data.nsrmc", mismatch=("1001", "纳税人身份信息不一致"))
PAPER = {
    "document_id": "wjid", "title": "wjmc", "number": "wjbh", "identifier": "dzzzbs", "sha256": "wjzy",
    "verification_code": "yzm", "issued_at": "kjsj",
}  # fmt: skip
INCOMPLETE = ("1002", "申报信息不完整")
NO_TAX = ("2001", "该年度无纳税记录")
RESIDENT = "城乡居民"
MONTHS = 12


def _told(citizen: Citizen, **data: Any) -> dict[str, Any]:
    return {"rtnCode": "00", "rtnMsg": "成功", "data": {"nsrsbh": citizen.id_number, **data}}


def payment_record(call: Call) -> dict[str, Any]:
    """The months whose tax has come in: always in the month after."""
    citizen, facts = ASKING.known(call, FACTS, NO_TAX)
    held, year = facts.get("income_tax"), needed(call, "data.nd", INCOMPLETE).removesuffix("年")
    months = _months(held["since"], year, today(call)) if held else ()
    if not months:
        raise Declined(*NO_TAX)
    tax = yuan(held["monthly_fen"])
    rows = tuple(
        (f"{year}年{month:02d}月", "工资薪金所得", held["agent"], tax, _paid_on(int(year), month)) for month in months
    )
    values = {"covered_year": year, "count": str(len(rows)), "total": yuan(len(rows) * held["monthly_fen"])}
    paper = issued(call, "tax_payment_certificate", PLATFORM, citizen, values, rows=rows)
    return _told(citizen, **paper_facts(paper, PAPER))


def _months(since: str, year: str, day: dt.date) -> range:
    if not year.isdigit() or not int(since[:4]) <= int(year) <= day.year:
        return range(0)
    first = int(since[5:7]) if year == since[:4] else 1
    return range(first, (day.month if int(year) == day.year else MONTHS + 1))


def _paid_on(year: int, month: int) -> str:
    return f"{year + month // MONTHS}-{month % MONTHS + 1:02d}-15"


def premium_bill(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    record = citizen.medical_insurance
    if record is None or RESIDENT not in record.kind:
        raise Declined("3001", "未参加城乡居民保险")
    insurance = needed(call, "data.xzdm", INCOMPLETE)
    with call.city.lock:
        paid = insurance in call.city.shelf("premiums_paid").get(citizen.id_number, ())
    if paid or insurance in FACTS.get(citizen.id_number, {}).get("premiums_paid", []):
        raise Declined("3002", "本年度已缴费")
    day = today(call)
    if insurance == "medical":
        due, year = int(SHARED["medical_premium_fen"]), day.year + 1
    else:
        grade = str(at(call.body, "data.dcdm"))
        if grade not in SHARED["pension_grades_fen"]:
            raise Declined(*INCOMPLETE)
        due, year = int(SHARED["pension_grades_fen"][grade]), day.year
    code = f"350200{day:%y%m%d}{citizen.id_number[-7:-1]}{1 if insurance == 'medical' else 2}"
    with call.city.lock:
        call.city.shelf("premium_bills")[code] = (citizen.id_number, insurance, due)
    return _told(citizen, yjfen=str(due), yjje=yuan(due), jfnd=f"{year}年", jkm=code)


def post_premium(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    code = needed(call, "data.jkm", INCOMPLETE)
    needed(call, "data.zfddh", INCOMPLETE)
    with call.city.lock:
        holder, insurance, due = call.city.shelf("premium_bills").get(code, ("", "", 0))
        if holder != citizen.id_number or str(at(call.body, "data.sjfen")) != str(due):
            raise Declined("3003", "缴费金额与应缴金额不一致")
        paid = call.city.shelf("premiums_paid")
        paid[citizen.id_number] = (*paid.get(citizen.id_number, ()), insurance)
    case = handed_in(call, PLATFORM, "SBF", "城乡居民保险缴费", citizen.id_number)
    return _told(citizen, djxh=case.number, zt="已缴费")


def confirm_registration(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    code, firm = needed(call, "data.tyxydm", INCOMPLETE), needed(call, "data.dwmc", INCOMPLETE)
    if not may_act_for(citizen, code):
        raise Declined("4001", "非法定代表人")
    if FACTS.get(citizen.id_number, {}).get("credit_code") == code:
        raise Declined("4002", "税务登记信息已确认")
    case = handed_in(call, PLATFORM, "SWDJ", f"税务登记信息确认 {firm}", citizen.id_number)
    return _told(citizen, djxh=case.number, zt=case.state, zgswjg=SHARED["office"])


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"rtnCode": code, "rtnMsg": words, "data": None}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="/sw",
    decline=_decline,
    style="soap",
    scheme="rsa",
    counters=(
        Counter("tax.payment_record", "/gs/nsjl", payment_record, submits=True),
        Counter("insurance_premium.bill", "/sbf/yjcx", premium_bill),
        Counter("insurance_premium.post", "/sbf/jkdj", post_premium, submits=True),
        Counter("tax.confirm_registration", "/dj/xxqr", confirm_registration, submits=True),
    ),
)
