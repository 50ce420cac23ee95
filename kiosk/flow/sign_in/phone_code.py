"""A one-time code to the phone the authority has on record, never to one typed in here."""

from __future__ import annotations

from kiosk.contracts.errors import FaultCode, Refused
from kiosk.contracts.matter import Assurance
from kiosk.flow.screens import FormFilled, FormItem, FormScreen
from kiosk.flow.session import StepFailed
from kiosk.flow.sign_in.common import call, signed_in
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import word

CODE_DIGITS = 6


async def by_code(transaction: Transaction) -> None:
    card = transaction.session.identity.card
    assert card is not None
    transaction.working("sending_code")
    try:
        sent = await call(transaction, "sms.send_code", {"id_number": card.id_number or card.permit_number})
    except Refused as refusal:
        raise StepFailed(FaultCode.PHONE_UNKNOWN, refusal.reason) from refusal
    phone = str(sent.get("masked_phone", ""))
    error = None
    while True:
        screen = FormScreen(
            **transaction.frame(
                title=word("code_title"),
                say=word("code_say").format(phone=phone),
                primary=option("confirm", "confirm"),
                alternatives=(option("resend", "send_again"),),
            ),
            items=(FormItem(id="code", label=word("code_label"), kind="code", max_length=CODE_DIGITS, error=error),),
        )
        answer = await transaction.session.ask(screen)
        if not isinstance(answer, FormFilled):
            return await by_code(transaction)
        transaction.working("checking_code")
        try:
            await call(
                transaction,
                "sms.verify_code",
                {"challenge_id": sent.get("challenge_id", ""), "code": answer.values.get("code", "")},
            )
        except Refused as refusal:
            transaction.journal("phone_checked", decision="refused", phone=phone)
            if refusal.reason != "code_wrong":
                raise StepFailed(FaultCode.PHONE_CODE_WRONG, refusal.reason) from refusal
            error = word("code_wrong")
            continue
        transaction.journal("phone_checked", decision="accepted", phone=phone)
        return signed_in(transaction, "code", Assurance.CARD_PERSON)
