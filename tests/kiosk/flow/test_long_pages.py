"""A page that takes long: the printer is asked as long as it says that pages are coming, and not for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from flow_world import World, matter, text

from drivers.messages import PrintOutcome, PrintResult
from kiosk.flow.steps.effects import print_document

WHO = {"id": "who", "kind": "identify"}
CALL = {
    "id": "house", "kind": "call_service", "operation": "real_estate.query", "effect": "submit",
    "send": {"id_number": "card.id_number"},
}  # fmt: skip
PAPER = {
    "id": "paper", "kind": "print_document", "document": "service.house.document_id", "document_title": text("证明"),
}  # fmt: skip
RATE = {"id": "rating", "kind": "rate"}


class LongPage:
    """What `find_job` says: `reason` so many times, then the page is out."""

    def __init__(self, reason: str, times: int) -> None:
        self.reason = reason
        self.times = times
        self.asked = 0

    async def find_job(self, job_id: str, printer_job_id: str | None) -> PrintResult:
        del printer_job_id
        self.asked += 1
        if self.asked <= self.times:
            return PrintResult(job_id=job_id, outcome=PrintOutcome.UNCERTAIN, reason=self.reason)
        return PrintResult(job_id=job_id, outcome=PrintOutcome.PRINTED)


def printed_until(tmp_path: Path, page: LongPage, screen: str, kind: str | None = None) -> World:
    async def play() -> World:
        world = World(tmp_path, matter(WHO, CALL, PAPER, RATE))
        try:
            async with asyncio.timeout(30):
                world.services.answers["real_estate.query"] = {"document_id": "D-1"}
                world.devices.document_printer.outcomes = [PrintOutcome.UNCERTAIN]
                world.devices.document_printer.find_job = page.find_job
                world.stage.start("sample")
                await world.sign_in_by_face()
                world.choose(await world.screen("paper", "preview"), "print")
                await world.screen(screen, *([kind] if kind else []))
        finally:
            await world.close()
        return world

    return asyncio.run(play())


@pytest.fixture(autouse=True)
def quick(monkeypatch: Any) -> None:
    monkeypatch.setattr(print_document, "RECONCILE_SECONDS", 0.001)


def test_a_page_that_is_still_coming_is_waited_for(tmp_path: Path) -> None:
    page = LongPage("still_printing", 5 * print_document.RECONCILE_TRIES)
    world = printed_until(tmp_path, page, "rating")
    assert page.asked == page.times + 1
    assert len(world.devices.document_printer.jobs) == 1


def test_a_printer_that_does_not_know_is_asked_a_few_times(tmp_path: Path) -> None:
    page = LongPage("job_unknown", 1000)
    printed_until(tmp_path, page, "paper", "choose")
    assert page.asked == print_document.RECONCILE_TRIES


def test_a_page_that_never_comes_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(print_document, "LONGEST_PAGE_SECONDS", 0.2)
    page = LongPage("still_printing", 1_000_000)
    printed_until(tmp_path, page, "paper", "choose")
    assert page.asked > print_document.RECONCILE_TRIES
