"""电子证照库: certificates by holder and type, all of a holder, and codes to show one (扫码亮证).

The purpose must be stated. Manner: ack_code, a list of licences.
"""

from __future__ import annotations

import datetime as dt
import html
import secrets
from typing import Any

from fleet_server.exchange.identifiers import certificate_identifier
from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Certificate, Citizen, read_certificate_types
from fleet_server.sandbox.city import City
from fleet_server.sandbox.departments.papers import long_time
from kiosk.contracts.value import masked_name

TYPES = read_certificate_types()
ISSUING_BODY = "11350200000099002X"
CODE_SECONDS = 60
KEPT_CODES = 500
FROM_THE_START = dt.date(2020, 1, 1)
_SHELF = "certificate_library"


def query(call: Call) -> dict[str, Any]:
    citizen = _holder(call)
    held = certificate_of(citizen, str(call.body.get("typeCode"))) if citizen is not None else None
    licences = [_licence(held, citizen.id_number)] if held is not None and citizen is not None else []
    return {"ack_code": "SUCCESS", "total": len(licences), "data": licences}


def listed(call: Call) -> dict[str, Any]:
    """Everything the holder has, without what the certificates say."""
    citizen = _holder(call)
    held = certificates_of(citizen) if citizen is not None else ()
    data = [
        {key: value for key, value in _licence(each, "").items() if key not in ("surface", "holderCode")}
        | {"typeCode": each.type}
        for each in held
    ]
    answer: dict[str, Any] = {"ack_code": "SUCCESS", "total": len(data), "data": data}
    return answer | ({"holderCode": citizen.id_number} if citizen is not None else {})


def present(call: Call) -> dict[str, Any]:
    """A code that shows this certificate to whoever scans it first, within CODE_SECONDS."""
    citizen = _holder(call)
    held = certificate_of(citizen, str(call.body.get("typeCode"))) if citizen is not None else None
    if citizen is None or held is None:
        raise Declined("L1004", "未查询到该证照")
    now = call.city.clock()
    if held.valid_until is not None and held.valid_until < now.date():
        raise Declined("L1005", "证照已超过有效期")
    code, ends = secrets.token_urlsafe(18), now + dt.timedelta(seconds=CODE_SECONDS)
    with call.city.lock:
        codes: dict[str, Any] = call.city.shelf(_SHELF)
        while len(codes) >= KEPT_CODES:
            codes.pop(next(iter(codes)))
        codes[code] = (citizen, held, ends)
    return {
        "ack_code": "SUCCESS", "holderCode": citizen.id_number, "licenseName": held.title,
        "licenseCode": identifier_of(held), "qrText": f"{call.verify_at.removesuffix('/verify')}/show/{code}",
        "expireTime": long_time(ends), "expireSeconds": CODE_SECONDS,
    }  # fmt: skip


def shown(city: City, code: str) -> tuple[str, int]:
    """The page for whoever scanned a code: good once. Returns (HTML, status)."""
    with city.lock:
        found = city.shelf(_SHELF).pop(code, None)
    if found is None or city.clock() > found[2]:
        return _page("二维码已失效，请持证人重新亮证", []), 410
    citizen, held, _ = found
    return _page(held.title, [("持证人", masked_name(citizen.name)), ("证照标识", identifier_of(held)),
                              ("发证机关", held.issuer), *held.fields.items()]), 200  # fmt: skip


def certificate_of(citizen: Citizen, type_: str) -> Certificate | None:
    return next((held for held in certificates_of(citizen) if held.type == type_), None)


def certificates_of(citizen: Citizen) -> tuple[Certificate, ...]:
    """What the library holds for somebody: their own, and those made from what is known of everybody."""
    made = []
    tail = citizen.id_number[-6:].replace("X", "0")
    if citizen.address and citizen.id_number[:1] in "123456":
        made.append(("resident_identity_card", "公安机关",
                     {"name": citizen.name, "number": citizen.id_number, "address": citizen.address}))  # fmt: skip
    fund, medical = citizen.provident_fund, citizen.medical_insurance
    if fund is not None:
        made.append(("fund_account", "厦门市住房公积金中心",
                     {"number": fund.account, "employer": fund.employer, "since": fund.since}))  # fmt: skip
    if medical is not None:
        made.append(("medical_insurance", "厦门市医疗保障局", {
            "number": medical.account, "kind": medical.kind, "employer": medical.employer, "since": medical.since,
        }))  # fmt: skip
    return citizen.certificates + tuple(
        Certificate(
            type=type_, title=TYPES[type_].title, issuer=issuer, issued_on=FROM_THE_START, fields=fields,
            serial=f"{FROM_THE_START.year}{number:03d}{tail}",
        )
        for number, (type_, issuer, fields) in enumerate(made, 1)
    )  # fmt: skip


def identifier_of(held: Certificate) -> str:
    return certificate_identifier(TYPES[held.type].code, ISSUING_BODY, held.serial)


def _holder(call: Call) -> Citizen | None:
    if not call.body.get("purpose"):
        raise Declined("L1003", "未说明用证事由")
    return call.city.person(call.body.get("holderCode"), call.body.get("holderName"))


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


def _page(heading: str, facts: list[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><th>{html.escape(label)}</th><td>{html.escape(value)}</td></tr>" for label, value in facts)
    return (
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><h1>{html.escape(heading)}</h1><table>{rows}</table>'
    )


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"ack_code": "FAILURE", "errors": [{"code": code, "message": words}]}


DEPARTMENT = Department(
    id="certificate_library",
    prefix="/dzzz",
    decline=_decline,
    counters=(
        Counter("certificates.query", "/licenses/query", query),
        Counter("certificates.list", "/licenses/list", listed),
        Counter("certificates.present", "/licenses/present", present, submits=True),
    ),
)
