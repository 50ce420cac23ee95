"""What the centre's answer about an order means for the citizen's money (device-classes C.10, rules).

Success needs an answer the acquirer was asked for, one payment of exactly this amount, and this currency. All other
money that arrived is named in `to_refund_fen`, whatever the state, until as much has gone back.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.messages import PaymentOrder, PaymentResult, PaymentState
from drivers.payment_terminal.gateway_orders import GatewayOrder

UNPAID = {
    "open": PaymentState.PENDING,
    "paying": PaymentState.PAYING,
    "closed": PaymentState.CLOSED,
    "refused": PaymentState.FAILED,
}
FINAL = frozenset({PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CLOSED})


@dataclass(frozen=True)
class Expected:
    """What was asked for under an order id; nothing of the citizen."""

    amount_fen: int
    currency: str
    method: str

    @classmethod
    def of(cls, order: PaymentOrder) -> Expected:
        return cls(order.amount_fen, order.currency, order.method.value)


def needs_verifying(order: GatewayOrder) -> bool:
    """An answer that speaks of money but was not had from the acquirer decides nothing."""
    return not order.verified and (order.state != "open" or bool(order.payments))


def judge(order: GatewayOrder, expected: Expected | None) -> PaymentResult:
    """`expected` is None when this process has not begun the order: then the centre's own amount is the measure, and
    the caller compares `amount_fen` with its own."""
    asked_fen, currency = (expected.amount_fen, expected.currency) if expected else (order.amount_fen, order.currency)
    arrived = sum(payment.amount_fen for payment in order.payments)

    def result(state: PaymentState, reason: str = "", fen: int = 0, back: int = 0) -> PaymentResult:
        return PaymentResult(
            order_id=order.order_id, state=state, reason=reason, amount_fen=fen, to_refund_fen=back,
            qr=order.qr if state is PaymentState.PENDING else "",
            reference=order.payments[0].reference if order.payments else "",
        )  # fmt: skip

    if needs_verifying(order):
        return result(PaymentState.UNCERTAIN, "not_verified")
    if not order.payments:
        state, reason = _unpaid(order, asked_fen, currency)
        return result(state, reason, asked_fen if order.state in ("open", "paying") else 0)
    state, reason = _paid(order, asked_fen, currency)
    if state is PaymentState.SUCCEEDED:
        return result(state, reason, asked_fen, max(arrived - asked_fen - order.refunded_fen, 0))
    return result(state, reason, arrived, max(arrived - order.refunded_fen, 0))


def _unpaid(order: GatewayOrder, asked_fen: int, currency: str) -> tuple[PaymentState, str]:
    if order.state == "paid":
        return PaymentState.UNCERTAIN, "answer_garbled"
    if order.state in ("open", "paying") and (order.amount_fen, order.currency) != (asked_fen, currency):
        return PaymentState.FAILED, "amount_mismatch"
    return UNPAID[order.state], order.reason or ("declined" if order.state == "refused" else "")


def _paid(order: GatewayOrder, asked_fen: int, currency: str) -> tuple[PaymentState, str]:
    amounts = [payment.amount_fen for payment in order.payments]
    if any(payment.currency != currency for payment in order.payments):
        return PaymentState.FAILED, "currency_mismatch"
    if order.state == "refused" and order.reason == "amount_mismatch":
        return PaymentState.FAILED, order.reason
    if order.state in ("closed", "refused"):
        return PaymentState.CLOSED, "paid_after_close"
    if order.amount_fen != asked_fen or asked_fen not in amounts:
        return PaymentState.FAILED, "amount_mismatch"
    return PaymentState.SUCCEEDED, "paid_twice" if len(amounts) > 1 else ""
