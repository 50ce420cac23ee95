"""交警 violations and fines: a record becomes a decision, a decision a bill, a bill a receipt."""

from __future__ import annotations

import datetime as dt
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import Citizen, yuan
from fleet_server.sandbox.departments.counters import at, handed_in, needed, paper_facts, today
from fleet_server.sandbox.departments.order.pictures import is_signature
from fleet_server.sandbox.departments.order.traffic.ground import ASKING, Recorded, done, facts_about, open_violations
from fleet_server.sandbox.departments.papers import issued
from fleet_server.sandbox.payments.bills import payment_code

COUNTER_POINTS = 6
SIMPLE_FEN = 20_000
DAYS_TO_PAY = 15
LATE_PERCENT = 3
BASIS = "《中华人民共和国道路交通安全法》第九十条"
_PAPER = {
    "document_id": "wjid", "title": "wjmc", "number": "wjbh", "identifier": "zzbs", "sha256": "wjzy",
    "verification_code": "yzm", "issued_at": "kjsj",
}  # fmt: skip


def listed(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    records = open_violations(citizen)
    if not records:
        raise Declined("JT001", "名下无未处理违法")
    rows = [{"wfbh": each.number, "wfxw": each.violation.act, "ms": _line(each)} for each in records]
    return done(citizen, wf=rows, zs=len(rows))


def facts(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    record = _record(call, citizen)
    violation = record.violation
    return done(
        citizen, hphm=record.plate, wfsj=violation.occurred_at, wfdd=violation.place, wfxw=violation.act,
        fkje=yuan(violation.fine_fen), jf=str(violation.points), yj=BASIS,
    )  # fmt: skip


def decide(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    record = _record(call, citizen)
    if not is_signature(at(call.body, "qm")):
        raise Declined("JT005", "缺少当事人签名")
    case = handed_in(call, "traffic_police", "JTWF", "交通违法处理", citizen.id_number)
    number = f"35029911{record.number[-8:]}{record.number[:2]}"
    pay_by = (today(call) + dt.timedelta(days=DAYS_TO_PAY)).isoformat()
    violation = record.violation
    paper = issued(
        call, "traffic_violation_handling", "traffic_police", citizen,
        {
            "occurred_at": violation.occurred_at, "place": violation.place, "act": violation.act, "plate": record.plate,
            "fine": yuan(violation.fine_fen), "points": _points(violation.points), "basis": BASIS, "pay_by": pay_by,
            "decision": number,
        },
    )  # fmt: skip
    return done(citizen, lsh=case.number, jdsbh=number, jkqx=pay_by, **paper_facts(paper, _PAPER))


def fines(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    due = facts_about(citizen, "decisions") or []
    if not due:
        raise Declined("JT010", "无未缴款的处罚决定")
    rows = [
        {"jdsbh": each["number"], "wfxw": each["act"], "ms": f"{each['decided_on']} 罚款{yuan(each['fine_fen'])}元"}
        for each in due
    ]
    return done(citizen, jds=rows)


def bill(call: Call) -> dict[str, Any]:
    """Fine and what is added for delay. The payment code is the treasury's."""
    citizen = ASKING.citizen(call)
    decision = _decision(call, citizen)
    number, fine, late = decision["number"], decision["fine_fen"], _added(decision, today(call))
    code = payment_code(fine + late, int(call.city.next_case("")[-4:]), today(call).year)
    return done(
        citizen, jdsbh=number, wfxw=decision["act"], jkm=code, fkfen=str(fine), znjfen=str(late), fk=yuan(fine),
        znj=yuan(late), hj=yuan(fine + late),
    )  # fmt: skip


def fine_paid(call: Call) -> dict[str, Any]:
    citizen = ASKING.citizen(call)
    decision = _decision(call, citizen)
    needed(call, "jkdd", ("JT011", "未查到缴款记录"))
    shelf = call.city.shelf("traffic_police")
    with call.city.lock:
        if shelf.setdefault(decision["number"], at(call.body, "jkdd")) != at(call.body, "jkdd"):
            raise Declined("JT012", "该决定书已缴款")
    case = handed_in(call, "traffic_police", "JTFK", "交通罚款缴款", citizen.id_number)
    return done(citizen, lsh=case.number, pjh=f"3502{decision['number'][-8:]}")


def _record(call: Call, citizen: Citizen) -> Recorded:
    number = needed(call, "wfbh", ("JT006", "未选择违法记录"))
    found = next((each for each in open_violations(citizen) if each.number == number), None)
    if found is None:
        raise Declined("JT006", "没有该违法记录")
    if found.violation.points >= COUNTER_POINTS or found.violation.fine_fen > SIMPLE_FEN:
        raise Declined("JT002", "须到窗口处理")
    if found.violation.points and facts_about(citizen, "licence") is None:
        raise Declined("JT003", "未查到驾驶证")
    return found


def _decision(call: Call, citizen: Citizen) -> dict[str, Any]:
    number = needed(call, "jdsbh", ("JT013", "未选择决定书"))
    for each in facts_about(citizen, "decisions") or []:
        if each["number"] == number:
            return dict(each)
    raise Declined("JT013", "没有该决定书")


def _added(decision: dict[str, Any], day: dt.date) -> int:
    """Three per cent of the fine for each day after the fifteenth, never more than the fine (行政处罚法 72)."""
    late_days = (day - dt.date.fromisoformat(str(decision["decided_on"]))).days - DAYS_TO_PAY
    fine = int(decision["fine_fen"])
    return min(fine, fine * LATE_PERCENT * max(late_days, 0) // 100)


def _points(points: int) -> str:
    return f"记{points}分" if points else "不记分"


def _line(record: Recorded) -> str:
    violation = record.violation
    penalty = f"罚款{yuan(violation.fine_fen)}元 记{violation.points}分"
    return f"{record.plate} {violation.occurred_at} {violation.place} {penalty}"


COUNTERS = (
    Counter("traffic.open_violations", "/wf/list", listed),
    Counter("traffic.violation_facts", "/wf/facts", facts),
    Counter("traffic.decide", "/wf/decide", decide, submits=True),
    Counter("traffic.fines", "/fk/list", fines),
    Counter("traffic.fine_bill", "/fk/bill", bill),
    Counter("traffic.fine_paid", "/fk/paid", fine_paid, submits=True),
)
