"""A value as the screen shows it."""

from __future__ import annotations

from kiosk.contracts.matter import ShownValue, places_in
from kiosk.contracts.value import plain
from kiosk.flow.screens import KnownItem
from kiosk.flow.transaction import Transaction
from kiosk.flow.values import is_private, masked


def shown_item(transaction: Transaction, item: ShownValue) -> KnownItem:
    """A value as the screen shows it: masked when the author says so or it is private by its source, with the clear one
    behind the eye."""
    places = places_in(item.value)
    alone = len(places) == 1 and item.value == f"{{{places[0]}}}"
    if not (item.masked or (alone and is_private(places[0]))):
        return KnownItem(label=item.label, value=transaction.values.shown(item.value))
    clear = transaction.values.fill(item.value)
    covered = masked(places[0], clear) if places else clear
    return KnownItem(label=item.label, value=plain(covered), masked=True, clear_value=plain(clear))
