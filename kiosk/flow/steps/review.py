"""Check what will be sent before it is sent."""

from __future__ import annotations

from kiosk.contracts.matter import ReviewStep, ShownValue, places_in
from kiosk.contracts.value import plain
from kiosk.flow.screens import KnownItem, ReviewScreen
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.values import masked


async def run(transaction: Transaction, step: ReviewStep) -> Outcome:
    screen = ReviewScreen(
        **transaction.frame(primary=option("confirm", "confirm_and_go_on")),
        items=tuple(shown_item(transaction, item) for item in step.show if transaction.values.knows(item.value)),
    )
    await transaction.session.ask(screen)
    return Outcome.DONE


def shown_item(transaction: Transaction, item: ShownValue) -> KnownItem:
    """A value as the screen shows it: masked when the author says so, with the clear one behind the eye."""
    if not item.masked:
        return KnownItem(label=item.label, value=transaction.values.shown(item.value))
    clear = transaction.values.fill(item.value)
    places = places_in(item.value)
    covered = masked(places[0], clear) if places else clear
    return KnownItem(label=item.label, value=plain(covered), masked=True, clear_value=plain(clear))
