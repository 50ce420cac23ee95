"""人社: social security cards are made, and their passwords reset."""

from __future__ import annotations

import secrets
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.city import TextMessage
from fleet_server.sandbox.departments.counters import at, handed_in, needed
from fleet_server.sandbox.departments.people.work import ASKING, FACTS, PLATFORM, card_state, told
from kiosk.contracts.value import masked_phone

HOLDER_FILE, NUMBER_RECORD = "EF06", 1
INCOMPLETE = ("1003", "填报信息不完整")


def prepare_reset(call: Call) -> dict[str, Any]:
    """What the reader must find on the card before its password is reset: the holder's own number in EF06."""
    citizen = ASKING.citizen(call)
    card, state = card_state(call, citizen)
    if state == "已挂失":
        raise Declined("4004", "卡已挂失")
    if citizen.phone is None:
        raise Declined("4005", "未登记手机号码")
    if "code" not in card:
        raise Declined("4006", "须到窗口核对芯片")
    number = citizen.id_number.encode().hex().upper()
    job = {
        "identification_code": card["code"],
        "records": [{"file": HOLDER_FILE, "record": NUMBER_RECORD, "value": number}],
    }
    return told(
        citizen, job=job, AAZ500=card["card_number"], AAE008=card["bank"], AAE005=masked_phone(citizen.phone)
    )  # fmt: skip


def reset_password(call: Call) -> dict[str, Any]:
    """The new password goes to the registered phone and nowhere else."""
    citizen = ASKING.citizen(call)
    card_state(call, citizen)
    if at(call.body, "body.BZ02") != "written":
        raise Declined("4007", "未收到卡片核对结果")
    if citizen.phone is None:
        raise Declined("4005", "未登记手机号码")
    text = f"【e政务】您的社保卡新密码是{secrets.randbelow(1_000_000):06d}，请在三天内修改，请勿告诉他人。"
    with call.city.lock:
        call.city.inbox.append(TextMessage(citizen.phone, text, call.city.clock()))
    case = handed_in(call, PLATFORM, "SKM", "社保卡密码重置", citizen.id_number, state="已重置")
    return told(citizen, case=case.number, AAE016=case.state, AAE005=masked_phone(citizen.phone))


def apply_for_card(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    needed(call, "body.AAE008", INCOMPLETE)
    child = at(call.body, "body.BZ04") == "child"
    holder = citizen.id_number
    if child:
        name, born = (needed(call, f"body.{place}", ("4009", "子女信息不完整")) for place in ("XNAC003", "XNAC006"))
        holder = f"{name} {born}"
    with call.city.lock:
        applied = call.city.shelf("card_applications")
        held = holder in applied or (not child and "social_card" in FACTS.get(citizen.id_number, {}))
        if not held:
            applied[holder] = citizen.id_number
    if held:
        raise Declined("4008", "已持有或已申领社会保障卡")
    case = handed_in(call, PLATFORM, "SKL", "社保卡申领", citizen.id_number, days=10)
    return told(citizen, case=case.number, AAE016=case.state, AAE030=case.promised_on.isoformat())


COUNTERS = (
    Counter("social_card.prepare_reset", "/trade/SK4007", prepare_reset, submits=True),
    Counter("social_card.reset_password", "/trade/SK4008", reset_password, submits=True),
    Counter("social_card.apply", "/trade/SK4010", apply_for_card, submits=True),
)
