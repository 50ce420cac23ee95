"""What is broken now as a list of work: where, since when, who must act, what to bring. Derived, never stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from fleet_server.maintenance.models import Alert, AlertKind
from fleet_server.terminals.reading import Condition, TerminalView
from kiosk.contracts.value import sha256_hex


class Who(StrEnum):
    """Who must act, in the order of how much their coming costs."""

    ENGINEER = "engineer"  # with a part
    OPERATOR = "operator"  # from the centre: settings, roll-out, journal
    CLERK = "clerk"  # at the machine: paper, cover, jam
    NOBODY = "nobody"  # it mends itself


ACTORS = {
    "maintenance": Who.ENGINEER, "configuration": Who.OPERATOR, "clear": Who.CLERK, "wait": Who.NOBODY,
}  # fmt: skip
LOOKS = {AlertKind.SILENT: Who.ENGINEER}
"""Who looks when nobody knows yet; the rest is looked into from the centre."""

PARTS = {
    ("receipt_printer", "paper_out"): "receipt_roll", ("receipt_printer", "paper_low"): "receipt_roll",
    ("document_printer", "paper_out"): "a4_paper", ("document_printer", "paper_low"): "a4_paper",
    ("document_printer", "toner_out"): "toner", ("document_printer", "toner_low"): "toner",
    ("document_printer", "waste_full"): "waste_box", ("document_printer", "waste_nearly_full"): "waste_box",
    ("document_printer", "drum_near_end"): "drum", ("document_printer", "fuser_fault"): "fuser",

    ("receipt_printer", "cutter_jammed"): "cutter_tool",
}  # fmt: skip
"""What to bring for a fault (device-classes C.1 to C.6)."""
SPARES = (
    "id_card_reader", "face_camera", "receipt_printer", "document_printer", "document_scanner", "smart_card_reader",
    "card_rewriter", "code_scanner", "signature_pad", "fingerprint_reader", "payment_terminal", "cabinet",
)  # fmt: skip
"""Where a device itself must be changed, a spare one with its cable is brought."""
HARMLESS = frozenset(
    {"paper_low", "toner_low", "waste_nearly_full", "drum_near_end", "output_bin_nearly_full", "fuser_warming"}
)
"""Work that can wait for the next round: the device goes on serving."""
STOPPED = frozenset({Condition.SILENT, Condition.OUT_OF_SERVICE})


@dataclass(frozen=True)
class Ticket:
    """One line of work. `device` is empty where the fault is the terminal's own; `stops`: nobody is served there."""

    key: str
    fault: str
    device: str
    terminal: str
    site: str
    address: str
    since: dt.datetime | None
    who: Who
    part: str | None
    stops: bool
    detail: str
    taken_by: str | None

    @property
    def anchor(self) -> str:
        """An id for the page that stays the same from one look to the next."""
        return "k" + sha256_hex(self.key.encode())[:20]


def tickets(alerts: Iterable[Alert], views: Iterable[TerminalView]) -> list[Ticket]:
    """Machines that serve nobody first, then what stops a device, then what can wait; within that by who must come."""
    by_name = {view.public.id: view for view in views}
    order = list(Who)
    made = [_ticket(alert, by_name.get(alert.terminal)) for alert in alerts]
    latest = dt.datetime.max.replace(tzinfo=dt.UTC)
    return sorted(
        made,
        key=lambda ticket: (
            not ticket.stops, ticket.who is Who.NOBODY, ticket.fault in HARMLESS, order.index(ticket.who),
            ticket.since or latest,
        ),
    )  # fmt: skip


def bring_along(found: Iterable[Ticket]) -> list[tuple[str, list[Ticket]]]:
    """Each part with the places that need it, the most wanted first."""
    wanted: dict[str, list[Ticket]] = {}
    for ticket in found:
        if ticket.part is not None:
            wanted.setdefault(ticket.part, []).append(ticket)
    return sorted(wanted.items(), key=lambda item: (-len(item[1]), item[0]))


def part_for(device: str, fault: str, who: Who) -> str | None:
    """None: nothing to bring. Devices are named by their class, `receipt_printer` or `receipt_printer_2`."""
    kind = next((name for name in SPARES if device.startswith(name)), device)
    if device == "face_matcher":
        kind = "face_camera"
    known = PARTS.get((kind, fault))
    if known is not None:
        return known
    return f"spare_{kind}" if who is Who.ENGINEER and kind in SPARES else None


def _serves(view: TerminalView | None, device: str) -> bool:
    """The device is said to be fit in spite of its fault."""
    return view is not None and any(each.name == device and each.mark != "bad" for each in view.devices)


def _ticket(alert: Alert, view: TerminalView | None) -> Ticket:
    device, fault = "", str(alert.kind)
    if alert.kind is AlertKind.DEVICE_FAULT:
        device, _, fault = alert.subject.partition(":")
        who = ACTORS.get(alert.action, Who.ENGINEER)
        part = part_for(device, fault, who)
    else:
        who = LOOKS.get(alert.kind, Who.OPERATOR)
        part = "network_kit" if alert.kind is AlertKind.SILENT else None
    is_cause = alert.kind is AlertKind.SILENT or (
        alert.kind is AlertKind.DEVICE_FAULT and fault not in HARMLESS and not _serves(view, device)
    )
    stops = view is not None and view.condition in STOPPED and is_cause and who is not Who.NOBODY
    if view is not None and view.condition is Condition.SILENT:
        stops = alert.kind is AlertKind.SILENT
    return Ticket(
        key=alert.key, fault=fault, device=device, terminal=alert.terminal,
        site=view.site.name if view else alert.site, address=view.site.address if view else "", since=alert.since,
        who=who, part=part, stops=stops, detail=alert.detail if alert.detail != fault else "",
        taken_by=alert.taken_by,
    )  # fmt: skip
