"""Service rating (GB/T 39735; domain.md 6.1): five grades, none preselected, skippable, reasons for bad ones."""

from __future__ import annotations

from kiosk.contracts.matter import RateStep
from kiosk.flow.screens import ChooseScreen, Chosen
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import word

GRADES = ("5", "4", "3", "2", "1")
BAD_GRADES = frozenset({"2", "1"})
REASONS = ("slow", "unclear", "device", "result", "attitude")


async def run(transaction: Transaction, step: RateStep) -> Outcome:
    del step
    answer = await transaction.session.ask(
        ChooseScreen(
            **transaction.frame(can_go_back=False, alternatives=(option("skip", "rate_skip"),)),
            options=tuple(option(grade, f"grade_{grade}", icon=f"grade_{grade}") for grade in GRADES),
            layout="grades",
        )
    )
    if not isinstance(answer, Chosen) or answer.option not in GRADES:
        transaction.journal("rating_skipped")
        return Outcome.DONE
    reasons = await _reasons(transaction) if answer.option in BAD_GRADES else ()
    transaction.journal("rating_given", grade=answer.option, reasons=",".join(reasons))
    return Outcome.DONE


async def _reasons(transaction: Transaction) -> tuple[str, ...]:
    answer = await transaction.session.ask(
        ChooseScreen(
            **transaction.frame(
                say=word("rate_why"), can_go_back=False, primary=option("send", "rate_send"),
            ),
            options=(),
            layout="list",
            several=tuple(option(reason, f"reason_{reason}") for reason in REASONS),
        )
    )  # fmt: skip
    chosen = answer.several if isinstance(answer, Chosen) else ()
    return tuple(reason for reason in chosen if reason in REASONS)
