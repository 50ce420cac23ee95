"""A request whose answer was lost is asked after by its id; one that never arrived can never be done any more."""

from __future__ import annotations

from typing import Any

from kiosk.contracts.fleet import RequestOutcome

HOUSE = "real_estate.no_house_certificate"


def outcome(terminal: Any, request_id: str) -> str:
    answer = terminal.send("POST", f"/terminal/v1/requests/{request_id}/outcome")
    assert answer.status_code == 200, answer.text
    return RequestOutcome.model_validate(answer.json()).outcome


def test_what_was_done_and_what_was_refused_is_told(centre: Any, city: Any) -> None:
    centre.terminal.call(HOUSE, city.who("lin"), request_id="request-done")
    centre.terminal.call(HOUSE, city.who("huang"), request_id="request-refused")
    assert outcome(centre.terminal, "request-done") == "done"
    assert outcome(centre.terminal, "request-refused") == "refused"


def test_a_request_that_never_arrived_is_barred_by_asking(centre: Any, city: Any, fresh_id: str) -> None:
    assert outcome(centre.terminal, fresh_id) == "failed"
    late = centre.terminal.call(HOUSE, city.who("lin"), request_id=fresh_id)
    assert late.status_code == 409
    assert outcome(centre.terminal, fresh_id) == "failed"


def test_ids_belong_to_one_terminal(centre: Any, city: Any, fresh_id: str) -> None:
    centre.terminal.call(HOUSE, city.who("lin"), request_id=fresh_id)
    assert outcome(centre.other, fresh_id) == "failed"
    assert outcome(centre.terminal, fresh_id) == "done"


def test_an_uncertain_request_stays_uncertain(centre: Any, city: Any, fresh_id: str) -> None:
    city.order(authority="natural_resources", behave="garbage")
    assert centre.terminal.call(HOUSE, city.who("lin"), request_id=fresh_id).status_code == 502
    assert outcome(centre.terminal, fresh_id) == "uncertain"


def test_what_is_no_request_id_is_refused(centre: Any) -> None:
    assert centre.terminal.send("POST", "/terminal/v1/requests/short/outcome").status_code == 422
