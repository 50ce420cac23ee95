"""What stands in the way of the steps to come, said before anything is entered: quiet authorities, unfit devices."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.messages import DeviceClass
from kiosk.contracts.matter import (
    CallServiceStep,
    CollectMaterialStep,
    PrintDocumentStep,
    PrintReceiptStep,
    SignStep,
    Step,
    WriteCardStep,
)
from kiosk.contracts.value import Language, LocalizedText
from kiosk.flow.screens import KnownItem
from kiosk.flow.transaction import Transaction
from kiosk.flow.words import unfit_reason, word


def troubles(transaction: Transaction, later: Sequence[Step]) -> tuple[KnownItem, ...]:
    """One line for each trouble of the wanted steps in `later`, each once."""
    found: dict[str, LocalizedText] = {}
    for step in later:
        if transaction.is_wanted(step):
            for text in (_quiet(transaction, step), _unfit(transaction, step)):
                if text is not None:
                    found.setdefault(text.zh_cn, text)
    return tuple(KnownItem(label=word("need_know"), value=text) for text in found.values())


def _quiet(transaction: Transaction, step: Step) -> LocalizedText | None:
    equipment = transaction.equipment
    if not isinstance(step, CallServiceStep) or not equipment.outages.is_quiet(step.operation, equipment.now()):
        return None
    part = next((part for part in transaction.matter.parts if part.id in step.parts), None)
    name = (part or transaction.matter).department_name
    return LocalizedText.of({
        language.value: word("authority_quiet").in_language(language).format(department=name.in_language(language))
        for language in Language
    })  # fmt: skip


def _unfit(transaction: Transaction, step: Step) -> LocalizedText | None:
    devices = transaction.equipment.devices
    needed = _device_of(step)
    if needed is None or devices.is_fit(needed):
        return None
    return unfit_reason(needed, devices.faults_of(needed))


def _device_of(step: Step) -> DeviceClass | None:
    match step:
        case CollectMaterialStep(capture=True, phone=None):
            device = DeviceClass.DOCUMENT_SCANNER
        case PrintDocumentStep():
            device = DeviceClass.DOCUMENT_PRINTER
        case PrintReceiptStep():
            device = DeviceClass.RECEIPT_PRINTER
        case SignStep():
            device = DeviceClass.SIGNATURE_PAD
        case WriteCardStep():
            device = DeviceClass.CARD_REWRITER if step.card == "permit" else DeviceClass.SMART_CARD_READER
        case _:
            return None
    return device
