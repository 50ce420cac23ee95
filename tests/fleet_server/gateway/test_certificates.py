"""Certificates and regions from a signed terminal to the city and back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import httpx
import pytest

from fleet_server.exchange.identifiers import is_certificate_identifier
from fleet_server.sandbox.departments.certificate_library import CODE_SECONDS
from kiosk.contracts.fleet import ServiceAnswer

PURPOSE = {"purpose": "出示本人电子证照"}


def answer_of(answer: httpx.Response) -> ServiceAnswer:
    assert answer.status_code == 200, answer.text
    return ServiceAnswer.model_validate(answer.json())


def test_a_holder_sees_what_the_library_holds_and_nothing_that_it_says(centre: Any, city: Any) -> None:
    answer = answer_of(centre.terminal.call("certificates.list", {**city.who("gao"), **PURPOSE}))
    types = [item["type"] for item in answer.data["items"]]
    assert {"marriage_certificate", "business_licence", "real_estate_certificate", "fund_account"} <= set(types)
    assert int(answer.data["count"]) == len(types) == len(set(types))
    for item in answer.data["items"]:
        assert is_certificate_identifier(item["identifier"])
        assert {"id", "label", "detail", "title", "issuer", "issued_on"} <= set(item)
        assert "fields" not in item
    nothing = answer_of(centre.terminal.call("certificates.list", {**city.who("shi"), "name": "别人", **PURPOSE}))
    assert nothing.data["count"] == "0"


def test_without_a_purpose_nothing_is_told(centre: Any, city: Any) -> None:
    for operation, more in (("certificates.list", {}), ("certificates.present", {"type": "business_licence"})):
        assert centre.terminal.call(operation, {**city.who("gao"), **more}).status_code == 422


def test_every_certificate_of_everybody_is_found_with_a_right_identifier(centre: Any, city: Any) -> None:
    seen = set()
    for id_ in ("gao", "su", "yan", "lin"):
        listed = answer_of(centre.terminal.call("certificates.list", {**city.who(id_), **PURPOSE})).data["items"]
        for item in listed:
            payload = {**city.who(id_), "type": item["type"], **PURPOSE}
            found = answer_of(centre.terminal.call("certificates.query", payload))
            assert found.data["identifier"] == item["identifier"]
            assert found.data["fields"]
            seen.add(item["identifier"])
    assert len(seen) > 15


def test_a_code_shows_a_certificate_once(centre: Any, city: Any) -> None:
    payload = {**city.who("gao"), "type": "business_licence", **PURPOSE}
    shown = answer_of(centre.terminal.call("certificates.present", payload))
    assert is_certificate_identifier(shown.data["identifier"])
    assert shown.data["seconds"] == str(CODE_SECONDS)
    assert city.who("gao")["id_number"] not in shown.data["qr"]
    page = httpx.get(shown.data["qr"], trust_env=False)
    assert page.status_code == 200
    assert "厦门示范餐饮有限公司" in page.text
    assert shown.data["identifier"] in page.text
    assert page.headers["cache-control"] == "no-store"
    assert city.who("gao")["id_number"] not in page.text
    again = httpx.get(shown.data["qr"], trust_env=False)
    assert again.status_code == 410
    assert "厦门示范餐饮" not in again.text


def test_a_code_is_good_for_a_minute(centre: Any, city: Any) -> None:
    payload = {**city.who("gao"), "type": "business_licence", **PURPOSE}
    first = answer_of(centre.terminal.call("certificates.present", payload)).data["qr"]
    second = answer_of(centre.terminal.call("certificates.present", payload)).data["qr"]
    assert first != second
    city.offset = dt.timedelta(seconds=CODE_SECONDS + 1)
    assert httpx.get(first, trust_env=False).status_code == 410
    assert httpx.get(second + "x", trust_env=False).status_code == 410


@pytest.mark.parametrize(
    ("who", "type_", "reason"),
    [
        ("shi", "business_licence", "not_eligible_no_certificate"),
        ("gao", "divorce_certificate", "not_eligible_no_certificate"),
        ("huang", "residence_permit", "not_eligible_certificate_expired"),
    ],
)
def test_what_cannot_be_shown(centre: Any, city: Any, who: str, type_: str, reason: str) -> None:
    refused = answer_of(centre.terminal.call("certificates.present", {**city.who(who), "type": type_, **PURPOSE}))
    assert (refused.outcome, refused.reason) == ("refused", reason)
    assert set(refused.message) == {"zh-CN", "zh-TW", "en"}


def test_an_identifier_whose_check_does_not_hold_is_garbled(
    centre: Any, city: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "fleet_server.sandbox.departments.certificate_library.identifier_of",
        lambda held: f"1.2.156.3005.2.11350299000099001X019.11350200000099002X.{held.serial}.001.A",
    )
    answers = {
        serial: centre.terminal.call("certificates.query", {**city.who("gao"), "type": serial, **PURPOSE})
        for serial in ("business_licence", "food_licence", "marriage_certificate")
    }
    assert [answer.json().get("code") for answer in answers.values()].count("authority_garbled") >= 2
    assert all(answer.status_code in (200, 502) for answer in answers.values())


def test_an_operation_goes_to_the_region_it_is_wanted_in(centre: Any, city: Any) -> None:
    payload = {**city.who("feng"), "matter_name": "社会保险参保证明", "delivery": "electronic"}
    for region, office in (("350583", "福建省网上办事大厅"), ("360102", "江西省政务服务大厅")):
        taken = answer_of(centre.terminal.call("cross_region.hand_in", payload | {"region": region}))
        assert (taken.outcome, taken.data["office"], taken.data["delivery"]) == ("accepted", office, "电子证照")
        assert taken.case_number
        assert taken.data["promised_on"] > dt.datetime.now(dt.UTC).date().isoformat()
    post = answer_of(centre.terminal.call("cross_region.hand_in", payload | {"region": "350500", "delivery": "post"}))
    assert (post.outcome, post.reason) == ("refused", "address_missing")


def test_what_a_region_does_not_offer_is_refused_plainly(centre: Any, city: Any) -> None:
    elsewhere = {**city.who("shi"), "region": "510104"}
    asked = {**elsewhere, "matter_name": "社会保险参保证明", "delivery": "electronic"}
    for operation, payload in (("cross_region.hand_in", asked), ("social_insurance.certificate", elsewhere)):
        refused = answer_of(centre.terminal.call(operation, payload))
        assert (refused.outcome, refused.reason) == ("refused", "not_offered_in_region")
        assert "没有扣款" in refused.message["zh-CN"]
        assert set(refused.message) == {"zh-CN", "zh-TW", "en"}
    home = centre.terminal.call("population.lookup", {**city.who("lin"), "region": "350203"})
    assert answer_of(home).outcome == "done"
    wrong = centre.terminal.call("population.lookup", {**city.who("lin"), "region": "Xiamen"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "payload_invalid")
    assert "Xiamen" not in wrong.text
