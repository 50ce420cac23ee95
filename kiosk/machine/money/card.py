"""Bank cards, taken by the machine's own device and kept by the centre: the order is there before the card is asked.

What became of the money is the device's word, from its ledger on disk; the centre is told of it, again and again until
it has answered. There is no window for the delivery: what is not delivered is reversed here, on the device.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from drivers.errors import DeviceError, DeviceOffline
from drivers.messages import PaymentMethod, PaymentOrder, PaymentResult, PaymentState
from drivers.protocols import PaymentTerminal
from kiosk.contracts.errors import Garbled, KioskError, Unreachable
from kiosk.contracts.payments import REASON, CardReport, OrderRequest
from kiosk.machine.money.till import Back, CentreTill, Standing

CARD_LOOK_SECONDS = 2.0
REVERSALS = 6
"""Tries, each under an id of its own, before the money is owed: a bank that cannot be reached may be there again."""
OPEN_REVERSALS = frozenset({"earlier_refund_open", "not_paid"})
"""Refusals of a device that does not know yet."""


class CardTill:
    """Implements `Till`. Of what the device said only the last word of each order is kept in memory."""

    def __init__(self, centre: CentreTill, terminal: Callable[[], PaymentTerminal | None]) -> None:
        self._centre = centre
        self._find = terminal
        self._paid: dict[str, CardReport] = {}
        self._told: set[str] = set()
        self._reversals: dict[str, int] = {}

    async def begin(self, order_id: str, request: OrderRequest) -> Standing:
        """After any device error the caller closes the order: the device then bars its id, or says that it was paid."""
        terminal = self._terminal()
        placed = await self._centre.begin(order_id, request)
        if placed.state != "waiting":
            return placed
        order = PaymentOrder(
            order_id=order_id, amount_fen=request.amount_fen, currency=request.currency, subject=request.subject,
            method=PaymentMethod.CARD, expires_at=request.expires_at,
        )  # fmt: skip
        try:
            result = await terminal.begin(order)
        except DeviceError as error:
            raise Unreachable(str(error), reason=error.reason) from error
        return await self._judged(result, request.amount_fen)

    async def look(self, order_id: str, amount_fen: int, *, verify: bool = False) -> Standing:
        terminal = self._terminal()
        if verify:
            return await self._asked(terminal.find_payment(order_id), amount_fen)
        try:
            return await self._asked(terminal.settle(order_id, timeout_seconds=CARD_LOOK_SECONDS), amount_fen)
        except Unreachable as error:
            if error.reason == "timed_out":
                return Standing("waiting", channel="bank_card")
            raise

    async def close(self, order_id: str, amount_fen: int) -> Standing:
        return await self._asked(self._terminal().cancel_payment(order_id), amount_fen)

    async def allow_delivery(self, order_id: str) -> None:
        """The money stands until we reverse it; what is delivered for it the centre knows to be paid."""
        await self._tell(order_id, await self._payment(order_id))

    async def delivered(self, order_id: str, undelivered_lines: tuple[str, ...] = ()) -> None:
        await self._tell(order_id, await self._payment(order_id))
        await self._centre.delivered(order_id, undelivered_lines)
        self._forget(order_id)

    async def give_back(self, order_id: str, amount_fen: int) -> Back:
        paid = await self._payment(order_id)
        back = await self._reverse(order_id, "back", amount_fen, "not_delivered")
        await self._centre.hear_card(order_id, paid.model_copy(update={"state": back, "reason": "not_delivered"}))
        self._forget(order_id)
        return back

    # --- what the device says --------------------------------------------------------------------------------------

    async def _asked(self, answer: Awaitable[PaymentResult], amount_fen: int) -> Standing:
        try:
            result = await answer
        except DeviceOffline as error:
            raise Unreachable(str(error), reason=error.reason) from error
        except DeviceError as error:
            raise Garbled(str(error), reason=error.reason) from error
        return await self._judged(result, amount_fen)

    async def _judged(self, result: PaymentResult, amount_fen: int) -> Standing:
        match result.state:
            case PaymentState.PENDING | PaymentState.PAYING:
                return Standing("waiting", channel="bank_card")
            case PaymentState.UNCERTAIN:
                raise Unreachable("the card terminal cannot say yet", reason=result.reason or "uncertain")
            case PaymentState.SUCCEEDED if result.amount_fen == amount_fen:
                return await self._charged(result)
            case PaymentState.SUCCEEDED | PaymentState.FAILED | PaymentState.CLOSED:
                return await self._not_this(result)

    async def _charged(self, result: PaymentResult) -> Standing:
        order_id = result.order_id
        if result.to_refund_fen:
            await self._reverse(order_id, "surplus", result.to_refund_fen, result.reason)
        self._paid[order_id] = CardReport(state="paid", amount_fen=result.amount_fen, reference=result.reference)
        is_told = await self._is_told(order_id, self._paid[order_id])
        return Standing(
            "paid", surplus_fen=result.to_refund_fen, reference=result.reference, channel="bank_card", is_told=is_told
        )

    async def _not_this(self, result: PaymentResult) -> Standing:
        """Nothing was charged, or something else than the order: that is reversed before anything is said of it."""
        reason = _reason(result.reason or ("amount_mismatch" if result.amount_fen else "declined"))
        said = CardReport(state="unpaid", reason=reason)
        if result.amount_fen and result.reference:
            still_here = result.to_refund_fen or (result.amount_fen if result.state is PaymentState.SUCCEEDED else 0)
            back: Back = "returned"
            if still_here:
                back = await self._reverse(result.order_id, "surplus", still_here, reason)
            said = CardReport(state=back, amount_fen=result.amount_fen, reference=result.reference, reason=reason)
        is_told = await self._is_told(result.order_id, said)
        return Standing("unpaid", reason=reason, channel="bank_card", is_told=is_told)

    async def _payment(self, order_id: str) -> CardReport:
        """The payment of an order that is known to be paid: from memory, or from the device once more."""
        if order_id not in self._paid:
            found = await self._terminal().find_payment(order_id)
            if found.state is not PaymentState.SUCCEEDED:
                raise Unreachable("the card terminal does not know this payment", reason=found.reason or "uncertain")
            self._paid[order_id] = CardReport(state="paid", amount_fen=found.amount_fen, reference=found.reference)
        return self._paid[order_id]

    async def _reverse(self, order_id: str, what: str, amount_fen: int, reason: str) -> Back:
        """Once, whatever happens: an id is asked again until it has an end, and only a refused one is followed."""
        number = self._reversals.get(order_id, 0)
        refund_id = f"{order_id}-{what}{number or ''}"
        try:
            result = await self._terminal().refund(order_id, refund_id, amount_fen, reason)
        except DeviceError as error:
            raise Unreachable(str(error), reason=error.reason) from error
        if result.state is PaymentState.SUCCEEDED or result.reason == "already_refunded":
            return "returned"
        if result.state is PaymentState.FAILED and result.reason not in OPEN_REVERSALS:
            self._reversals[order_id] = number + 1
            if number + 1 >= REVERSALS:
                return "owed"
        raise Unreachable("the card is not given back yet", reason=result.reason or "refund_open")

    # --- what the centre is told -----------------------------------------------------------------------------------

    async def _is_told(self, order_id: str, said: CardReport) -> bool:
        try:
            await self._tell(order_id, said)
        except KioskError:
            return False
        return True

    async def _tell(self, order_id: str, said: CardReport) -> None:
        if order_id not in self._told:
            await self._centre.hear_card(order_id, said)
            self._told.add(order_id)

    def _forget(self, order_id: str) -> None:
        self._paid.pop(order_id, None)
        self._told.discard(order_id)
        self._reversals.pop(order_id, None)

    def _terminal(self) -> PaymentTerminal:
        terminal = self._find()
        if terminal is None:
            raise Unreachable("no card terminal is configured", reason="not_fitted")
        return terminal


def _reason(said: str) -> str:
    """A device's own words never travel: only those that are stable words."""
    return said if re.fullmatch(REASON, said) else "declined"
