"""Models that differ: what they can say back, how they cut, how wide they are, what their mouth holds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import zxingcpp

from drivers.messages import DeviceState, FaultAction, PrintOutcome
from drivers.receipt_printer.byte_builder import BARRIER
from drivers.receipt_printer.escpos import EscposPrinter
from drivers.receipt_printer.simulator.paper import interpret, render
from tests.drivers.receipt_printer.conftest import QR_CONTENT, bench, run, slip, until

PRINTED, FAILED, UNCERTAIN = PrintOutcome.PRINTED, PrintOutcome.FAILED, PrintOutcome.UNCERTAIN


# --- what they say back --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("back_channel", ["partial", "none"])
def test_a_printer_that_cannot_confirm_never_gets_the_word_printed(back_channel: str) -> None:
    async def work() -> None:
        async with bench(back_channel=back_channel) as where:
            await where.simulator.order("fault", "no_barrier")
            if back_channel == "none":
                await where.simulator.order("fault", "no_backchannel")
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (UNCERTAIN, "not_confirmed")
            assert await where.printer.print_receipt(slip()) == result
            await until(lambda: len(where.simulator.receipts) == 1)
            assert BARRIER not in where.simulator.receipts[0]
            assert (await where.printer.status()).is_fit
            features = (await where.printer.capabilities()).features
            assert f"back_channel_{back_channel}" in features
            assert ("near_end_sensor" in features) is (back_channel == "partial")

    run(work())


def test_a_partial_back_channel_still_tells_of_obstacles_before_and_after() -> None:
    async def work() -> None:
        async with bench(back_channel="partial") as where:
            await where.simulator.order("fault", "no_barrier")
            await where.simulator.order("fault", "cover_open")
            result = await where.printer.print_receipt(slip("before"))
            assert (result.outcome, result.reason) == (FAILED, "cover_open")
            await where.simulator.order("clear")
            await where.simulator.order("fault", "no_barrier")
            await where.simulator.order("fault", "paper_out_mid_job")
            result = await where.printer.print_receipt(slip("after"))
            assert (result.outcome, result.reason) == (UNCERTAIN, "paper_out")
            await where.printer.wipe()
            await where.simulator.order("refill")
            assert where.simulator.receipts == []  # what was left in it does not come out for the next citizen

    run(work())


def test_a_mute_printer_is_said_to_be_there_and_nothing_else_of_it() -> None:
    async def work() -> None:
        async with bench(back_channel="none") as where:
            await where.simulator.order("fault", "no_backchannel")
            assert (await where.printer.capabilities()).status_source == "inferred"
            status = await where.printer.status()
            assert (status.device, status.faults) == (DeviceState.ONLINE, ())
            assert set(status.parts.values()) == {"unknown"}
            await where.simulator.stop()
            assert (await where.printer.status()).device is DeviceState.NO_DEVICE
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (FAILED, "disconnected")

    run(work())


def test_what_a_mute_printer_did_not_take_is_ended_before_the_next_slip() -> None:
    async def work() -> None:
        async with bench(back_channel="none") as where:
            for name in ("no_backchannel", "no_clear", "small_buffer", "paper_out_mid_job"):
                await where.simulator.order("fault", name)
            long = slip("long").model_copy(update={"lines": slip().lines * 3})
            result = await where.printer.print_receipt(long, timeout_seconds=2.5)
            assert (result.outcome, result.reason) == (UNCERTAIN, "timed_out")
            stuck = await where.printer.status()
            assert [fault.code for fault in stuck.faults] == ["unfinished_job"]
            assert (await where.printer.print_receipt(slip("next"))).outcome is FAILED
            await where.simulator.order("refill")
            assert (await where.printer.print_receipt(slip("next"))).outcome is UNCERTAIN
            await until(lambda: bool(where.simulator.receipts))
            last = interpret(where.simulator.receipts[-1])
            assert last.unknown == []
            assert [code.text for code in zxingcpp.read_barcodes(last.slips[-1].convert("L"))][-1] == QR_CONTENT

    run(work())


@pytest.mark.parametrize("nonsense", ["garbage", "endless"])
def test_nonsense_is_another_device_and_never_a_confirmation(nonsense: str) -> None:
    async def work() -> None:
        async with bench() as where:
            await where.simulator.order("fault", nonsense)
            status = await where.printer.status()
            assert status.device is DeviceState.HARDWARE_ERROR
            assert [(fault.code, fault.action) for fault in status.faults] == [
                ("wrong_device", FaultAction.CONFIGURATION)
            ]
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (FAILED, "wrong_device")
            await where.simulator.order("clear")

            async def printed() -> bool:  # what still lies on the line may refuse it once more
                return (await where.printer.print_receipt(slip())).outcome is PRINTED

            await until(printed, 15.0)
            assert len(where.simulator.receipts) == 1

    run(work())


def test_nonsense_that_begins_amid_a_job_leaves_it_open() -> None:
    async def work() -> None:
        async with bench() as where:
            await where.simulator.order("fault", "paper_out_mid_job")
            printing = asyncio.create_task(where.printer.print_receipt(slip()))

            async def seen_out() -> bool:
                return (await where.printer.status()).parts["paper"] == "out"

            await until(seen_out)
            await where.simulator.order("fault", "garbage")
            await where.simulator.order("refill")
            result = await printing
            assert (result.outcome, result.reason) == (UNCERTAIN, "no_answer")

    run(work())


def test_an_echo_is_no_printer() -> None:
    async def work() -> None:
        async with bench() as where:
            await where.simulator.order("fault", "echo")
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (FAILED, "wrong_device")
            assert where.simulator.receipts == []

    run(work())


def test_pushed_status_is_seen_while_a_job_still_passes_the_line() -> None:
    async def work() -> None:
        async with bench(baud_rate=921_600) as where:
            for name in ("small_buffer", "paper_out_mid_job"):
                await where.simulator.order("fault", name)
            long = slip("long").model_copy(update={"lines": slip().lines * 3})
            printing = asyncio.create_task(where.printer.print_receipt(long, timeout_seconds=8))

            async def seen_out() -> bool:
                return (await where.printer.status()).parts["paper"] == "out"

            await until(seen_out)  # no question can be put into the midst of a picture: it was pushed
            await where.simulator.order("refill")
            assert (await printing).outcome is PRINTED

    run(work())


# --- wires, widths, cuts -------------------------------------------------------------------------------------------


def test_a_usb_node_prints_is_held_alone_and_is_found_again() -> None:
    async def work() -> None:
        async with bench("usb") as where:
            assert where.address.endswith("/lp0")
            assert (await where.printer.print_receipt(slip())).outcome is PRINTED
            second = EscposPrinter(EscposPrinter.Options(port=where.address))
            status = await second.status()
            assert [fault.code for fault in status.faults] == ["device_busy"]
            assert not status.is_fit
            await second.close()
            await where.simulator.order("fault", "disconnect_mid_job")
            result = await where.printer.print_receipt(slip("unplugged"))
            assert (result.outcome, result.reason) == (UNCERTAIN, "disconnected")
            assert (await where.printer.status()).device is DeviceState.NO_DEVICE
            await where.simulator.order("clear")
            assert (await where.printer.print_receipt(slip("again"))).outcome is PRINTED

    run(work())


@pytest.mark.parametrize("profile", ["raster", "gb18030"])
@pytest.mark.parametrize("width_dots", [384, 576])
def test_both_widths_of_paper_hold_the_whole_slip(width_dots: int, profile: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with bench(peer={"width_dots": str(width_dots)}, profile=profile, width_dots=width_dots) as where:
            assert (await where.printer.print_receipt(slip())).outcome is PRINTED
            data = where.simulator.receipts[0]
            assert interpret(data, width_dots).unknown == []
            paper = render(data, width_dots)
            assert paper.width == width_dots + 64
            margin = np.asarray(paper)[:, :32], np.asarray(paper)[:, -32:]
            assert all((side == 255).all() for side in margin)
            assert [code.text for code in zxingcpp.read_barcodes(paper)] == [QR_CONTENT]

    run(work())


@pytest.mark.parametrize(
    ("cutter", "ending"), [("full", b"\x1dV\x41\x00"), ("partial", b"\x1dV\x42\x00"), ("none", b"\x1bd\x06")]
)
def test_the_slip_ends_as_the_cutter_wants_it(cutter: str, ending: bytes) -> None:
    async def work() -> None:
        async with bench(peer={"cutter": "" if cutter == "none" else "1"}, cutter=cutter) as where:
            for number in range(2):
                assert (await where.printer.print_receipt(slip(f"s{number}"))).outcome is PRINTED
            assert [data.endswith(ending) for data in where.simulator.receipts] == [True, True]
            assert f"cut_{cutter}" in (await where.printer.capabilities()).features

    run(work())


# --- presenters ----------------------------------------------------------------------------------------------------


def test_a_slip_left_in_the_presenter_is_told_and_taken_back_in() -> None:
    async def work() -> None:
        async with bench(peer={"presenter": "1"}, presenter="custom", take_seconds=0.2) as where:
            assert (await where.printer.print_receipt(slip("taken"))).outcome is PRINTED
            assert (await where.printer.status()).parts["media"] == "not_present"
            await where.simulator.order("fault", "not_taken")
            assert (await where.printer.print_receipt(slip("left"))).outcome is PRINTED

            async def told() -> bool:
                status = await where.printer.status()
                assert status.parts["media"] == "presented"
                return [fault.code for fault in status.faults] == ["not_taken"]

            await until(told)
            behind = await where.printer.print_receipt(slip("behind"))
            assert (behind.outcome, behind.reason) == (FAILED, "not_taken")
            await where.printer.wipe()
            await until(where_is_fit(where.printer))
            assert where.simulator.retracted == 1
            assert (await where.printer.status()).parts["media"] == "not_present"

    run(work())


def test_a_jam_in_the_presenter_is_told() -> None:
    async def work() -> None:
        async with bench(peer={"presenter": "1"}, presenter="custom") as where:
            await where.simulator.order("fault", "presenter_jammed")
            status = await where.printer.status()
            assert (status.device, status.parts["media"]) == (DeviceState.USER_ERROR, "jammed")
            result = await where.printer.print_receipt(slip())
            assert (result.outcome, result.reason) == (FAILED, "paper_jammed")

    run(work())


def test_without_a_presenter_nothing_is_known_of_the_mouth() -> None:
    async def work() -> None:
        async with bench() as where:
            assert (await where.printer.status()).parts["media"] == "unknown"

    run(work())


def where_is_fit(printer: EscposPrinter):  # type: ignore[no-untyped-def]
    async def fit() -> bool:
        return (await printer.status()).is_fit

    return fit
