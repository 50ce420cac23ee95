"""The identity card on its reader: resident card, residence permit of Hong Kong, Macao and Taiwan, foreigner's card."""

from __future__ import annotations

import datetime as dt
import functools

from drivers.errors import CommandTimedOut, DeviceError, MediaError
from drivers.messages import DeviceClass, IdCard
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import LocalizedText, masked_name, masked_number
from kiosk.flow.screens import Chosen, InstructScreen, Place
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import today
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import sentence_of, word


async def read_card(transaction: Transaction, *, others: bool) -> bool:
    """True when the card was read; False when the citizen has none and wants another of the `others`."""
    session = transaction.session
    session.questions_asked += 1
    hint = None
    while True:
        ask = functools.partial(_card_or_answer, transaction, hint, others)
        try:
            card = await transaction.with_device(DeviceClass.ID_CARD_READER, ask)
        except CommandTimedOut:
            hint = word("lay_card_flat")
            continue
        except MediaError as error:
            transaction.journal("card_failed", reason=error.reason)
            hint = sentence_of(DeviceClass.ID_CARD_READER, error) or word("lift_and_lay_again")
            continue
        except DeviceError as error:
            transaction.journal("card_failed", reason=error.reason)
            raise StepFailed(FaultCode.CARD_READER_DOWN, str(error)) from error
        if card is None:
            return False
        _refuse_unfit(card, today(transaction))
        session.identity.card = card
        session.identity.assurance = Assurance.CARD
        transaction.journal(
            "card_read",
            card_type=card.card_type,
            name=masked_name(card.name or card.name_latin or ""),
            id_number=masked_number(card.id_number or card.permit_number or ""),
            sam_id=card.sam_id or "",
        )
        return True


async def _card_or_answer(transaction: Transaction, hint: LocalizedText | None, others: bool) -> IdCard | None:
    reader = transaction.equipment.devices.card_reader
    if reader is None:
        raise StepFailed(FaultCode.CARD_READER_DOWN, "no identity card reader is configured", can_retry=False)
    elsewise = (option("without_card", "without_card"),) if others else ()
    frame = transaction.frame(say=word("lay_card"), place=Place.CARD_READER, alternatives=elsewise)
    transaction.session.show(InstructScreen(**frame, hint=hint))
    seconds = transaction.equipment.time_outs.card_seconds
    result = await transaction.session.unless_answered(reader.read(timeout_seconds=seconds, want_photo=True))
    if isinstance(result, Chosen) and result.option == "without_card":
        return None
    if not isinstance(result, IdCard):
        raise SteppedBack
    return result


def _refuse_unfit(card: IdCard, today: dt.date) -> None:
    if card.valid_until is not None and card.valid_until < today:
        raise StepFailed(FaultCode.CARD_EXPIRED, "the card's period of validity is over")
    if not card.id_number and not card.permit_number:
        raise StepFailed(FaultCode.CARD_NOT_ACCEPTED, "the card carries no number")
