"""Permits a firm needs before it opens: food, tobacco, and the one licence that holds them all."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import Citizen
from fleet_server.sandbox.departments.city.firms import PAPER, Firm, Register
from fleet_server.sandbox.departments.counters import handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.papers import issued

FOOD_DAYS, TOBACCO_DAYS = 10, 8
ON_A_DECLARATION = frozenset({"drinks"})
YEARS = 5
INDUSTRIES = {"convenience_store": "便利店", "bakery": "烘焙店", "restaurant": "餐饮店", "bookshop": "书店"}
SCHOOLS = ("小学", "中学", "幼儿园", "学校")


def food(known: Register, call: Call, citizen: Citizen) -> dict[str, Any]:
    """Drinks and cakes on a declaration at once; anything cooked or loose after a visit."""
    firm = _firm(known, call, citizen)
    if not str(call.body.get("mj", "")).isdigit() or int(call.body["mj"]) == 0:
        raise Declined("SP2002", "经营面积填写不正确")
    if not call.body.get("bjt"):
        raise Declined("SP2003", "缺少经营场所平面布局图")
    _signed(call, "SP2004")
    title = f"食品经营许可：{firm['firm_name']}"
    if str(call.body.get("xm2")) not in ON_A_DECLARATION:
        case = handed_in(call, "market_supervision", "SP", title, citizen.name, days=FOOD_DAYS)
        return {"ywbh": case.number, "zt": "已受理，待现场核查", "cnrq": case.promised_on.isoformat(), "sp": False}
    case = handed_in(call, "market_supervision", "SP", title, citizen.name)
    return {
        "ywbh": case.number, "zt": "已发证", "sp": True, "xkzh": f"JY2{firm['credit_code'][2:8]}{case.number[-8:]}",
        "yxq": _until(today(call)).isoformat(),
    }  # fmt: skip


def tobacco(known: Register, call: Call, citizen: Citizen) -> dict[str, Any]:
    """Never near a school, and no more outlets in a street than its plan allows; then an officer visits."""
    firm = _firm(known, call, citizen)
    address = needed(call, "dz", ("YC2002", "没有填写经营场所"))
    if any(word in address for word in SCHOOLS):
        raise Declined("YC2101", "经营场所在中小学、幼儿园周边，不予发证")
    if any(street in address for street in known.shared.get("full_streets", ())):
        raise Declined("YC2102", "该路段零售点已达到合理布局上限")
    if not call.body.get("zm") and not call.body.get("tp"):
        raise Declined("YC2003", "缺少经营场所证明")
    _signed(call, "YC2004")
    case = handed_in(call, "tobacco", "YC", f"烟草专卖零售许可：{firm['firm_name']}", citizen.name, days=TOBACCO_DAYS)
    return {"ywbh": case.number, "zt": "已受理，待实地核查", "cnrq": case.promised_on.isoformat()}


def composite(call: Call, citizen: Citizen, known: Register) -> dict[str, Any]:
    firm = _firm(known, call, citizen)
    values = {
        "firm_name": firm["firm_name"], "credit_code": firm["credit_code"], "address": firm["address"],
        "industry": INDUSTRIES.get(str(call.body.get("hy")), str(call.body.get("hy"))),
        "permits": str(call.body["xkxm"]), "valid_until": _until(today(call)).isoformat(),
    }  # fmt: skip
    case = handed_in(call, "market_supervision", "ZH", f"行业综合许可证：{firm['firm_name']}", citizen.name)
    paper = issued(call, "composite_licence", "market_supervision", citizen, values)
    return {"ywbh": case.number, "zjhm": citizen.id_number, "yxq": values["valid_until"], **paper_facts(paper, PAPER)}


def _firm(known: Register, call: Call, citizen: Citizen) -> Firm:
    firm = known.owned(call, citizen).get(str(call.body.get("dm", "")).upper())
    if firm is None or firm.get("state", "存续") != "存续":
        raise Declined("SC2401", "申请人名下没有该企业的有效营业执照")
    return firm


def _signed(call: Call, code: str) -> None:
    if not call.body.get("qm"):
        raise Declined(code, "缺少申请人签名的承诺书")


def _until(day: dt.date) -> dt.date:
    try:
        return day.replace(year=day.year + YEARS) - dt.timedelta(days=1)
    except ValueError:
        return day.replace(year=day.year + YEARS, day=28)
