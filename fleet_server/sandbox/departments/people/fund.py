"""住房公积金: accounts, withdrawals, loans, employers."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import Citizen, ProvidentFund, facts_of, yuan
from fleet_server.sandbox.departments.counters import Asking, handed_in, needed, paper_facts, today, working_day
from fleet_server.sandbox.departments.papers import issued
from fleet_server.sandbox.departments.people.employers import may_act_for

PLATFORM = "housing_fund"
FACTS = facts_of(PLATFORM)
ASKING = Asking(number="certNo", name="realName", mismatch=("IDENTITY_MISMATCH", "身份信息不一致"))
PAPER = {
    "document_id": "fileId", "title": "fileName", "number": "fileNo", "identifier": "licenseNo",
    "sha256": "fileSha256", "verification_code": "antiFakeCode", "issued_at": "createdAt",
}  # fmt: skip
DECIDED_IN_DAYS = 3
RENT_LIMIT_FEN = 150_000
"""What may be withdrawn for one month's rent."""
RENT_MONTHS = {"m3": 3, "m6": 6, "m12": 12}
BAD_REQUEST = ("FIELD_MISSING", "填写不完整")


def _facts(citizen: Citizen) -> dict[str, Any]:
    held: dict[str, Any] = FACTS.get(citizen.id_number, {})
    return held


def account_of(citizen: Citizen) -> ProvidentFund:
    """Raises `Declined` when there is none."""
    if citizen.provident_fund is not None:
        return citizen.provident_fund
    held = _facts(citizen).get("account")
    if held is None:
        raise Declined("NO_ACCOUNT", "未查询到个人账户")
    return ProvidentFund.model_validate(held)


def _state(citizen: Citizen) -> str:
    ended = citizen.social_insurance is not None and citizen.social_insurance.ended
    return "封存" if ended or "sealed_since" in _facts(citizen) else "正常缴存"


def account(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    fund, state = account_of(citizen), _state(citizen)
    last = _facts(citizen).get("sealed_since") or f"{today(call):%Y-%m}"
    return {
        "certNo": citizen.id_number, "accNo": fund.account, "unitName": fund.employer, "accStatus": state,
        "monthPay": yuan(fund.monthly_fen), "balance": yuan(fund.balance_fen), "lastPayMonth": last,
    }  # fmt: skip


def withdraw_purchase(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    fund = account_of(citizen)
    buyers = (
        citizen.id_number,
        *(other.id_number for other in call.city.people.values() if other.id == citizen.spouse),
    )
    number = needed(call, "contractNo", BAD_REQUEST)
    contract = next((found for buyer in buyers if (found := _contract(buyer, number)) is not None), None)
    if contract is None:
        raise Declined("CONTRACT_UNKNOWN", "未查询到购房合同备案信息")
    amount = needed(call, "drawAmtFen", BAD_REQUEST)
    if not amount.isdigit() or not 0 < int(amount) <= min(fund.balance_fen, contract["price_fen"]):
        raise Declined("AMOUNT_TOO_HIGH", "提取金额超过可提取额度")
    return _withdrawal(call, citizen, "购房提取", int(amount))


def _contract(id_number: str, number: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = FACTS.get(id_number, {}).get("contracts", {}).get(number)
    return found


def withdraw_departure(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    fund = account_of(citizen)
    if _state(citizen) != "封存":
        raise Declined("ACCOUNT_ACTIVE", "账户正常缴存")
    if _facts(citizen).get("household") != "elsewhere":
        raise Declined("LOCAL_HOUSEHOLD", "本市户籍")
    return _withdrawal(call, citizen, "离厦提取", fund.balance_fen)


def withdraw_rent(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    fund = account_of(citizen)
    if citizen.houses:
        raise Declined("OWNS_HOME", "名下有住房")
    months = RENT_MONTHS.get(needed(call, "months", BAD_REQUEST))
    if months is None:
        raise Declined(*BAD_REQUEST)
    return _withdrawal(call, citizen, "租房提取", min(months * RENT_LIMIT_FEN, fund.balance_fen))


def withdraw_retirement(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    fund = account_of(citizen)
    if citizen.pension is None and "retirement_age_reached" not in _facts(citizen):
        raise Declined("NOT_RETIRED", "未查询到退休信息")
    return _withdrawal(call, citizen, "退休提取", fund.balance_fen)


def _withdrawal(call: Call, citizen: Citizen, title: str, amount_fen: int) -> dict[str, Any]:
    needed(call, "bankCard", BAD_REQUEST)
    case = handed_in(call, PLATFORM, "GJJ", title, citizen.id_number, days=DECIDED_IN_DAYS)
    paid_by = working_day(case.promised_on, 1)
    return {
        "certNo": citizen.id_number, "bizNo": case.number, "bizStatus": case.state, "drawAmt": yuan(amount_fen),
        "payDate": paid_by.isoformat(),
    }  # fmt: skip


def _loans(citizen: Citizen) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = _facts(citizen).get("loans", [])
    if not held:
        raise Declined("NO_LOAN", "未查询到贷款信息")
    return held


def loans(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    listed = [
        {"loanId": loan["id"], "loanName": f"{loan['contract']}（{loan['bank']}）", "loanState": loan["state"]}
        for loan in _loans(citizen)
    ]
    return {"certNo": citizen.id_number, "loans": listed}


def loan_certificate(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    wanted, settled = needed(call, "loanId", BAD_REQUEST), needed(call, "certKind", BAD_REQUEST) == "settled"
    loan = next((loan for loan in _loans(citizen) if loan["id"] == wanted), None)
    if loan is None:
        raise Declined("NO_LOAN", "未查询到贷款信息")
    if settled and loan["remaining_fen"]:
        raise Declined("LOAN_OPEN", "贷款未结清")
    values = {
        "contract": loan["contract"], "bank": loan["bank"], "principal": yuan(loan["principal_fen"]),
        "granted_on": loan["granted_on"], "remaining": yuan(loan["remaining_fen"]), "state": loan["state"],
        "certificate_kind": "结清证明" if settled else "余额证明",
    }  # fmt: skip
    paper = issued(call, "fund_loan_certificate", PLATFORM, citizen, values)
    return {"certNo": citizen.id_number, **paper_facts(paper, PAPER)}


def remote_loan_certificate(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    fund = account_of(citizen)
    if _state(citizen) == "封存":
        raise Declined("ACCOUNT_SEALED", "账户已封存")
    values = {
        "target_city": needed(call, "city", BAD_REQUEST), "account": fund.account, "employer": fund.employer,
        "since": fund.since, "state": _state(citizen), "monthly": yuan(fund.monthly_fen),
        "balance": yuan(fund.balance_fen), "loans": str(len(_facts(citizen).get("loans", []))),
    }  # fmt: skip
    paper = issued(call, "fund_remote_loan_certificate", PLATFORM, citizen, values)
    return {"certNo": citizen.id_number, **paper_facts(paper, PAPER)}


def open_employer(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    code = needed(call, "creditCode", BAD_REQUEST)
    if not may_act_for(citizen, code):
        raise Declined("NOT_REPRESENTATIVE", "非法定代表人")
    if "employer_opened" in _facts(citizen):
        raise Declined("EMPLOYER_EXISTS", "单位已开户")
    firm = needed(call, "unitName", BAD_REQUEST)
    case = handed_in(call, PLATFORM, "GJD", f"单位开户 {firm}", citizen.id_number)
    return {
        "certNo": citizen.id_number, "bizNo": case.number, "bizStatus": case.state,
        "unitAccNo": f"350200U{case.number[-6:]}",
    }  # fmt: skip


COUNTERS = (
    Counter("provident_fund.account", "/accounts", account),
    Counter("provident_fund.withdraw_purchase", "/withdrawals/purchase", withdraw_purchase, submits=True),
    Counter("provident_fund.withdraw_departure", "/withdrawals/departure", withdraw_departure, submits=True),
    Counter("provident_fund.withdraw_rent", "/withdrawals/rent", withdraw_rent, submits=True),
    Counter("provident_fund.withdraw_retirement", "/withdrawals/retirement", withdraw_retirement, submits=True),
    Counter("provident_fund.loans", "/loans", loans),
    Counter("provident_fund.loan_certificate", "/loan-certificates", loan_certificate, submits=True, method="PUT"),
    Counter(
        "provident_fund.remote_loan_certificate",
        "/remote-loan-certificates",
        remote_loan_certificate,
        submits=True,
        method="PUT",
    ),
    Counter("provident_fund.open_employer", "/employers", open_employer, submits=True, method="PUT"),
)
