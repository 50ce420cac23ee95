"""Money at the machine (device-classes C.10)."""

from __future__ import annotations

from typing import Protocol

from drivers.messages import PaymentMethod, PaymentOrder, PaymentResult, RefundResult
from drivers.protocols.common import Device


class PaymentTerminal(Device, Protocol):
    """Takes money for one order at a time. A lost link is `uncertain` and is asked after, never charged again."""

    async def begin(self, order: PaymentOrder, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """Open the order: `pending` with a `qr` to show, or `paying` while the citizen taps. The same id goes on."""
        ...

    async def settle(self, order_id: str, *, timeout_seconds: float = 180.0) -> PaymentResult:
        """Wait until the order is final; at the limit `uncertain`."""
        ...

    async def find_payment(self, order_id: str, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """What the acquirer says of an order now. Charges nothing."""
        ...

    async def cancel_payment(self, order_id: str, *, timeout_seconds: float = 15.0) -> PaymentResult:
        """Close an order that is not paid; `succeeded` when the payment was quicker."""
        ...

    async def refund(
        self, order_id: str, refund_id: str, amount_fen: int, reason: str, *, timeout_seconds: float = 30.0
    ) -> RefundResult:
        """Give money back. The same `refund_id` never twice."""
        ...

    async def unresolved(self, *, timeout_seconds: float = 15.0) -> tuple[str, ...]:
        """Orders the terminal itself knows as neither paid nor closed."""
        ...

    async def methods(self) -> tuple[PaymentMethod, ...]:
        """How one can pay here now."""
        ...
