"""政务服务大厅 of other regions: takes in what is handed over here, and sends the result home (跨省通办、省内通办).

Manner: code 200 with data, other codes with a message.
"""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Department
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed

ASKING = Asking(number="applicant.idNo", name="applicant.name", mismatch=("4003", "申请人身份信息核验不一致"))
INCOMPLETE = ("4001", "申请信息不完整")
NO_ADDRESS = ("4002", "邮寄送达需要收件地址")
WORKING_DAYS = 10
PLACES = (
    ("350100", "福州市", "省内通办"), ("350500", "泉州市", "省内通办"), ("350600", "漳州市", "省内通办"),
    ("360000", "江西省", "跨省通办"), ("510000", "四川省", "跨省通办"),
)  # fmt: skip
OFFICES = {"35": "福建省网上办事大厅", "36": "江西省政务服务大厅"}


def hand_in(call: Call) -> dict[str, Any]:
    """Taken in for the region's own department; the result comes by post or as an electronic certificate."""
    citizen = ASKING.citizen(call)
    title, region = needed(call, "matterName", INCOMPLETE), needed(call, "areaCode", INCOMPLETE)
    post = at(call.body, "delivery") == "post"
    if post:
        needed(call, "address", NO_ADDRESS)
    case = handed_in(call, "other_regions", f"YD{region[:2]}", title, citizen.id_number, days=WORKING_DAYS)
    data = {
        "idNo": citizen.id_number, "acceptNo": case.number, "state": case.state, "office": OFFICES[region[:2]],
        "promiseDate": case.promised_on.isoformat(), "delivery": "邮寄送达" if post else "电子证照",
    }  # fmt: skip
    return {"code": 200, "message": "success", "data": data}


def places(_: Call) -> dict[str, Any]:
    """Who takes part; what each of them offers is its own affair."""
    listed = [{"areaCode": code, "areaName": name, "kind": kind} for code, name, kind in PLACES]
    return {"code": 200, "message": "success", "data": {"list": listed}}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"code": int(code) if code.isdigit() else 4000, "message": words}


def _hall(id_: str, prefix: str, *more: Counter) -> Department:
    return Department(
        id=id_,
        prefix=prefix,
        decline=_decline,
        counters=(Counter("cross_region.hand_in", "/applications", hand_in, submits=True), *more),
    )


DEPARTMENTS = (
    _hall("fujian", "/fujian", Counter("cross_region.places", "/places", places)),
    _hall("jiangxi", "/jiangxi"),
)
