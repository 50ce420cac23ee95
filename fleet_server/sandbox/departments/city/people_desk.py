"""Counters of departments without a platform of their own: housing, leases, readers' cards, drivers, archives."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of, yuan
from fleet_server.sandbox.departments.city.hall import ASKING, PAPER
from fleet_server.sandbox.departments.counters import handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.papers import issued

FACTS = facts_of("data_administration")
SHARED = shared_of("data_administration")
HOUSING_DAYS = 20
INSURED_MONTHS = 36
LARGEST_HOUSEHOLD = 12
ARCHIVES = {
    "marriage": "婚姻登记档案", "work": "招工录用档案", "youth": "知青上山下乡档案", "veteran": "退伍安置档案",
    "land": "土地房产档案",
}  # fmt: skip
NO_SIGNATURE = ("SIGNATURE_MISSING", "缺少签名")


def housing_apply(call: Call) -> dict[str, Any]:
    """No home, three years in the city, income below the year's line: then the office checks for twenty days."""
    citizen = ASKING.citizen(call)
    members, income = _whole(call, "members", LARGEST_HOUSEHOLD), _whole(call, "incomeFen", 10**11)
    if citizen.houses:
        raise Declined("HOUSE_OWNED", "申请人名下有住房")
    if not _settled(citizen):
        raise Declined("HOUSING_RESIDENCE", "不满足户籍或居住年限要求")
    limits = SHARED["housing_income_limits_fen"]
    if income > int(limits[min(members, len(limits)) - 1]):
        raise Declined("HOUSING_INCOME", "家庭收入超过申请线")
    needed(call, "signature", NO_SIGNATURE)
    open_cases = call.city.shelf("housing")
    if citizen.id_number in open_cases:
        raise Declined("HOUSING_OPEN", "已有在办申请")
    case = handed_in(call, "housing_construction", "BZF", "保障性住房申请", citizen.name, days=HOUSING_DAYS)
    with call.city.lock:
        open_cases[citizen.id_number] = case.number
    return {
        "who": citizen.id_number, "number": case.number, "state": "已受理，待联审", "taken": True,
        "promised": case.promised_on.isoformat(),
    }  # fmt: skip


def _settled(citizen: Citizen) -> bool:
    if "厦门市" in citizen.address:
        return True
    insured = citizen.social_insurance is not None and citizen.social_insurance.months >= INSURED_MONTHS
    return insured and citizen.certificate("residence_permit") is not None


def lease_register(call: Call) -> dict[str, Any]:
    """A lease by whoever owns the home, as far as the city knows who owns it."""
    citizen = ASKING.citizen(call)
    address, landlord = needed(call, "address", NO_SIGNATURE), str(call.body.get("landlord"))
    starts, ends = _date(call, "starts"), _date(call, "ends")
    rent = _whole(call, "rentFen", 10**9)
    if ends <= starts:
        raise Declined("LEASE_DATES", "租期结束早于开始")
    if not call.body.get("page") and not call.body.get("certificate"):
        raise Declined("MATERIAL_MISSING", "缺少租赁合同")
    owners = {other.name for other in call.city.people.values() for house in other.houses if house.address in address}
    if owners and landlord not in owners:
        raise Declined("LEASE_OWNER", "出租人不是登记的产权人")
    values = {
        "address": address, "landlord": landlord, "starts": starts.isoformat(), "ends": ends.isoformat(),
        "rent": yuan(rent),
    }  # fmt: skip
    case = handed_in(call, "housing_construction", "ZL", "房屋租赁登记备案", citizen.name)
    paper = issued(call, "lease_registration", "housing_construction", citizen, values)
    return {"who": citizen.id_number, "caseNo": case.number, **paper_facts(paper, PAPER)}


def library_card(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    held = FACTS.get(citizen.id_number, {}).get("library", {})
    cards = call.city.shelf("library")
    if held.get("card") or citizen.id_number in cards:
        raise Declined("LIBRARY_HELD", "已有读者证")
    if held.get("overdue"):
        raise Declined("LIBRARY_DEBT", "有超期图书未还")
    with call.city.lock:
        number = cards.setdefault(citizen.id_number, f"XM99{len(cards) + 1:08d}")
    return {"who": citizen.id_number, "card": number, "books": "20", "days": "30"}


def driver(call: Call) -> dict[str, Any]:
    citizen, held = ASKING.known(call, FACTS, ("DRIVER_NONE", "没有查到从业资格"))
    found = held.get("driver")
    if found is None:
        raise Declined("DRIVER_NONE", "没有查到从业资格")
    expired = dt.date.fromisoformat(found["valid_until"]) < today(call)
    return {
        "who": citizen.id_number, "kind": found["kind"], "number": found["number"], "until": found["valid_until"],
        "state": "已过期，须换证" if expired else "有效", "honesty": found["honesty"], "score": str(found["score"]),
    }  # fmt: skip


def archive(call: Call) -> dict[str, Any]:
    """A certified extract of what the archive keeps about somebody's own life."""
    citizen = ASKING.citizen(call)
    kind = str(call.body.get("kind"))
    found = FACTS.get(citizen.id_number, {}).get("archives", {}).get(kind)
    if found is None:
        raise Declined("ARCHIVE_NONE", "馆藏没有相应记录")
    values = {"kind": ARCHIVES[kind], "fonds": found["fonds"], "kept": found["title"], "extract": found["text"]}
    case = handed_in(call, "archives", "DA", "民生档案查询", citizen.name)
    paper = issued(call, "archive_query", "archives", citizen, values)
    return {"who": citizen.id_number, "caseNo": case.number, **paper_facts(paper, PAPER)}


def _whole(call: Call, name: str, largest: int) -> int:
    stated = str(call.body.get(name, ""))
    if not stated.isdigit() or not 0 < int(stated) <= largest:
        raise Declined("NUMBERS_INVALID", "数字填写不正确")
    return int(stated)


def _date(call: Call, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(str(call.body.get(name)))
    except ValueError:
        raise Declined("LEASE_DATES", "日期填写不正确") from None
