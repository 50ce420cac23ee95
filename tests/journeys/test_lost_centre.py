"""The fleet server killed in mid-transaction costs the citizen only what needs the centre."""

from __future__ import annotations

import pytest

from tests.journeys.house import House, until

pytestmark = pytest.mark.timeout(90)


def test_centre_lost_before_the_authority_is_asked(house: House) -> None:
    """The citizen is told, the server comes back on its port and data, and the same request is asked again."""
    visitor = house.visitor()
    visitor.to_step("review")
    house.kill_server()
    with house.watched() as watch:
        visitor.walk(lambda state: state["screen"]["tone"] == "failure")
        told = house.hand.state()["screen"]
        assert told["step"] == "certificate"
        assert told["say"]
        house.city.start_server()
        house.hand.tap("primary")
        until(lambda: house.hand.state()["screen"]["id"] != told["id"], 5, "the citizen's word is taken")
        visitor.walk(lambda state: state["screen"]["step"] == "paper")
        visitor.home()
    watch.assert_never_frozen()
    number = visitor.number
    begun = house.one(number, "service_begun", step="certificate")
    asked = begun.data["request_id"]
    assert house.one(number, "service_ended", request_id=asked).data["disposition"] == "uncertain"
    assert house.one(number, "service_reconciled", request_id=asked).data["disposition"] == "succeeded"
    assert house.one(number, "citizen_told").data["fault"] == told["code"]
    house.one(number, "transaction_ended", disposition="succeeded")
    requests = house.server_rows(
        "SELECT request_id, outcome FROM gateway_request WHERE transaction_number = ? AND operation = ?",
        number, begun.data["operation"],
    )  # fmt: skip
    assert requests == [(asked, "done")]


def test_centre_lost_with_the_page_in_hand(house: House) -> None:
    """Page, slip and rating need no centre; the journal arrives afterwards, once and whole."""
    visitor = house.visitor()
    house.city.order("document_printer", "fault slow")
    visitor.to_step("paper", "preview")
    pages = house.pages()
    house.hand.tap("primary")
    until(lambda: house.printer_jobs("not-completed"), 5, "the printer works on the page")
    house.kill_server()
    house.city.order("document_printer", "clear")
    with house.watched() as watch:
        visitor.home()
    watch.assert_never_frozen()
    number = visitor.number
    house.one(number, "transaction_ended", disposition="succeeded")
    for device in ("document_printer", "receipt_printer"):
        house.one(number, "print_ended", device=device, disposition="succeeded")
    house.one(number, "rating_given", grade="5")
    assert not house.entries(number, event="citizen_told")
    assert house.pages() == pages + 1
    held = house.server_rows("SELECT head_sequence FROM journal_head")[0][0]
    assert held < house.head()

    house.city.start_server()
    until(house.arrived, 30, "the journal arrives")
    assert_journal_arrived_once(house)
    rows = house.server_rows("SELECT disposition, rating FROM journal_transaction WHERE number = ?", number)
    assert rows == [("succeeded", 5)]


def assert_journal_arrived_once(house: House) -> None:
    """Segments follow one another without gap or overlap, to the terminal's own head; nothing was set aside."""
    next_one = 1
    for first, last in house.server_rows(
        "SELECT first_sequence, last_sequence FROM journal_segment ORDER BY last_sequence"
    ):
        assert first == next_one
        next_one = last + 1
    assert next_one - 1 == house.server_rows("SELECT head_sequence FROM journal_head")[0][0]
    assert house.server_rows("SELECT COUNT(*) FROM journal_quarantine") == [(0,)]
    assert house.server_rows("SELECT COUNT(*) FROM journal_poison") == [(0,)]
    assert len(house.entries()) == house.head()
    numbers = [entry.transaction for entry in house.entries(event="transaction_begun")]
    assert sorted(house.server_rows("SELECT number FROM journal_transaction")) == sorted((each,) for each in numbers)
