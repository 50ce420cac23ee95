"""Every word staff read, in three languages, out of words/*.yaml: `key: [zh-CN, zh-TW, en]`.

Devices' faults have one source with the terminal's screen (kiosk.contracts.fault_words); `fault.CODE` is a short name.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml

from kiosk.contracts.fault_words import device_class_of, fault_names, fault_words
from kiosk.contracts.value import LANGUAGES, Language

WORDS = Path(__file__).parent / "words"


@functools.cache
def catalogue() -> dict[str, tuple[str, str, str]]:
    """All words; a key that is written twice or lacks a language stops the server at its start."""
    found: dict[str, tuple[str, str, str]] = {}
    for file in sorted(WORDS.glob("*.yaml")):
        for key, texts in yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).items():
            if key in found:
                raise ValueError(f"{file.name}: {key} is written twice")
            if not isinstance(texts, list) or len(texts) != len(LANGUAGES) or not all(texts):
                raise ValueError(f"{file.name}: {key} needs one text for each of {', '.join(LANGUAGES)}")
            found[key] = (str(texts[0]), str(texts[1]), str(texts[2]))
    names = {f"fault.{code}": (name.zh_cn, name.zh_tw, name.en) for code, name in fault_names().items()}
    if twice := found.keys() & names.keys():
        raise ValueError(f"{', '.join(sorted(twice))}: names of devices' faults stand in assets/i18n/faults alone")
    return found | names


class Words:
    """The words of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of `key` with its `{places}` filled in. A missing key is a mistake of ours: KeyError."""
        text = catalogue()[key][self._column]
        return text.format(**values) if values else text

    def named(self, group: str, value: object, **values: Any) -> str:
        """What a machine's own word is called; a word that is not known here is shown as it is."""
        key = f"{group}.{value}"
        if key in catalogue():
            return self(key, **values)
        kind, _, number = str(value).rpartition("_")  # the second of a class: document_printer_2
        return f"{self.named(group, kind)} {number}" if number.isdigit() else str(value)

    def to_do(self, device: str, fault: str) -> str:
        """What staff do at the machine about a device's fault; empty for one nobody knows."""
        found = fault_words(device_class_of(device), fault)
        return found.staff.in_language(self.language) if found is not None else ""

    def knows(self, key: str) -> bool:
        return key in catalogue()
