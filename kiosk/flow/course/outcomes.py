"""What became of the parts of a package: kept as values, journalled, and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from kiosk.contracts.matter import CallServiceStep, Part, PrintDocumentStep, Step, WriteCardStep, holds
from kiosk.contracts.value import Language, LocalizedText
from kiosk.flow.transaction import Transaction
from kiosk.flow.words import word

Outcome = Literal["done", "accepted", "refused", "failed", "skipped"]
"""skipped: not part of what this citizen needs, or given up; it stands on no receipt."""

PROMISES = ("promised", "promised_on")
"""What an authority that decides later answers: the day it promises to have decided."""


class PartOutcome(NamedTuple):
    title: LocalizedText
    label: LocalizedText
    reason: LocalizedText | None
    is_good: bool


def end_part(
    transaction: Transaction, part: str, outcome: Outcome, *, told: LocalizedText | None = None, reason: str = ""
) -> None:
    """A part has its outcome. `told` is for the citizen, `reason` a word for the journal."""
    number = _case_number(transaction, part)
    kept: dict[str, str | LocalizedText | None] = {"outcome": outcome, "reason": told, "case_number": number or None}
    if outcome != "skipped":
        kept["outcome_label"] = word(f"part_{outcome}")
    transaction.values.put(f"part.{part}", kept)
    transaction.journal("part_ended", part=part, outcome=outcome, reason=reason, case_number=number)


def reopen_part(transaction: Transaction, part: str) -> None:
    """The citizen went back to before a part ended."""
    empty = dict.fromkeys(("outcome", "outcome_label", "reason", "case_number", "delivered"))
    transaction.values.put(f"part.{part}", dict(empty))


def settle_parts(transaction: Transaction) -> None:
    """Parts whose last step lies behind have been done; with something submitted, unwanted ones are known as such."""
    if not transaction.has_effect:
        return
    for part in transaction.matter.parts:
        if _has_ended(transaction, part) or _is_ahead(transaction, part) or _waits(transaction, part):
            continue
        if transaction.goes_on(part) and _has_delivered(transaction, part):
            end_part(transaction, part.id, "accepted" if _is_promised(transaction, part) else "done")
        elif part.needs and holds(part.when, transaction.values.get):
            end_part(transaction, part.id, "failed", told=word("part_needs_other"), reason="needs")
        else:
            end_part(transaction, part.id, "skipped")


def note_delivery(transaction: Transaction, step: Step) -> None:
    """With its last submit or card written a part is delivered: parts that need it may be handed in."""
    if len(step.parts) != 1 or not _is_deed(step):
        return
    ahead = transaction.matter.steps[transaction.position + 1 :]
    if not any(each.parts == step.parts and _is_deed(each) and transaction.is_wanted(each) for each in ahead):
        transaction.values.put(f"part.{step.parts[0]}", {"delivered": "yes"})


def _is_deed(step: Step) -> bool:
    return isinstance(step, WriteCardStep) or (isinstance(step, CallServiceStep) and step.effect == "submit")


def _has_ended(transaction: Transaction, part: Part) -> bool:
    return transaction.values.get(f"part.{part.id}.outcome") is not None


def _waits(transaction: Transaction, part: Part) -> bool:
    """What comes after all parts waits for their outcomes, and a part for those it needs."""
    if part.id == transaction.matter.id:
        return any(not _has_ended(transaction, other) for other in transaction.matter.parts if other is not part)
    needed = [other for other in transaction.matter.parts if other.id in part.needs]
    return any(
        not _has_ended(transaction, other) and transaction.values.get(f"part.{other.id}.delivered") is None
        for other in needed
    )


def _is_ahead(transaction: Transaction, part: Part) -> bool:
    """Whether a step of this part is still to be done."""
    ahead = transaction.matter.steps[transaction.position :]
    return any(part.id in step.parts and transaction.is_wanted(step) for step in ahead)


def _has_delivered(transaction: Transaction, part: Part) -> bool:
    """Whether anything was done for it; a part whose every step was passed over got nothing."""
    behind = transaction.matter.steps[: transaction.position]
    return any(step.parts == (part.id,) and transaction.is_wanted(step) for step in behind)


def _is_promised(transaction: Transaction, part: Part) -> bool:
    prints = any(
        isinstance(step, PrintDocumentStep) and step.parts == (part.id,) and transaction.is_wanted(step)
        for step in transaction.matter.steps
    )
    submits = _submits(transaction, part.id)
    if any(step in transaction.accepted_steps for step in submits):
        return True
    said = (f"service.{step}.{name}" for step in submits for name in PROMISES)
    return not prints and any(transaction.values.get(source) is not None for source in said)


def _case_number(transaction: Transaction, part: str) -> str:
    numbers = (transaction.values.get(f"service.{step}.case_number") for step in _submits(transaction, part))
    return next((number for number in numbers if number), "")


def _submits(transaction: Transaction, part: str) -> list[str]:
    """The part's submits, latest first."""
    return [
        step.id
        for step in reversed(transaction.matter.steps)
        if isinstance(step, CallServiceStep) and step.effect == "submit" and step.parts == (part,)
    ]


# --- told at the end -------------------------------------------------------------------------------------------------


def outcomes_of(transaction: Transaction) -> list[PartOutcome]:
    """What is to be told of each part, in order; empty for a matter that is no package."""
    found = []
    for part in transaction.matter.parts:
        outcome = transaction.values.get(f"part.{part.id}.outcome")
        if outcome is not None and outcome != "skipped":
            reason = _said(transaction, f"part.{part.id}.reason")
            found.append(PartOutcome(part.title, word(f"part_{outcome}"), reason, outcome in ("done", "accepted")))
    return found


def _said(transaction: Transaction, source: str) -> LocalizedText | None:
    texts = {language.value: transaction.values.get(source, language) or "" for language in Language}
    return LocalizedText.of(texts) if all(texts.values()) else None


def partly_done(outcomes: Sequence[PartOutcome]) -> LocalizedText:
    good = sum(outcome.is_good for outcome in outcomes)
    return word("partly_done_say").format(good=good, bad=len(outcomes) - good)


def listed(outcomes: Sequence[PartOutcome]) -> LocalizedText:
    """One line a part: what it is, what became of it, and why when it was not done."""

    def line(outcome: PartOutcome, language: Language) -> str:
        dash = " – " if language is Language.EN else "："
        said = f"{outcome.title.in_language(language)}{dash}{outcome.label.in_language(language)}"
        reason = outcome.reason.in_language(language) if outcome.reason is not None else ""
        return f"{said}{dash if language is Language.EN else '。'}{reason}" if reason else said

    return LocalizedText.of(
        {language.value: "\n".join(line(outcome, language) for outcome in outcomes) for language in Language}
    )
