"""What befalls money at the machine: through the centre's gateway, and at a card terminal (device-classes C.10)."""

from __future__ import annotations

import atexit
import datetime as dt
import secrets
import shutil
import tempfile
from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction, PaymentMethod, PaymentOrder, PaymentState
from tests.drivers.fault_cases.case import FaultCase

FOLDER = tempfile.mkdtemp(prefix="yizhan-orders-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
AMOUNT_FEN = 1250
SETTLE_SECONDS = 12.0
VAIN_SECONDS = 1.5


def _order(method: PaymentMethod) -> PaymentOrder:
    return PaymentOrder(
        order_id=f"case-{secrets.token_hex(8)}",
        amount_fen=AMOUNT_FEN,
        subject="工本费",
        method=method,
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5),
    )


async def _pay(terminal: Any, method: PaymentMethod, settle_seconds: float = SETTLE_SECONDS) -> Any:
    order = _order(method)
    begun = await terminal.begin(order, timeout_seconds=min(settle_seconds, 6.0))
    if begun.state not in (PaymentState.PENDING, PaymentState.PAYING, PaymentState.UNCERTAIN):
        return begun
    return await terminal.settle(order.order_id, timeout_seconds=settle_seconds)


async def _scan(terminal: Any) -> object:
    return await _pay(terminal, PaymentMethod.QR_SHOWN)


async def _scan_in_vain(terminal: Any) -> object:
    return await _pay(terminal, PaymentMethod.QR_SHOWN, VAIN_SECONDS)


async def _close_then_look(terminal: Any) -> object:
    order = _order(PaymentMethod.QR_SHOWN)
    await terminal.begin(order)
    await terminal.cancel_payment(order.order_id)
    found = await terminal.find_payment(order.order_id)
    while not found.to_refund_fen:
        found = await terminal.find_payment(order.order_id)
    back = await terminal.refund(order.order_id, f"{order.order_id}-r", found.to_refund_fen, "late")
    assert back.state is PaymentState.SUCCEEDED
    return found


async def _hand_back(terminal: Any, method: PaymentMethod) -> object:
    paid = await _pay(terminal, method)
    return await terminal.refund(paid.order_id, f"{paid.order_id}-r", AMOUNT_FEN, "not_delivered", timeout_seconds=3.0)


async def _hand_back_twice(terminal: Any, method: PaymentMethod) -> object:
    """An uncertain refund is asked for again under its id, until it is final."""
    paid = await _pay(terminal, method)
    refund = (paid.order_id, f"{paid.order_id}-r", AMOUNT_FEN, "not_delivered")
    first = await terminal.refund(*refund)
    return first if first.state is not PaymentState.UNCERTAIN else await terminal.refund(*refund)


_qr = partial(
    FaultCase, "payment_terminal/gateway_qr", deed=_scan, simulator_options={"pays_after": "0.1"},
    options={"poll_interval_seconds": 0.1, "verify_interval_seconds": 0.3},
)  # fmt: skip
_vain = partial(_qr, deed=_scan_in_vain)
_broken = partial(_vain, device=DeviceState.HARDWARE_ERROR)

QR_CASES = (
    _qr("pay_late", completion="done"),
    _qr("notify_lost", completion="done"),
    _qr("slow", completion="done"),
    _qr("lost_once", completion="done"),
    _qr("pay_twice", completion="succeeded/paid_twice"),
    _qr("wrong_amount", completion="failed/amount_mismatch"),
    _qr("wrong_currency", completion="failed/currency_mismatch"),
    _qr("declined", completion="failed/declined"),
    _qr("paid_after_close", deed=_close_then_look, completion="closed/paid_after_close"),
    _vain("never", completion="uncertain/timed_out"),
    _qr("refund_fails", deed=partial(_hand_back, method=PaymentMethod.QR_SHOWN), completion="failed/refund_refused"),
    _qr("refund_lost_once", deed=partial(_hand_back, method=PaymentMethod.QR_SHOWN), completion="done"),
    _qr("signed_out", completion="done", code="acquirer_signed_out", action=FaultAction.MAINTENANCE),
    _vain(
        "network_down", completion="device_offline/network_down", device=DeviceState.OFFLINE, code="network_down",
        action=FaultAction.WAIT, parts={"network": "down"},
    ),
    _vain(
        "silent", completion="uncertain/no_answer", device=DeviceState.OFFLINE, code="no_answer",
        action=FaultAction.WAIT, parts={"network": "down", "acquirer": "unknown"},
    ),
    _vain(
        "broken", completion="uncertain/gateway_broken", device=DeviceState.OFFLINE, code="gateway_broken",
        action=FaultAction.WAIT,
    ),
    _vain(
        "not_authorised", completion="device_offline/not_authorised", device=DeviceState.OFFLINE,
        code="not_authorised", action=FaultAction.CONFIGURATION,
    ),
    _vain("another_order", completion="uncertain/answer_garbled"),
    _broken("garbage", completion="uncertain/answer_garbled", code="answer_garbled", action=FaultAction.MAINTENANCE),
    _broken("wrong_device", completion="uncertain/wrong_device", code="wrong_device", action=FaultAction.CONFIGURATION),
    _broken("endless", completion="uncertain/wrong_device", code="wrong_device", action=FaultAction.CONFIGURATION),
)  # fmt: skip


async def _tap(terminal: Any) -> object:
    return await _pay(terminal, PaymentMethod.CARD)


async def _tap_in_vain(terminal: Any) -> object:
    order = _order(PaymentMethod.CARD)
    begun = await terminal.begin(order)
    settled = await terminal.settle(order.order_id, timeout_seconds=VAIN_SECONDS)
    closed = await terminal.cancel_payment(order.order_id)
    assert (begun.state, closed.state) == (PaymentState.PAYING, PaymentState.CLOSED)
    return settled


_card = partial(
    FaultCase, "payment_terminal/zvt", deed=_tap, simulator_options={"card_seconds": "0.1"},
    options={"state_path": FOLDER},
)  # fmt: skip
_serial = partial(_card, simulator_options={"card_seconds": "0.1", "transport": "pty"})
_dead = partial(_card, device=DeviceState.HARDWARE_ERROR)
_stranger = partial(_dead, action=FaultAction.CONFIGURATION)

CARD_CASES = (
    _card("pay_late", completion="done"),
    _card("status_twice", completion="done"),
    _card("prints_garbage", completion="done"),
    _card("garbled_status_once", completion="done"),
    _card("split", completion="done"),
    _serial("corrupt_once", completion="done"),
    _card("no_auto_reversal", completion="done"),
    _card("garbled_status", completion="failed/reversed"),
    _card("lost_before_ack", completion="failed/reversed"),
    _card("lost_after_ack", completion="failed/reversed"),
    _card("lost_in_between", completion="failed/reversed"),
    _card("lost_booked", completion="failed/reversed"),
    _card("lost_after_status", completion="failed/reversed"),
    _card("lost_after_status_ack", completion="done"),
    _card("lost_at_completion", completion="done"),
    _card("never", deed=_tap_in_vain, completion="uncertain/timed_out"),
    _card("wrong_amount", completion="failed/amount_mismatch"),
    _card("wrong_currency", completion="failed/currency_mismatch"),
    _card("declined", completion="failed/declined"),
    _card("cancelled_by_citizen", completion="failed/cancelled_at_terminal"),
    _card("pinpad_defective", completion="failed/pinpad_defective"),
    _card("bank_unreachable", completion="failed/bank_unreachable"),
    _card("full", completion="failed/end_of_day_needed"),
    _card("cannot_query", completion="hardware_fault/cannot_query"),
    _card("reversal_fails", deed=partial(_hand_back, method=PaymentMethod.CARD), completion="failed/not_possible"),
    _card("lost_before_reversal", deed=partial(_hand_back_twice, method=PaymentMethod.CARD), completion="done"),
    _card("lost_after_reversal", deed=partial(_hand_back_twice, method=PaymentMethod.CARD), completion="done"),
    _card(
        "out_of_order", completion="done", code="terminal_not_ready", action=FaultAction.MAINTENANCE,
        parts={"terminal": "not_ready"},
    ),
    _card(
        "busy", completion="device_busy/terminal_busy", device=DeviceState.OFFLINE, code="terminal_busy",
        action=FaultAction.WAIT, orders=("drop",),
    ),
    _dead(
        "refuses_registration", completion="hardware_fault/not_registered", code="not_registered",
        action=FaultAction.MAINTENANCE, orders=("drop",),
    ),
    _card(
        "silent", completion="device_offline/no_answer", device=DeviceState.OFFLINE, code="no_answer",
        action=FaultAction.WAIT, parts={"network": "down", "terminal": "unknown"},
    ),
    _card(
        "unplugged", completion="device_offline/device_offline", device=DeviceState.OFFLINE, code="device_offline",
        action=FaultAction.MAINTENANCE,
    ),
    _stranger("wrong_device", completion="hardware_fault/wrong_device", code="wrong_device"),
    _stranger("endless", completion="hardware_fault/wrong_device", code="wrong_device"),
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (*QR_CASES, *CARD_CASES)
