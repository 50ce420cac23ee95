"""市场监管 and the single window: firms, licences, tobacco, customs. Manner: ret 0 with obj, other codes with msg."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of
from fleet_server.sandbox.departments.city import firms, permits
from fleet_server.sandbox.departments.counters import Asking, needed

PLATFORM = "market_supervision"
FACTS = facts_of(PLATFORM)
SHARED = shared_of(PLATFORM)
ASKING = Asking("zjhm", "xm", ("SC1001", "申请人身份信息核验不一致"))
REGISTER = firms.Register(FACTS, SHARED)
DECLARATION_DIGITS = 18


def clearance(call: Call) -> dict[str, Any]:
    """How a shipment stands; nothing about goods, value or who owns it."""
    number = str(call.body.get("bgdh", ""))
    if len(number) != DECLARATION_DIGITS or not number.isdigit():
        raise Declined("HG2001", "报关单号格式不正确")
    found = SHARED.get("declarations", {}).get(number)
    if found is None:
        raise Declined("HG2002", "没有查到该报关单")
    return {
        "bgdh": number, "zt": found["state"], "ka": found["port"], "gxsj": found["updated"], "xyb": found["next"],
    }  # fmt: skip


def _with_citizen(work: Callable[[Call, Citizen], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    return lambda call: work(call, ASKING.citizen(call))


def composite(call: Call) -> dict[str, Any]:
    """One licence for one trade: the firm's single permits on one sealed paper."""
    citizen = ASKING.citizen(call)
    needed(call, "xkxm", ("ZH3001", "没有可以合并的许可"))
    return permits.composite(call, citizen, REGISTER)


def _in_obj(work: Callable[[Call], dict[str, Any]]) -> Callable[[Call], dict[str, Any]]:
    return lambda call: {"ret": 0, "msg": "ok", "obj": work(call)}


def _counter(operation: str, path: str, work: Callable[[Call], dict[str, Any]], *, submits: bool = False) -> Counter:
    return Counter(operation, path, _in_obj(work), submits=submits)


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 200, {"ret": code, "msg": words}


DEPARTMENT = Department(
    id=PLATFORM,
    prefix="/scjg",
    decline=_decline,
    counters=(
        _counter("company.register", "/firms", _with_citizen(partial(firms.register, REGISTER)), submits=True),
        _counter("company.firms", "/firms/mine", _with_citizen(partial(firms.mine, REGISTER))),
        _counter("company.licence", "/licences", _with_citizen(partial(firms.licence, REGISTER)), submits=True),
        _counter("company.archive", "/archives", _with_citizen(partial(firms.archive, REGISTER)), submits=True),
        _counter("food.licence", "/food-licences", _with_citizen(partial(permits.food, REGISTER)), submits=True),
        _counter(
            "tobacco.licence", "/tobacco-licences", _with_citizen(partial(permits.tobacco, REGISTER)), submits=True
        ),
        _counter("composite_licence.issue", "/composite-licences", composite, submits=True),
        _counter("customs.clearance_status", "/single-window/status", clearance),
    ),
)
