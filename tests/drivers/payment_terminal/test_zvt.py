"""Bank cards: whatever becomes of the link, the order ends as the terminal's own journal says, and is charged once."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, HardwareFault, Unsupported
from drivers.messages import DeviceState, PaymentMethod, PaymentState
from drivers.payment_terminal.simulator.zvt_terminal import STEPS
from drivers.payment_terminal.zvt import ZvtTerminal
from drivers.payment_terminal.zvt_ledger import Entry, Ledger
from tests.drivers.payment_terminal.conftest import FEN, Card, card, card_driver, order, run, shown, until


async def pay(bench: Card, order_id: str = "YZ-1", seconds: float = 20.0) -> object:
    begun = await bench.terminal.begin(order(order_id))
    assert begun.state in (PaymentState.PAYING, PaymentState.UNCERTAIN, PaymentState.SUCCEEDED)
    return await bench.terminal.settle(order_id, timeout_seconds=seconds)


@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_a_card_pays_once_and_the_money_goes_back_once(transport: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path, transport) as bench:
            assert await bench.terminal.methods() == (PaymentMethod.CARD,)
            begun = await bench.terminal.begin(order())
            assert begun.state is PaymentState.PAYING
            assert (await bench.terminal.status()).device is DeviceState.BUSY
            assert (await bench.terminal.find_payment("YZ-1")).state is PaymentState.PAYING
            settled = await bench.terminal.settle("YZ-1")
            assert (settled.state, settled.amount_fen, settled.to_refund_fen) == (PaymentState.SUCCEEDED, FEN, 0)
            assert settled.reference == "68000001-0001-001001"
            for _ in range(2):
                assert await bench.terminal.begin(order()) == settled
            assert (bench.peer.terminal.sent_authorisations, bench.peer.terminal.charged_fen) == (1, FEN)
            assert (await bench.terminal.begin(order(amount_fen=1))).reason == "duplicate_order"
            less = await bench.terminal.refund("YZ-1", "R-0", 1, "part")
            assert (less.state, less.reason) == (PaymentState.FAILED, "partial_not_possible")
            for _ in range(2):
                back = await bench.terminal.refund("YZ-1", "R-1", FEN, "not_delivered")
                assert (back.state, back.amount_fen) == (PaymentState.SUCCEEDED, FEN)
            other = await bench.terminal.refund("YZ-1", "R-2", FEN, "again")
            assert (other.state, other.reason) == (PaymentState.FAILED, "already_refunded")
            assert bench.peer.terminal.charged_fen == 0

    run(work())


@pytest.mark.parametrize("takes_back", [True, False], ids=["takes back", "keeps"])
@pytest.mark.parametrize("step", STEPS)
def test_a_link_lost_at_any_step_ends_as_the_journal_says(step: str, takes_back: bool, tmp_path: Path) -> None:
    """And another process, which knows only what is on disk, comes to the same end."""

    async def work() -> None:
        async with card(tmp_path) as bench:
            await pay(bench, "YZ-0")
            await bench.peer.order("fault", f"lost_{step}")
            if not takes_back:
                await bench.peer.order("fault", "no_auto_reversal")
            begun = await bench.terminal.begin(order())
            assert begun.state in (PaymentState.PAYING, PaymentState.UNCERTAIN)
            await until(lambda: _is_over(bench.terminal))
            await bench.another()
            settled = await bench.terminal.settle("YZ-1", timeout_seconds=20)
            charged = bench.peer.terminal.charged_fen - FEN
            assert settled.state is (PaymentState.SUCCEEDED if charged else PaymentState.FAILED)
            assert charged == (0 if takes_back and STEPS.index(step) < STEPS.index("after_status_ack") else FEN)
            assert await bench.terminal.begin(order()) == settled
            assert bench.peer.terminal.sent_authorisations == 2
            assert await bench.terminal.unresolved() == ()
            assert (await pay(bench, "YZ-2")).state is PaymentState.SUCCEEDED  # type: ignore[attr-defined]

    run(work())


async def _is_over(terminal: ZvtTerminal) -> bool:
    return terminal._running is None


def test_a_process_killed_in_the_payment_is_asked_after_from_disk(tmp_path: Path) -> None:
    """Through the host: the process dies between authorisation and result, the next one finds the truth."""
    import os
    import signal

    from drivers.host import DeviceConfig, SupervisedDevice

    async def work() -> None:
        async with card(tmp_path, card_seconds="1.0") as bench:
            options = {"port": bench.address, "state_path": str(tmp_path / "host.sqlite"), "silence_seconds": 3.0}
            device = SupervisedDevice(DeviceConfig(name="it", driver="payment_terminal/zvt", options=options))
            try:
                await device.open()
                begun = await device.proxy.begin(order())
                assert begun.state is PaymentState.PAYING
                waiting = asyncio.ensure_future(device.proxy.settle("YZ-1", timeout_seconds=20))
                await asyncio.sleep(0)
                pid = device.pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                assert (await waiting).state is PaymentState.UNCERTAIN
                settled = await device.proxy.settle("YZ-1", timeout_seconds=20)
                assert (settled.state, settled.reason) == (PaymentState.FAILED, "reversed")
                assert (await device.proxy.begin(order())).state is PaymentState.FAILED
                assert (bench.peer.terminal.sent_authorisations, bench.peer.terminal.charged_fen) == (1, 0)
            finally:
                await device.close()

    run(work())


def test_while_one_payment_is_open_no_other_is_begun(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path, card_seconds="0.3") as bench:
            await bench.terminal.begin(order())
            with pytest.raises(DeviceBusy):
                await bench.terminal.begin(order("YZ-2"))
            same = await asyncio.gather(*(bench.terminal.begin(order()) for _ in range(3)))
            assert {result.state for result in same} == {PaymentState.PAYING}
            await bench.terminal.settle("YZ-1")
            await bench.peer.order("fault", "lost_booked")
            await bench.peer.order("fault", "no_auto_reversal")
            await bench.terminal.begin(order("YZ-3"))
            await until(lambda: _is_over(bench.terminal))
            await bench.peer.order("fault", "busy")
            with pytest.raises(DeviceError):
                await bench.terminal.begin(order("YZ-4"))
            await bench.peer.order("clear")
            assert (await pay(bench, "YZ-4")).state is PaymentState.SUCCEEDED  # type: ignore[attr-defined]
            assert (await bench.terminal.find_payment("YZ-3")).state is PaymentState.SUCCEEDED
            assert bench.peer.terminal.charged_fen == 3 * FEN

    run(work())


@pytest.mark.parametrize("transport", ["tcp", "pty"])
def test_a_payment_is_taken_back_before_the_card_and_stays_taken_back(transport: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path, transport) as bench:
            await bench.peer.order("fault", "never")
            await bench.terminal.begin(order())
            waiting = asyncio.create_task(bench.terminal.settle("YZ-1", timeout_seconds=30))
            await asyncio.sleep(0)
            closed = await bench.terminal.cancel_payment("YZ-1")
            assert (closed.state, closed.reason) == (PaymentState.CLOSED, "cancelled")
            assert (await waiting).state is PaymentState.CLOSED
            await bench.peer.order("clear")
            assert (await bench.terminal.begin(order())).state is PaymentState.CLOSED
            assert (await bench.terminal.cancel_payment("never begun")).state is PaymentState.CLOSED
            assert (await bench.terminal.begin(order("never begun"))).state is PaymentState.CLOSED
            assert bench.peer.terminal.charged_fen == 0

    run(work())


def test_a_visit_that_ends_takes_back_what_is_not_paid(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await bench.peer.order("fault", "never")
            await bench.terminal.begin(order())
            await bench.terminal.wipe()
            assert (await bench.terminal.settle("YZ-1", timeout_seconds=20)).state is PaymentState.CLOSED

    run(work())


def test_an_order_ends_with_its_time(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await bench.peer.order("fault", "never")
            soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
            assert (await bench.terminal.begin(order(expires_at=soon))).state is PaymentState.PAYING
            assert (await bench.terminal.settle("YZ-1", timeout_seconds=20)).state is PaymentState.CLOSED
            past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
            assert (await bench.terminal.begin(order("YZ-2", expires_at=past))).reason == "expired"
            assert bench.peer.terminal.sent_authorisations == 1

    run(work())


@pytest.mark.parametrize(
    ("fault", "reason", "back"),
    [("wrong_amount", "amount_mismatch", FEN + 100), ("wrong_currency", "currency_mismatch", FEN)],
)
def test_another_amount_is_no_payment_and_goes_back(fault: str, reason: str, back: int, tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await bench.peer.order("fault", fault)
            await bench.terminal.begin(order())
            settled = await bench.terminal.settle("YZ-1")
            assert (settled.state, settled.reason, settled.to_refund_fen) == (PaymentState.FAILED, reason, back)
            assert (await bench.terminal.refund("YZ-1", "R", back, reason)).state is PaymentState.SUCCEEDED
            assert (await bench.terminal.find_payment("YZ-1")).to_refund_fen == 0
            assert bench.peer.terminal.charged_fen == 0

    run(work())


@pytest.mark.parametrize("fault", ["lost_before_reversal", "lost_after_reversal"])
def test_a_reversal_whose_link_is_lost_is_done_once(fault: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await pay(bench)
            await bench.peer.order("fault", fault)
            assert (await bench.terminal.refund("YZ-1", "R", FEN, "x")).state is PaymentState.UNCERTAIN
            other = await bench.terminal.refund("YZ-1", "R-2", FEN, "x")
            assert (other.state, other.reason) == (PaymentState.FAILED, "earlier_refund_open")
            await bench.another()
            assert (await bench.terminal.refund("YZ-1", "R", FEN, "x")).state is PaymentState.SUCCEEDED
            reversals = [booking for booking in bench.peer.terminal.journal if booking.original_trace is not None]
            assert (len(reversals), bench.peer.terminal.charged_fen) == (1, 0)

    run(work())


def test_nothing_of_the_card_is_kept(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await pay(bench)

    run(work())
    data = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"YZ-1" in data
    for personal in (b"622202", b"UnionPay", bytes.fromhex("622202")):
        assert personal not in data


def test_an_unwritten_order_is_not_sent_and_an_unwritten_result_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await pay(bench, "YZ-0")
            room = {"writes": 0}
            honest = Ledger._write

            def full_after(self: Ledger, table: str, row: Entry) -> None:
                if room["writes"] == 0:
                    raise HardwareFault("no room", "disk_full")
                room["writes"] -= 1
                honest(self, table, row)  # type: ignore[arg-type]

            monkeypatch.setattr(Ledger, "_write", full_after)
            with pytest.raises(HardwareFault) as full:
                await bench.terminal.begin(order("YZ-1"))
            assert full.value.reason == "disk_full"
            assert bench.peer.terminal.sent_authorisations == 1
            room["writes"] = 1
            await bench.terminal.begin(order("YZ-2"))
            await until(lambda: _is_over(bench.terminal))
            monkeypatch.setattr(Ledger, "_write", honest)
            settled = await bench.terminal.settle("YZ-2", timeout_seconds=20)
            assert (settled.state, settled.reason) == (PaymentState.FAILED, "reversed")
            assert bench.peer.terminal.charged_fen == FEN

    run(work())


def test_a_damaged_file_stops_payments_instead_of_forgetting_them(tmp_path: Path) -> None:
    file = tmp_path / "orders.sqlite"
    file.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(HardwareFault) as damaged:
        card_driver("socket://127.0.0.1:1", file)
    assert damaged.value.reason == "state_damaged"
    with pytest.raises(Unsupported) as unusable:
        card_driver("socket://127.0.0.1:1", file / "below" / "a file")
    assert unusable.value.reason == "state_path_unusable"


def test_a_folder_has_one_file_for_each_port_and_one_owner(tmp_path: Path) -> None:
    first, second = Ledger(str(tmp_path), "/dev/a"), Ledger(str(tmp_path), "/dev/b")
    first.save(Entry("YZ-1", FEN, "CNY"))
    assert second.order("YZ-1") is None
    assert len(list(tmp_path.glob("zvt-*.sqlite"))) == 2
    first.close()
    second.close()
    again = Ledger(str(tmp_path), "/dev/a")
    assert [entry.order_id for entry in again.open_orders()] == ["YZ-1"]
    name = next(file for file in tmp_path.glob("*.sqlite") if b"YZ-1" in file.read_bytes())
    stranger = sqlite3.connect(name, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        stranger.execute("DELETE FROM orders")
    stranger.close()
    again.close()


def test_without_a_file_the_driver_says_so_and_what_it_does_not_know_is_uncertain(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            forgetful = card_driver(bench.address, "")
            await bench.terminal.close()
            status = await forgetful.status()
            assert [fault.code for fault in status.faults] == ["ids_not_on_disk"]
            assert status.is_fit
            assert "ids_on_disk" not in (await forgetful.capabilities()).features
            found = await forgetful.find_payment("of another process")
            assert (found.state, found.reason) == (PaymentState.UNCERTAIN, "order_unknown")
            await forgetful.close()

    run(work())


def test_a_terminal_that_was_away_is_used_again(tmp_path: Path) -> None:
    async def work() -> None:
        for transport in ("tcp", "pty"):
            async with card(tmp_path, transport) as bench:
                await pay(bench, f"{transport}-1")
                await bench.peer.order("fault", "unplugged")
                with pytest.raises((DeviceOffline, DeviceAbsent)):
                    await bench.terminal.begin(order(f"{transport}-2"))
                assert not (await bench.terminal.status()).is_fit
                await bench.peer.order("clear")
                assert (await pay(bench, f"{transport}-2")).state is PaymentState.SUCCEEDED  # type: ignore[attr-defined]

    run(work())


@pytest.mark.parametrize("transport", ["tcp", "pty"])
@pytest.mark.parametrize("fault", ["wrong_device", "endless"])
def test_something_else_on_the_port_is_named(transport: str, fault: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path, transport) as bench:
            await bench.peer.order("fault", fault)
            with pytest.raises(HardwareFault) as strange:
                await bench.terminal.begin(order())
            assert strange.value.reason == "wrong_device"
            assert await bench.terminal.unresolved() == ()

    run(work())


def test_a_silent_terminal_is_an_error_and_close_does_not_wait_for_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            await bench.peer.order("fault", "silent")
            result = await bench.terminal.begin(order(), timeout_seconds=0.3)
            assert (result.state, result.reason) == (PaymentState.UNCERTAIN, "no_answer")
            status = await bench.terminal.status()
            assert set(status.parts) >= {"terminal", "network", "unresolved"}
            async with asyncio.timeout(5):
                await bench.terminal.close()
            assert bench.peer.terminal.sent_authorisations == 0

    run(work())


def test_only_cards_and_only_yuan(tmp_path: Path) -> None:
    async def work() -> None:
        async with card(tmp_path) as bench:
            for other in (shown(), order(currency="USD")):
                with pytest.raises(Unsupported):
                    await bench.terminal.begin(other)
            refused = await bench.terminal.refund("nobody's", "R", 1, "x")
            assert (refused.state, refused.reason) == (PaymentState.FAILED, "order_unknown")

    run(work())
