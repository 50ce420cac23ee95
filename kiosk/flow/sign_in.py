"""Know who stands there: the identity card, then the face or a code to the registered phone, side by side.

Face is never the only way, is asked for with a separate consent, and is not offered to children under fourteen
(DESIGN 4; domain.md 6.6). One sign-in serves the whole visit.
"""

from __future__ import annotations

import datetime as dt
import functools
import uuid
from contextlib import aclosing

from drivers.errors import CommandTimedOut, DeviceError, DeviceOffline, MediaError
from drivers.messages import DeviceClass, FaceDecision, FaceProgress, FaceVerdict, IdCard, Preview
from kiosk.contracts.errors import FaultCode, Refused
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import CITY_TIME, LocalizedText, masked_name, masked_number
from kiosk.flow.screens import (
    ChooseScreen,
    Chosen,
    FormFilled,
    FormItem,
    FormScreen,
    InstructScreen,
    Place,
    ReviewScreen,
)
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import face_prompt, sentence_of, word

FACE_CONSENT_VERSION = "2025-06-01"
CODE_DIGITS = 6
GUARDIAN_AGE = 14


async def sign_in(transaction: Transaction, needed: Assurance) -> None:
    """Return when this visit knows the citizen to the needed assurance. Raises StepFailed or SteppedBack."""
    identity = transaction.session.identity
    if identity.card is None:
        await _read_card(transaction)
    while not identity.satisfies(needed):
        way = await _choose_way(transaction)
        try:
            await (_by_face(transaction) if way == "face" else _by_code(transaction))
        except SteppedBack:
            continue
    assert identity.card is not None
    transaction.values.put_card(identity.card)


def _signed_in(transaction: Transaction, way: str, assurance: Assurance) -> None:
    identity = transaction.session.identity
    identity.way, identity.assurance = way, assurance
    transaction.journal("signed_in", way=way, assurance=assurance)


# --- the card ------------------------------------------------------------------------------------------------------


async def _read_card(transaction: Transaction) -> None:
    session, equipment = transaction.session, transaction.equipment
    session.questions_asked += 1
    hint = None
    while True:
        ask = functools.partial(_card_or_answer, transaction, hint)
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
        _refuse_unfit(card, equipment.now().astimezone(CITY_TIME).date())
        session.identity.card = card
        session.identity.assurance = Assurance.CARD
        transaction.journal(
            "card_read",
            card_type=card.card_type,
            name=masked_name(card.name or card.name_latin or ""),
            id_number=masked_number(card.id_number or card.permit_number or ""),
            sam_id=card.sam_id or "",
        )
        return


async def _card_or_answer(transaction: Transaction, hint: LocalizedText | None) -> IdCard:
    reader = transaction.equipment.devices.card_reader
    if reader is None:
        raise StepFailed(FaultCode.CARD_READER_DOWN, "no identity card reader is configured", can_retry=False)
    frame = transaction.frame(say=word("lay_card"), place=Place.CARD_READER)
    transaction.session.show(InstructScreen(**frame, hint=hint))
    seconds = transaction.equipment.time_outs.card_seconds
    result = await transaction.session.unless_answered(reader.read(timeout_seconds=seconds, want_photo=True))
    if not isinstance(result, IdCard):
        raise SteppedBack
    return result


def _refuse_unfit(card: IdCard, today: dt.date) -> None:
    if card.valid_until is not None and card.valid_until < today:
        raise StepFailed(FaultCode.CARD_EXPIRED, "the card's period of validity is over")
    if not card.id_number and not card.permit_number:
        raise StepFailed(FaultCode.CARD_NOT_ACCEPTED, "the card carries no number")


# --- the choice ----------------------------------------------------------------------------------------------------


async def _choose_way(transaction: Transaction) -> str:
    rules = transaction.equipment.sign_in
    options = []
    if rules.allow_face:
        reason = _face_hindrance(transaction)
        options.append(option("face", "way_face", icon="face", enabled=not reason, detail=reason or "way_face_detail"))
    if rules.allow_code:
        options.append(option("code", "way_code", icon="phone", detail="way_code_detail"))
    screen = ChooseScreen(
        **transaction.frame(title=word("choose_way_title"), say=word("choose_way")), options=tuple(options)
    )
    while True:
        answer = await transaction.session.ask(screen)
        if isinstance(answer, Chosen) and any(way.id == answer.option and way.enabled for way in options):
            return answer.option


def _face_hindrance(transaction: Transaction) -> str:
    """Why the face cannot be offered now, as a word key; empty when it can."""
    card = transaction.session.identity.card
    today = transaction.equipment.now().astimezone(CITY_TIME).date()
    if card is not None and card.birth_date is not None and _age(card.birth_date, today) < GUARDIAN_AGE:
        return "face_not_for_children"
    if card is None or card.photo is None:
        return "face_no_photo"
    if transaction.equipment.devices.face_check is None or not transaction.equipment.devices.is_fit(
        DeviceClass.FACE_MATCHER
    ):
        return "face_camera_down"
    return ""


def _age(birth: dt.date, today: dt.date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


# --- the face ------------------------------------------------------------------------------------------------------


async def _by_face(transaction: Transaction) -> None:
    reference, consent_id = await _face_consent(transaction)
    verdict = await transaction.with_device(
        DeviceClass.FACE_MATCHER, lambda: _check_face(transaction, reference, consent_id)
    )
    transaction.journal(
        "face_checked",
        decision=verdict.decision,
        reason=verdict.reason,
        distance="" if verdict.distance is None else f"{verdict.distance:.2f}",
        accept_at=f"{verdict.accept_at:.2f}",
        engine=verdict.engine,
        model=verdict.model_sha256[:16],
        attempts=verdict.attempts,
    )
    if verdict.decision is FaceDecision.ACCEPT:
        _signed_in(transaction, "face", Assurance.CARD_PERSON)
        return
    await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("face_not_done_title"), say=face_prompt(verdict.reason), can_go_back=False,
                primary=option("other_way", "choose_again"),
            ),
            text=word("face_not_done"),
        )
    )  # fmt: skip


async def _face_consent(transaction: Transaction) -> tuple[bytes, str]:
    """Separate, explicit consent, before the camera opens. Declining leads back to the other way."""
    session, devices = transaction.session, transaction.equipment.devices
    answer = await session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("face_consent_title"),
                say=word("face_consent_say"),
                primary=option("agree", "agree"),
                alternatives=(option("decline", "decline_face"),),
            ),
            text=word("face_consent_text"),
        )
    )
    if not isinstance(answer, Chosen) or answer.option != "agree":
        transaction.journal("consent_declined", subject="face", text_version=FACE_CONSENT_VERSION)
        raise SteppedBack
    consent_id = uuid.uuid4().hex
    transaction.journal("consent_given", subject="face", text_version=FACE_CONSENT_VERSION, consent_id=consent_id)
    card, reader = session.identity.card, devices.card_reader
    if card is None or card.photo is None or reader is None:
        raise StepFailed(FaultCode.CAMERA_DOWN, "no reference picture")
    photo = card.photo
    reference = await transaction.with_device(DeviceClass.ID_CARD_READER, lambda: reader.decode_photo(photo))
    if reference is None:
        raise StepFailed(FaultCode.CAMERA_DOWN, "the card's picture cannot be decoded here")
    return reference, consent_id


async def _check_face(transaction: Transaction, reference: bytes, consent_id: str) -> FaceVerdict:
    face = transaction.equipment.devices.face_check
    if face is None:
        raise StepFailed(FaultCode.CAMERA_DOWN, "no camera is configured")
    session = transaction.session
    frame = transaction.frame(say=face_prompt("LOOK_STRAIGHT"), place=Place.FACE_CAMERA)

    async def follow() -> FaceVerdict:
        checks = face.verify(
            reference_png=reference, consent_id=consent_id, head_turn=transaction.equipment.sign_in.head_turn
        )
        async with aclosing(checks):
            async for item in checks:
                match item:
                    case Preview():
                        session.on_preview(item)
                    case FaceProgress():
                        session.show(InstructScreen(**frame | _prompt(item), shows_camera=True))
                    case FaceVerdict():
                        return item
        raise DeviceOffline("the face check ended without a verdict")

    session.show(InstructScreen(**frame, shows_camera=True, direction="straight"))
    result = await session.unless_answered(follow())
    if not isinstance(result, FaceVerdict):
        raise SteppedBack
    return result


def _prompt(progress: FaceProgress) -> dict[str, object]:
    direction = {"TURN_LEFT": "left", "TURN_RIGHT": "right"}.get(progress.prompt, "straight")
    done = round(100 * progress.step / progress.steps) if progress.steps else None
    return {"say": face_prompt(progress.prompt), "direction": direction, "progress": done}


# --- the code ------------------------------------------------------------------------------------------------------


async def _by_code(transaction: Transaction) -> None:
    """A one-time code to the phone the authority has on record, never to one typed in here."""
    card = transaction.session.identity.card
    assert card is not None
    transaction.working("sending_code")
    try:
        sent = await _call(transaction, "sms.send_code", {"id_number": card.id_number or card.permit_number})
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
            return await _by_code(transaction)
        transaction.working("checking_code")
        try:
            await _call(
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
        return _signed_in(transaction, "code", Assurance.CARD_PERSON)


async def _call(transaction: Transaction, operation: str, payload: dict[str, object]) -> dict[str, object]:
    answer = await transaction.equipment.services.call(
        operation,
        payload,
        request_id=uuid.uuid4().hex,
        transaction_number=transaction.number,
        matter=transaction.matter.id,
        purpose="sign_in",
    )
    return answer.data
