"""公安 cases: newborns, company seals, identity cards."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import shared_of, yuan
from fleet_server.sandbox.departments.counters import at, handed_in, needed, today
from fleet_server.sandbox.departments.order.pictures import is_photograph, is_signature
from fleet_server.sandbox.departments.order.police.ground import (
    ASKING,
    done,
    facts_about,
    local_household,
    mainland,
)
from fleet_server.sandbox.payments.bills import payment_code

SHARED = shared_of("public_security")
RENEWAL_FEN, REPLACEMENT_FEN = 2000, 4000
RENEWABLE_BEFORE = dt.timedelta(days=92)
CARD_WORKING_DAYS = 20


def register_birth(call: Call) -> dict[str, Any]:
    """Entered at once with a certificate from the library; a photographed one is looked at by an officer."""
    citizen = ASKING.citizen(call)
    household = local_household(citizen)
    needed(call, "yexm", ("HJ013", "未填写新生儿姓名"))
    if needed(call, "yecsrq", ("HJ013", "未填写出生日期")) > today(call).isoformat():
        raise Declined("HJ014", "出生日期晚于今天")
    if at(call.body, "zzbs"):
        days = 0
    elif is_photograph(at(call.body, "tp"), at(call.body, "tpzy")):
        days = 3
    else:
        raise Declined("HJ012", "缺少出生医学证明或无法辨认")
    case = handed_in(call, "public_security", "CS", "出生登记", citizen.id_number, days=days)
    state = "已登记户口" if days == 0 else "已受理，待审核"
    return done(
        citizen,
        ywbh=case.number,
        blzt=state,
        bjrq=case.promised_on.isoformat(),
        pcs=household["station"],
        sfbj=days == 0,
    )


def seal_makers(call: Call) -> dict[str, Any]:
    del call
    return {"status": "1", "qy": SHARED["seal_makers"]}


def file_seals(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    code = needed(call, "tyshxydm", ("YZ001", "未填写统一社会信用代码"))
    needed(call, "qymc", ("YZ001", "未填写企业名称"))
    if not at(call.body, "zzbs") and not is_photograph(at(call.body, "tp"), at(call.body, "tpzy")):
        raise Declined("YZ004", "缺少营业执照或无法辨认")
    if at(call.body, "kzqy") not in {maker["bh"] for maker in SHARED["seal_makers"]}:
        raise Declined("YZ003", "刻章企业暂停接单")
    if code in SHARED["seals_filed"]:
        raise Declined("YZ002", "该企业印章已备案")
    case = handed_in(call, "public_security", "YZ", "公章刻制备案", citizen.id_number)
    return done(citizen, ywbh=case.number, qzrq=(today(call) + dt.timedelta(days=1)).isoformat())


def check_card(call: Call) -> dict[str, Any]:
    """Whether a new card may be made, and what it costs."""
    citizen = mainland(call, ("SF001", "非居民身份证持有人"))
    card = facts_about(citizen, "identity_card")
    if at(call.body, "zplsh") != card.get("photo_code"):
        raise Declined("SF011", "照相回执号不存在或已过期")
    renewal = at(call.body, "ywlx") == "renewal"
    if renewal and at(call.body, "yy") == "expiring":
        until = dt.date.fromisoformat(str(card["valid_until"]))
        if until - RENEWABLE_BEFORE > today(call):
            raise Declined("SF010", "未到换领时间")
    if renewal and at(call.body, "yy") == "changed" and not card.get("changed"):
        raise Declined("SF013", "登记项目未变更")
    fen = RENEWAL_FEN if renewal else REPLACEMENT_FEN
    code = payment_code(fen, int(call.city.next_case("")[-4:]), today(call).year)
    return done(citizen, zpzt="照片合格", gbf=str(fen), gbfy=yuan(fen), jkm=code)


def renew(call: Call) -> dict[str, Any]:
    return _card_case(call, "SFH", "身份证换领")


def replace(call: Call) -> dict[str, Any]:
    if not is_signature(at(call.body, "qm")):
        raise Declined("SF014", "缺少本人签名")
    lost = at(call.body, "yy") == "lost"
    return _card_case(call, "SFB", "身份证补领") | {"jzzt": "已登记挂失" if lost else "领新证时交回"}


def _card_case(call: Call, prefix: str, title: str) -> dict[str, Any]:
    citizen = mainland(call, ("SF001", "非居民身份证持有人"))
    needed(call, "zplsh", ("SF011", "照相回执号不存在或已过期"))
    needed(call, "jkdd", ("SF015", "未查到缴款记录"))
    case = handed_in(call, "public_security", prefix, title, citizen.id_number, days=CARD_WORKING_DAYS)
    return done(citizen, ywbh=case.number, lzrq=case.promised_on.isoformat())


COUNTERS = (
    Counter("household.register_birth", "/hj/birth", register_birth, submits=True),
    Counter("seal.makers", "/yz/makers", seal_makers),
    Counter("seal.file", "/yz/file", file_seals, submits=True),
    Counter("identity_card.check", "/sfz/check", check_card),
    Counter("identity_card.renew", "/sfz/renew", renew, submits=True),
    Counter("identity_card.replace", "/sfz/replace", replace, submits=True),
)
