"""Turn what went wrong into what a citizen is told: what happened, their papers, their money, what to do, a code."""

from __future__ import annotations

import logging

from drivers.errors import DeviceError
from kiosk.contracts.errors import FaultCode, KioskError
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import Chosen, NoticeScreen, Option
from kiosk.flow.session import StepFailed
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import failure_words, word

log = logging.getLogger(__name__)


async def tell_failure(transaction: Transaction, error: Exception) -> str | None:
    """Explain and ask: "retry" does the step again, None ends the matter. An unexpected error ends the session."""
    fault, told, can_retry = _read(error)
    transaction.journal("citizen_told", fault=fault, step=transaction.step.id)
    log.warning("step %s failed with %s: %s", transaction.step.id, fault.value, type(error).__name__)
    words = failure_words(fault)
    retry: Option | None = option("retry", "try_again") if can_retry else None
    home = option("home", "back_to_home")
    answer = await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(
                title=words.title,
                say=told or words.say,
                can_go_back=False,
                primary=retry or home,
                alternatives=(home,) if retry else (),
            ),
            tone="failure",
            papers=words.papers,
            money=words.money,
            what_to_do=words.what_to_do,
            fault=fault,
            transaction_number=transaction.number,
        )
    )
    if not isinstance(error, KioskError | DeviceError):
        raise error
    return "retry" if isinstance(answer, Chosen) and answer.option == "retry" else None


def _read(error: Exception) -> tuple[FaultCode, LocalizedText | None, bool]:
    match error:
        case StepFailed():
            return error.fault, error.told, error.can_retry
        case KioskError():
            return error.code, getattr(error, "told", None), True
        case DeviceError():
            return FaultCode.INTERNAL, None, True
        case _:
            return FaultCode.INTERNAL, None, False


def thanks(transaction: Transaction) -> NoticeScreen:
    """The last screen of a matter that went well."""
    return NoticeScreen(
        **transaction.frame(
            title=word("done_title"),
            say=word("done_say"),
            journey=(),
            can_go_back=False,
            primary=option("finish", "finish"),
            alternatives=(option("another", "another_matter"),),
        ),
        tone="success",
        papers=word("done_papers"),
        transaction_number=transaction.number,
    )
