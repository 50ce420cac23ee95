"""Every way an authority can answer, over real HTTP from a signed terminal to the city and back."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from fleet_server.exchange.identifiers import is_certificate_identifier
from fleet_server.gateway.authority import OPENS_AFTER
from fleet_server.gateway.models import GatewayRequest
from fleet_server.settings import Settings
from kiosk.contracts.fleet import Problem, ServiceAnswer

HOUSE = "real_estate.no_house_certificate"


def facts_of(centre: Any, request_id: str) -> GatewayRequest:
    with centre.database.reading() as session:
        found = session.exec(select(GatewayRequest).where(GatewayRequest.request_id == request_id)).one()
        session.expunge(found)
    return found


def problem_of(answer: httpx.Response) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate(answer.json())


def done(answer: httpx.Response) -> ServiceAnswer:
    assert answer.status_code == 200, answer.text
    return ServiceAnswer.model_validate(answer.json())


def test_a_certificate_is_issued_and_fetched(centre: Any, city: Any, fresh_id: str) -> None:
    payload = {**city.who("lin"), "purpose": "school", "addressee": "厦门市样例小学", "phone": "13000000001"}
    answer = done(centre.terminal.call(HOUSE, payload, request_id=fresh_id, matter="no_house_certificate"))
    assert answer.outcome == "done"
    assert answer.request_id == fresh_id
    assert is_certificate_identifier(answer.data["identifier"])
    document = centre.terminal.document(answer.data["document_id"])
    assert document.status_code == 200
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")
    facts = facts_of(centre, fresh_id)
    assert (facts.outcome, facts.matter, facts.document_id) == (
        "done", "no_house_certificate", answer.data["document_id"],
    )  # fmt: skip


def test_a_refusal_comes_with_reason_and_three_languages(centre: Any, city: Any, fresh_id: str) -> None:
    answer = done(centre.terminal.call(HOUSE, city.who("huang"), request_id=fresh_id))
    assert (answer.outcome, answer.reason, answer.data) == ("refused", "not_eligible_has_house", {})
    assert set(answer.message) == {"zh-CN", "zh-TW", "en"}
    assert facts_of(centre, fresh_id).outcome == "refused"


def test_an_unknown_refusal_carries_the_authoritys_own_words(centre: Any, city: Any) -> None:
    city.order(authority="natural_resources", behave="refuse", reason="9999")
    answer = done(centre.terminal.call(HOUSE, city.who("lin")))
    assert (answer.outcome, answer.reason) == ("refused", "refused")
    assert "暂不予办理" in answer.message["zh-CN"]
    assert "Natural Resources" in answer.message["en"]


def test_a_slow_authority_is_a_timeout_and_the_outcome_uncertain(centre: Any, city: Any, fresh_id: str) -> None:
    city.order(authority="natural_resources", behave="slow", seconds=3, times=1)
    call = {"request_id": fresh_id, "headers": {"x-timeout-seconds": "0.7"}}
    answer = centre.terminal.call(HOUSE, city.who("lin"), **call)
    assert (answer.status_code, problem_of(answer).code) == (504, "authority_timeout")
    assert answer.json()["uncertain"] is True
    assert facts_of(centre, fresh_id).outcome == "uncertain"
    again = done(centre.terminal.call(HOUSE, city.who("lin"), request_id=fresh_id))
    assert again.outcome == "done"
    assert (facts_of(centre, fresh_id).outcome, facts_of(centre, fresh_id).tries) == ("done", 2)


@pytest.mark.parametrize("behaviour", ["garbage", "contradict"])
def test_an_answer_outside_the_contract_is_garbled(centre: Any, city: Any, behaviour: str, fresh_id: str) -> None:
    city.order(authority="natural_resources", behave=behaviour, times=1)
    answer = centre.terminal.call(HOUSE, city.who("lin"), request_id=fresh_id)
    assert (answer.status_code, problem_of(answer).code) == (502, "authority_garbled")
    assert facts_of(centre, fresh_id).outcome == "uncertain"
    assert "350203" not in answer.text


def test_an_authority_out_of_service_is_down(centre: Any, city: Any, fresh_id: str) -> None:
    city.order(authority="natural_resources", behave="down")
    answer = centre.terminal.call(HOUSE, city.who("lin"), request_id=fresh_id)
    assert (answer.status_code, problem_of(answer).code) == (503, "authority_down")
    assert answer.json()["uncertain"] is False
    assert facts_of(centre, fresh_id).outcome == "failed"


def test_a_query_is_tried_again_and_a_submit_is_not(centre: Any, city: Any) -> None:
    city.order(authority="public_security", operation="population.lookup", behave="down", times=1)
    assert done(centre.terminal.call("population.lookup", city.who("lin"))).data["phone"] == "13000000001"
    city.order(authority="public_security", operation="residence_permit.endorse", behave="down", times=1)
    payload = {**city.who("lin"), "address": "样例路1号", "certificate": "x"}
    assert centre.terminal.call("residence_permit.endorse", payload).status_code == 503


def test_the_same_request_is_answered_the_same_and_done_once(centre: Any, city: Any, fresh_id: str) -> None:
    certificate = done(
        centre.terminal.call(
            "certificates.query", {**city.who("lin"), "type": "residence_permit", "purpose": "居住证签注"}
        )
    ).data
    assert certificate["found"] is True
    assert certificate["fields"]["address"] == "福建省厦门市思明区样例路1号101室"
    payload = {
        **city.who("lin"),
        "certificate": certificate["identifier"],
        "address": "样例路1号",
        "phone": "13000000001",
    }
    answers: list[ServiceAnswer] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(
                done(centre.terminal.call("residence_permit.endorse", payload, request_id=fresh_id))
            )
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len({answer.case_number for answer in answers}) == 1
    assert answers[0].outcome == "done"
    assert facts_of(centre, fresh_id).case_number == answers[0].case_number


def test_a_request_id_used_for_something_else_is_a_conflict(centre: Any, city: Any, fresh_id: str) -> None:
    done(centre.terminal.call("population.lookup", city.who("lin"), request_id=fresh_id))
    answer = centre.terminal.call("population.lookup", city.who("ouyang"), request_id=fresh_id)
    assert (answer.status_code, problem_of(answer).code) == (409, "request_id_reused")
    answer = centre.terminal.call("traffic.violations", city.who("lin"), request_id=fresh_id)
    assert answer.status_code == 409


def test_a_captured_permit_is_accepted_and_decided_later(centre: Any, city: Any) -> None:
    picture = b"\xff\xd8\xff\xe0" + bytes(2000)
    payload = {
        **city.who("ouyang"), "page": base64.b64encode(picture).decode(), "address": "示范里18号602室",
        "page_sha256": hashlib.sha256(picture).hexdigest(),
    }  # fmt: skip
    answer = done(centre.terminal.call("residence_permit.endorse", payload))
    assert (answer.outcome, answer.data) == ("accepted", {"state": "已受理，待审核"})
    refused = done(centre.terminal.call("residence_permit.endorse", payload | {"page_sha256": "0" * 64}))
    assert refused.reason == "material_missing"


def test_nothing_personal_is_kept(centre: Any, city: Any) -> None:
    payload = {**city.who("lin"), "purpose": "school", "addressee": "厦门市样例小学", "phone": "13000000001"}
    done(centre.terminal.call(HOUSE, payload))
    done(centre.terminal.call("population.lookup", city.who("lin")))
    data: Path = centre.app.state.settings.data
    kept = b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())
    assert b"natural_resources." in kept
    for value in ("林测试", "350203190102030017", "13000000001", "样例小学", "样例路"):
        assert value.encode() not in kept


def test_what_is_asked_wrongly_is_refused_before_anything_is_sent(centre: Any, city: Any) -> None:
    cases: list[tuple[str, dict[str, Any], int, str]] = [
        ("nowhere.to_go", {}, 404, "unknown_operation"),
        (HOUSE, {"name": "林测试"}, 422, "payload_invalid"),
        (HOUSE, {**city.who("lin"), "shoe_size": "43"}, 422, "payload_invalid"),
        (HOUSE, {**city.who("lin"), "purpose": ["school"]}, 422, "payload_invalid"),
    ]
    for operation, payload, status, code in cases:
        answer = centre.terminal.call(operation, payload)
        assert (answer.status_code, problem_of(answer).code) == (status, code)
        assert "林测试" not in answer.text
    assert centre.terminal.call(HOUSE, city.who("lin"), headers={"x-timeout-seconds": "nan"}).status_code == 422
    assert centre.terminal.call(HOUSE, city.who("lin"), request_id="a b").status_code == 422


def test_the_unsigned_and_the_other_terminal_get_nothing(centre: Any, city: Any) -> None:
    address = centre.terminal.address
    assert httpx.post(f"{address}/terminal/v1/services/{HOUSE}", json={}).status_code == 401
    document_id = done(centre.terminal.call(HOUSE, city.who("lin"))).data["document_id"]
    assert httpx.get(f"{address}/terminal/v1/documents/{document_id}").status_code == 401
    assert problem_of(centre.other.document(document_id)).code == "unknown_document"
    assert centre.terminal.document("natural_resources.0123").status_code == 404
    assert centre.terminal.document("messages.0123").status_code == 404


def test_a_document_office_in_trouble(centre: Any, city: Any) -> None:
    document_id = done(centre.terminal.call(HOUSE, city.who("lin"))).data["document_id"]
    city.order(authority="documents", behave="down", times=1)
    assert problem_of(centre.terminal.document(document_id)).code == "authority_down"
    assert centre.terminal.document(document_id).status_code == 200


def test_the_circuit_opens_and_the_authority_is_left_alone(centre: Any, city: Any) -> None:
    city.order(authority="housing_fund", behave="down", times=OPENS_AFTER)
    for _ in range(OPENS_AFTER):
        assert centre.terminal.call("provident_fund.certificate", city.who("lin")).status_code == 503
    assert city.city.orders.listed() == []
    answer = centre.terminal.call("provident_fund.certificate", city.who("lin"))
    assert "left alone" in problem_of(answer).detail
    assert done(centre.terminal.call("population.lookup", city.who("lin"))).outcome == "done"
    breaker = centre.gateway.exchange.breaker("housing_fund")
    breaker.clock = lambda: (breaker.opened_at or 0.0) + 60
    assert done(centre.terminal.call("provident_fund.certificate", city.who("lin"))).outcome == "done"
    assert breaker.failures == 0


def test_a_dead_city_is_down_and_a_hanging_one_is_slow(
    tmp_path: Path, running_city: Any, start_centre: Any, fresh_id: str
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with start_centre(Settings(data=tmp_path / "dead", sandbox_url=address)) as centre:
            answer = centre.terminal.call(HOUSE, running_city.who("lin"), request_id=fresh_id)
            assert (answer.status_code, problem_of(answer).code) == (503, "authority_down")
            assert facts_of(centre, fresh_id).outcome == "failed"
            listener.listen()
            hanging = {"headers": {"x-timeout-seconds": "0.4"}, "request_id": fresh_id}
            answer = centre.terminal.call(HOUSE, running_city.who("lin"), **hanging)
            assert (answer.status_code, problem_of(answer).code) == (504, "authority_timeout")
            assert facts_of(centre, fresh_id).outcome == "uncertain"


def test_without_an_address_every_call_says_down(tmp_path: Path, running_city: Any, start_centre: Any) -> None:
    with start_centre(Settings(data=tmp_path / "none")) as centre:
        answer = centre.terminal.call(HOUSE, running_city.who("lin"))
        assert (answer.status_code, problem_of(answer).code) == (503, "authority_down")
