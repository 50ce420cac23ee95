"""What a crash left open: reported as uncertain, asked after, closed; never done again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from flow_world import NOW, ScriptedDevices

from drivers.messages import PrintOutcome
from kiosk.flow.recovery import OpenEnds, ask_after, report_open_ends
from kiosk.machine.journal import Journal
from kiosk.machine.journal.verify import verify_journal

NUMBER = "260305-0001-ABCDEF"


def crashed(path: Path, *, device: str = "document_printer") -> Journal:
    """A journal as a killed machine leaves it: begun, and no word of an end."""
    journal = Journal.open(path, terminal="T-0001", clock=lambda: NOW)
    journal.append("transaction_begun", transaction_number=NUMBER, matter="sample", version=1, bundle="")
    journal.begin_effect(
        "job-1", "print_begun", transaction_number=NUMBER, step="paper", device=device, job_id="job-1", sha256=""
    )
    journal.begin_effect(
        "request-1", "service_begun", transaction_number=NUMBER, step="call", operation="a.b", request_id="request-1"
    )
    journal.close()
    return Journal.open(path, terminal="T-0001", clock=lambda: NOW)


def recover(journal: Journal, devices: ScriptedDevices) -> OpenEnds:
    ends = report_open_ends(journal)
    asyncio.run(ask_after(ends, journal, devices))
    return ends


def events(journal: Journal) -> list[tuple[str, str]]:
    return [(entry.event, str(entry.data.get("disposition", ""))) for entry in journal.entries(4, 100)]


def test_the_printer_is_asked_and_the_page_not_printed_again(tmp_path: Path) -> None:
    devices = ScriptedDevices()
    devices.document_printer.later = PrintOutcome.PRINTED
    journal = crashed(tmp_path / "journal.sqlite")
    found = recover(journal, devices)
    assert (found.transactions, len(found.pages), len(found.requests)) == (1, 1, 1)
    assert events(journal) == [
        ("print_ended", "uncertain"),
        ("service_ended", "uncertain"),
        ("transaction_ended", "interrupted"),
        ("print_reconciled", "succeeded"),
        ("service_reconciled", "interrupted"),
    ]
    assert devices.document_printer.jobs == []
    assert recover(journal, devices).pages == ()
    journal.close()
    assert verify_journal(tmp_path / "journal.sqlite").is_whole


def test_a_printer_that_does_not_know_leaves_the_page_open_for_the_next_start(tmp_path: Path) -> None:
    journal = crashed(tmp_path / "journal.sqlite")
    recover(journal, ScriptedDevices())
    assert [effect.effect_id for effect in journal.open_effects()] == ["job-1"]
    devices = ScriptedDevices()
    devices.document_printer.later = PrintOutcome.FAILED
    recover(journal, devices)
    assert journal.open_effects() == []
    journal.close()


def test_a_page_the_printer_still_holds_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody stands there any more: it must not come out for the next citizen."""
    monkeypatch.setattr("kiosk.flow.recovery.PRINTER_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("kiosk.flow.recovery.ASK_AGAIN_SECONDS", 0.01)
    devices = ScriptedDevices()
    devices.document_printer.later_reason = "still_printing"
    devices.document_printer.after_cancel = PrintOutcome.FAILED
    journal = crashed(tmp_path / "journal.sqlite")
    recover(journal, devices)
    assert ("print_reconciled", "failed") in events(journal)
    assert journal.open_effects() == []
    assert devices.document_printer.jobs == []
    journal.close()


def test_a_receipt_nobody_can_vouch_for_is_closed_as_interrupted(tmp_path: Path) -> None:
    journal = crashed(tmp_path / "journal.sqlite", device="receipt_printer")
    recover(journal, ScriptedDevices())
    assert ("print_reconciled", "interrupted") in events(journal)
    assert journal.open_effects() == []
    journal.close()
