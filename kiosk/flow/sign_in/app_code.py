"""The code of the provincial app (闽政通): the app has recognised its user and shows a code that is good once.

The code says nothing by itself; the identity platform tells whose it is, once.
"""

from __future__ import annotations

import functools

from drivers.errors import CommandTimedOut, DeviceError, MediaError
from drivers.messages import CodePurpose, DeviceClass, ScannedCode
from kiosk.contracts.errors import FaultCode, Refused
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import LocalizedText, masked_name, masked_number
from kiosk.flow.screens import InstructScreen, Place
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import call, person_named, signed_in, today
from kiosk.flow.transaction import Transaction
from kiosk.flow.words import fault_code_of, sentence_of, word

CODE_PATTERN = r"[A-Za-z0-9:/?&=._-]{8,200}"


async def by_app_code(transaction: Transaction) -> None:
    """Raises StepFailed or SteppedBack; a code that is no good is asked for again, with the reason."""
    hint = None
    while True:
        try:
            code = await transaction.with_device(
                DeviceClass.CODE_SCANNER, functools.partial(_code_or_answer, transaction, hint)
            )
        except CommandTimedOut:
            hint = word("show_code_again")
            continue
        except MediaError as error:
            hint = sentence_of(DeviceClass.CODE_SCANNER, error) or word("show_code_again")
            continue
        except DeviceError as error:
            raise StepFailed(fault_code_of(DeviceClass.CODE_SCANNER), str(error)) from error
        transaction.working("checking_code")
        try:
            said = await call(transaction, "identity.app_code", {"code": code.text})
        except Refused as refusal:
            transaction.journal("app_code_checked", decision="refused", reason=refusal.reason)
            hint = getattr(refusal, "told", None) or word("show_code_again")
            continue
        card = person_named(said, today(transaction))
        transaction.journal(
            "app_code_checked",
            decision="accepted",
            name=masked_name(card.name or ""),
            id_number=masked_number(card.id_number or ""),
        )
        transaction.session.identity.card = card
        return signed_in(transaction, "app_code", Assurance.CARD_PERSON)


async def _code_or_answer(transaction: Transaction, hint: LocalizedText | None) -> ScannedCode:
    scanner = transaction.equipment.devices.code_scanner
    if scanner is None:
        raise StepFailed(FaultCode.DEVICE_DOWN, "no code scanner is configured", can_retry=False)
    frame = transaction.frame(title=word("way_app_code"), say=word("show_app_code"), place=Place.CODE_SCANNER)
    transaction.session.show(InstructScreen(**frame, hint=hint))
    seconds = transaction.equipment.time_outs.card_seconds
    result = await transaction.session.unless_answered(
        scanner.read(purpose=CodePurpose.LOGIN, pattern=CODE_PATTERN, timeout_seconds=seconds)
    )
    if not isinstance(result, ScannedCode):
        raise SteppedBack
    return result
