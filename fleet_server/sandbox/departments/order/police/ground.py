"""What the police counters share: who asks, and what the population register knows."""

from __future__ import annotations

from typing import Any

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import Citizen, facts_of
from fleet_server.sandbox.departments.counters import Asking, paper_facts
from fleet_server.sandbox.documents import Issued

FACTS = facts_of("public_security")
ASKING = Asking(number="gmsfhm", name="xm", mismatch=("RK404", "查无此人或姓名与号码不符"))
_MAINLAND_FIRST_DIGITS = "123456"
_PAPER = {
    "document_id": "wjid", "title": "wjmc", "number": "wjbh", "identifier": "zzbs", "sha256": "wjzy",
    "verification_code": "yzm", "issued_at": "kjsj",
}  # fmt: skip


def facts_about(citizen: Citizen, item: str) -> dict[str, Any]:
    """What the register says under this item; empty when it says nothing."""
    return dict((FACTS.get(citizen.id_number) or {}).get(item) or {})


def mainland(call: Call, otherwise: tuple[str, str]) -> Citizen:
    """The citizen, whose number is one of the mainland; declined with `otherwise` when it is not."""
    citizen = ASKING.citizen(call)
    if citizen.id_number[:1] not in _MAINLAND_FIRST_DIGITS:
        raise Declined(*otherwise)
    return citizen


def local_household(citizen: Citizen) -> dict[str, Any]:
    """The household entry when it is kept in this city; declined otherwise."""
    household = facts_about(citizen, "household")
    if not household.get("local"):
        raise Declined("HJ001", "户籍不在本市")
    return household


def done(citizen: Citizen, **more: Any) -> dict[str, Any]:
    return {"status": "1", "gmsfhm": citizen.id_number, **more}


def paper(citizen: Citizen, issued_paper: Issued) -> dict[str, Any]:
    return done(citizen, **paper_facts(issued_paper, _PAPER))
