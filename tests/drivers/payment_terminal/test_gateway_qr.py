"""Codes through the centre: success only with the acquirer's word, and every fen that must go back is named."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from pydantic import ValidationError

from drivers.errors import DeviceOffline, MediaError, Unsupported
from drivers.messages import DeviceState, PaymentMethod, PaymentState
from drivers.payment_terminal.gateway_judgement import Expected, judge
from drivers.payment_terminal.gateway_orders import GatewayOrder
from drivers.payment_terminal.gateway_qr import GatewayQr
from tests.drivers.payment_terminal.conftest import FEN, gateway, order, run, shown, until

EXPECTED = Expected(FEN, "CNY", "qr_shown")


def said(state: str, *payments: int, verified: bool = True, currency: str = "CNY", **further: object) -> GatewayOrder:
    arrived = [{"reference": f"A{n}", "amount_fen": fen, "currency": currency} for n, fen in enumerate(payments)]
    values = {"order_id": "o", "amount_fen": FEN, "currency": "CNY", "state": state, "verified": verified}
    return GatewayOrder.model_validate(values | {"payments": arrived} | further)


@pytest.mark.parametrize(
    ("answer", "state", "reason", "back"),
    [
        (said("open"), PaymentState.PENDING, "", 0),
        (said("paying"), PaymentState.PAYING, "", 0),
        (said("paid", FEN), PaymentState.SUCCEEDED, "", 0),
        (said("paid", FEN, verified=False), PaymentState.UNCERTAIN, "not_verified", 0),
        (said("paid"), PaymentState.UNCERTAIN, "answer_garbled", 0),
        (said("paid", FEN - 1), PaymentState.FAILED, "amount_mismatch", FEN - 1),
        (said("paid", FEN + 1), PaymentState.FAILED, "amount_mismatch", FEN + 1),
        (said("paid", FEN, currency="USD"), PaymentState.FAILED, "currency_mismatch", FEN),
        (said("paid", FEN, FEN), PaymentState.SUCCEEDED, "paid_twice", FEN),
        (said("paid", FEN, FEN, refunded_fen=FEN), PaymentState.SUCCEEDED, "paid_twice", 0),
        (said("paid", 1, FEN), PaymentState.SUCCEEDED, "paid_twice", 1),
        (said("paid", FEN, amount_fen=1), PaymentState.FAILED, "amount_mismatch", FEN),
        (said("open", amount_fen=1), PaymentState.FAILED, "amount_mismatch", 0),
        (said("closed"), PaymentState.CLOSED, "", 0),
        (said("closed", FEN), PaymentState.CLOSED, "paid_after_close", FEN),
        (said("closed", FEN, refunded_fen=FEN), PaymentState.CLOSED, "paid_after_close", 0),
        (said("refused", reason="expired"), PaymentState.FAILED, "expired", 0),
        (said("refused"), PaymentState.FAILED, "declined", 0),
        (said("refused", FEN - 1, reason="amount_mismatch"), PaymentState.FAILED, "amount_mismatch", FEN - 1),
        (said("refused", FEN, reason="declined"), PaymentState.CLOSED, "paid_after_close", FEN),
    ],
)
def test_an_answer_is_judged(answer: GatewayOrder, state: PaymentState, reason: str, back: int) -> None:
    result = judge(answer, EXPECTED)
    assert (result.state, result.reason, result.to_refund_fen) == (state, reason, back)
    assert bool(result.qr) == (state is PaymentState.PENDING and bool(answer.qr))


def test_a_code_is_shown_and_paid_and_nothing_is_counted_twice() -> None:
    async def work() -> None:
        async with gateway() as bench:
            begun = await bench.terminal.begin(shown())
            assert begun.state is PaymentState.PENDING
            assert begun.qr.startswith("https://")
            assert begun.qr not in repr(begun)
            again = await bench.terminal.begin(shown())
            assert again.qr == begun.qr
            assert await bench.terminal.unresolved() == ("YZ-1",)
            waiting = asyncio.create_task(bench.terminal.settle("YZ-1", timeout_seconds=10))
            await bench.peer.order("pay")
            settled = await waiting
            assert (settled.state, settled.amount_fen, settled.to_refund_fen) == (PaymentState.SUCCEEDED, FEN, 0)
            assert settled.reference
            assert (await bench.terminal.begin(shown())).state is PaymentState.SUCCEEDED
            assert await bench.terminal.unresolved() == ()
            assert await bench.peer.order("charged", "YZ-1") == str(FEN)

    run(work())


def test_a_notice_that_was_lost_is_found_by_asking_the_acquirer() -> None:
    async def work() -> None:
        async with gateway() as bench:
            await bench.peer.order("fault", "notify_lost")
            await bench.terminal.begin(shown())
            await bench.peer.order("pay")
            settled = await bench.terminal.settle("YZ-1", timeout_seconds=10)
            assert settled.state is PaymentState.SUCCEEDED

    run(work())


def test_a_scanned_code_is_a_secret_and_is_charged_once_though_the_answer_is_lost() -> None:
    async def work() -> None:
        async with gateway(pays_after="0.05") as bench:
            scanned = order("YZ-2", PaymentMethod.QR_SCANNED, payer_code="134567890123456789")
            assert "134567890123456789" not in repr(scanned)
            await bench.peer.order("fault", "lost_once")
            await bench.terminal.begin(scanned)
            settled = await bench.terminal.settle("YZ-2", timeout_seconds=10)
            assert settled.state is PaymentState.SUCCEEDED
            assert await bench.peer.order("charged", "YZ-2") == str(FEN)
            with pytest.raises(MediaError) as none:
                await bench.terminal.begin(order("YZ-3", PaymentMethod.QR_SCANNED))
            assert none.value.reason == "payer_code_missing"

    run(work())


@pytest.mark.parametrize("fault", ["pay_twice", "wrong_amount", "wrong_currency"])
def test_what_was_paid_too_much_goes_back_once(fault: str) -> None:
    async def work() -> None:
        async with gateway(pays_after="0.05") as bench:
            await bench.peer.order("fault", fault)
            await bench.terminal.begin(shown())
            settled = await bench.terminal.settle("YZ-1", timeout_seconds=10)
            assert settled.to_refund_fen > 0
            for _ in range(2):
                back = await bench.terminal.refund("YZ-1", "YZ-1-r", settled.to_refund_fen, settled.reason)
                assert back.state is PaymentState.SUCCEEDED
            found = await bench.terminal.find_payment("YZ-1")
            assert found.to_refund_fen == 0
            kept = FEN if found.state is PaymentState.SUCCEEDED else 0
            assert await bench.peer.order("charged", "YZ-1") == str(kept)

    run(work())


def test_money_that_comes_after_the_order_was_closed_is_named_and_goes_back() -> None:
    async def work() -> None:
        async with gateway() as bench:
            await bench.terminal.begin(shown())
            assert (await bench.terminal.cancel_payment("YZ-1")).state is PaymentState.CLOSED
            await bench.peer.order("pay", "YZ-1")
            late = await bench.terminal.find_payment("YZ-1")
            assert (late.state, late.reason, late.to_refund_fen) == (PaymentState.CLOSED, "paid_after_close", FEN)
            assert (await bench.terminal.refund("YZ-1", "r", FEN, "late")).state is PaymentState.SUCCEEDED
            assert await bench.peer.order("charged", "YZ-1") == "0"

    run(work())


def test_closing_loses_against_a_payment_that_was_quicker() -> None:
    async def work() -> None:
        async with gateway() as bench:
            await bench.terminal.begin(shown())
            await bench.peer.order("pay")
            assert (await bench.terminal.cancel_payment("YZ-1")).state is PaymentState.SUCCEEDED

    run(work())


def test_an_order_that_never_arrived_is_barred_by_closing_it() -> None:
    """The request may still be on its way: closing an unknown id closes it for good."""

    async def work() -> None:
        async with gateway() as bench:
            assert (await bench.terminal.find_payment("YZ-9")).reason == "order_unknown"
            assert (await bench.terminal.cancel_payment("YZ-9")).state is PaymentState.CLOSED
            assert (await bench.terminal.begin(shown("YZ-9"))).state is PaymentState.CLOSED

    run(work())


def test_one_id_is_one_order_also_for_the_next_process() -> None:
    async def work() -> None:
        async with gateway() as bench:
            await bench.terminal.begin(shown())
            assert (await bench.terminal.begin(shown(amount_fen=1))).reason == "duplicate_order"
            other = GatewayQr(GatewayQr.Options(address=bench.address))
            assert (await other.begin(shown(amount_fen=1))).reason == "duplicate_order"
            found = await other.find_payment("YZ-1")
            assert (found.state, found.amount_fen) == (PaymentState.PENDING, FEN)
            await other.close()

    run(work())


def test_nothing_sent_is_an_error_and_perhaps_sent_is_uncertain() -> None:
    async def work() -> None:
        async with gateway() as bench:
            await bench.peer.order("fault", "silent")
            result = await bench.terminal.begin(shown(), timeout_seconds=0.5)
            assert (result.state, result.reason) == (PaymentState.UNCERTAIN, "no_answer")
            await bench.peer.order("clear")
            await bench.peer.order("fault", "network_down")
            with pytest.raises(DeviceOffline) as never_sent:
                await bench.terminal.begin(shown("YZ-2"), timeout_seconds=0.5)
            assert never_sent.value.reason == "network_down"
            known = await bench.terminal.begin(shown(), timeout_seconds=0.5)
            assert (known.state, known.reason) == (PaymentState.UNCERTAIN, "network_down")
            assert await bench.terminal.methods() == ()
            assert (await bench.terminal.status()).device is DeviceState.OFFLINE
            await bench.peer.order("clear")
            assert (await bench.terminal.begin(shown("YZ-2"))).state is PaymentState.PENDING
            assert (await bench.terminal.status()).is_fit

    run(work())


@pytest.mark.parametrize("fault", ["garbage", "wrong_device", "endless", "another_order", "broken"])
def test_nonsense_is_never_a_payment_and_ends_within_the_limit(fault: str) -> None:
    async def work() -> None:
        async with gateway(pays_after="0.01") as bench:
            await bench.terminal.begin(shown())
            await until(lambda: _is_charged(bench.peer))
            await bench.peer.order("fault", fault)
            settled = await bench.terminal.settle("YZ-1", timeout_seconds=0.6)
            assert settled.state is PaymentState.UNCERTAIN
            assert settled.reason in ("answer_garbled", "wrong_device", "gateway_broken")
            await bench.peer.order("clear")
            assert (await bench.terminal.settle("YZ-1", timeout_seconds=10)).state is PaymentState.SUCCEEDED

    run(work())


async def _is_charged(peer: object) -> bool:
    return await peer.order("charged", "YZ-1") == str(FEN)  # type: ignore[attr-defined]


def test_closing_ends_a_wait_and_a_wait_that_is_taken_back_charges_nothing() -> None:
    async def work() -> None:
        async with gateway() as bench:
            await bench.terminal.begin(shown())
            waiting = asyncio.create_task(bench.terminal.settle("YZ-1", timeout_seconds=30))
            await asyncio.sleep(0)
            await bench.terminal.cancel_payment("YZ-1")
            assert (await waiting).state is PaymentState.CLOSED
            await bench.terminal.begin(shown("YZ-2"))
            waiting = asyncio.create_task(bench.terminal.settle("YZ-2", timeout_seconds=30))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await bench.terminal.status()).device is DeviceState.ONLINE
            assert await bench.peer.order("charged", "YZ-2") == "0"

    run(work())


def test_what_is_not_offered_or_too_late_is_refused_before_anything_is_sent() -> None:
    async def work() -> None:
        async with gateway() as bench:
            with pytest.raises(Unsupported):
                await bench.terminal.begin(order())
            past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
            assert (await bench.terminal.begin(shown(expires_at=past))).reason == "expired"
            assert await bench.peer.order("orders") == "{}"

    run(work())


@pytest.mark.parametrize(
    "address",
    ["http://gateway.example/pay", "ftp://127.0.0.1/", "https://user:word@host/", "https://host/?key=1", "host:80"],
)
def test_orders_travel_encrypted_or_stay_on_this_machine(address: str) -> None:
    with pytest.raises(ValidationError):
        GatewayQr.Options(address=address)
