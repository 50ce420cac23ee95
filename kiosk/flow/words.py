"""The flow's own sentences, in three languages, read once from assets/i18n/flow.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.value import Contract, LocalizedText

WORDS_FILE = Path(__file__).parents[2] / "assets" / "i18n" / "flow.yaml"


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
        catalogue: dict[str, Any] = yaml.safe_load(file)
    return catalogue


@cache
def word(key: str) -> LocalizedText:
    """The sentence with this key. A missing key is a mistake of ours and raises KeyError."""
    return LocalizedText.of(_catalogue()["words"][key])


def has_word(key: str) -> bool:
    return key in _catalogue()["words"]


@cache
def failure_words(fault: FaultCode) -> FailureWords:
    entry = _catalogue()["failures"][fault.name.lower()]
    shared = _catalogue()["shared"]
    return FailureWords.model_validate(
        {part: shared[text] if isinstance(text, str) else text for part, text in entry.items()}
    )


@cache
def face_prompt(prompt: str) -> LocalizedText:
    """What to do before the camera, for a prompt or reason code of the face check; the score is never told."""
    prompts = _catalogue()["face_prompts"]
    return LocalizedText.of(prompts.get(prompt, prompts["OTHER"]))
