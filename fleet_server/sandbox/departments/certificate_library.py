"""电子证照库: certificates by holder and type. The purpose must be stated. Manner: ack_code, a list of licences."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Certificate, read_certificate_types
from fleet_server.sandbox.identifiers import certificate_identifier

TYPES = read_certificate_types()
ISSUING_BODY = "11350200000099002X"


def query(call: Call) -> dict[str, Any]:
    if not call.body.get("purpose"):
        raise Declined("L1003", "未说明用证事由")
    citizen = call.city.people.get(str(call.body.get("holderCode")))
    if citizen is None or citizen.name != call.body.get("holderName"):
        return {"ack_code": "SUCCESS", "total": 0, "data": []}
    held = citizen.certificate(str(call.body.get("typeCode")))
    licences = [_licence(held, citizen.id_number)] if held is not None else []
    return {"ack_code": "SUCCESS", "total": len(licences), "data": licences}


def _licence(held: Certificate, holder: str) -> dict[str, Any]:
    return {
        "licenseCode": identifier_of(held),
        "licenseName": held.title,
        "holderCode": holder,
        "issueOrgName": held.issuer,
        "issueDate": held.issued_on.isoformat(),
        "expiryDate": held.valid_until.isoformat() if held.valid_until else None,
        "surface": held.fields,
    }


def identifier_of(held: Certificate) -> str:
    return certificate_identifier(TYPES[held.type].code, ISSUING_BODY, held.serial)


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"ack_code": "FAILURE", "errors": [{"code": code, "message": words}]}


DEPARTMENT = Department(
    id="certificate_library",
    prefix="/dzzz",
    decline=_decline,
    counters=(Counter("certificates.query", "/licenses/query", query),),
)
