"""出入境 endorsements of travel permits: may it be endorsed, approve, and what the terminal wrote."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any

from fleet_server.sandbox.calls import Call, Counter, Declined
from fleet_server.sandbox.citizens import Citizen, yuan
from fleet_server.sandbox.departments.counters import Asking, at, handed_in, needed, today
from fleet_server.sandbox.departments.order.pictures import is_signature
from fleet_server.sandbox.payments.bills import payment_code

FEN_EACH = 1500
JOURNEYS = {"1": 1, "once": 1, "2": 2, "twice": 2}
WRITTEN = ("written", "print_pending")
PLACES = {"TW": ("taiwan_permit", "金门、马祖、澎湖", "TW-G", 183), "hk": ("hk_macao_permit", "香港", "HK-G", 365),
          "mo": ("hk_macao_permit", "澳门", "MO-G", 365)}  # fmt: skip
"""Which permit is endorsed, the place in words, the kind on the chip, and for how many days."""

Done = Callable[..., dict[str, Any]]


class _Desk:
    def __init__(self, asking: Asking, facts: Mapping[str, Any], done: Done) -> None:
        self.asking, self.facts, self.done = asking, facts, done

    def check(self, call: Call) -> dict[str, Any]:
        citizen = self.asking.citizen(call)
        permit, (_, place, _, days), journeys = self._permit(call, citizen)
        fen = FEN_EACH * journeys
        code = payment_code(fen, int(call.city.next_case("")[-4:]), today(call).year)
        until = self._until(call, days)
        return self.done(
            citizen.id_number,
            permitNo=permit["number"],
            kind=f"个人旅游（{place}）{'一次' if journeys == 1 else '二次'}",
            validity=f"{today(call).isoformat()} 至 {until.isoformat()}",
            feeFen=str(fen),
            fee=yuan(fen),
            payCode=code,
        )

    def approve(self, call: Call) -> dict[str, Any]:
        """Paid for and approved: what the terminal is to write on the permit."""
        citizen = self.asking.citizen(call)
        permit, (item, place, kind, days), journeys = self._permit(call, citizen)
        needed(call, "payOrder", ("CR011", "未查到缴款记录"))
        if item == "taiwan_permit" and not is_signature(at(call.body, "signature")):
            raise Declined("CR013", "缺少申请人签名")
        case = handed_in(call, "exit_entry", "QZ", f"{place}签注", citizen.id_number)
        until = self._until(call, days)
        job = {
            "card_number": permit["number"], "kind": kind, "valid_from": today(call).isoformat(),
            "valid_until": until.isoformat(), "journeys": journeys,
            "print_lines": [
                f"{kind}  个人旅游  {place}",
                f"有效期至 {until:%Y.%m.%d}  {journeys}次",
                f"厦门市公安局  {case.number}",
            ],
        }  # fmt: skip
        return self.done(citizen.id_number, caseNo=case.number, job=json.dumps(job, ensure_ascii=False))

    def written(self, call: Call) -> dict[str, Any]:
        citizen = self.asking.citizen(call)
        case = needed(call, "caseNo", ("CR014", "没有该签注"))
        if case not in call.city.cases:
            raise Declined("CR014", "没有该签注")
        if at(call.body, "outcome") not in WRITTEN:
            raise Declined("CR015", "签注没有写入")
        return self.done(citizen.id_number, caseNo=case, state="签注完成")

    def _permit(self, call: Call, citizen: Citizen) -> tuple[dict[str, Any], tuple[str, str, str, int], int]:
        place = PLACES.get(str(at(call.body, "place")))
        journeys = JOURNEYS.get(str(at(call.body, "journeys")))
        if place is None or journeys is None:
            raise Declined("CR016", "前往地或次数有误")
        facts = self.facts.get(citizen.id_number) or {}
        permit = facts.get(place[0])
        if permit is None:
            raise Declined("CR010", "未持有电子通行证或为首次申请")
        if dt.date.fromisoformat(str(permit["valid_until"])) < self._until(call, place[3]):
            raise Declined("CR017", "通行证有效期不足")
        if facts.get("counter_only"):
            raise Declined("CR018", "须到窗口申请")
        return dict(permit), place, journeys

    @staticmethod
    def _until(call: Call, days: int) -> dt.date:
        return today(call) + dt.timedelta(days=days)


def counters(asking: Asking, facts: Mapping[str, Any], done: Done) -> tuple[Counter, ...]:
    desk = _Desk(asking, facts, done)
    return (
        Counter("travel_permit.check", "/permits/check", desk.check),
        Counter("endorsement.approve", "/endorsements/approve", desk.approve, submits=True),
        Counter("endorsement.written", "/endorsements/written", desk.written, submits=True),
    )
