"""What citizens and firms hand in to be answered: data objections, reports from the street, requests to 12345."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import shared_of
from fleet_server.sandbox.city import Case
from fleet_server.sandbox.departments.counters import at, handed_in, needed, today
from fleet_server.sandbox.departments.order.pictures import is_photograph

OBJECTION_DAYS = 5
REPORT_DAYS = 3
ENTERPRISE_DAYS = 5
COMPLAINT_DAYS = 7
SHORTEST_WORDS = 4
NO_WORDS = ("WORDS_MISSING", "没有写明情况")
CATEGORIES = {
    "road": "城市道路", "lamp": "路灯照明", "waste": "环境卫生", "green": "园林绿化", "parking": "占道停车",
    "noise": "噪声扰民", "other": "其他",
}  # fmt: skip
_HANDLERS = {
    "road": "市政园林局", "lamp": "市政园林局", "waste": "城市管理执法局", "green": "市政园林局",
    "parking": "公安局交通警察支队", "noise": "生态环境局", "other": "市12345政务服务便民热线",
}  # fmt: skip


def _earlier(number: str, told: dict[str, str]) -> Case:
    return Case(
        number=number, department=told["department"], operation="", title=told["title"], holder=told["holder"],
        handed_in_at=dt.datetime.fromisoformat(f"{told['handed_in']}T09:00:00+08:00"),
        promised_on=dt.date.fromisoformat(told["promised"]), state=told["state"],
    )  # fmt: skip


EARLIER = {number: _earlier(number, told) for number, told in shared_of("data_administration")["cases"].items()}
"""Cases handed in before this city began."""


def objection_submit(call: Call) -> dict[str, Any]:
    """Somebody says that a value held about them is wrong: numbered and passed to the body that keeps the value."""
    item = needed(call, "item", ("ITEM_MISSING", "没有说明哪一项数据"))
    source = needed(call, "source", ("ITEM_MISSING", "没有说明数据来源"))
    wanted = needed(call, "wanted", NO_WORDS)
    case = handed_in(call, "data_administration", "YY", f"数据异议：{item}", _holder(call), days=OBJECTION_DAYS)
    shelf = call.city.shelf("objections")
    with call.city.lock:
        shelf[case.number] = {"item": item, "source": source, "characters": len(wanted)}
    return _taken(case) | {"keeper": keeper_of(source)}


def objection_query(call: Call) -> dict[str, Any]:
    case = _case(call, "YY", ("OBJECTION_UNKNOWN", "没有这个异议编号"))
    held = call.city.shelf("objections").get(case.number, {})
    return {
        "number": case.number, "item": held.get("item", case.title.rsplit("：", 1)[-1]),
        "keeper": keeper_of(str(held.get("source", ""))),
        "state": _state_on(call, case), "handedIn": case.handed_in_at.date().isoformat(),
        "promised": case.promised_on.isoformat(),
    }  # fmt: skip


def report(call: Call) -> dict[str, Any]:
    category = str(call.body.get("category"))
    place = needed(call, "place", ("PLACE_MISSING", "没有写明地点"))
    if len(needed(call, "words", NO_WORDS)) < SHORTEST_WORDS:
        raise Declined("WORDS_TOO_SHORT", "情况写得太短，无法派单")
    photos = _photos(call)
    title = f"随手拍：{CATEGORIES.get(category, CATEGORIES['other'])}，{place}"
    case = handed_in(call, "data_administration", "SSP", title, "", days=REPORT_DAYS)
    return _taken(case) | {"handler": _HANDLERS.get(category, _HANDLERS["other"]), "photos": photos}


def enterprise(call: Call) -> dict[str, Any]:
    firm = needed(call, "firm", ("FIRM_MISSING", "没有填写企业名称"))
    if len(needed(call, "words", NO_WORDS)) < SHORTEST_WORDS:
        raise Declined("WORDS_TOO_SHORT", "诉求写得太短，无法派单")
    photos = _photos(call)
    case = handed_in(call, "data_administration", "ZQ", "政企直通车诉求", firm, days=ENTERPRISE_DAYS)
    return _taken(case) | {"photos": photos}


def complaint(call: Call) -> dict[str, Any]:
    words = needed(call, "words", NO_WORDS)
    if len(words) < SHORTEST_WORDS:
        raise Declined("WORDS_TOO_SHORT", "诉求写得太短，无法派单")
    with call.city.lock:
        heard = call.city.shelf("complaints").setdefault(str(at(call.body, "who.number")), {})
        earlier = heard.get(words)
    if earlier is not None:
        raise Declined("SAME_AGAIN", f"相同诉求正在办理，编号{earlier}")
    case = handed_in(call, "data_administration", "RX", "12345诉求", _holder(call), days=COMPLAINT_DAYS)
    with call.city.lock:
        heard[words] = case.number
    return _taken(case)


def progress(call: Call) -> dict[str, Any]:
    """Masked: whoever holds the number learns how it stands, never whose it is."""
    case = _case(call, "", ("CASE_UNKNOWN", "没有这个办件编号"))
    return {
        "number": case.number, "title": case.title.split("：", 1)[0], "holder": f"{case.holder[:1]}**",
        "state": _state_on(call, case), "handedIn": case.handed_in_at.date().isoformat(),
        "promised": case.promised_on.isoformat(),
    }  # fmt: skip


def keeper_of(source: str) -> str:
    """Which body answers for values of this origin."""
    kind = source.split(".", 1)[0]
    return {"card": "公安局", "certificate": "电子证照签发单位"}.get(kind, "数据提供部门")


def _photos(call: Call) -> int:
    """How many came along. One that is no photograph, or not the one that was sent, is refused with all the rest."""
    given = [(call.body.get(f"tp{number}"), call.body.get(f"tpzy{number}")) for number in ("", "2", "3")]
    sent = [pair for pair in given if pair[0]]
    if not all(is_photograph(page, digest) for page, digest in sent):
        raise Declined("PHOTO_BROKEN", "照片没有传完整")
    return len(sent)


def _case(call: Call, prefix: str, unknown: tuple[str, str]) -> Case:
    number = str(call.body.get("number", "")).strip().upper()
    case = call.city.cases.get(number) or EARLIER.get(number)
    if case is None or not number.startswith(prefix):
        raise Declined(*unknown)
    return case


def _state_on(call: Call, case: Case) -> str:
    return "逾期督办" if case.state == "已受理" and today(call) > case.promised_on else case.state


def _holder(call: Call) -> str:
    return str(at(call.body, "who.name") or "")


def _taken(case: Case) -> dict[str, Any]:
    return {"number": case.number, "promised": case.promised_on.isoformat(), "state": case.state}
