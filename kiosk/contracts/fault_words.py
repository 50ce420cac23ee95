"""What people are told of a device's fault, out of assets/i18n/faults: one source for the screen and the dashboard.

`<class>.yaml` maps each fault code and error reason of a device class to two sentences, `every.yaml` those any class
can give (its process, its port, its settings), and `names.yaml` maps every code to its short name:

    paper_out:
      citizen: {zh-CN: …, zh-TW: …, en: …}   what happened, what it means for papers, money or card, what to do
      staff:   {zh-CN: …, zh-TW: …, en: …}   what to do at the machine, with which part
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from kiosk.contracts.value import Contract, LocalizedText

FOLDER = Path(__file__).parents[2] / "assets" / "i18n" / "faults"
EVERY = "every"
NAMES = "names"


class FaultWords(Contract):
    """`citizen` is calm and says what happened to papers, money or card; `staff` says who does what with which part."""

    citizen: LocalizedText
    staff: LocalizedText


_WORDS = TypeAdapter(dict[str, FaultWords])
_NAMES = TypeAdapter(dict[str, LocalizedText])


@cache
def words_of_class(device_class: str) -> dict[str, FaultWords]:
    """The sentences of one class by code; empty for a class without a file. Raises `ValueError` for a broken file."""
    file = FOLDER / f"{device_class}.yaml"
    return (
        _WORDS.validate_python(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {})
        if file.is_file()
        else {}
    )


def fault_words(device_class: str, code: str) -> FaultWords | None:
    """The class's own sentences for a code, else those of every class; None for a code nobody knows."""
    return words_of_class(device_class).get(code) or words_of_class(EVERY).get(code)


@cache
def fault_names() -> dict[str, LocalizedText]:
    """Every code's short name, as the head of a ticket says it."""
    return _NAMES.validate_python(
        yaml.load((FOLDER / f"{NAMES}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    )


def device_class_of(device: str) -> str:
    """The class of a device named by a terminal: `receipt_printer`, `receipt_printer_2`, `card_reader` …"""
    names = {"card_reader": "id_card_reader", "face_check": "face_matcher", "document_camera": "document_scanner"}
    found = max((name for name in _classes() if device.startswith(name)), key=len, default="")
    return found or next((name for start, name in names.items() if device.startswith(start)), device)


@cache
def _classes() -> tuple[str, ...]:
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml") if file.stem not in (EVERY, NAMES)))
