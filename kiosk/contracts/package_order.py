"""Which of a member's steps prepare, which deliver, and which a package has once for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from kiosk.contracts.matter import (
    AskStep,
    CallServiceStep,
    CollectMaterialStep,
    ConsentStep,
    FillFormStep,
    FormField,
    IdentifyStep,
    Matter,
    PayStep,
    PrintDocumentStep,
    PrintReceiptStep,
    Question,
    RateStep,
    ReviewStep,
    SignStep,
    Step,
    WriteCardStep,
)

_SHARED = (ConsentStep, IdentifyStep, ReviewStep, SignStep, PayStep, PrintReceiptStep, RateStep)


def leading_asks(steps: Sequence[Step]) -> list[Step]:
    """Questions that need nobody to be known come before everything."""
    asks: list[Step] = []
    for step in steps:
        if not isinstance(step, AskStep) or any(question.choices_from for question in step.questions):
            break
        asks.append(step)
    return asks


def stands_alone(step: Step, known: set[str]) -> bool:
    """Whether these are questions that rest on nothing but what is asked before them (`known`: answer.ID)."""
    if not isinstance(step, AskStep) or any(question.choices_from for question in step.questions):
        return False
    own = {f"answer.{question.id}" for question in step.questions}
    sources = {*step.when, *(source for question in step.questions for source in question.when)}
    return sources <= known | own


def items_of(step: Step) -> Sequence[FormField | Question]:
    if isinstance(step, AskStep):
        return step.questions
    return step.fields if isinstance(step, FillFormStep) else ()


def preparing(member: Matter) -> list[Step]:
    """Steps before the member delivers anything: questions, forms, queries, certificates."""
    return [step for step in member.steps[: first_delivery(member)] if not isinstance(step, _SHARED)]


def delivering(member: Matter) -> tuple[list[Step], list[Step]]:
    """What delivers, before and after the member's own payment; without one, all of it after."""
    steps = member.steps[first_delivery(member) :]
    pay = next((at for at, step in enumerate(steps) if isinstance(step, PayStep)), 0)
    return (
        [step for step in steps[:pay] if not isinstance(step, _SHARED)],
        [step for step in steps[pay:] if not isinstance(step, _SHARED)],
    )


def first_delivery(member: Matter) -> int:
    return next(
        (
            at
            for at, step in enumerate(member.steps)
            if isinstance(step, WriteCardStep | PrintDocumentStep)
            or (isinstance(step, CallServiceStep) and step.effect == "submit")
        ),
        len(member.steps),
    )


def without(step: Step, left_out: set[str]) -> Step:
    """A step that sends nothing of the materials left out."""
    if not isinstance(step, CallServiceStep) or not left_out:
        return step
    send = {name: text for name, text in step.send.items() if text not in left_out}
    return step.model_copy(update={"send": send})


def heads(waiting: Mapping[str, deque[Step]], kind: type[Step]) -> list[str]:
    return [id for id, queue in waiting.items() if queue and isinstance(queue[0], kind)]


def is_same(made: Step, step: Step) -> bool:
    if isinstance(made, CallServiceStep) and isinstance(step, CallServiceStep):
        return (made.operation, made.send, made.when, made.effect) == (
            step.operation, step.send, step.when, "query",
        )  # fmt: skip
    if isinstance(made, CollectMaterialStep) and isinstance(step, CollectMaterialStep):
        return made.certificate == step.certificate and (step.certificate is not None or made.material == step.material)
    return False
