"""住房公积金: deposit certificates. Manner: plain objects; refusals are HTTP 422 with errorCode."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import yuan
from fleet_server.sandbox.departments.papers import issued, long_time
from fleet_server.sandbox.departments.people import fund as more
from fleet_server.sandbox.departments.people.fund import account_of


def certificate(call: Call) -> dict[str, Any]:
    citizen = call.city.person(call.body.get("certNo"), call.body.get("realName"))
    if citizen is None:
        raise Declined("IDENTITY_MISMATCH", "身份信息不一致")
    fund = account_of(citizen)
    values = {
        "account": fund.account, "employer": fund.employer, "since": fund.since,
        "monthly": yuan(fund.monthly_fen), "balance": yuan(fund.balance_fen),
    }  # fmt: skip
    paper = issued(call, "provident_fund_certificate", "housing_fund", citizen, values)
    return {
        "certNo": citizen.id_number, "fileId": paper.document_id, "fileName": paper.title, "fileNo": paper.number,
        "licenseNo": paper.identifier, "fileSha256": paper.sha256, "antiFakeCode": paper.verification_code,
        "createdAt": long_time(paper.issued_at),
    }  # fmt: skip


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 422, {"errorCode": code, "errorMsg": words}


DEPARTMENT = Department(
    id="housing_fund",
    prefix="/gjj",
    decline=_decline,
    counters=(
        Counter("provident_fund.certificate", "/deposit-certificates", certificate, submits=True, method="PUT"),
        *more.COUNTERS,
    ),
)
