"""统一身份认证: whose code the provincial app (闽政通) shows. It is good once, for a minute, and names nobody."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.city import City

CODE_SECONDS = 60
PREFIX = "MZT1."
MOST_CODES = 500


@dataclass(frozen=True)
class AppCode:
    id_number: str
    good_until: dt.datetime


def show_app_code(city: City, id_number: str) -> str | None:
    """What the citizen's phone shows now; None for nobody of this city."""
    if id_number not in city.people:
        return None
    text = PREFIX + secrets.token_urlsafe(24)
    with city.lock:
        while len(city.app_codes) >= MOST_CODES:
            city.app_codes.pop(next(iter(city.app_codes)))
        city.app_codes[text] = AppCode(id_number, city.clock() + dt.timedelta(seconds=CODE_SECONDS))
    return text


def whose_code(call: Call) -> dict[str, Any]:
    with call.city.lock:
        shown = call.city.app_codes.pop(str(call.body.get("qrCode")), None)
    if shown is None:
        raise Declined("4041", "身份码无效或已使用")
    if call.city.clock() > shown.good_until:
        raise Declined("4042", "身份码已过期")
    citizen = call.city.people[shown.id_number]
    return {"errcode": 0, "user": {"xm": citizen.name, "sfzh": citizen.id_number, "zz": citizen.address}, "level": "L3"}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"errcode": int(code) if code.isdigit() else -1, "errmsg": words}


DEPARTMENT = Department(
    id="identity",
    prefix="/uias",
    decline=_decline,
    counters=(Counter("identity.app_code", "/v3/qrcode/verify", whose_code, submits=True),),
)
