"""统一收件平台 for fire and rescue, city management, veterans. Manner: accepted true with a receipt, or a fault."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined, Department
from fleet_server.sandbox.citizens import Citizen, facts_of, shared_of
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, paper_facts, today, working_day
from fleet_server.sandbox.departments.order.pictures import is_photograph, is_signature
from fleet_server.sandbox.departments.papers import issued

FACTS = facts_of("acceptance")
SHARED = shared_of("acceptance")
ASKING = Asking(number="person.number", name="person.name", mismatch=("SJ404", "申请人身份核验不一致"))
VENUES = {
    "restaurant": "饭店、餐饮", "hotel": "宾馆、旅馆", "shop": "商场、超市", "entertainment": "歌舞娱乐、影剧院",
    "sports": "体育馆、健身",
}  # fmt: skip
INSPECTION_DAYS, ANSWER_DAYS, VETERAN_DAYS = 20, 3, 20
HIGHEST_SIGN_CM = 300
_PAPER = {
    "document_id": "file", "title": "fileTitle", "number": "fileNumber", "identifier": "licence", "sha256": "sha256",
    "verification_code": "verifyCode", "issued_at": "time",
}  # fmt: skip


def declare_fire_safety(call: Call) -> dict[str, Any]:
    """Licensed at once on the signed promise; inspected afterwards."""
    citizen = ASKING.citizen(call)
    code, firm = _firm(call)
    _shown(call, "licence", ("SJ002", "缺少营业执照或无法辨认"))
    if not is_signature(at(call.body, "promise.signature")):
        raise Declined("XF001", "缺少承诺签名")
    if code in SHARED["promises_broken"]:
        raise Declined("XF002", "曾有不实承诺，不适用告知承诺")
    case = handed_in(call, "fire_rescue", "XF", "消防安全告知承诺", citizen.id_number)
    values = {
        "firm": firm, "credit_code": code, "address": needed(call, "venue.address", ("SJ003", "未填写地址")),
        "kind": VENUES.get(str(at(call.body, "venue.kind")), VENUES["shop"]),
        "area": needed(call, "venue.area", ("SJ003", "未填写面积")), "case": case.number,
    }  # fmt: skip
    paper = issued(call, "fire_safety_declaration", "fire_rescue", citizen, values)
    inspected = working_day(today(call), INSPECTION_DAYS).isoformat()
    return done(citizen, number=case.number, inspectBy=inspected, **paper_facts(paper, _PAPER))


def file_signboard(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    _firm(call)
    _shown(call, "licence", ("SJ002", "缺少营业执照或无法辨认"))
    _shown(call, "premises", ("SJ002", "缺少场地证明或无法辨认"))
    address = needed(call, "sign.address", ("SJ003", "未填写地址"))
    if any(area in address for area in SHARED["protected_areas"]):
        raise Declined("DZ001", "风貌保护范围内须办理许可")
    height = needed(call, "sign.height", ("SJ003", "未填写尺寸"))
    if not height.isdigit() or not 0 < int(height) <= HIGHEST_SIGN_CM:
        raise Declined("DZ002", "招牌高度超出规定")
    case = handed_in(call, "city_management", "DZ", "店招备案", citizen.id_number, days=ANSWER_DAYS)
    return done(citizen, number=case.number, state=case.state, answerBy=case.promised_on.isoformat())


def veteran_record(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    service = _service(citizen)
    return done(citizen, category=service["category"], served=service["served"])


def apply_for_veteran_card(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    if _service(citizen)["photo_code"] != at(call.body, "card.photo"):
        raise Declined("TY003", "照相回执号不存在或已过期")
    case = handed_in(call, "veterans", "TY", "优待证申领", citizen.id_number, days=VETERAN_DAYS)
    return done(citizen, number=case.number, examineBy=case.promised_on.isoformat())


def _service(citizen: Citizen) -> dict[str, Any]:
    if citizen.certificate("veteran_card") is not None:
        raise Declined("TY002", "已持有优待证")
    service = (FACTS.get(citizen.id_number) or {}).get("service")
    if service is None:
        raise Declined("TY001", "未建档立卡")
    return dict(service)


def _firm(call: Call) -> tuple[str, str]:
    missing = ("SJ001", "未填写企业名称或代码")
    return needed(call, "firm.code", missing), needed(call, "firm.name", missing)


def _shown(call: Call, item: str, missing: tuple[str, str]) -> None:
    proof = at(call.body, item)
    if not at(proof, "licence") and not is_photograph(at(proof, "page"), at(proof, "digest")):
        raise Declined(*missing)


def done(citizen: Citizen, **receipt: Any) -> dict[str, Any]:
    return {"accepted": True, "person": citizen.id_number, "receipt": receipt}


def _decline(code: str, words: str) -> tuple[int, Any]:
    return 422, {"accepted": False, "fault": {"code": code, "words": words}}


DEPARTMENT = Department(
    id="acceptance",
    prefix="/sj",
    decline=_decline,
    counters=(
        Counter("fire_safety.declare", "/fire/declarations", declare_fire_safety, submits=True),
        Counter("signboard.file", "/city/signboards", file_signboard, submits=True),
        Counter("veterans.record", "/veterans/record", veteran_record),
        Counter("veterans.card_apply", "/veterans/cards", apply_for_veteran_card, submits=True),
    ),
)
