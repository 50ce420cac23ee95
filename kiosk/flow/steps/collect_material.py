"""A material: the certificate library first (材料免提交); captured when none is found, or can be: a photo, a plan."""

from __future__ import annotations

import base64

from drivers.errors import DeviceError, MediaError
from drivers.messages import DeviceClass, ScannedPage
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import CollectMaterialStep
from kiosk.contracts.value import masked_number, plain
from kiosk.flow.screens import Chosen, InstructScreen, KnownItem, Place, PreviewScreen, ReviewScreen
from kiosk.flow.session import StepFailed
from kiosk.flow.steps.certificates import find_certificate
from kiosk.flow.transaction import Outcome, Transaction, option
from kiosk.flow.words import word


async def run(transaction: Transaction, step: CollectMaterialStep) -> Outcome:
    if step.certificate is not None:
        transaction.working("asking_library")
        found = await find_certificate(transaction, step.certificate, step.purpose.zh_cn)
        if found is not None:
            return await _show_found(transaction, step, str(found["identifier"]))
    if not step.capture:
        raise StepFailed(FaultCode.MATERIAL_MISSING, f"no {step.certificate} in the library", can_retry=False)
    page = await _capture(transaction, step)
    transaction.values.put(
        f"material.{step.id}",
        {"origin": "captured", "sha256": page.sha256, "page": base64.b64encode(page.jpeg).decode()},
    )
    transaction.journal("material_collected", step=step.id, origin="captured", certificate="", sha256=page.sha256)
    return Outcome.DONE


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
