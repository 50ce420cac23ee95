"""短信: one-time codes to the phone a citizen registered; the phone itself is never told to the caller."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from kiosk.contracts.value import masked_phone

_DECLINED = {
    "wrong": ("CODE_WRONG", "验证码不正确"),
    "expired": ("CODE_EXPIRED", "验证码已失效"),
    "too_many": ("TOO_MANY", "尝试次数过多"),
}


def send_code(call: Call) -> dict[str, Any]:
    citizen = call.city.people.get(str(call.body.get("idNo")))
    if citizen is None or citizen.phone is None:
        raise Declined("NO_PHONE", "没有登记手机号码")
    return {"ok": True, "taskId": call.city.send_code(citizen.phone), "mobile": masked_phone(citizen.phone)}


def verify_code(call: Call) -> dict[str, Any]:
    result = call.city.check_code(str(call.body.get("taskId")), str(call.body.get("code")))
    if result != "ok":
        raise Declined(*_DECLINED[result])
    return {"ok": True, "verified": True}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 400, {"ok": False, "code": code, "reason": words}


DEPARTMENT = Department(
    id="messages",
    prefix="/sms",
    decline=_decline,
    counters=(
        Counter("sms.send_code", "/codes", send_code, submits=True),
        Counter("sms.verify_code", "/codes/verify", verify_code, submits=True),
    ),
)
