"""Ask for consent to what the matter does with personal data."""

from __future__ import annotations

import uuid

from kiosk.contracts.matter import ConsentStep
from kiosk.contracts.value import Language, LocalizedText
from kiosk.flow.screens import Chosen, ReviewScreen
from kiosk.flow.session import CitizenLeft
from kiosk.flow.transaction import Outcome, Transaction, option


async def run(transaction: Transaction, step: ConsentStep) -> Outcome:
    screen = ReviewScreen(
        **transaction.frame(primary=option("agree", "agree"), alternatives=(option("decline", "decline"),)),
        text=_text(transaction, step),
    )
    answer = await transaction.session.ask(screen)
    facts = {"subject": transaction.matter.id, "text_version": step.text_version}
    if isinstance(answer, Chosen) and answer.option == "agree":
        transaction.journal("consent_given", **facts, consent_id=uuid.uuid4().hex)
        return Outcome.DONE
    transaction.journal("consent_declined", **facts)
    raise CitizenLeft


def _text(transaction: Transaction, step: ConsentStep) -> LocalizedText:
    """In a package, with the departments whose parts are wanted."""
    clauses = [clause.text for clause in step.clauses if transaction.serves((clause.part,))]
    return LocalizedText.of(
        {each.value: "\n".join(text.in_language(each) for text in (step.text, *clauses)) for each in Language}
    )
