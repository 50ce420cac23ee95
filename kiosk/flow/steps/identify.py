"""Know who stands there, to the matter's assurance level; nothing to do when this visit already knows."""

from __future__ import annotations

from kiosk.contracts.matter import IdentifyStep
from kiosk.flow.sign_in import sign_in
from kiosk.flow.transaction import Outcome, Transaction


async def run(transaction: Transaction, step: IdentifyStep) -> Outcome:
    del step
    await sign_in(transaction, transaction.matter.assurance)
    return Outcome.DONE
