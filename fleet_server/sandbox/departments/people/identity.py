"""统一身份认证: whose code the provincial app (闽政通) shows, good once and for a minute; and whose bank card this is.

A bank card is believed with the number of its holder and the code sent to the phone the bank keeps (四要素).
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.city import City
from fleet_server.sandbox.departments.people.travel_documents import verify_travel_document
from kiosk.contracts.value import masked_phone

CODE_SECONDS = 60
PREFIX = "MZT1."
MOST_CODES = 500
_CODES = {
    "wrong": ("4054", "验证码不正确"),
    "expired": ("4055", "验证码已失效"),
    "too_many": ("4056", "验证码错误次数过多"),
}


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


def bank_card_of(id_number: str) -> str:
    """The card of an invented citizen's account: 6200, the birth date, the sequence, and the digit that checks."""
    digits = f"6200{id_number[6:14]}{id_number[14:17]}"
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return digits + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def verify_bank_card(call: Call) -> dict[str, Any]:
    number = str(call.body.get("idNo"))
    citizen = call.city.people.get(number)
    if citizen is None or not number[:17].isdecimal() or str(call.body.get("cardNo")) != bank_card_of(number):
        raise Declined("4051", "卡号与证件号码不一致")
    if citizen.phone is None:
        raise Declined("4052", "银行无预留手机号")
    task = call.city.send_code(citizen.phone)
    with call.city.lock:
        call.city.shelf("bank_cards")[task] = number
    return {"errcode": 0, "taskId": task, "mobile": masked_phone(citizen.phone), "bankName": "样例银行"}


def confirm_bank_card(call: Call) -> dict[str, Any]:
    task = str(call.body.get("taskId"))
    result = call.city.check_code(task, str(call.body.get("code")))
    number = call.city.shelf("bank_cards").get(task)
    if result != "ok" or number is None:
        raise Declined(*_CODES.get(result, _CODES["expired"]))
    citizen = call.city.people[number]
    return {"errcode": 0, "user": {"xm": citizen.name, "sfzh": citizen.id_number, "zz": citizen.address}, "level": "L3"}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"errcode": int(code) if code.isdigit() else -1, "errmsg": words}


DEPARTMENT = Department(
    id="identity",
    prefix="/uias",
    decline=_decline,
    counters=(
        Counter("identity.app_code", "/v3/qrcode/verify", whose_code, submits=True),
        Counter("identity.bank_card", "/v3/bankcard/verify", verify_bank_card, submits=True),
        Counter("identity.bank_card_code", "/v3/bankcard/confirm", confirm_bank_card, submits=True),
        Counter("identity.travel_document", "/v3/traveldoc/verify", verify_travel_document),
    ),
)
