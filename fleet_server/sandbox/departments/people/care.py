"""医保: settled bills, treatment elsewhere, newborns and students, years paid until retirement."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import Citizen, MedicalInsurance, facts_of, shared_of, yuan
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.papers import issued

PLATFORM = "medical_security"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
ASKING = Asking(number="input.psn_cert_no", name="input.psn_name", mismatch=("CERT", "人员证件信息不符"))
PAPER = {
    "document_id": "file_qury_no", "title": "file_name", "number": "file_no", "identifier": "elec_lic",
    "sha256": "file_dgst", "verification_code": "chk_code", "issued_at": "crte_time",
}  # fmt: skip
INCOMPLETE = ("FIELD", "填报信息不完整")
NOT_INSURED = ("NOINS", "未查询到参保信息")
EMPLOYEE = "职工"


def _told(citizen: Citizen, **output: Any) -> dict[str, Any]:
    return {"infcode": 0, "err_msg": None, "output": {"psn_cert_no": citizen.id_number, **output}}


def _insured(citizen: Citizen) -> MedicalInsurance:
    if citizen.medical_insurance is None:
        raise Declined(*NOT_INSURED)
    return citizen.medical_insurance


def expenses(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    record = _insured(citizen)
    year = needed(call, "input.stt_year", INCOMPLETE).removesuffix("年")
    bills = [bill for bill in FACTS.get(citizen.id_number, {}).get("bills", []) if bill[0].startswith(f"{year}-")]
    if not bills:
        raise Declined("NOBILL", "该年度无结算记录")
    total, fund, own = (sum(bill[place] for bill in bills) for place in (3, 4, 5))
    values = {
        "covered_year": year, "count": str(len(bills)), "insurance": record.kind, "total": yuan(total),
        "fund": yuan(fund), "own_account": yuan(own), "cash": yuan(total - fund - own),
    }  # fmt: skip
    rows = tuple((day, place, kind, yuan(sum_), yuan(paid), yuan(rest)) for day, place, kind, sum_, paid, rest in bills)
    paper = issued(call, "medical_expense_statement", PLATFORM, citizen, values, rows=rows)
    return _told(citizen, **paper_facts(paper, PAPER))


def file_remote(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    _insured(citizen)
    starts_on = needed(call, "input.begndate", INCOMPLETE)
    needed(call, "input.out_city", INCOMPLETE)
    needed(call, "input.sign_img", ("NOSIGN", "未收到签字承诺书"))
    needed(call, "input.sign_dgst", ("NOSIGN", "未收到签字承诺书"))
    case = handed_in(call, PLATFORM, "YD", "异地就医备案", citizen.id_number)
    lasting = "半年" if at(call.body, "input.out_kind") in ("referred", "travelling") else "长期有效"
    return _told(citizen, evt_sn=case.number, evt_stas=case.state, vali_range=f"{starts_on}起，{lasting}")


def newborn_quote(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    _not_insured_child(call, citizen)
    premium = int(SHARED["resident_premium_fen"])
    day = today(call)
    return _told(
        citizen, clct_fen=str(premium), clct_amt=yuan(premium), clct_year=str(day.year),
        pay_code=f"350200{day:%Y%m%d}{citizen.id_number[-7:-1]}",
    )  # fmt: skip


def enrol_newborn(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    name = _not_insured_child(call, citizen)
    if not (at(call.body, "input.elec_cert") or at(call.body, "input.cert_img")):
        raise Declined("NOCERT", "未收到出生医学证明")
    photographed = not at(call.body, "input.elec_cert")
    with call.city.lock:
        call.city.shelf("insured_children")[_child_key(call, name)] = citizen.id_number
    case = handed_in(call, PLATFORM, "XS", "新生儿参保", citizen.id_number, days=3 if photographed else 0)
    born = str(at(call.body, "input.baby_brdy"))
    return _told(citizen, evt_sn=case.number, evt_stas=case.state, trt_begndate=f"{born}（出生之日）")


def _not_insured_child(call: Call, citizen: Citizen) -> str:
    name = needed(call, "input.baby_name", INCOMPLETE)
    needed(call, "input.baby_brdy", INCOMPLETE)
    with call.city.lock:
        enrolled = _child_key(call, name) in call.city.shelf("insured_children")
    if enrolled or name in FACTS.get(citizen.id_number, {}).get("insured_children", []):
        raise Declined("INSURED", "该新生儿已参保")
    return name


def _child_key(call: Call, name: str) -> str:
    return f"{name} {at(call.body, 'input.baby_brdy')}"


def enrol_student(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if citizen.medical_insurance is not None and EMPLOYEE in citizen.medical_insurance.kind:
        raise Declined("EMPLOYED", "已参加职工医保")
    needed(call, "input.schl_name", INCOMPLETE)
    case = handed_in(call, PLATFORM, "XSB", "大学生参保", citizen.id_number)
    return _told(citizen, evt_sn=case.number, evt_stas=case.state, pay_enddate=f"{today(call).year}-12-31")


def _years(call: Call, citizen: Citizen) -> int:
    record = _insured(citizen)
    if EMPLOYEE not in record.kind:
        raise Declined(*NOT_INSURED)
    day = today(call)
    return day.year - int(record.since[:4]) - (day.month < int(record.since[5:7]))


def years(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    return _told(citizen, clct_years=str(_years(call, citizen)), req_years=str(SHARED["required_years"]))


def settle_retirement(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if _years(call, citizen) < SHARED["required_years"]:
        raise Declined("NOYEARS", "缴费年限不足")
    case = handed_in(call, PLATFORM, "TX", "医保退休待遇核定", citizen.id_number, days=5)
    return _told(citizen, evt_sn=case.number, evt_stas=case.state, prms_date=case.promised_on.isoformat())


COUNTERS = (
    Counter("medical_insurance.expenses", "/fsi/api/5203", expenses, submits=True),
    Counter("medical_insurance.file_remote", "/fsi/api/2501", file_remote, submits=True),
    Counter("medical_insurance.newborn_quote", "/fsi/api/1201", newborn_quote),
    Counter("medical_insurance.enrol_newborn", "/fsi/api/1202", enrol_newborn, submits=True),
    Counter("medical_insurance.enrol_student", "/fsi/api/1203", enrol_student, submits=True),
    Counter("medical_insurance.years", "/fsi/api/1304", years),
    Counter("medical_insurance.settle_retirement", "/fsi/api/1305", settle_retirement, submits=True),
)
