"""The terminal killed between print intent and outcome comes back, asks the printer, and prints nothing twice."""

from __future__ import annotations

import pytest

from tests.journeys.house import House, until

pytestmark = pytest.mark.timeout(90)


@pytest.mark.parametrize("held", [False, True], ids=["page_came_out_meanwhile", "page_still_held"])
def test_terminal_killed_while_the_page_is_printed(house: House, held: bool) -> None:
    visitor = house.visitor()
    house.city.order("document_printer", "fault slow")
    visitor.to_step("paper", "preview")
    pages, number = house.pages(), visitor.number
    house.hand.tap("primary")
    until(house.works_on_a_page, 10, "the printer works on the page")
    intent = house.one(number, "print_begun")
    assert not house.entries(number, event="print_ended")
    house.kill_kiosk()
    killed_at = house.head()
    if not held:
        house.city.order("document_printer", "clear")
        until(lambda: not house.printer_jobs("not-completed"), 10, "the page comes out")
    house.restart_kiosk()
    until(lambda: house.hand.state()["stage"] == "attract", 30, "the terminal serves again")
    if held:
        until(lambda: house.entries(number, event="print_ended"), 10, "the page is reported")
        assert not house.entries(number, event="print_reconciled")
        house.city.order("document_printer", "clear")
    until(lambda: house.entries(number, event="print_reconciled"), 20, "the printer is asked")

    story = [entry for entry in house.entries(number) if entry.sequence > killed_at]
    assert [(entry.event, entry.data["disposition"]) for entry in story] == [
        ("print_ended", "uncertain"),
        ("transaction_ended", "interrupted"),
        ("print_reconciled", "succeeded"),
    ]
    assert {entry.data["job_id"] for entry in story if "job_id" in entry.data} == {intent.data["job_id"]}
    assert house.entries(after=killed_at)[0].event == "machine_started"
    assert house.pages() == pages + 1
    assert not house.printer_jobs("not-completed")
    assert house.verify()[0] == 0

    house.city.order("card_reader", "remove")
    following = house.visitor(card="ouyang")
    following.home()
    house.one(following.number, "transaction_ended", disposition="succeeded")
    assert house.pages() == pages + 2
    until(house.arrived, 20, "the journal arrives")
    (disposition,) = house.server_rows("SELECT disposition FROM journal_transaction WHERE number = ?", number)
    assert disposition == ("interrupted",)
