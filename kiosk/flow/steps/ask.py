"""A few questions that lead to the right variant, then once everything it will need (一次告知)."""

from __future__ import annotations

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import AskChoice, AskStep, CollectMaterialStep, Question, holds
from kiosk.flow.screens import ChooseScreen, Chosen, KnownItem, Option, ReviewScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import word


async def run(transaction: Transaction, step: AskStep) -> Outcome:
    """Going back leads through the questions one by one, and from the first to the step before."""
    asked = [each for each in step.questions if transaction.values.get(f"answer.{each.id}") is not None]
    while True:
        question = _next(transaction, step, asked)
        try:
            if question is None:
                await _tell_what_is_needed(transaction)
                return Outcome.DONE
            choice = await _ask(transaction, question)
        except SteppedBack:
            if not asked:
                raise
            _forget(transaction, asked.pop())
            continue
        if choice.stop is not None:
            raise StepFailed(FaultCode.NOT_ELIGIBLE, f"{question.id}: {choice.id}", told=choice.stop)
        transaction.values.put("answer", {question.id: choice.id, f"{question.id}_label": choice.label})
        asked.append(question)


def _next(transaction: Transaction, step: AskStep, asked: list[Question]) -> Question | None:
    """The first question after the last one asked whose condition holds."""
    at = step.questions.index(asked[-1]) + 1 if asked else 0
    return next((each for each in step.questions[at:] if holds(each.when, transaction.values.get)), None)


def _forget(transaction: Transaction, question: Question) -> None:
    transaction.values.put("answer", {question.id: None, f"{question.id}_label": None})


async def _ask(transaction: Transaction, question: Question) -> AskChoice:
    choices = {choice.id: choice for choice in question.choices}
    options = tuple(Option(id=each.id, label=each.label, detail=each.detail) for each in question.choices)
    screen = ChooseScreen(**transaction.frame(say=question.text), options=options, layout="list")
    while True:
        answer = await transaction.session.ask(screen)
        if isinstance(answer, Chosen) and answer.option in choices:
            return choices[answer.option]


async def _tell_what_is_needed(transaction: Transaction) -> None:
    """Said once, before anything is entered: what this variant asks for, costs, takes and gives."""
    guide = transaction.matter.guide
    later = transaction.matter.steps[transaction.position + 1 :]
    materials = [
        KnownItem(label=word("need_material"), value=each.material)
        for each in later
        if isinstance(each, CollectMaterialStep) and holds(each.when, transaction.values.get)
    ]
    told = (("need_fee", guide.fee), ("need_time", guide.time_limit), ("need_result", guide.result))
    await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("need_title"), say=word("need_say"), primary=option("begin", "begin_matter")
            ),
            items=(
                KnownItem(label=word("need_card"), value=word("need_card_only")),
                *materials,
                *(KnownItem(label=word(label), value=text) for label, text in told),
            ),
        )
    )
