"""What the demo's citizens know of a matter: for whom it ends well, and how its name is typed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kiosk.demo.processes import DemoFailed

MATTERS = Path(__file__).parents[2] / "assets" / "matters"


def cards_for(matter: str) -> tuple[str, ...]:
    """Sample cards, the plainest case first. Raises DemoFailed for a matter that is not there."""
    told = _told(matter)
    if not told:
        raise DemoFailed(f"no scenario of {matter} ends well: add one to {_folder(matter) / 'scenarios'}")
    return tuple(dict.fromkeys(each["citizen"] for each in told))


def answers_of(matter: str, card: str) -> dict[str, str]:
    """What this citizen answers and enters; somebody in no story answers as in the first."""
    told = _told(matter)
    story = next((each for each in told if each["citizen"] == card), told[0] if told else {})
    return {name: str(value) for name, value in (story.get("answers") or {}).items()}


def _told(matter: str) -> list[dict[str, Any]]:
    """The matter's scenarios that end well by themselves, the plainest first."""
    files = sorted(_folder(matter).glob("scenarios/*.yaml"), key=lambda file: (file.stem != "happy", file.stem))
    told = [yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) for file in files]
    return [
        each
        for each in told
        if each["expect"]["disposition"] == "succeeded" and not each.get("orders")
        and each.get("payment", "paid") == "paid"
    ]  # fmt: skip


@cache
def questions_of(matter: str) -> dict[str, str]:
    """Question as the screen says it, in any language → its id, of the matter and of those it is made of."""
    read = _read(matter)
    bundle = read.get("package") or {}
    steps = [*read.get("steps", ()), *bundle.get("before", ()), *bundle.get("after", ())]
    found = {text: each["id"] for step in steps for each in step.get("questions", ()) for text in each["text"].values()}
    for part in bundle.get("parts", ()):
        found = questions_of(part["matter"]) | found
    return found


def pinyin_of(matter: str) -> str:
    """What to type to find it: the keyword it carries in letters; none for a matter without one."""
    keywords: list[str] = _read(matter).get("keywords") or []
    return next((keyword for keyword in keywords if keyword.isascii() and keyword.isalpha() and keyword.islower()), "")


def department_of(matter: str) -> str:
    department: str = _read(matter)["department"]
    return department


@cache
def _read(matter: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(
        (_folder(matter) / "matter.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader
    )
    return found


def _folder(matter: str) -> Path:
    folders = {folder.name: folder for folder in sorted(MATTERS.glob("*/*/")) if (folder / "matter.yaml").is_file()}
    if matter not in folders:
        raise DemoFailed(f"there is no matter {matter!r}; there are {', '.join(folders)}")
    return folders[matter]
