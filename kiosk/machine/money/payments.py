"""The saga of paid-but-not-delivered, on the terminal: every order ends delivered, given back or never paid.

Nothing is decided from memory. An order's intent lies in the journal before anything is sent; what was delivered for it
is read from the journal; the money's state is the provider's word. So the same work settles an order a second after
the citizen left, and after a power cut (DESIGN 2.3).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from drivers.protocols import PaymentTerminal
from kiosk.contracts.errors import KioskError
from kiosk.contracts.events import Disposition
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.money.books import Books, Deed, Effect, delivery_of
from kiosk.machine.money.card import CardTill
from kiosk.machine.money.till import CentreTill, GivenBack, Standing, Till

log = logging.getLogger(__name__)

CARD = "bank_card"
LOOK_AGAIN_SECONDS = 20.0
"""Between two tries while an order cannot be settled: the centre or an authority does not answer."""


class Requests(Protocol):
    """The part of `kiosk.machine.services.Services` that says what became of a request nobody saw the end of."""

    async def outcome(self, request_id: str) -> str: ...


class Payments:
    """`settle` is called by nobody but `run`, one order after another: two hands never hold the same money."""

    def __init__(
        self, client: FleetClient, journal: Books, requests: Requests,
        card_terminal: Callable[[], PaymentTerminal | None] = lambda: None,
    ) -> None:  # fmt: skip
        self._centre = CentreTill(client)
        self._card = CardTill(self._centre, card_terminal)
        self._journal = journal
        self._requests = requests
        self._look_now = asyncio.Event()

    async def channels(self) -> frozenset[str]:
        """Channels one can pay by now, as far as the centre knows; a card needs its device as well."""
        return await self._centre.channels()

    def till(self, channel: str) -> Till:
        """Where money of this channel is taken."""
        return self._card if channel == CARD else self._centre

    def settle_soon(self) -> None:
        """Something ended: look at the open orders now."""
        self._look_now.set()

    async def run(self) -> None:
        """Settle what is open, for as long as the machine runs. What an earlier run left comes first."""
        while True:
            self._look_now.clear()
            is_open = await self.settle_all()
            try:
                async with asyncio.timeout(LOOK_AGAIN_SECONDS if is_open else None):
                    await self._look_now.wait()
            except TimeoutError:
                continue

    async def settle_all(self) -> bool:
        """One look at every open order. True while one is left that must be looked at again."""
        running = {each.transaction_number for each in self._journal.open_transactions()}
        left = False
        for effect in self._journal.open_effects():
            if effect.event != "payment_begun":
                continue
            try:
                left |= not await self._settle(effect, is_running=effect.transaction_number in running)
            except KioskError as error:
                log.warning("order %s is not settled yet: %s", effect.effect_id, error)
                left = True
        return left

    async def _settle(self, effect: Effect, *, is_running: bool) -> bool:
        """True when nothing is left to do now. While its transaction runs only a delivery is told."""
        order_id, amount = effect.effect_id, int(effect.data.get("amount_fen", 0))
        till = self.till(str(effect.data.get("channel", "")))
        delivery = delivery_of(effect, self._journal)
        if is_running and not delivery.is_certain:
            return True
        standing = await till.look(order_id, amount, verify=True)
        if standing.state in ("waiting", "unknown"):
            standing = await till.close(order_id, amount)
        match standing.state:
            case "returned":
                self._end(effect, "returned", standing.reason)
            case "paid":
                return await self._deliver_or_give_back(effect, till, standing)
            case "unpaid" if not standing.is_told:
                return False
            case "unpaid" | "unknown":
                self._end(effect, "not_paid", standing.reason)
            case "waiting":
                return False
        return True

    async def _deliver_or_give_back(self, effect: Effect, till: Till, standing: Standing) -> bool:
        order_id, amount = effect.effect_id, int(effect.data.get("amount_fen", 0))
        delivery = delivery_of(effect, self._journal)
        if delivery.decided == "open":
            for deed in delivery.open_deeds:
                outcome = await self._outcome(deed)
                if outcome == "open":
                    return False
                deed.outcome = Disposition.SUCCEEDED if outcome == "done" else Disposition.FAILED
            delivery = delivery.judged_again()
        if standing.is_final:
            self._end(effect, "delivered", standing.reason)
            return True
        if delivery.decided == "yes":
            try:
                await till.delivered(order_id, delivery.undelivered)
            except GivenBack:
                self._end(effect, "returned", "window_passed")
            else:
                self._end(effect, "delivered", standing.reason)
            return True
        self._end(effect, await till.give_back(order_id, amount), "not_delivered")
        return True

    async def _outcome(self, deed: Deed) -> str:
        """done, not_done, or open while the centre itself does not know."""
        said = await self._requests.outcome(deed.id)
        return {"done": "done", "accepted": "done", "refused": "not_done", "failed": "not_done"}.get(said, "open")

    def _end(self, effect: Effect, outcome: str, reason: str) -> None:
        disposition = {
            "delivered": Disposition.SUCCEEDED,
            "returned": Disposition.FAILED,
            "owed": Disposition.FAILED,
        }.get(outcome, Disposition.CANCELLED)
        self._journal.end_effect(
            effect.effect_id, "payment_ended", disposition=disposition, transaction_number=effect.transaction_number,
            step=effect.data.get("step", ""), order_id=effect.effect_id, outcome=outcome, reason=reason[:48],
        )  # fmt: skip
