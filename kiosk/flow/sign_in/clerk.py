"""A clerk of the shop looks at card and citizen and vouches, and a second person agrees: two-person control.

The centre judges both. The second is another clerk, here, or an operator at the centre; one person is never both.
"""

from __future__ import annotations

import asyncio
import functools
import re
import time
import uuid
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from kiosk.contracts.confirmations import (
    CLERK_DIGITS,
    CLERK_NUMBER,
    LIFETIME_SECONDS,
    PIN_DIGITS,
    ClerkWord,
    Confirmation,
    ConfirmationRequest,
)
from kiosk.contracts.errors import FaultCode, KioskError, Refused, Unreachable
from kiosk.contracts.matter import Assurance
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import LocalizedText
from kiosk.flow.equipment import ConfirmationsInUse
from kiosk.flow.screens import Chosen, FormFilled, FormItem, FormScreen, ReviewScreen, WorkingScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import signed_in
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import has_word, word

LOOK_SECONDS = 1.5
PATIENCE_SECONDS = 12.0
"""How long the centre may be silent before the citizen is told."""


@dataclass
class Request:
    """A request on its way, and the number of the clerk who began it."""

    id: str
    first: str
    standing: Confirmation


def hindrance(transaction: Transaction) -> str:
    """Why no clerk can vouch now, as a word key; empty when one can."""
    confirmations = transaction.equipment.confirmations
    return "" if confirmations is not None and confirmations.is_online else "clerk_needs_centre"


async def by_clerk(transaction: Transaction) -> None:
    """Return signed in, or after telling why not. Raises StepFailed, SteppedBack, or `Unreachable`."""
    confirmations = _confirmations(transaction)
    request = await _first_word(transaction, confirmations)
    try:
        while request.standing.state == "waiting":
            await _second_word(transaction, confirmations, request)
    finally:
        if request.standing.state == "waiting":
            with suppress(KioskError):
                request.standing = await confirmations.withdraw(request.id)
    end = request.standing
    transaction.journal(
        "confirmation_ended", decision=end.state, first=request.first, second=end.second, second_is=end.second_is,
        reason=end.reason,
    )  # fmt: skip
    if end.state == "confirmed":
        signed_in(transaction, "clerk", Assurance.CARD_PERSON)
    else:
        await _tell(transaction, end)


def _confirmations(transaction: Transaction) -> ConfirmationsInUse:
    confirmations = transaction.equipment.confirmations
    if confirmations is None:
        raise StepFailed(FaultCode.CENTRE_UNREACHABLE, "this machine has no way to the centre", can_retry=False)
    return confirmations


async def _first_word(transaction: Transaction, confirmations: ConfirmationsInUse) -> Request:
    error = None
    while True:
        said = await _asked(transaction, "clerk_first_title", "clerk_first_say", error)
        assert said is not None
        request_id = uuid.uuid4().hex
        wanted = ConfirmationRequest(
            clerk=said.clerk, pin=said.pin, transaction_number=transaction.number, matter=transaction.matter.id,
            holder=transaction.session.identity.masked_holder,
        )  # fmt: skip
        transaction.working("asking_centre")
        try:
            standing = await _asked_once(confirmations, request_id, wanted)
        except Refused as refusal:
            error = _judged(transaction, "first", said.clerk, refusal)
            continue
        transaction.journal("clerk_checked", decision="accepted", person="first", clerk=said.clerk)
        return Request(request_id, said.clerk, standing)


async def _asked_once(confirmations: ConfirmationsInUse, request_id: str, wanted: ConfirmationRequest) -> Confirmation:
    """An answer that was lost is asked for again, under the same id."""
    try:
        return await confirmations.ask(request_id, wanted)
    except Unreachable:
        return await confirmations.ask(request_id, wanted)


async def _second_word(transaction: Transaction, confirmations: ConfirmationsInUse, request: Request) -> None:
    """Wait for the operator, or take a second clerk's word here; returns when something is decided, or to wait on."""
    answer = await transaction.session.unless_answered(_decided(transaction, confirmations, request))
    if not isinstance(answer, Chosen) or answer.option != "second_clerk":
        return
    error = None
    while request.standing.state == "waiting":
        meanwhile = functools.partial(_look_on, confirmations, request)
        try:
            said = await _asked(transaction, "clerk_second_title", "clerk_second_say", error, meanwhile)
        except SteppedBack:
            return
        if said is None:
            return
        transaction.working("asking_centre")
        try:
            request.standing = await confirmations.second(request.id, said)
        except Refused as refusal:
            error = _judged(transaction, "second", said.clerk, refusal)
            request.standing = await confirmations.look(request.id)
            continue
        transaction.journal("clerk_checked", decision="accepted", person="second", clerk=said.clerk)


async def _decided(transaction: Transaction, confirmations: ConfirmationsInUse, request: Request) -> None:
    """Look until it is decided, and say how long it stands."""
    screen = _waiting(transaction)
    silent_since = 0.0
    while request.standing.state == "waiting":
        left = request.standing.seconds_left
        detail = word("clerk_wait_left").format(minutes=left // 60, seconds=f"{left % 60:02d}")
        done = round(100 * (1 - left / LIFETIME_SECONDS))
        transaction.session.show(replace(screen, detail=detail, progress=max(0, min(done, 100))), busy=True)
        await asyncio.sleep(LOOK_SECONDS)
        try:
            request.standing = await confirmations.look(request.id)
            silent_since = 0.0
        except Unreachable:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > PATIENCE_SECONDS:
                raise


async def _look_on(confirmations: ConfirmationsInUse, request: Request) -> None:
    """Return when it is decided elsewhere, or has run out, while a second clerk is typing."""
    while request.standing.state == "waiting":
        await asyncio.sleep(LOOK_SECONDS)
        with suppress(Unreachable):
            request.standing = await confirmations.look(request.id)


def _waiting(transaction: Transaction) -> WorkingScreen:
    return WorkingScreen(
        **transaction.frame(
            title=word("clerk_wait_title"),
            say=word("clerk_wait_say"),
            alternatives=(option("second_clerk", "clerk_second_here", icon="person"),),
        )
    )


async def _asked(
    transaction: Transaction,
    title: str,
    say: str,
    error: LocalizedText | None,
    meanwhile: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> ClerkWord | None:
    """Number and PIN as typed; what cannot be either is said at once and not sent. Raises SteppedBack.

    None when `meanwhile` ended before anything was typed.
    """
    session = transaction.session
    at_number = None
    while True:
        screen = FormScreen(
            **transaction.frame(
                title=word(title),
                say=word(say).format(name=transaction.session.identity.masked),
                primary=option("confirm", "confirm"),
            ),
            items=(
                FormItem(
                    id="clerk",
                    label=word("clerk_number"),
                    kind=FieldKind.NUMBER,
                    max_length=CLERK_DIGITS,
                    error=at_number,
                ),
                FormItem(id="pin", label=word("clerk_pin"), kind="pin", max_length=PIN_DIGITS, error=error),
            ),
        )
        session.questions_asked += 1
        session.show(screen)
        answer = await (session.answered() if meanwhile is None else session.unless_answered(meanwhile()))
        if answer is None:
            return None
        typed = answer.values if isinstance(answer, FormFilled) else {}
        number, pin = typed.get("clerk", ""), typed.get("pin", "")
        at_number = None if re.match(CLERK_NUMBER, number) else word("clerk_number_short")
        error = None if len(pin) == PIN_DIGITS and pin.isdecimal() else word("clerk_pin_short")
        if at_number is None and error is None:
            return ClerkWord(clerk=number, pin=pin)


def _judged(transaction: Transaction, person: str, clerk: str, refusal: Refused) -> LocalizedText:
    """What the centre would not take, in words."""
    transaction.journal("clerk_checked", decision="refused", person=person, clerk=clerk, reason=refusal.reason)
    return word(refusal.reason if has_word(refusal.reason) else "clerk_refused")


async def _tell(transaction: Transaction, end: Confirmation) -> None:
    told = f"confirmation_{end.reason or end.state}"
    await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("face_not_done_title"),
                say=word("clerk_not_confirmed"),
                can_go_back=False,
                primary=option("other_way", "choose_again"),
            ),
            text=word(told if has_word(told) else "confirmation_expired"),
        )
    )
