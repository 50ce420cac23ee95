"""A material: the certificate library first (材料免提交); else captured here, or sent from the citizen's phone."""

from __future__ import annotations

import base64

from drivers.errors import DeviceError, MediaError
from drivers.messages import DeviceClass, ScannedPage
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.handover import FromPhone
from kiosk.contracts.matter import CollectMaterialStep, PhoneSource
from kiosk.contracts.source_rules import MATERIAL_NAMES
from kiosk.contracts.value import LocalizedText, masked_number, plain, sha256_hex
from kiosk.flow.screens import (
    ChooseScreen,
    Chosen,
    InstructScreen,
    KnownItem,
    Option,
    Place,
    PreviewScreen,
    ReviewScreen,
)
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.steps.asking.from_phone import receive
from kiosk.flow.steps.certificates import find_certificate
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import word

PHONE, CAMERA, WITHOUT = "phone", "camera", "without"
NOTHING: dict[str, str | None] = dict.fromkeys(MATERIAL_NAMES)
"""What an earlier try left is gone: fewer photos leave no third one behind."""


async def run(transaction: Transaction, step: CollectMaterialStep) -> Outcome:
    if step.certificate is not None:
        transaction.working("asking_library")
        found = await find_certificate(transaction, step.certificate, step.purpose.zh_cn)
        if found is not None:
            return await _show_found(transaction, step, str(found["identifier"]))
    if step.phone is None and not step.optional:
        if not step.capture:
            raise StepFailed(FaultCode.MATERIAL_MISSING, f"no {step.certificate} in the library", can_retry=False)
        _keep_page(transaction, step, await _capture(transaction, step))
        return Outcome.DONE
    say: LocalizedText | None = None
    while True:
        way = await _way(transaction, step, say)
        say = None
        try:
            if way == WITHOUT:
                transaction.values.put(f"material.{step.id}", NOTHING)
                return Outcome.DONE
            if way == CAMERA:
                _keep_page(transaction, step, await _capture(transaction, step))
                return Outcome.DONE
            sent = await _from_phone(transaction, step)
        except SteppedBack:
            continue
        if isinstance(sent, FromPhone):
            _keep_sent(transaction, step, sent)
            return Outcome.DONE
        say = sent


async def _way(transaction: Transaction, step: CollectMaterialStep, say: LocalizedText | None) -> str:
    """Camera, phone or without; `say` is why the last way led nowhere. What cannot serve now is shown, and greyed."""
    devices = transaction.equipment.devices
    can_capture = devices.document_scanner is not None and devices.is_fit(DeviceClass.DOCUMENT_SCANNER)
    can_phone = transaction.equipment.hand_over is not None
    ways: list[Option] = []
    if step.phone is not None:
        detail = f"phone_detail_{_asked_of(step.phone)}" if can_phone else "phone_not_here"
        ways.append(option(PHONE, "material_by_phone", icon="phone", detail=detail, enabled=can_phone))
    if step.capture:
        detail = "material_by_camera_detail" if can_capture else "down_document_scanner"
        ways.append(option(CAMERA, "material_by_camera", icon="scan", detail=detail, enabled=can_capture))
    if step.optional:
        ways.append(option(WITHOUT, "material_without", icon="right", detail="material_without_detail"))
    if not any(way.enabled for way in ways):
        raise StepFailed(FaultCode.MATERIAL_MISSING, f"no way to take {step.id} works now", can_retry=True)
    while True:
        answer = await transaction.session.ask(
            ChooseScreen(**transaction.frame(say=say or word("material_how")), options=tuple(ways), layout="list")
        )
        if isinstance(answer, Chosen) and any(way.id == answer.option and way.enabled for way in ways):
            return answer.option


async def _from_phone(transaction: Transaction, step: CollectMaterialStep) -> FromPhone | LocalizedText | None:
    hand_over = transaction.equipment.hand_over
    if step.phone is None or hand_over is None:
        return word("phone_not_here")
    return await receive(transaction, step, step.phone, hand_over)


def _asked_of(source: PhoneSource) -> str:
    if not source.text:
        return "photos"
    return "both" if source.photos else "text"


def _keep_page(transaction: Transaction, step: CollectMaterialStep, page: ScannedPage) -> None:
    transaction.values.put(
        f"material.{step.id}",
        NOTHING | {"origin": "captured", "sha256": page.sha256, "page": base64.b64encode(page.jpeg).decode()},
    )
    transaction.journal("material_collected", step=step.id, origin="captured", certificate="", sha256=page.sha256)


def _keep_sent(transaction: Transaction, step: CollectMaterialStep, sent: FromPhone) -> None:
    kept: dict[str, str | None] = {"origin": "phone", "text": sent.text or None}
    for number, photo in enumerate(sent.photos, 1):
        end = "" if number == 1 else f"_{number}"
        kept[f"page{end}"] = base64.b64encode(photo).decode()
        kept[f"sha256{end}"] = sha256_hex(photo)
    transaction.values.put(f"material.{step.id}", NOTHING | kept)
    transaction.journal(
        "material_collected", step=step.id, origin="phone", certificate="", sha256=kept.get("sha256") or ""
    )


async def _show_found(transaction: Transaction, step: CollectMaterialStep, identifier: str) -> Outcome:
    screen = ReviewScreen(
        **transaction.frame(say=word("material_found"), primary=option("use", "use_certificate")),
        items=(
            KnownItem(label=step.material, value=word("found_in_library"), origin=word("origin_certificate")),
            KnownItem(label=word("certificate_number"), value=plain(_short(identifier))),
            KnownItem(label=word("used_for"), value=step.purpose),
        ),
    )
    await transaction.session.ask(screen)
    transaction.values.put(f"material.{step.id}", {"origin": "library", "certificate": identifier})
    transaction.journal(
        "material_collected", step=step.id, origin="library", certificate=masked_number(identifier), sha256=""
    )
    return Outcome.DONE


def _short(identifier: str) -> str:
    return f"…{identifier[-12:]}"


async def _capture(transaction: Transaction, step: CollectMaterialStep) -> ScannedPage:
    hint = word("capture_hint")
    say = transaction.say() if step.certificate is None else word("lay_paper")
    while True:
        await transaction.session.ask(
            InstructScreen(
                **transaction.frame(
                    say=say,
                    place=Place.DOCUMENT_CAMERA,
                    primary=option("capture", "capture"),
                ),
                hint=hint,
            )
        )
        try:
            page = await transaction.with_device(DeviceClass.DOCUMENT_SCANNER, lambda: _take(transaction))
        except MediaError as error:
            hint = word(f"capture_{error.reason}" if error.reason in _CAPTURE_REASONS else "capture_again")
            continue
        except DeviceError as error:
            raise StepFailed(FaultCode.CAPTURE_FAILED, str(error)) from error
        answer = await transaction.session.ask(
            PreviewScreen(
                **transaction.frame(
                    say=word("check_capture"),
                    primary=option("use", "use_capture"),
                    alternatives=(option("again", "capture_again_option"),),
                ),
                page_png=page.jpeg,
                caption=step.material,
            )
        )
        if isinstance(answer, Chosen) and answer.option == "use":
            return page


_CAPTURE_REASONS = frozenset({"too_blurred", "too_dark", "no_media"})


async def _take(transaction: Transaction) -> ScannedPage:
    scanner = transaction.equipment.devices.document_scanner
    if scanner is None:
        raise StepFailed(FaultCode.CAPTURE_FAILED, "no document camera is configured", can_retry=False)
    transaction.working("capturing")
    return await scanner.capture()
