"""The face, with a consent of its own before the camera opens (DESIGN 4; domain.md 6.6)."""

from __future__ import annotations

import datetime as dt
import uuid
from contextlib import aclosing

from drivers.errors import DeviceOffline
from drivers.messages import DeviceClass, FaceDecision, FaceProgress, FaceVerdict, Preview
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import Assurance
from kiosk.flow.screens import Chosen, InstructScreen, Place, ReviewScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import signed_in, today
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import face_prompt, word

FACE_CONSENT_VERSION = "2025-06-01"
GUARDIAN_AGE = 14


def hindrance(transaction: Transaction) -> str:
    """Why the face cannot be offered now, as a word key; empty when it can."""
    card = transaction.session.identity.card
    if card is not None and card.birth_date is not None and _age(card.birth_date, today(transaction)) < GUARDIAN_AGE:
        return "face_not_for_children"
    if card is None or (card.photo is None and transaction.session.identity.portrait_png is None):
        return "face_no_photo"
    if transaction.equipment.devices.face_check is None or not transaction.equipment.devices.is_fit(
        DeviceClass.FACE_MATCHER
    ):
        return "face_camera_down"
    return ""


def _age(birth: dt.date, now: dt.date) -> int:
    return now.year - birth.year - ((now.month, now.day) < (birth.month, birth.day))


async def by_face(transaction: Transaction) -> None:
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
        signed_in(transaction, "face", Assurance.CARD_PERSON)
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
    if session.identity.portrait_png is not None:
        return session.identity.portrait_png, consent_id
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
