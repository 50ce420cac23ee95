"""Who must act, what to bring, what comes first."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from fleet_server.database import now
from fleet_server.maintenance.models import Alert, AlertKind
from fleet_server.maintenance.worklist import Who, bring_along, part_for, tickets
from fleet_server.terminals.models import Site, TerminalPublic
from fleet_server.terminals.reading import Condition, DeviceView, TerminalView


def alert(terminal: str, device: str, fault: str, action: str, minutes: int) -> Alert:
    kind = AlertKind.DEVICE_FAULT if device else AlertKind(fault)
    subject = f"{device}:{fault}" if device else "terminal"
    return Alert(
        key=f"{kind}:{terminal}:{subject}", kind=kind, terminal=terminal, site="s", subject=subject, action=action,
        detail="", since=now() - dt.timedelta(minutes=minutes),
    )  # fmt: skip


def view(terminal: str, condition: Condition) -> TerminalView:
    empty = dict.fromkeys(TerminalPublic.model_fields)
    public = TerminalPublic.model_validate(empty | {"id": terminal, "site": "s", "is_converged": False})
    return TerminalView(public, Site(id="s", name="店", address="路"), condition)


@pytest.mark.parametrize(
    ("device", "fault", "who", "part"),
    [
        ("receipt_printer", "paper_out", Who.CLERK, "receipt_roll"),
        ("receipt_printer_2", "paper_low", Who.CLERK, "receipt_roll"),
        ("document_printer", "paper_out", Who.CLERK, "a4_paper"),
        ("document_printer", "toner_out", Who.ENGINEER, "toner"),
        ("document_printer", "media_jammed", Who.CLERK, None),
        ("id_card_reader", "sam_failed", Who.ENGINEER, "spare_id_card_reader"),
        ("id_card_reader", "port_missing", Who.OPERATOR, None),
        ("face_matcher", "camera_stalled", Who.ENGINEER, "spare_face_camera"),
        ("something_new", "odd", Who.ENGINEER, None),
    ],
)
def test_what_to_bring(device: str, fault: str, who: Who, part: str | None) -> None:
    assert part_for(device, fault, who) == part


def test_what_comes_first() -> None:
    views = [view("a", Condition.IMPAIRED), view("b", Condition.OUT_OF_SERVICE), view("c", Condition.SILENT)]
    alerts = [
        alert("a", "document_printer", "toner_low", "maintenance", 5000),
        alert("a", "receipt_printer", "paper_out", "clear", 10),
        alert("a", "id_card_reader", "process_lost", "wait", 1),
        alert("a", "face_camera", "camera_stalled", "maintenance", 3),
        alert("b", "id_card_reader", "sam_failed", "maintenance", 30),
        alert("b", "receipt_printer", "paper_low", "clear", 9000),
        alert("c", "", "silent", "look", 50),
        alert("c", "receipt_printer", "paper_out", "clear", 70),
    ]
    made = tickets(alerts, views)
    assert [(ticket.terminal, ticket.fault, ticket.stops) for ticket in made] == [
        ("c", "silent", True),
        ("b", "sam_failed", True),
        ("a", "camera_stalled", False),
        ("c", "paper_out", False),
        ("a", "paper_out", False),
        ("a", "toner_low", False),
        ("b", "paper_low", False),
        ("a", "process_lost", False),
    ]
    part, wanted = bring_along(made)[0]
    assert (part, len(wanted)) == ("receipt_roll", 3)
    assert made[0].part == "network_kit"
    assert len({ticket.anchor for ticket in made}) == len(made)


def test_an_alert_of_a_terminal_nobody_knows_is_still_work() -> None:
    (ticket,) = tickets([alert("gone", "receipt_printer", "paper_out", "made_up", 1)], [])
    assert (ticket.who, ticket.stops, ticket.site) == (Who.ENGINEER, False, "s")


def test_a_device_that_serves_in_spite_of_its_fault_stops_nobody() -> None:
    fault = [{"code": "journal_missing", "action": "configuration"}]
    serving = DeviceView("payment_terminal", "online", fault, {}, False)
    broken = DeviceView("id_card_reader", "hardware_error", fault, {}, False)
    closed = dataclasses.replace(view("b", Condition.OUT_OF_SERVICE), devices=[serving, broken])
    alerts = [alert("b", each.name, "journal_missing", "configuration", 5) for each in (serving, broken)]
    made = tickets(alerts, [closed])
    assert {ticket.device: ticket.stops for ticket in made} == {"payment_terminal": False, "id_card_reader": True}
