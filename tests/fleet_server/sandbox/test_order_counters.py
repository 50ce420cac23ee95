"""Counters of police, traffic police, border and justice: what days, sums and papers decide."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.city import City, found_city
from fleet_server.sandbox.departments.order import acceptance, endorsements, exit_entry, justice, traffic_police
from fleet_server.sandbox.departments.order.police import cases, residence
from fleet_server.sandbox.departments.order.traffic import fines, licences
from fleet_server.sandbox.payments.bills import amount_of

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.timezone(dt.timedelta(hours=8)))
SIGNATURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
DESK = endorsements._Desk(exit_entry.ASKING, exit_entry.FACTS, exit_entry.done)


class Town:
    def __init__(self, city: City) -> None:
        self.city, self.now = city, NOON

    def call(self, citizen: str, names: Any = ("gmsfhm", "xm"), **body: Any) -> Call:
        found = next(each for each in self.city.people.values() if each.id == citizen)
        return Call(self.city, {names[0]: found.id_number, names[1]: found.name, **body}, "http://127.0.0.1/verify")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    made: list[Town] = []
    made.append(Town(found_city(tmp_path_factory.mktemp("order"), lambda: made[0].now if made else NOON)))
    return made[0]


@pytest.fixture(autouse=True)
def _noon(town: Town) -> Iterator[None]:
    yield
    town.now = NOON


def code_of(work: Any, call: Call) -> str:
    with pytest.raises(Declined) as caught:
        work(call)
    return caught.value.code


@pytest.mark.parametrize(("days", "late"), [(10, 0), (15, 0), (16, 450), (25, 4500), (400, 15000)])
def test_a_late_fine_grows_by_three_per_cent_a_day_up_to_itself(town: Town, days: int, late: int) -> None:
    town.now = dt.datetime(2026, 11, 18, 12, tzinfo=NOON.tzinfo) + dt.timedelta(days=days)
    call = town.call("jiang", ("sfzmhm", "xm"), jdsbh="350299111026000231")
    bill = fines.bill(call)["data"]
    assert (bill["fkfen"], bill["znjfen"]) == ("15000", str(late))
    assert amount_of(bill["jkm"]) == 15000 + late


def test_a_fine_is_booked_once(town: Town) -> None:
    number = {"jdsbh": "350299111026000232"}
    assert fines.fine_paid(town.call("jiang", ("sfzmhm", "xm"), jkdd="A1", **number))["success"]
    assert fines.fine_paid(town.call("jiang", ("sfzmhm", "xm"), jkdd="A1", **number))["success"]
    assert code_of(fines.fine_paid, town.call("jiang", ("sfzmhm", "xm"), jkdd="A2", **number)) == "JT012"
    assert code_of(fines.fine_paid, town.call("jiang", ("sfzmhm", "xm"), **number)) == "JT011"


def test_nothing_is_decided_without_a_signature_or_about_others_records(town: Town) -> None:
    mine = {"wfbh": "3502992026102803"}
    assert code_of(fines.decide, town.call("jiang", ("sfzmhm", "xm"), **mine)) == "JT005"
    assert code_of(fines.decide, town.call("lin", ("sfzmhm", "xm"), qm=SIGNATURE, **mine)) == "JT006"


def test_a_licence_is_renewed_within_ninety_days_of_its_end(town: Town) -> None:
    call = town.call("feng", ("sfzmhm", "xm"))
    assert code_of(licences.check_licence, call) == "JT022"
    town.now = dt.datetime(2028, 8, 2, 12, tzinfo=NOON.tzinfo)
    assert licences.check_licence(call)["data"]["gbfen"] == "1000"


@pytest.mark.parametrize(("year", "code"), [(2026, "JT031"), (2027, None)])
def test_a_mark_is_given_within_three_months_of_its_end(town: Town, year: int, code: str | None) -> None:
    town.now = dt.datetime(year, 4, 30, 12, tzinfo=NOON.tzinfo)
    call = town.call("zheng", ("sfzmhm", "xm"))
    assert (code_of(licences.check_exemption, call) if code else None) == code


def test_a_permit_is_for_those_who_lived_here_half_a_year(town: Town) -> None:
    proof = {"jzdz": "厦门市海沧区测试花园9号203室", "jycl": {"zzbs": "1.2"}}
    assert residence.apply(town.call("feng", **proof))["ywbh"].startswith("JZ")
    town.now = dt.datetime(2019, 9, 8, 12, tzinfo=NOON.tzinfo)
    assert code_of(residence.apply, town.call("feng", **proof)) == "JZ011"
    assert code_of(residence.apply, town.call("pan", **proof)) == "JZ013"
    assert code_of(residence.apply, town.call("zheng", **proof)) == "JZ012"


def test_a_birth_is_not_entered_for_a_day_to_come_or_without_its_paper(town: Town) -> None:
    child = {"yexm": "郑新样", "yecsrq": "1910-12-21"}
    assert code_of(cases.register_birth, town.call("zheng", **child)) == "HJ012"
    ahead = child | {"yecsrq": "2026-11-23", "zzbs": "1.2"}
    assert code_of(cases.register_birth, town.call("zheng", **ahead)) == "HJ014"


def test_a_card_is_renewed_when_it_ends_and_paid_for(town: Town) -> None:
    asked = {"ywlx": "renewal", "yy": "expiring", "zplsh": "35020026110101"}
    assert code_of(cases.check_card, town.call("lin", **asked)) == "SF010"
    town.now = dt.datetime(2039, 10, 2, 12, tzinfo=NOON.tzinfo)
    assert amount_of(cases.check_card(town.call("lin", **asked))["jkm"]) == 2000
    assert code_of(cases.renew, town.call("lin", zplsh="35020026110101")) == "SF015"


def test_an_endorsement_costs_by_journeys_and_ends_before_its_permit(town: Town) -> None:
    for journeys, fen in (("once", 1500), ("twice", 3000)):
        answer = DESK.check(town.call("gao", ("idNo", "idName"), place="hk", journeys=journeys))["body"]
        assert amount_of(answer["payCode"]) == fen
    assert code_of(DESK.check, town.call("ouyang", ("idNo", "idName"), place="mo", journeys="once")) == "CR017"
    assert code_of(DESK.check, town.call("yan", ("idNo", "idName"), place="mo", journeys="once")) == "CR018"
    unsigned = town.call("zheng", ("idNo", "idName"), place="TW", journeys="1", payOrder="A1")
    assert code_of(DESK.approve, unsigned) == "CR013"


def test_what_was_not_written_is_not_recorded(town: Town) -> None:
    paid = town.call("gao", ("idNo", "idName"), place="hk", journeys="once", payOrder="A1")
    case = DESK.approve(paid)["body"]["caseNo"]
    told = {"caseNo": case, "outcome": "failed"}
    assert code_of(DESK.written, town.call("gao", ("idNo", "idName"), **told)) == "CR015"
    assert DESK.written(town.call("gao", ("idNo", "idName"), caseNo=case, outcome="written"))["body"]["caseNo"] == case
    assert code_of(DESK.written, town.call("gao", ("idNo", "idName"), caseNo="QZ0", outcome="written")) == "CR014"


def test_notaries_offer_working_days_only(town: Town) -> None:
    free = justice.slots(Call(town.city, {"kind": "mandate", "office": "n1"}, ""))["result"]["slots"]
    days = [dt.date.fromisoformat(each["time"][:10]) for each in free]
    assert days
    assert all(day > NOON.date() and day.weekday() < 5 for day in days)
    assert code_of(justice.slots, Call(town.city, {"office": "n9"}, "")) == "GZ404"


def test_an_owner_is_told_and_never_named(town: Town) -> None:
    answer = traffic_police.move_notice(Call(town.city, {"hphm": "闽D00000", "wz": "样例路1号"}, ""))
    assert set(answer["data"]) == {"lsh", "tzjg", "hf"}
    assert code_of(traffic_police.move_notice, Call(town.city, {"hphm": "闽D00000"}, "")) == "JT042"


def test_a_promise_is_signed_and_a_licence_shown(town: Town) -> None:
    who = town.call("gao", ("number", "name")).body
    firm = {"firm": {"code": "91350299YL000008X4", "name": "厦门示范餐饮有限公司"}, "person": who}
    assert code_of(acceptance.declare_fire_safety, Call(town.city, firm, "")) == "SJ002"
    shown = firm | {"licence": {"licence": "1.2"}}
    assert code_of(acceptance.declare_fire_safety, Call(town.city, shown, "")) == "XF001"
