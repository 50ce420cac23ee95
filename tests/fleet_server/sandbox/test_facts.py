"""What platforms know of people: by number, strangers refused, and what counters share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.citizens import facts_of, read_citizens, shared_of
from fleet_server.sandbox.city import City, found_city
from fleet_server.sandbox.departments.counters import Asking, handed_in, needed, working_day
from fleet_server.sandbox.documents import read_templates

ASKING = Asking(number="who.no", name="who.name", mismatch=("1001", "不一致"))
FRIDAY = dt.datetime(2026, 11, 20, 10, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> City:
    return found_city(tmp_path_factory.mktemp("town"), lambda: FRIDAY)


def test_facts_are_found_by_number_and_strangers_refused(tmp_path: Path) -> None:
    (tmp_path / "tolls.yaml").write_text("lin: {paid: 3}\n_shared: {price: 7}\n", encoding="utf-8")
    lin = next(citizen for citizen in read_citizens() if citizen.id == "lin")
    assert facts_of("tolls", tmp_path) == {lin.id_number: {"paid": 3}}
    assert shared_of("tolls", tmp_path) == {"price": 7}
    assert facts_of("unheard", tmp_path) == shared_of("unheard", tmp_path) == {}
    (tmp_path / "tolls.yaml").write_text("lin: {}\nnobody: {}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"tolls\.yaml: no citizen has the id nobody"):
        facts_of("tolls", tmp_path)


def test_a_counter_knows_who_asks(town: City) -> None:
    lin = next(citizen for citizen in town.people.values() if citizen.id == "lin")
    call = Call(town, {"who": {"no": lin.id_number, "name": lin.name}, "year": " "}, "http://127.0.0.1/verify")
    assert ASKING.known(call, {lin.id_number: 5}, missing=("2001", "无")) == (lin, 5)
    for wrong, code in (({}, "2001"), ({"who": {"no": lin.id_number, "name": "别人"}}, "1001"), ({"who": "x"}, "1001")):
        with pytest.raises(Declined) as caught:
            ASKING.known(Call(town, wrong or call.body, ""), {}, missing=("2001", "无"))
        assert caught.value.code == code
    with pytest.raises(Declined, match="3001"):
        needed(call, "year", ("3001", "缺少年度"))
    assert needed(call, "who.name", ("3001", "")) == lin.name


def test_a_case_is_numbered_promised_and_kept(town: City) -> None:
    call = Call(town, {}, "", "tax.register")
    case = handed_in(call, "taxation", "SW", "税务登记", "n", days=3)
    assert (case.promised_on, case.state) == (dt.date(2026, 11, 25), "已受理")
    assert town.cases[case.number] == case
    at_once = handed_in(call, "taxation", "SW", "税务登记", "n")
    assert (at_once.promised_on, at_once.state) == (FRIDAY.date(), "已办结")
    assert at_once.number != case.number
    assert working_day(dt.date(2026, 11, 21), 1) == dt.date(2026, 11, 23)


def test_a_matter_may_have_several_papers_and_no_two_are_one_kind(tmp_path: Path) -> None:
    source = next(iter((Path(__file__).parents[3] / "assets" / "matters").glob("*/*/templates/document.yaml")))
    folder = tmp_path / "x" / "y" / "templates"
    folder.mkdir(parents=True)
    text = source.read_text(encoding="utf-8")
    (folder / "document.yaml").write_text(text, encoding="utf-8")
    first = next(iter(read_templates(tmp_path)))
    (folder / "other.yaml").write_text(text.replace(f"kind: {first}", "kind: other"), encoding="utf-8")
    assert set(read_templates(tmp_path)) == {first, "other"}
    (folder / "third.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"of kind {first} is there already"):
        read_templates(tmp_path)


def test_an_unwritten_paper_is_said(town: City) -> None:
    with pytest.raises(LookupError, match="no paper is of kind 'unwritten'"):
        town.documents.issue("unwritten", "x", {}, now=FRIDAY, verify_at="")
