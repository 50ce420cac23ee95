"""A value as the screen shows it."""

from __future__ import annotations

from kiosk.contracts.matter import ShownValue, places_in
from kiosk.contracts.value import plain
from kiosk.flow.screens import KnownItem
from kiosk.flow.transaction import Transaction
from kiosk.flow.values import masked


def shown_item(transaction: Transaction, item: ShownValue) -> KnownItem:
    """A value as the screen shows it: masked when the author says so, with the clear one behind the eye."""
    if not item.masked:
        return KnownItem(label=item.label, value=transaction.values.shown(item.value))
    clear = transaction.values.fill(item.value)
    places = places_in(item.value)
    covered = masked(places[0], clear) if places else clear
    return KnownItem(label=item.label, value=plain(covered), masked=True, clear_value=plain(clear))
