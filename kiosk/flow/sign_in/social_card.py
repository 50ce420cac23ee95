"""The social-security card and its PIN (domain.md 3.2): tried only as entered, and the last time only when told so."""

from __future__ import annotations

import functools

from drivers.errors import CommandTimedOut, ConsentRequired, DeviceError, MediaError
from drivers.messages import CardType, DeviceClass, IdCard, PinResult, SocialSecurityCard
from drivers.protocols import SmartCardReader
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import LocalizedText, masked_name, masked_number
from kiosk.flow.screens import Chosen, FormFilled, FormItem, FormScreen, InstructScreen, Place, ReviewScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import signed_in, today
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import fault_code_of, sentence_of, word

PIN_DIGITS = 6


async def by_social_card(transaction: Transaction) -> None:
    """Raises StepFailed or SteppedBack. A card pulled out or unreadable is asked for again."""
    hint = None
    while True:
        try:
            profile = await transaction.with_device(
                DeviceClass.SMART_CARD_READER, functools.partial(_card_or_answer, transaction, hint)
            )
            await _prove(transaction, profile)
        except CommandTimedOut:
            hint = word("insert_card_again")
            continue
        except MediaError as error:
            transaction.journal("card_failed", reason=error.reason)
            hint = sentence_of(DeviceClass.SMART_CARD_READER, error) or word("insert_card_again")
            continue
        except DeviceError as error:
            raise StepFailed(fault_code_of(DeviceClass.SMART_CARD_READER), str(error)) from error
        transaction.session.identity.card = IdCard(
            card_type=CardType.RESIDENT,
            name=profile.name,
            id_number=profile.social_security_number,
            sex=profile.sex,
            nation_code=profile.nation_code,
            birth_date=profile.birth_date,
        )
        return signed_in(transaction, "social_card", Assurance.CARD_PERSON)


def _reader(transaction: Transaction) -> SmartCardReader:
    reader = transaction.equipment.devices.smart_card_reader
    if reader is None:
        raise StepFailed(FaultCode.DEVICE_DOWN, "no chip card reader is configured", can_retry=False)
    return reader


async def _card_or_answer(transaction: Transaction, hint: LocalizedText | None) -> SocialSecurityCard:
    reader = _reader(transaction)
    frame = transaction.frame(title=word("way_social_card"), say=word("insert_social_card"), place=Place.CARD_SLOT)
    transaction.session.show(InstructScreen(**frame, hint=hint))

    async def read() -> SocialSecurityCard:
        await reader.wait_card(timeout_seconds=transaction.equipment.time_outs.card_seconds)
        return await reader.read_profile()

    profile = await transaction.session.unless_answered(read())
    if not isinstance(profile, SocialSecurityCard):
        raise SteppedBack
    if profile.expires_on is not None and profile.expires_on < today(transaction):
        raise StepFailed(FaultCode.CARD_EXPIRED, "the card's period of validity is over")
    if not profile.name or not profile.social_security_number:
        raise StepFailed(FaultCode.CARD_NOT_ACCEPTED, "the card carries no name or number")
    transaction.journal(
        "card_read",
        card_type="social_security",
        name=masked_name(profile.name),
        id_number=masked_number(profile.social_security_number),
    )
    return profile


async def _prove(transaction: Transaction, profile: SocialSecurityCard) -> None:
    """Return once the card took the PIN. Raises StepFailed when it is locked, SteppedBack, or the reader's error."""
    error = None
    while True:
        pin = await _asked(transaction, profile, error)
        transaction.working("checking_code")
        result = await _tried(transaction, pin)
        transaction.journal("pin_checked", decision="accepted" if result.accepted else "refused")
        if result.accepted:
            return
        if result.blocked:
            raise StepFailed(FaultCode.CARD_NOT_ACCEPTED, "the PIN is locked", told=word("pin_locked"), can_retry=False)
        left = result.tries_left
        error = word("pin_wrong") if left is None else word("pin_wrong_left").format(left=left)


async def _asked(transaction: Transaction, profile: SocialSecurityCard, error: LocalizedText | None) -> str:
    item = FormItem(id="pin", label=word("pin_label"), kind="pin", max_length=PIN_DIGITS, error=error)
    screen = FormScreen(
        **transaction.frame(
            title=word("way_social_card"),
            say=word("pin_say").format(name=masked_name(profile.name or "")),
            primary=option("confirm", "confirm"),
        ),
        items=(item,),
    )
    while True:
        answer = await transaction.session.ask(screen)
        if isinstance(answer, FormFilled) and len(answer.values.get("pin", "")) == PIN_DIGITS:
            return answer.values["pin"]


async def _tried(transaction: Transaction, pin: str) -> PinResult:
    reader = _reader(transaction)
    try:
        return await reader.verify_pin(pin)
    except ConsentRequired:
        answer = await transaction.session.ask(
            ReviewScreen(
                **transaction.frame(
                    title=word("pin_last_title"),
                    say=word("pin_last_say"),
                    primary=option("try", "pin_last_try"),
                    alternatives=(option("stop", "pin_last_stop"),),
                )
            )
        )
        if not isinstance(answer, Chosen) or answer.option != "try":
            raise SteppedBack from None
        transaction.working("checking_code")
        return await reader.verify_pin(pin, last_try=True)
