"""A few questions that lead to the right variant, then once everything it will need (一次告知)."""

from __future__ import annotations

from dataclasses import replace

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import AskStep, CollectMaterialStep, Question, holds
from kiosk.contracts.value import LocalizedText
from kiosk.flow.course.outcomes import end_part, reopen_part
from kiosk.flow.screens import ChooseScreen, Chosen, KnownItem, NoticeScreen, Option, ReviewScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.steps.asking.choices import options_of
from kiosk.flow.steps.asking.outlook import troubles
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import word


async def run(transaction: Transaction, step: AskStep) -> Outcome:
    """Going back leads through the questions one by one, and from the first to the step before."""
    _settle_presets(transaction, step)
    open_ = [each for each in step.questions if each.preset is None]
    asked = [each for each in open_ if transaction.values.get(f"answer.{each.id}") is not None]
    picked = {each.id: transaction.values.get(f"answer.{each.id}") or "" for each in asked}
    while True:
        question = _next(transaction, step, asked)
        try:
            if question is None:
                _forget_unasked(transaction, step, asked)
                await _tell_what_is_needed(transaction)
                return Outcome.DONE
            chosen = await _ask(transaction, question, picked.get(question.id, ""))
        except SteppedBack:
            if not asked:
                raise
            _forget(transaction, asked.pop())
            continue
        picked[question.id] = chosen.id
        transaction.values.put("answer", {question.id: chosen.id, f"{question.id}_label": chosen.label})
        stop = next((choice.stop for choice in question.choices if choice.id == chosen.id), None)
        if stop is not None and not await _goes_on_without(transaction, question, stop):
            transaction.values.put("answer", {question.id: None, f"{question.id}_label": None})
            raise StepFailed(FaultCode.NOT_ELIGIBLE, f"{question.id}: {chosen.id}", told=stop)
        asked.append(question)


def _next(transaction: Transaction, step: AskStep, asked: list[Question]) -> Question | None:
    """The first question after the last one asked whose condition holds."""
    at = step.questions.index(asked[-1]) + 1 if asked else 0
    return next((each for each in step.questions[at:] if _is_wanted(transaction, each)), None)


def _is_wanted(transaction: Transaction, question: Question) -> bool:
    is_open = question.preset is None and transaction.serves(question.parts)
    return is_open and holds(question.when, transaction.values.get)


def _settle_presets(transaction: Transaction, step: AskStep) -> None:
    """What a package settles itself is answered before anything is asked."""
    for question in step.questions:
        label = next((choice.label for choice in question.choices if choice.id == question.preset), None)
        if question.preset is not None:
            transaction.values.put("answer", {question.id: question.preset, f"{question.id}_label": label})


def _forget(transaction: Transaction, question: Question) -> None:
    transaction.values.put("answer", {question.id: None, f"{question.id}_label": None})
    for part in question.parts:
        reopen_part(transaction, part)


def _forget_unasked(transaction: Transaction, step: AskStep, asked: list[Question]) -> None:
    """What was answered on another way through the questions no longer counts."""
    for question in step.questions:
        if question not in asked and question.preset is None:
            transaction.values.put("answer", {question.id: None, f"{question.id}_label": None})


async def _ask(transaction: Transaction, question: Question, picked: str) -> Option:
    options = {each.id: each for each in options_of(transaction, question)}
    screen = ChooseScreen(
        **transaction.frame(title=question.text, say=question.text),
        options=tuple(replace(each, picked=each.id == picked) for each in options.values()),
        layout="list",
    )
    while True:
        answer = await transaction.session.ask(screen)
        if isinstance(answer, Chosen) and answer.option in options:
            return options[answer.option]


async def _goes_on_without(transaction: Transaction, question: Question, stop: LocalizedText) -> bool:
    """In a package an answer that stops one part leaves the others: the citizen reads why, and goes on."""
    stopped = [part.id for part in transaction.matter.parts if part.id in question.parts]
    others = [part for part in transaction.matter.parts if part.id not in stopped and transaction.goes_on(part)]
    if not stopped or not others:
        return False
    await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(say=stop, title=word("part_not_here"), primary=option("go_on", "go_on_with_others")),
            tone="attention",
        )
    )
    for part in stopped:
        end_part(transaction, part, "refused", told=stop, reason=FaultCode.NOT_ELIGIBLE.value)
    return True


async def _tell_what_is_needed(transaction: Transaction) -> None:
    """Said once, before anything is entered: what this variant asks for, costs, takes and gives."""
    guide = transaction.matter.guide
    later = transaction.matter.steps[transaction.position + 1 :]
    if any(isinstance(each, AskStep) and transaction.is_wanted(each) for each in later):
        return
    materials = [
        KnownItem(label=word("need_material"), value=each.material)
        for each in later
        if isinstance(each, CollectMaterialStep) and transaction.is_wanted(each)
    ]
    told = (("need_fee", guide.fee), ("need_time", guide.time_limit), ("need_result", guide.result))
    await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("need_title"), say=word("need_say"), primary=option("begin", "begin_matter")
            ),
            items=(
                *troubles(transaction, later),
                KnownItem(label=word("need_card"), value=word("need_card_only")),
                *materials,
                *(KnownItem(label=word(label), value=text) for label, text in told),
            ),
        )
    )
