"""The city's register of firms: who may found one, what is registered, licences and extracts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import Citizen, read_firms, yuan
from fleet_server.sandbox.departments.city.firm_codes import COMPANY, INDIVIDUAL, credit_code
from fleet_server.sandbox.departments.counters import handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.papers import issued

CITY_AREA = "350299"
INSTANT_CAPITAL_FEN = 1_000_000_000
LARGEST_CAPITAL_FEN = 99_999_999_999
FORBIDDEN = ("中国", "国家级", "最高级", "政府", "军队")
KINDS = {"company": "有限责任公司（自然人独资）", "individual": "个体工商户"}
SCOPES = {
    "retail": "食品销售（仅销售预包装食品）；日用百货销售", "catering": "餐饮服务（凭许可证经营）",
    "technology": "软件开发；信息系统集成服务", "culture": "文艺创作；平面设计；组织文化艺术交流活动",
    "consulting": "社会经济咨询服务；企业管理咨询",
}  # fmt: skip
PURPOSES = {"own": "本企业办事", "trade": "交易前了解", "court": "诉讼仲裁", "bank": "银行贷款"}
PAPER = {
    "document_id": "docId", "title": "docName", "number": "docNo", "identifier": "license", "sha256": "digest",
    "verification_code": "checkCode", "issued_at": "issuedAt",
}  # fmt: skip
Firm = Mapping[str, Any]


class Register:
    """What stood in the register when the city began; firms of this city's life lie on its shelf."""

    def __init__(self, facts: Mapping[str, Any], shared: Mapping[str, Any]) -> None:
        self.facts, self.shared = facts, shared
        self._first: dict[str, Firm] = {
            code: {
                "firm_name": firm.name, "credit_code": code, "address": firm.address, "kind": firm.kind,
                "founded": firm.established_on.isoformat(), "scope": firm.industry,
            }
            for code, firm in read_firms().items()
        }  # fmt: skip
        self._first |= {firm["credit_code"]: firm for held in facts.values() for firm in held.get("firms", ())}

    def firms(self, call: Call) -> dict[str, Firm]:
        """Every firm by its credit code."""
        return {**self._first, **call.city.shelf("firms")}

    def owned(self, call: Call, citizen: Citizen) -> dict[str, Firm]:
        first = {firm["credit_code"]: firm for firm in self.facts.get(citizen.id_number, {}).get("firms", ())}
        since = {code: firm for code, firm in call.city.shelf("firms").items() if firm["owner"] == citizen.id_number}
        return {**first, **since}

    def barred(self, citizen: Citizen) -> bool:
        return bool(self.facts.get(citizen.id_number, {}).get("barred"))


def register(known: Register, call: Call, citizen: Citizen) -> dict[str, Any]:
    """Decided by rules: barred founders and taken names are refused, a large capital waits for an officer."""
    name = needed(call, "mc", ("SC2001", "没有填写企业名称"))
    address = needed(call, "zs", ("SC2002", "没有填写住所"))
    kind, trade = str(call.body.get("lx")), str(call.body.get("hy"))
    capital = _capital(call) if kind == "company" else 0
    if known.barred(citizen):
        raise Declined("SC2101", "申请人在失信惩戒期内，不得担任法定代表人或经营者")
    if any(word in name for word in FORBIDDEN):
        raise Declined("SC2102", "企业名称含有禁止使用的内容")
    if any(firm["firm_name"] == name for firm in known.firms(call).values()):
        raise Declined("SC2103", "企业名称与已登记企业相同")
    if capital > INSTANT_CAPITAL_FEN:
        case = handed_in(call, "market_supervision", "SC", "企业设立登记", citizen.name, days=1)
        return {"ywbh": case.number, "zt": "已受理，人工审查", "cnrq": case.promised_on.isoformat(), "msjg": False}
    case = handed_in(call, "market_supervision", "SC", "企业设立登记", citizen.name)
    shelf = call.city.shelf("firms")
    with call.city.lock:
        code = credit_code(COMPANY if kind == "company" else INDIVIDUAL, CITY_AREA, 500_000 + len(shelf))
        shelf[code] = {
            "firm_name": name, "credit_code": code, "address": address, "kind": kind, "capital_fen": capital,
            "founded": today(call).isoformat(), "scope": SCOPES.get(trade, SCOPES["consulting"]),
            "owner": citizen.id_number, "owner_name": citizen.name,
        }  # fmt: skip
    paper = issued(call, "company_registration", "market_supervision", citizen, words_of(shelf[code]))
    return {"ywbh": case.number, "zt": "已登记", "msjg": True, "tyshxydm": code, **paper_facts(paper, PAPER)}


def mine(known: Register, call: Call, citizen: Citizen) -> dict[str, Any]:
    owned = known.owned(call, citizen)
    if not owned:
        raise Declined("SC2201", "没有查到申请人登记的企业")
    listed = [{"dm": code, "mc": firm["firm_name"], "zs": firm["address"]} for code, firm in owned.items()]
    return {"zjhm": citizen.id_number, "list": listed}


def licence(known: Register, call: Call, citizen: Citizen) -> dict[str, Any]:
    firm = known.owned(call, citizen).get(str(call.body.get("dm")))
    if firm is None:
        raise Declined("SC2202", "申请人不是该企业的法定代表人、经营者或联络员")
    if firm.get("state", "存续") != "存续":
        raise Declined("SC2203", "企业已被吊销或注销，不能打印营业执照")
    values = words_of(firm) | {"copy_kind": "正本" if call.body.get("fb") == "original" else "副本"}
    paper = issued(call, "business_licence_print", "market_supervision", citizen, values)
    return {"zjhm": citizen.id_number, **paper_facts(paper, PAPER)}


def archive(known: Register, call: Call, citizen: Citizen) -> dict[str, Any]:
    firm = known.firms(call).get(str(call.body.get("dm", "")).upper())
    if firm is None:
        raise Declined("SC2301", "没有查到该企业")
    values = words_of(firm) | {"usage": PURPOSES.get(str(call.body.get("yt")), "其他")}
    entered = ((firm["founded"], "设立登记", "—", "准予登记"),)
    changes = tuple(tuple(str(part) for part in change) for change in firm.get("changes", ()))
    paper = issued(call, "company_archive_query", "market_supervision", citizen, values, rows=entered + changes)
    return {"zjhm": citizen.id_number, "mc": firm["firm_name"], **paper_facts(paper, PAPER)}


def words_of(firm: Firm) -> dict[str, str]:
    """What papers say about a firm."""
    capital = int(firm.get("capital_fen", 0))
    return {
        "firm_name": firm["firm_name"], "credit_code": firm["credit_code"], "address": firm["address"],
        "firm_kind": KINDS.get(firm["kind"], firm["kind"]), "capital": f"{yuan(capital)}元" if capital else "—",
        "founded": firm["founded"], "scope": firm["scope"], "state": firm.get("state", "存续"),
        "owner": firm.get("owner_name", "—"),
    }  # fmt: skip


def _capital(call: Call) -> int:
    stated = str(call.body.get("zczb", ""))
    if not stated.isdigit() or not 0 < int(stated) <= LARGEST_CAPITAL_FEN:
        raise Declined("SC2104", "注册资本填写不正确")
    return int(stated)
