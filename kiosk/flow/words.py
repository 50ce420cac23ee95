"""The flow's own sentences, in three languages, read once from assets/i18n/flow.yaml; those of devices' faults beside
them (assets/i18n/faults): a device that failed is told in its own words, not in one sentence for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from drivers.errors import DeviceError
from drivers.messages import DeviceClass, Fault, FaultAction
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.fault_words import fault_names, fault_words
from kiosk.contracts.value import Contract, LocalizedText

WORDS_FILE = Path(__file__).parents[2] / "assets" / "i18n" / "flow.yaml"
NOTHING_LOST = "nothing_lost"
"""The sentence of most failures: nothing was handed in, nothing printed."""


class FailureWords(Contract):
    """What a citizen is told of one failure: what happened, what it means for papers and money, what to do."""

    title: LocalizedText
    say: LocalizedText
    papers: LocalizedText
    money: LocalizedText
    what_to_do: LocalizedText


@cache
def _catalogue() -> dict[str, Any]:
    with WORDS_FILE.open(encoding="utf-8") as file:
        catalogue: dict[str, Any] = yaml.load(file, Loader=yaml.CSafeLoader)
    return catalogue


@cache
def word(key: str) -> LocalizedText:
    """The sentence with this key. A missing key is a mistake of ours and raises KeyError."""
    return LocalizedText.of(_catalogue()["words"][key])


def has_word(key: str) -> bool:
    return key in _catalogue()["words"]


@cache
def every_sentence() -> frozenset[str]:
    """What this program itself says, simplified Chinese: the same for everybody, so that it tells nothing of anyone."""
    catalogue = _catalogue()
    failures = (part for entry in catalogue["failures"].values() for part in entry.values() if isinstance(part, dict))
    entries = (*catalogue["words"].values(), *catalogue["shared"].values(), *failures)
    return frozenset(entry["zh-CN"] for entry in entries)


@cache
def failure_words(fault: FaultCode) -> FailureWords:
    entry = _catalogue()["failures"][fault.name.lower()]
    shared = _catalogue()["shared"]
    return FailureWords.model_validate(
        {part: shared[text] if isinstance(text, str) else text for part, text in entry.items()}
    )


def papers_words(fault: FaultCode, *, may_be_in: bool, has_effect: bool) -> LocalizedText:
    """What became of papers and submissions. That nothing was handed in is said only where it is so."""
    shared = _catalogue()["shared"]
    if _catalogue()["failures"][fault.name.lower()]["papers"] != NOTHING_LOST or not (may_be_in or has_effect):
        return failure_words(fault).papers
    return LocalizedText.of(shared["maybe_handed_in" if may_be_in else "done_before_this"])


@cache
def face_prompt(prompt: str) -> LocalizedText:
    """What to do before the camera, for a prompt or reason code of the face check; the score is never told."""
    prompts = _catalogue()["face_prompts"]
    return LocalizedText.of(prompts.get(prompt, prompts["OTHER"]))


# --- devices -----------------------------------------------------------------------------------------------------

Unfit = Mapping[DeviceClass, tuple[Fault, ...]]
"""The devices that cannot serve now, with what they say is wrong, most important first."""

_CODES = {
    DeviceClass.ID_CARD_READER: FaultCode.CARD_READER_DOWN,
    DeviceClass.FACE_CAMERA: FaultCode.CAMERA_DOWN,
    DeviceClass.FACE_MATCHER: FaultCode.CAMERA_DOWN,
    DeviceClass.RECEIPT_PRINTER: FaultCode.RECEIPT_FAILED,
    DeviceClass.DOCUMENT_PRINTER: FaultCode.PRINTER_DOWN,
    DeviceClass.DOCUMENT_SCANNER: FaultCode.CAPTURE_FAILED,
}


def fault_code_of(device_class: DeviceClass | None) -> FaultCode:
    """The code staff hear when a device of this class ends a step."""
    return _CODES.get(device_class, FaultCode.DEVICE_DOWN) if device_class is not None else FaultCode.INTERNAL


def device_sentence(device_class: DeviceClass | None, reason: str) -> LocalizedText | None:
    """What happened, what it means for papers and money, what to do; None for a reason without a sentence."""
    found = fault_words(device_class, reason) if device_class is not None and reason else None
    return None if found is None else found.citizen


def sentence_of(device_class: DeviceClass | None, error: BaseException | None) -> LocalizedText | None:
    """The sentence of a device's error, or of the one that stands behind a step's failure."""
    if not isinstance(error, DeviceError):
        return None
    return device_sentence(device_class, error.reason) or device_sentence(device_class, error.kind)


def first_sentence(device_class: DeviceClass, faults: Sequence[Fault]) -> LocalizedText | None:
    """The sentence of the most important fault that has one."""
    return next((found for fault in faults if (found := device_sentence(device_class, fault.code))), None)


def unfit_reason(device_class: DeviceClass, faults: Sequence[Fault]) -> LocalizedText:
    """For a greyed tile: which device, and what is wrong where a clerk can mend it at once."""
    down = word(f"down_{device_class}")
    clear = next((fault.code for fault in faults if fault.action is FaultAction.CLEAR), "")
    name = fault_names().get(clear)
    if name is None:
        return down
    plain_case = name.en[:1].lower() + name.en[1:]
    return LocalizedText(
        zh_cn=f"{down.zh_cn}：{name.zh_cn}", zh_tw=f"{down.zh_tw}：{name.zh_tw}", en=f"{down.en}: {plain_case}"
    )
