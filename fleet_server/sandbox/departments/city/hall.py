"""The service hall's desk: guides, appointments, policies for firms, prints of electronic certificates."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import shared_of
from fleet_server.sandbox.departments.certificate_library import certificate_of, identifier_of
from fleet_server.sandbox.departments.counters import Asking, handed_in, needed, paper_facts, today, working_day
from fleet_server.sandbox.departments.papers import issued

SHARED = shared_of("data_administration")
ASKING = Asking("who.number", "who.name", ("IDENTITY_MISMATCH", "身份信息核验不一致"))
PAPER = {
    "document_id": "docId", "title": "docName", "number": "docNo", "identifier": "license", "sha256": "digest",
    "verification_code": "checkCode", "issued_at": "issuedAt",
}  # fmt: skip
DAYS_AHEAD = 5
LONGEST_LIST = 9
WEEKDAYS = "一二三四五六日"
WEEKDAY_IDS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PURPOSES = {"apply": "办理政务事项", "bank": "银行业务", "work": "求职入职", "school": "入学", "other": "其他"}


def guides_find(call: Call) -> dict[str, Any]:
    """Guides whose name or keywords share most with what was asked, best first."""
    words = needed(call, "words", ("WORDS_MISSING", "没有输入要找的事项"))
    ranked = sorted(
        ((_likeness(words, guide), id_) for id_, guide in SHARED["guides"].items()), key=lambda found: -found[0]
    )
    best = [id_ for likeness, id_ in ranked if likeness > 0][:LONGEST_LIST]
    if not best:
        raise Declined("GUIDE_NONE", "没有找到相近的办事指南")
    guides = SHARED["guides"]
    return {"list": [{"id": id_, "name": guides[id_]["name"], "department": guides[id_]["department"]} for id_ in best]}


def _likeness(words: str, guide: dict[str, Any]) -> int:
    pairs = {words[at : at + 2] for at in range(len(words) - 1)} or {words}
    return sum(pair in text for text in (guide["name"], *guide["keywords"]) for pair in pairs)


def guides_read(call: Call) -> dict[str, Any]:
    guide = SHARED["guides"].get(str(call.body.get("id")))
    if guide is None:
        raise Declined("GUIDE_NONE", "没有这份办事指南")
    return {name: value for name, value in guide.items() if name != "keywords"}


# --- appointments --------------------------------------------------------------------------------------------------


def days(call: Call) -> dict[str, Any]:
    """The next working days of an office that still have room."""
    office = _office(call)
    free = []
    for id_, day in _days_ahead(call).items():
        left = sum(_left(call, office, day, slot) for slot in SHARED["slots"])
        if left > 0:
            label = f"{day.month}月{day.day}日 星期{WEEKDAYS[day.weekday()]}"
            free.append({"day": id_, "label": label, "left": f"余{left}个号"})
    if not free:
        raise Declined("NO_ROOM", "近五个工作日已约满")
    return {"list": free}


def slots(call: Call) -> dict[str, Any]:
    office, day = _office(call), _day(call)
    free = [
        {"slot": slot, "label": hours, "left": f"余{_left(call, office, day, slot)}个号"}
        for slot, hours in SHARED["slots"].items()
        if _left(call, office, day, slot) > 0
    ]
    if not free:
        raise Declined("NO_ROOM", "当天已约满")
    return {"list": free}


def book(call: Call) -> dict[str, Any]:
    """One running appointment per person and office."""
    citizen, office, day = ASKING.citizen(call), _office(call), _day(call)
    slot = str(call.body.get("slot"))
    booked = call.city.shelf("appointments")
    with call.city.lock:
        if slot not in SHARED["slots"] or _left(call, office, day, slot) <= 0:
            raise Declined("SLOT_GONE", "该时段刚刚约满")
        if any(key.startswith(f"{office} ") and citizen.id_number in holders for key, holders in booked.items()):
            raise Declined("BOOKED_ALREADY", "在该大厅已有未办理的预约")
        place = booked.setdefault(_place(office, day, slot), [])
        place.append(citizen.id_number)
        number = f"Y{len(place):03d}"
    case = handed_in(call, "data_administration", "DT", "大厅预约", citizen.name, days=1, state="已预约")
    at = SHARED["offices"][office]
    return {
        "number": case.number, "ticket": number, "office": at["name"], "address": at["address"],
        "when": f"{day.month}月{day.day}日 {SHARED['slots'][slot]}",
    }  # fmt: skip


def _office(call: Call) -> str:
    office = str(call.body.get("office"))
    if office not in SHARED["offices"]:
        raise Declined("OFFICE_UNKNOWN", "没有这个办事大厅")
    return office


def _days_ahead(call: Call) -> dict[str, dt.date]:
    """Working days to come, by the weekday each is: five days hold every weekday once."""
    ahead = [working_day(today(call), number) for number in range(1, DAYS_AHEAD + 1)]
    return {WEEKDAY_IDS[day.weekday()]: day for day in ahead}


def _day(call: Call) -> dt.date:
    day = _days_ahead(call).get(str(call.body.get("day")))
    if day is None:
        raise Declined("DAY_UNKNOWN", "日期不正确")
    return day


def _left(call: Call, office: str, day: dt.date, slot: str) -> int:
    taken = len(call.city.shelf("appointments").get(_place(office, day, slot), ()))
    return int(SHARED["offices"][office]["per_slot"]) - taken


def _place(office: str, day: dt.date, slot: str) -> str:
    return f"{office} {day} {slot}"


# --- policies ------------------------------------------------------------------------------------------------------


def policies_find(call: Call) -> dict[str, Any]:
    """Policies open to firms of this size and trade for this wish."""
    asked = {name: str(call.body.get(name)) for name in ("industry", "size", "topic")}
    fitting = [
        (id_, policy)
        for id_, policy in SHARED["policies"].items()
        if all("any" in policy[name] or value in policy[name] for name, value in asked.items())
    ]
    if not fitting:
        raise Declined("POLICY_NONE", "目前没有符合条件的政策")
    return {"list": [{"id": id_, "name": policy["name"], "benefit": policy["benefit"]} for id_, policy in fitting]}


def policy_notice(call: Call) -> dict[str, Any]:
    """A policy on one sheet: what it gives, to whom, how and until when."""
    policy = SHARED["policies"].get(str(call.body.get("id")))
    if policy is None:
        raise Declined("POLICY_NONE", "没有这项政策")
    words = {name: policy[name] for name in ("name", "benefit", "conditions", "apply", "until", "basis", "contact")}
    known = {"name": "", "policy": words.pop("name"), **words}
    paper = call.city.documents.issue(
        "policy_finder", "data_administration", known, now=call.city.clock(), verify_at=call.verify_at
    )
    return {**words, "policy": known["policy"], **paper_facts(paper, PAPER)}


# --- certificates --------------------------------------------------------------------------------------------------


def certificate_print(call: Call) -> dict[str, Any]:
    """What a certificate says, on paper, with the purpose it was fetched for."""
    citizen = ASKING.citizen(call)
    held = certificate_of(citizen, str(call.body.get("type")))
    if held is None:
        raise Declined("NO_CERTIFICATE", "名下没有这种电子证照")
    if held.valid_until is not None and held.valid_until < today(call):
        raise Declined("CERTIFICATE_EXPIRED", "该证照已过有效期")
    until = held.valid_until.isoformat() if held.valid_until else "长期"
    values = {
        "certificate": held.title, "issuer": held.issuer, "certificate_id": _breakable(identifier_of(held)),
        "issued_on": held.issued_on.isoformat(), "until": until, "usage": _purpose(call), "serial_number": held.serial,
    }  # fmt: skip
    rows = tuple((_FIELD_WORDS[name], value) for name, value in held.fields.items() if name in _FIELD_WORDS)
    paper = issued(call, "certificate_print", "data_administration", citizen, values, rows=rows)
    return {"who": citizen.id_number, "until": until, **paper_facts(paper, PAPER)}


def _breakable(identifier: str) -> str:
    """A long identifier that may go on in the next line of a cell."""
    return identifier.replace(".", ".\u200b")


def _purpose(call: Call) -> str:
    return PURPOSES.get(str(call.body.get("purpose")), PURPOSES["other"])


_FIELD_WORDS = {
    "number": "证号", "address": "地址", "spouse": "配偶", "registered_on": "登记日期", "office": "登记机关",
    "child_name": "新生儿姓名", "child_sex": "性别", "born_on": "出生日期", "mother": "母亲", "father": "父亲",
    "head": "户主", "kind": "类别", "classes": "准驾车型", "first_issued_on": "初次领证日期", "plate": "号牌号码",
    "model": "品牌型号", "inspected_until": "检验有效期至", "landlord": "出租人", "starts_on": "起始日期",
    "ends_on": "终止日期", "school": "学校", "level": "学历", "graduated_on": "毕业日期", "firm": "名称",
    "credit_code": "统一社会信用代码", "scope": "经营范围", "grade": "等级", "issuer": "签发机关",
}  # fmt: skip
