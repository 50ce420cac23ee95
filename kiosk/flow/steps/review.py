"""Check what will be sent before it is sent."""

from __future__ import annotations

from dataclasses import replace

from kiosk.contracts.matter import ReviewStep, ShownValue
from kiosk.flow.screens import Chosen, KnownItem, ReviewScreen
from kiosk.flow.session import SteppedBack
from kiosk.flow.steps.asking.objection import contest, contestable
from kiosk.flow.steps.asking.shown import shown_item
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import word


async def run(transaction: Transaction, step: ReviewStep) -> Outcome:
    """The citizen confirms, or says that a value somebody else gave is wrong; then the matter goes on or ends."""
    while True:
        known = {at: shown_item(transaction, item) for at, item in enumerate(step.show)
                 if transaction.values.knows(item.value)}  # fmt: skip
        open_ = [each for each in contestable(transaction, step, known) if not _is_contested(transaction, each.shown)]
        items = (_marked(transaction, step.show[at], item) for at, item in known.items())
        answer = await transaction.session.ask(
            ReviewScreen(
                **transaction.frame(
                    primary=option("confirm", "confirm_and_go_on"),
                    alternatives=(option("object", "objection_offer"),) if open_ else (),
                ),
                items=tuple(items),
            )
        )
        if not isinstance(answer, Chosen) or answer.option != "object":
            return Outcome.DONE
        try:
            if not await contest(transaction, step, open_):
                return Outcome.BACK
        except SteppedBack:
            continue


def _is_contested(transaction: Transaction, item: ShownValue) -> bool:
    return any(objection.label == item.label for objection in transaction.objections)


def _marked(transaction: Transaction, item: ShownValue, known: KnownItem) -> KnownItem:
    return replace(known, origin=word("objection_mark")) if _is_contested(transaction, item) else known
