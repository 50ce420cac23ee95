"""The driver of print queues against a private CUPS server, behind it the real ippeveprinter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from drivers.document_printer.cups import CupsPrinter
from drivers.document_printer.cups_simulator import CupsSimulator, is_installed
from drivers.document_printer.ipp_client import IppClient
from drivers.document_printer.ipp_codec import words_of
from drivers.messages import DeviceState, FaultAction, PrintOutcome
from tests.drivers.document_printer.conftest import document, run, until

pytestmark = pytest.mark.skipif(not is_installed(), reason="a private CUPS server needs root and cups-daemon")
PRINTED, FAILED, UNCERTAIN = PrintOutcome.PRINTED, PrintOutcome.FAILED, PrintOutcome.UNCERTAIN


@dataclass
class Queue:
    simulator: CupsSimulator
    printer: CupsPrinter
    address: str
    out: Path

    def driver(self, **options: Any) -> CupsPrinter:
        return CupsPrinter(CupsPrinter.Options(address=self.address, **options))

    def papers(self) -> list[str]:
        return sorted(path.name for path in self.out.glob("document-*"))

    def spooled(self) -> list[str]:
        return sorted(path.name for path in self.simulator.spool.glob("[cd][0-9]*"))


@asynccontextmanager
async def queue(out: Path, **peer: str) -> AsyncIterator[Queue]:
    simulator = CupsSimulator(out=str(out), **peer)
    address = await simulator.start()
    try:
        yield Queue(simulator, CupsPrinter(CupsPrinter.Options(address=address)), address, out)
    finally:
        await simulator.stop()


def test_a_document_goes_through_the_queue_once_and_is_forgotten_at_the_end(tmp_path: Path) -> None:
    async def work() -> None:
        async with queue(tmp_path) as where:
            result = await where.printer.print_document(document(pages=2))
            assert (result.outcome, result.reason) == (PRINTED, "")
            assert (await where.printer.print_document(document(pages=2))) == result
            assert (await where.driver().find_job("paper-1", None)).outcome is PRINTED
            assert (await where.driver().print_document(document(pages=2))).outcome is PRINTED
            assert len(where.papers()) == 1
            features = (await where.printer.capabilities()).features
            assert {"print_queue", "job_tracking_printer", "pdf"} <= features
            assert where.spooled()
            await where.printer.wipe()
            await until(lambda: not where.spooled())  # neither the document nor its name stays in the queue

    run(work())


def test_a_queue_is_not_believed_at_rest_and_its_pages_are_not(tmp_path: Path) -> None:
    async def work() -> None:
        async with queue(tmp_path) as where:
            await where.simulator.order("fault", "jam")
            result = await where.printer.print_document(document(pages=2), timeout_seconds=6.0)
            assert (result.outcome, result.reason, result.pages_printed) == (UNCERTAIN, "media_jammed", None)
            await where.simulator.order("clear")
            said = await asyncio.to_thread(IppClient(where.address, "test").printer)
            assert words_of(said, "printer-state-reasons") != ("none",)  # the stale word is there
            status = await where.printer.status()
            assert (status.device, status.faults) == (DeviceState.ONLINE, ())
            assert status.parts["paper"] == "unknown"
            assert (await where.printer.capabilities()).status_source == "inferred"
            assert (await where.printer.print_document(document("next"))).outcome is PRINTED

    run(work())


def test_the_printers_own_health_is_read_where_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.document_printer.cups.POLL_ANSWER_SECONDS", 0.5)

    async def work() -> None:
        async with queue(tmp_path) as where:
            printer = where.driver(device_address=where.simulator.device_address)
            assert (await printer.capabilities()).status_source == "polled"
            await where.simulator.order("fault", "media_empty")
            status = await printer.status()
            assert [fault.code for fault in status.faults] == ["paper_out"]
            assert status.parts["spooler"] == "ok"
            result = await printer.print_document(document())
            assert (result.outcome, result.reason) == (FAILED, "paper_out")
            await where.simulator.order("clear")
            await where.simulator.order("fault", "offline")
            result = await printer.print_document(document())
            assert (result.outcome, result.reason) == (FAILED, "disconnected")
            await where.simulator.order("clear")
            assert (await printer.print_document(document())).outcome is PRINTED

    run(work())


def test_a_printer_that_hangs_has_no_word_in_the_queue_and_ends_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("drivers.document_printer.ipp.CANCEL_SECONDS", 1.0)

    async def work() -> None:
        async with queue(tmp_path) as where:
            await where.simulator.order("fault", "offline")
            result = await where.printer.print_document(document(), timeout_seconds=2.0)
            assert (result.outcome, result.pages_printed) == (UNCERTAIN, None)
            assert result.reason == "timed_out"
            await where.printer.wipe()
            await where.simulator.order("clear")
            assert (await where.printer.print_document(document())).outcome is UNCERTAIN  # never sent again
            assert where.papers() == []

    run(work())


@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [("queue_paused", "spooler_stalled", DeviceState.USER_ERROR), ("queue_rejects", "offline", DeviceState.OFFLINE)],
)
def test_a_queue_that_stands_still_says_so(tmp_path: Path, fault: str, code: str, state: DeviceState) -> None:
    async def work() -> None:
        async with queue(tmp_path) as where:
            await where.simulator.order("fault", fault)
            status = await where.printer.status()
            assert status.device is state
            assert status.faults
            if fault == "queue_paused":
                assert status.faults[0].action is FaultAction.CONFIGURATION
                assert status.parts["spooler"] == "stalled"
            result = await where.printer.print_document(document())
            assert (result.outcome, result.reason) == (FAILED, code)
            await where.simulator.order("clear")
            assert (await where.printer.print_document(document())).outcome is PRINTED

    run(work())


def test_bytes_that_only_left_the_queue_are_not_called_printed(tmp_path: Path) -> None:
    async def work() -> None:
        async with queue(tmp_path, follows="") as where:
            result = await where.printer.print_document(document(), timeout_seconds=15)
            assert (result.outcome, result.reason) == (UNCERTAIN, "not_confirmed")
            assert "job_tracking_spooler" in (await where.printer.capabilities()).features
            assert (await where.driver().find_job("paper-1", None)).reason == "not_confirmed"
            trusted = where.driver(completed_is_printed=True)
            assert (await trusted.print_document(document("trusted"), timeout_seconds=15)).outcome is PRINTED

    run(work())


def test_nothing_is_left_in_the_queue_when_the_session_ends(tmp_path: Path) -> None:
    async def work() -> None:
        async with queue(tmp_path) as where:
            await where.simulator.order("fault", "slow")
            printing = asyncio.create_task(where.printer.print_document(document(), timeout_seconds=20))

            async def under_way() -> bool:
                return (await where.driver().find_job("paper-1", None)).reason == "still_printing"

            await until(under_way)
            await where.printer.wipe()
            assert (await printing).outcome is UNCERTAIN
            await until(lambda: not where.spooled())
            await where.simulator.order("clear")
            assert (await where.printer.print_document(document("next"))).outcome is PRINTED

    run(work())
