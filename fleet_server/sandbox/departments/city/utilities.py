"""公共服务缴费平台: water, electricity, gas, parking, bus cards. Manner: resultCode 0000 with content, or resultMsg."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import facts_of, shared_of, yuan
from fleet_server.sandbox.departments.counters import Asking, handed_in, needed, today
from fleet_server.sandbox.documents import CITY_TIME

PLATFORM = "utilities"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
ASKING = Asking("idNo", "userName", ("U1001", "身份信息核验不一致"))
COMPANIES = {
    "water": "厦门市水务集团（示范）",
    "electricity": "国网厦门供电公司（示范）",
    "gas": "厦门燃气公司（示范）",
}
LATE_PER_DAY = {"water": 0, "electricity": 1, "gas": 1}
"""Per mille of the bill for each day after it was due (违约金)."""
CARD_YEARS = 1


def bill(call: Call) -> dict[str, Any]:
    """One household's open bill: who holds the account and where stays masked, because anybody may pay it."""
    service, account = _service(call), str(call.body.get("account", ""))
    found = SHARED["accounts"].get(service, {}).get(account)
    if found is None:
        raise Declined("U2001", "没有查到该户号")
    if not found["amount_fen"] or _settled(call, service, account):
        raise Declined("U2002", "该户号目前没有欠费")
    late = _late_fen(call, service, found)
    return {
        "account": account, "holder": f"{found['holder'][:1]}**", "address": f"{found['address'][:6]}***",
        "period": found["period"], "usage": found["usage"], "feeFen": found["amount_fen"], "lateFen": late,
        "fee": yuan(found["amount_fen"]), "late": yuan(late), "due": found["due"], "company": COMPANIES[service],
    }  # fmt: skip


def settle(call: Call) -> dict[str, Any]:
    """The bill is paid when the whole of it is: somebody else may have paid it a moment before."""
    service, account = _service(call), str(call.body.get("account", ""))
    order = needed(call, "orderId", ("U2004", "没有收到缴费订单"))
    found = SHARED["accounts"].get(service, {}).get(account)
    if found is None:
        raise Declined("U2001", "没有查到该户号")
    if str(call.body.get("amountFen")) != str(found["amount_fen"] + _late_fen(call, service, found)):
        raise Declined("U2005", "缴费金额与账单不一致")
    paid = call.city.shelf(PLATFORM)
    with call.city.lock:
        if paid.setdefault(f"{service} {account}", order) != order:
            raise Declined("U2003", "该账单刚刚已由他人缴清")
    return {"voucher": _voucher(call, "JF"), "paidOn": today(call).isoformat(), "account": account}


def parking(call: Call) -> dict[str, Any]:
    plate = str(call.body.get("plate", "")).upper()
    found = SHARED["parking"].get(plate)
    if found is None:
        raise Declined("U3001", "没有查到该车的停车记录")
    if _settled(call, "parking", plate):
        raise Declined("U3002", "该车没有待缴的停车费")
    return {
        "plate": plate, "place": found["place"], "arrived": found["arrived"], "left": found["left"],
        "feeFen": found["amount_fen"], "fee": yuan(found["amount_fen"]), "billNo": found["bill"],
    }  # fmt: skip


def parking_settle(call: Call) -> dict[str, Any]:
    plate = str(call.body.get("plate", "")).upper()
    order = needed(call, "orderId", ("U2004", "没有收到缴费订单"))
    found = SHARED["parking"].get(plate)
    if found is None:
        raise Declined("U3001", "没有查到该车的停车记录")
    if str(call.body.get("amountFen")) != str(found["amount_fen"]):
        raise Declined("U2005", "缴费金额与账单不一致")
    paid = call.city.shelf(PLATFORM)
    with call.city.lock:
        if paid.setdefault(f"parking {plate}", order) != order:
            raise Declined("U2003", "该账单刚刚已由他人缴清")
    return {"voucher": _voucher(call, "TC"), "paidOn": today(call).isoformat(), "plate": plate}


def bus_card(call: Call) -> dict[str, Any]:
    """The elder's card of this person, and whether it is still to be reviewed this year."""
    citizen, held = ASKING.known(call, FACTS, ("U4001", "没有查到老年公交卡"))
    card = held.get("bus_card")
    if card is None:
        raise Declined("U4001", "没有查到老年公交卡")
    if card.get("lost"):
        raise Declined("U4002", "该卡已挂失")
    reviewed = call.city.shelf("bus_cards").get(card["number"], card["valid_until"])
    return {"idNo": citizen.id_number, "card": card["number"], "kind": card["kind"], "until": str(reviewed)}


def bus_card_review(call: Call) -> dict[str, Any]:
    told = bus_card(call)
    until = dt.date.fromisoformat(told["until"])
    now = call.city.clock().astimezone(CITY_TIME).date()
    if until.year > now.year + 1:
        raise Declined("U4003", "该卡本年度已经年审")
    renewed = dt.date(max(until, now).year + CARD_YEARS, 12, 31)
    case = handed_in(call, "transport", "GJ", "老年公交卡年审", str(call.body.get("userName", "")))
    with call.city.lock:
        call.city.shelf("bus_cards")[told["card"]] = renewed.isoformat()
    return {"idNo": told["idNo"], "caseNo": case.number, "card": told["card"], "until": renewed.isoformat()}


def _service(call: Call) -> str:
    service = str(call.body.get("service"))
    if service not in COMPANIES:
        raise Declined("U2001", "没有这种缴费")
    return service


def _settled(call: Call, service: str, account: str) -> bool:
    return f"{service} {account}" in call.city.shelf(PLATFORM)


def _late_fen(call: Call, service: str, found: dict[str, Any]) -> int:
    days = max((today(call) - dt.date.fromisoformat(found["due"])).days, 0)
    per_day = int(found["amount_fen"]) * LATE_PER_DAY[service] // 1000
    return min(days * per_day, int(found["amount_fen"]))


def _voucher(call: Call, prefix: str) -> str:
    return call.city.next_case(prefix)


def _in_content(work: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    return lambda call: {"resultCode": "0000", "resultMsg": "成功", "content": work(call)}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"resultCode": code, "resultMsg": words, "content": None}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="/ggjf",
    decline=_decline,
    style="form",
    counters=(
        Counter("utilities.bill", "/bills/query", _in_content(bill)),
        Counter("utilities.settle", "/bills/settle", _in_content(settle), submits=True),
        Counter("parking.bill", "/parking/query", _in_content(parking)),
        Counter("parking.settle", "/parking/settle", _in_content(parking_settle), submits=True),
        Counter("bus_card.find", "/bus-cards/query", _in_content(bus_card)),
        Counter("bus_card.review", "/bus-cards/review", _in_content(bus_card_review), submits=True),
    ),
)
