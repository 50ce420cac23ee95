"""医保: the insurance voucher. Manner: infno and input, infcode 0 or -1 with err_msg."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.departments.papers import issued, long_time
from fleet_server.sandbox.departments.people import care


def voucher(call: Call) -> dict[str, Any]:
    asked = call.body.get("input") or {}
    citizen = call.city.person(asked.get("psn_cert_no"), asked.get("psn_name"))
    if citizen is None:
        raise Declined("CERT", "人员证件信息不符")
    record = citizen.medical_insurance
    if record is None:
        raise Declined("NOINS", "未查询到参保信息")
    values = {"kind": record.kind, "employer": record.employer, "since": record.since, "account": record.account}
    paper = issued(call, "medical_insurance_voucher", "medical_security", citizen, values)
    output = {
        "psn_cert_no": citizen.id_number, "file_qury_no": paper.document_id, "file_name": paper.title,
        "file_no": paper.number, "elec_lic": paper.identifier, "file_dgst": paper.sha256,
        "chk_code": paper.verification_code, "crte_time": long_time(paper.issued_at),
    }  # fmt: skip
    return {"infcode": 0, "err_msg": None, "output": output}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"infcode": -1, "err_code": code, "err_msg": words, "output": None}


DEPARTMENT = Department(
    id="medical_security",
    prefix="/yb",
    decline=_decline,
    counters=(Counter("medical_insurance.voucher", "/fsi/api", voucher, submits=True), *care.COUNTERS),
)
