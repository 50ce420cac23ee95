"""An account verified by bank card: name, number, card and the phone kept at the bank belong together (四要素).

The card is read after a consent of its own (domain.md 3.2). Of its number nothing is kept but the last four digits in
the journal; no PIN of the bank is asked for, and nothing is charged.
"""

from __future__ import annotations

import functools
import uuid

from drivers.errors import CommandTimedOut, DeviceError, MediaError
from drivers.messages import BankCard, DeviceClass
from drivers.protocols import SmartCardReader
from kiosk.contracts.errors import FaultCode, Refused
from kiosk.contracts.matter import Assurance
from kiosk.contracts.text import FieldKind
from kiosk.contracts.value import LocalizedText, is_identity_number, masked_name, masked_number
from kiosk.flow.screens import Chosen, FormFilled, FormItem, FormScreen, InstructScreen, Place, ReviewScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import call, person_named, signed_in, today
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import fault_code_of, sentence_of, word

CONSENT_VERSION = "2026-01-01"
CODE_DIGITS = 6
NUMBER_LENGTH = 18


async def by_bank_card(transaction: Transaction) -> None:
    """Return signed in, or after telling why not. Raises StepFailed or SteppedBack."""
    reader = _reader(transaction)
    await _consent(transaction)
    known = transaction.session.identity.card
    number = (known.id_number or known.permit_number or "") if known is not None else await _typed_number(transaction)
    card = await _card(transaction, reader)
    try:
        said = await _proven(transaction, card, number)
    except Refused as refusal:
        transaction.journal("bank_card_checked", decision="refused", reason=refusal.reason, card=card.last_digits)
        return await _tell(transaction, getattr(refusal, "told", None) or word("bank_card_refused"))
    if said.get("id_number") != number:
        raise StepFailed(FaultCode.AUTHORITY_GARBLED, "the identity platform named somebody else")
    if known is None:
        transaction.session.identity.card = person_named(said, today(transaction))
    transaction.journal(
        "bank_card_checked", decision="accepted", card=card.last_digits, name=masked_name(str(said.get("name"))),
        id_number=masked_number(number),
    )  # fmt: skip
    return signed_in(transaction, "bank_card", Assurance.CARD_PERSON)


def _reader(transaction: Transaction) -> SmartCardReader:
    reader = transaction.equipment.devices.smart_card_reader
    if reader is None:
        raise StepFailed(FaultCode.DEVICE_DOWN, "no chip card reader is configured", can_retry=False)
    return reader


async def _consent(transaction: Transaction) -> None:
    answer = await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("bank_consent_title"),
                say=word("bank_consent_say"),
                primary=option("agree", "agree"),
                alternatives=(option("decline", "bank_decline"),),
            ),
            text=word("bank_consent_text"),
        )
    )
    if not isinstance(answer, Chosen) or answer.option != "agree":
        transaction.journal("consent_declined", subject="bank_card", text_version=CONSENT_VERSION)
        raise SteppedBack
    transaction.journal(
        "consent_given", subject="bank_card", text_version=CONSENT_VERSION, consent_id=uuid.uuid4().hex
    )  # fmt: skip


async def _typed_number(transaction: Transaction) -> str:
    """Whoever has no identity card with them knows its number."""
    error, typed = None, ""
    while True:
        item = FormItem(
            id="id_number", label=word("bank_number_label"), kind=FieldKind.IDENTITY_NUMBER, value=typed,
            max_length=NUMBER_LENGTH, error=error,
        )  # fmt: skip
        frame = transaction.frame(
            title=word("way_bank_card"), say=word("bank_number_say"), primary=option("confirm", "confirm")
        )
        answer = await transaction.session.ask(FormScreen(**frame, items=(item,)))
        typed = answer.values.get("id_number", "").upper() if isinstance(answer, FormFilled) else ""
        if is_identity_number(typed, today(transaction)):
            return typed
        error = word("bank_number_wrong")


async def _card(transaction: Transaction, reader: SmartCardReader) -> BankCard:
    """A card pulled out, unreadable, of no bank or run out is asked for again, with the reason."""
    hint = None
    while True:
        read = functools.partial(_card_or_answer, transaction, reader, hint)
        try:
            card = await transaction.with_device(DeviceClass.SMART_CARD_READER, read)
        except CommandTimedOut:
            hint = word("insert_bank_card_again")
        except MediaError as error:
            transaction.journal("card_failed", reason=error.reason)
            hint = sentence_of(DeviceClass.SMART_CARD_READER, error) or word("insert_bank_card_again")
        except DeviceError as error:
            raise StepFailed(fault_code_of(DeviceClass.SMART_CARD_READER), str(error)) from error
        else:
            if card.expires_on is None or card.expires_on >= today(transaction):
                return card
            hint = word("bank_card_expired")


async def _card_or_answer(transaction: Transaction, reader: SmartCardReader, hint: LocalizedText | None) -> BankCard:
    frame = transaction.frame(title=word("way_bank_card"), say=word("insert_bank_card"), place=Place.CARD_SLOT)
    transaction.session.show(InstructScreen(**frame, hint=hint))

    async def read() -> BankCard:
        if hint is not None:
            await reader.wait_removal(timeout_seconds=transaction.equipment.time_outs.card_seconds)
        await reader.wait_card(timeout_seconds=transaction.equipment.time_outs.card_seconds)
        return await reader.read_bank_card()

    card = await transaction.session.unless_answered(read())
    if not isinstance(card, BankCard):
        raise SteppedBack
    return card


async def _proven(transaction: Transaction, card: BankCard, number: str) -> dict[str, object]:
    """Whom the platform names, once the code to the bank's phone was right. Raises `Refused`."""
    while True:
        transaction.working("asking_bank")
        asked: dict[str, object] = {"card_number": card.number, "id_number": number}
        sent = await call(transaction, "identity.bank_card", asked)
        error = None
        while True:
            answer = await transaction.session.ask(_code_screen(transaction, card, sent, error))
            if not isinstance(answer, FormFilled):
                break
            transaction.working("checking_code")
            given: dict[str, object] = {
                "challenge_id": sent.get("challenge_id", ""),
                "code": answer.values.get("code", ""),
            }
            try:
                return await call(transaction, "identity.bank_card_code", given)
            except Refused as refusal:
                if refusal.reason != "code_wrong":
                    raise
                transaction.journal(
                    "bank_card_checked", decision="refused", reason=refusal.reason, card=card.last_digits
                )  # fmt: skip
                error = word("code_wrong")


def _code_screen(
    transaction: Transaction, card: BankCard, sent: dict[str, object], error: LocalizedText | None
) -> FormScreen:
    say = word("bank_code_say").format(card=card.last_digits, phone=str(sent.get("masked_phone", "")))
    return FormScreen(
        **transaction.frame(
            title=word("code_title"), say=say, primary=option("confirm", "confirm"),
            alternatives=(option("resend", "send_again"),),
        ),
        items=(FormItem(id="code", label=word("code_label"), kind="code", max_length=CODE_DIGITS, error=error),),
    )  # fmt: skip


async def _tell(transaction: Transaction, told: LocalizedText) -> None:
    await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("face_not_done_title"),
                say=word("bank_not_confirmed"),
                can_go_back=False,
                primary=option("other_way", "choose_again"),
            ),
            text=told,
        )
    )
