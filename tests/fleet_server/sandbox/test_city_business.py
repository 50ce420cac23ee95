"""The city's business at its counters: what rules decide, who comes second, and what is never done twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fleet_server.sandbox.calls import Call, Declined
from fleet_server.sandbox.city import City, found_city
from fleet_server.sandbox.departments import city as business
from kiosk.contracts.entries import is_credit_code

COUNTERS = {counter.operation: counter for department in business.DEPARTMENTS for counter in department.counters}
THURSDAY = dt.datetime(2026, 11, 19, 2, 0, tzinfo=dt.UTC)
GAO_FIRM = "91350299YL000008X4"
WRAPPERS = ("obj", "content", "data", "report")
Asks = Callable[..., dict[str, Any]]


class Clock:
    def __init__(self) -> None:
        self.now = THURSDAY

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> City:
    return found_city(tmp_path_factory.mktemp("city"), Clock())


@pytest.fixture
def city(founded: City) -> Iterator[City]:
    yield founded
    founded.forget()
    founded.clock.now = THURSDAY  # type: ignore[attr-defined]


@pytest.fixture
def ask(city: City) -> Asks:
    """`ask(operation, body…)` gives what the counter answers, without the department's wrapping."""

    def asked(operation: str, **body: Any) -> dict[str, Any]:
        said = COUNTERS[operation].work(Call(city, body, "http://127.0.0.1/verify", operation))
        inner: dict[str, Any] = next((said[name] for name in WRAPPERS if isinstance(said.get(name), dict)), said)
        return inner

    return asked


def who(city: City, id_: str) -> tuple[str, str]:
    citizen = next(citizen for citizen in city.people.values() if citizen.id == id_)
    return citizen.id_number, citizen.name


def firm_call(city: City, id_: str, **more: Any) -> dict[str, Any]:
    number, name = who(city, id_)
    return {"zjhm": number, "xm": name, **more}


def hall_call(city: City, id_: str, **more: Any) -> dict[str, Any]:
    number, name = who(city, id_)
    return {"who": {"number": number, "name": name}, **more}


def new_firm(city: City, id_: str, name: str) -> dict[str, Any]:
    return firm_call(city, id_, mc=name, lx="individual", hy="catering", zs="厦门市思明区样例路88号", dh="13000000001")


class TestFirms:
    def test_a_new_firm_has_a_right_code_and_may_ask_for_its_permits_at_once(self, city: City, ask: Asks) -> None:
        code = ask("company.register", **new_firm(city, "lin", "厦门样例里饮品店"))["tyshxydm"]
        assert is_credit_code(code)
        assert [firm["dm"] for firm in ask("company.firms", **firm_call(city, "lin"))["list"]] == [code]
        food = ask("food.licence", **firm_call(city, "lin", dm=code, mj="30", bjt="page", qm="sign", xm2="drinks"))
        assert food["sp"] is True

    def test_two_founders_cannot_have_one_name(self, city: City, ask: Asks) -> None:
        ask("company.register", **new_firm(city, "lin", "厦门样例里饮品店"))
        with pytest.raises(Declined) as no:
            ask("company.register", **new_firm(city, "ye", "厦门样例里饮品店"))
        assert no.value.code == "SC2103"

    @pytest.mark.parametrize(
        ("changed", "code"),
        [
            ({"mc": "中国样例公司"}, "SC2102"),
            ({"mc": ""}, "SC2001"),
            ({"lx": "company", "zczb": "0"}, "SC2104"),
            ({"lx": "company", "zczb": "many"}, "SC2104"),
            ({"xm": "别人"}, "SC1001"),
        ],
    )
    def test_what_is_not_registered(self, city: City, ask: Asks, changed: dict[str, str], code: str) -> None:
        with pytest.raises(Declined) as no:
            ask("company.register", **{**new_firm(city, "lin", "厦门样例里饮品店"), **changed})
        assert no.value.code == code
        assert city.shelf("firms") == {}

    def test_one_licence_for_a_trade_names_its_permits_and_is_the_owners_only(self, city: City, ask: Asks) -> None:
        asked = {"dm": GAO_FIRM, "hy": "convenience_store", "xkxm": "食品经营许可、烟草专卖零售许可"}
        issued = ask("composite_licence.issue", **firm_call(city, "gao", **asked))
        pdf = city.documents.pdf(issued["docId"])
        assert pdf is not None
        assert pdf.startswith(b"%PDF-")
        assert issued["yxq"] == "2031-11-18"
        with pytest.raises(Declined) as no:
            ask("composite_licence.issue", **firm_call(city, "lin", **asked))
        assert no.value.code == "SC2401"
        with pytest.raises(Declined) as nothing:
            ask("composite_licence.issue", **firm_call(city, "gao", **{**asked, "xkxm": ""}))
        assert nothing.value.code == "ZH3001"


class TestVoices:
    def test_an_objection_has_a_number_a_day_and_a_keeper(self, city: City, ask: Asks) -> None:
        said = {"item": "联系电话", "source": "card.address", "wanted": "应为现在的号码"}
        taken = ask("objection.submit", **hall_call(city, "lin", **said))
        assert taken["promised"] == "2026-11-26"
        asked = ask("objection.query", number=taken["number"])
        assert (asked["item"], asked["keeper"], asked["state"]) == ("联系电话", "公安局", "已受理")

    def test_progress_tells_nobodys_name_and_says_when_the_day_has_passed(self, city: City, ask: Asks) -> None:
        number, name = who(city, "jiang")
        taken = ask("complaint.submit", who={"number": number, "name": name}, words="夜里十一点还在施工")
        assert ask("progress.query", number=taken["number"].lower())["state"] == "已受理"
        city.clock.now += dt.timedelta(days=30)  # type: ignore[attr-defined]
        told = ask("progress.query", number=taken["number"])
        assert told["state"] == "逾期督办"
        assert name not in str(told)

    def test_the_same_words_of_the_same_citizen_are_taken_once(self, city: City, ask: Asks) -> None:
        asked = hall_call(city, "jiang", words="夜里十一点还在施工")
        first = ask("complaint.submit", **asked)
        with pytest.raises(Declined) as again:
            ask("complaint.submit", **asked)
        assert first["number"] in again.value.words
        assert (
            ask("complaint.submit", **hall_call(city, "lin", words="夜里十一点还在施工"))["number"] != first["number"]
        )


class TestAppointments:
    def test_five_days_hold_every_weekday_once(self, ask: Asks) -> None:
        days = ask("appointments.days", office="siming")["list"]
        assert [day["day"] for day in days] == ["fri", "mon", "tue", "wed", "thu"]

    def test_who_comes_after_the_last_place_is_told_so(self, city: City, ask: Asks) -> None:
        wanted = {"office": "siming", "business": "tax", "day": "wed", "slot": "am1"}
        tickets = [ask("appointments.book", **hall_call(city, id_, **wanted))["ticket"] for id_ in ("lin", "ye")]
        assert tickets == ["Y001", "Y002"]
        with pytest.raises(Declined) as gone:
            ask("appointments.book", **hall_call(city, "gao", **wanted))
        assert gone.value.code == "SLOT_GONE"
        assert "am1" not in [slot["slot"] for slot in ask("appointments.slots", office="siming", day="wed")["list"]]
        with pytest.raises(Declined) as twice:
            ask("appointments.book", **hall_call(city, "lin", **{**wanted, "slot": "pm1"}))
        assert twice.value.code == "BOOKED_ALREADY"


class TestMoney:
    BILL = {"service": "electricity", "account": "3599000000123"}

    def test_a_late_bill_grows_by_the_day_and_never_above_itself(self, city: City, ask: Asks) -> None:
        assert ask("utilities.bill", **self.BILL)["lateFen"] == 19 * 17
        city.clock.now += dt.timedelta(days=5000)  # type: ignore[attr-defined]
        assert ask("utilities.bill", **self.BILL)["lateFen"] == 17000

    def test_a_bill_is_settled_once_and_for_the_whole_sum_only(self, ask: Asks) -> None:
        due = str(17000 + 19 * 17)
        with pytest.raises(Declined) as little:
            ask("utilities.settle", **self.BILL, orderId="o1", amountFen="17000")
        assert little.value.code == "U2005"
        ask("utilities.settle", **self.BILL, orderId="o1", amountFen=due)
        with pytest.raises(Declined) as second:
            ask("utilities.settle", **self.BILL, orderId="o2", amountFen=due)
        assert second.value.code == "U2003"
        with pytest.raises(Declined) as settled:
            ask("utilities.bill", **self.BILL)
        assert settled.value.code == "U2002"

    def test_the_third_credit_report_of_the_year_needs_its_fee(self, city: City, ask: Asks) -> None:
        number, name = who(city, "lin")
        person = {"person": {"number": number, "name": name}}
        assert ask("credit.bank_quota", **person)["feeFen"] == 0
        ask("credit.bank_report", **person)
        assert ask("credit.bank_quota", **person)["feeFen"] == 1000
        with pytest.raises(Declined) as unpaid:
            ask("credit.bank_report", **person)
        assert unpaid.value.code == "FEE_UNPAID"
        ask("credit.bank_report", **person, order="o1")


def test_guides_come_best_first_and_nothing_near_is_said(ask: Asks) -> None:
    assert ask("guides.find", words="首次办护照")["list"][0]["id"] == "passport_first"
    with pytest.raises(Declined):
        ask("guides.find", words="呜呼")
    with pytest.raises(Declined):
        ask("guides.find", words=" ")
