"""The driver against a simulated printer on a real wire: every outcome and every misfortune."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from drivers.errors import DeviceAbsent
from drivers.messages import DeviceState, FaultAction, PrintJob, PrintOutcome, TextLine
from drivers.receipt_printer.composition import compose
from drivers.receipt_printer.escpos import EscposPrinter
from drivers.receipt_printer.fonts import find_fonts
from drivers.receipt_printer.health import PARTS
from drivers.receipt_printer.simulator.paper import interpret
from drivers.receipt_printer.typesetting import Typesetter
from tests.drivers.receipt_printer.conftest import Bench, bench, run, slip, until


def drawn() -> bytearray:
    return compose(slip(), Typesetter(find_fonts(), 576, 203), "raster")


async def fault_of(where: Bench, name: str) -> None:
    await where.simulator.order("fault", name)


@pytest.mark.parametrize("transport", ["pty", "tcp"])
@pytest.mark.parametrize("profile", ["raster", "gb18030"])
def test_a_slip_is_printed_once_and_the_printer_says_so(transport: str, profile: str) -> None:
    async def work() -> None:
        async with bench(transport, profile) as where:
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (PrintOutcome.PRINTED, "")
            again = await where.printer.print_receipt(slip())
            assert again == result
            assert len(where.simulator.receipts) == 1
            await where.printer.print_receipt(slip("another"))
            assert len(where.simulator.receipts) == 2

    run(work())


def test_two_calls_with_one_id_at_the_same_time_print_once() -> None:
    async def work() -> None:
        async with bench() as where:
            results = await asyncio.gather(*(where.printer.print_receipt(slip()) for _ in range(4)))
            assert {result.outcome for result in results} == {PrintOutcome.PRINTED}
            assert len(where.simulator.receipts) == 1

    run(work())


def test_the_paper_and_its_bytes_are_kept_as_files(tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(out=tmp_path / "out") as where:
            await where.printer.print_receipt(slip())
            assert (tmp_path / "out" / "receipt.bin").read_bytes() == where.simulator.receipts[0]
            assert (tmp_path / "out" / "receipt.png").read_bytes().startswith(b"\x89PNG")
            assert (tmp_path / "out" / "receipt-0001.png").exists()

    run(work())


@pytest.mark.parametrize(
    ("name", "reason", "state", "part"),
    [
        ("paper_out", "paper_out", DeviceState.USER_ERROR, ("paper", "out")),
        ("cover_open", "cover_open", DeviceState.USER_ERROR, ("cover", "open")),
        ("offline", "offline", DeviceState.OFFLINE, ("cover", "closed")),
        ("hot", "head_hot", DeviceState.USER_ERROR, ("head", "hot")),
        ("cutter_jammed", "cutter_jammed", DeviceState.HARDWARE_ERROR, ("cutter", "jammed")),
    ],
)
def test_an_obstacle_fails_the_job_before_anything_is_sent(
    wire: tuple[str, str], name: str, reason: str, state: DeviceState, part: tuple[str, str]
) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            await fault_of(where, name)
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (PrintOutcome.FAILED, reason)
            status = await where.printer.status()
            assert status.device is state
            assert not status.is_fit
            assert [fault.code for fault in status.faults] == [reason]
            assert status.parts[part[0]] == part[1]
            assert set(status.parts) == set(PARTS)
            await where.simulator.order("clear")
            assert (await where.printer.status()).is_fit
            assert where.simulator.receipts == []
            assert (await where.printer.print_receipt(slip())).outcome is PrintOutcome.PRINTED
            assert len(where.simulator.receipts) == 1

    run(work())


def test_a_printer_that_cannot_answer_is_never_sent_a_job() -> None:
    async def work() -> None:
        async with bench() as where:
            assert (await where.printer.status()).is_fit
            await fault_of(where, "no_backchannel")
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (PrintOutcome.FAILED, "disconnected")
            status = await where.printer.status()
            assert status.device is DeviceState.OFFLINE
            assert set(status.parts.values()) == {"unknown"}
            await where.simulator.order("clear")
            assert (await where.printer.status()).is_fit
            assert where.simulator.receipts == []

    run(work())


def test_paper_near_its_end_prints_and_warns(wire: tuple[str, str]) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            await fault_of(where, "paper_low")
            result = await where.printer.print_receipt(slip())
            assert result.outcome is PrintOutcome.PRINTED
            status = await where.printer.status()
            assert status.device is DeviceState.ONLINE
            assert [(fault.code, fault.action) for fault in status.faults] == [("paper_low", FaultAction.CLEAR)]
            assert status.parts["paper"] == "low"

    run(work())


def test_paper_out_mid_job_is_uncertain_and_a_late_answer_settles_it(wire: tuple[str, str]) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            await fault_of(where, "paper_out_mid_job")
            result = await where.printer.print_receipt(slip(), timeout_seconds=1.5)
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "paper_out")
            still = await where.printer.print_receipt(slip(), timeout_seconds=0.3)
            assert still.outcome is PrintOutcome.UNCERTAIN
            await where.simulator.order("refill")
            settled = await where.printer.print_receipt(slip())
            assert settled.outcome is PrintOutcome.PRINTED
            assert len(where.simulator.receipts) == 1

    run(work())


def test_refilled_in_time_the_job_resumes_and_is_printed() -> None:
    async def work() -> None:
        async with bench() as where:
            await fault_of(where, "paper_out_mid_job")
            printing = asyncio.create_task(where.printer.print_receipt(slip()))

            async def seen_out() -> bool:
                return (await where.printer.status()).parts["paper"] == "out"

            await until(seen_out)
            assert not printing.done()
            await where.simulator.order("refill")
            assert (await printing).outcome is PrintOutcome.PRINTED
            assert len(where.simulator.receipts) == 1

    run(work())


@pytest.mark.parametrize(
    ("transport", "profile", "clears"), [("pty", "raster", True), ("tcp", "gb18030", False)], ids=["clears", "does not"]
)
def test_wipe_takes_an_unfinished_job_out_of_the_printer(transport: str, profile: str, clears: bool) -> None:
    async def work() -> None:
        async with bench(transport, profile) as where:
            if not clears:
                await fault_of(where, "no_clear")
            await fault_of(where, "paper_out_mid_job")
            await where.printer.print_receipt(slip(), timeout_seconds=0.9)
            await where.printer.wipe()
            status = await where.printer.status()
            assert ("unfinished_job" in [fault.code for fault in status.faults]) is not clears
            await where.simulator.order("refill")
            assert len(where.simulator.receipts) == (0 if clears else 1)
            assert (await where.printer.print_receipt(slip())).outcome is PrintOutcome.UNCERTAIN
            assert (await where.printer.print_receipt(slip("next"))).outcome is PrintOutcome.PRINTED
            assert (await where.printer.status()).faults == ()

    run(work())


@pytest.mark.parametrize("clears", [True, False])
def test_a_picture_cut_off_in_mid_transfer_does_not_spoil_the_next_job(clears: bool) -> None:
    async def work() -> None:
        async with bench() as where:
            for name in ("small_buffer", "paper_out_mid_job", *([] if clears else ["no_clear"])):
                await fault_of(where, name)
            long = PrintJob(job_id="long", lines=(TextLine(text="厦门市政务服务自助终端办事回执第一联" * 2),) * 25)
            result = await where.printer.print_receipt(long, timeout_seconds=3.4)
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "timed_out")
            await where.simulator.order("refill")
            assert (await where.printer.print_receipt(slip("next"))).outcome is PrintOutcome.PRINTED
            last = interpret(where.simulator.receipts[-1])
            assert last.unknown == []
            assert last.slips[-1].height == interpret(bytes(drawn())).slips[0].height

    run(work())


def test_a_lost_answer_is_uncertain(wire: tuple[str, str]) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            await fault_of(where, "backchannel_lost_mid_job")
            result = await where.printer.print_receipt(slip(), timeout_seconds=1.0)
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "no_answer")
            assert len(where.simulator.receipts) == 1

    run(work())


def test_the_link_lost_mid_job_is_uncertain_and_the_printer_is_found_again(wire: tuple[str, str]) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            assert (await where.printer.status()).is_fit
            await fault_of(where, "disconnect_mid_job")
            started = time.monotonic()
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "disconnected")
            assert time.monotonic() - started < 5
            if wire[0] == "pty":
                assert (await where.printer.status()).device is DeviceState.NO_DEVICE
            await where.simulator.order("clear")
            assert (await where.printer.print_receipt(slip())).outcome is PrintOutcome.UNCERTAIN
            assert (await where.printer.print_receipt(slip("next"))).outcome is PrintOutcome.PRINTED
            assert len(where.simulator.receipts) == 1

    run(work())


def test_the_peer_gone_before_the_first_byte_is_a_failure(wire: tuple[str, str]) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            assert (await where.printer.status()).is_fit
            await where.simulator.stop()
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (PrintOutcome.FAILED, "disconnected")
            assert (await where.printer.status()).device is DeviceState.NO_DEVICE

    run(work())


def test_pushed_status_is_not_taken_for_the_answer(wire: tuple[str, str]) -> None:
    async def work() -> None:
        async with bench(*wire) as where:
            await fault_of(where, "chatter")
            for number in range(3):
                assert (await where.printer.print_receipt(slip(f"s{number}"))).outcome is PrintOutcome.PRINTED
            await fault_of(where, "paper_out_mid_job")
            result = await where.printer.print_receipt(slip("late"), timeout_seconds=1.5)
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "paper_out")

    run(work())


def test_an_answer_to_an_older_job_never_confirms_a_newer_one() -> None:
    async def work() -> None:
        async with bench() as where:
            await fault_of(where, "paper_out_mid_job")
            await where.printer.print_receipt(slip("old"), timeout_seconds=1.2)
            await where.simulator.order("refill")
            await fault_of(where, "paper_out_mid_job")
            result = await where.printer.print_receipt(slip("new"), timeout_seconds=1.5)
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "paper_out")
            assert (await where.printer.print_receipt(slip("old"))).outcome is PrintOutcome.PRINTED

    run(work())


def test_a_cancelled_task_takes_the_job_back() -> None:
    async def work() -> None:
        async with bench() as where:
            await fault_of(where, "paper_out_mid_job")
            printing = asyncio.create_task(where.printer.print_receipt(slip()))

            async def seen_out() -> bool:
                return (await where.printer.status()).parts["paper"] == "out"

            await until(seen_out)
            printing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await printing
            await where.simulator.order("refill")
            assert where.simulator.receipts == []
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (PrintOutcome.UNCERTAIN, "cancelled")
            assert (await where.printer.print_receipt(slip("next"))).outcome is PrintOutcome.PRINTED

    run(work())


def test_a_printer_that_takes_nothing_ends_at_the_limit() -> None:
    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            address = f"socket://127.0.0.1:{deaf.getsockname()[1]}"
            printer = EscposPrinter(EscposPrinter.Options(port=address))
            started = time.monotonic()
            result = await printer.print_receipt(slip(), timeout_seconds=2)
            assert (result.outcome, result.reason) == (PrintOutcome.FAILED, "disconnected")
            assert time.monotonic() - started < 5
            await printer.close()

    run(work())


def test_status_of_an_absent_printer_is_said_and_nothing_raises(tmp_path: Path) -> None:
    async def work() -> None:
        printer = EscposPrinter(EscposPrinter.Options(port=str(tmp_path / "nothing")))
        status = await printer.status()
        assert status.device is DeviceState.NO_DEVICE
        assert [fault.code for fault in status.faults] == ["disconnected"]
        await printer.wipe()
        await printer.close()
        await printer.close()

    run(work())


def test_a_missing_font_is_refused_clearly(tmp_path: Path) -> None:
    options = EscposPrinter.Options(port="x", font_path=str(tmp_path / "none.ttc"))
    with pytest.raises(DeviceAbsent) as refused:
        EscposPrinter(options)
    assert refused.value.reason == "font_missing"


def test_capabilities_are_honest() -> None:
    async def work() -> None:
        printer = EscposPrinter(EscposPrinter.Options(port="x"))
        capabilities = await printer.capabilities()
        assert capabilities.driver == "receipt_printer/escpos"
        assert not {"presenter", "taken_sensor", "retract"} & capabilities.features

    run(work())


def test_a_job_that_cannot_pass_the_line_in_time_is_not_begun() -> None:
    async def work() -> None:
        async with bench() as where:
            options = EscposPrinter.Options(port=where.address, baud_rate=9600)
            slow = EscposPrinter(options)
            result = await slow.print_receipt(slip(), timeout_seconds=5)
            assert (result.outcome, result.reason) == (PrintOutcome.FAILED, "line_too_slow")
            assert where.simulator.receipts == []
            assert (await slow.print_receipt(slip(), timeout_seconds=120)).outcome is PrintOutcome.PRINTED
            await slow.close()

    run(work())
