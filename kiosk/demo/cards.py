"""What the demo's citizens know of a matter: for whom it ends well, and how its name is typed."""

from __future__ import annotations

from pathlib import Path

import yaml

from kiosk.demo.processes import DemoFailed

MATTERS = Path(__file__).parents[2] / "assets" / "matters"


def cards_for(matter: str) -> tuple[str, ...]:
    """Sample cards, the plainest case first. Raises DemoFailed for a matter that is not there."""
    folder = _folder(matter)
    files = sorted(folder.glob("scenarios/*.yaml"), key=lambda file: (file.stem != "happy", file.stem))
    stories = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    good = [
        story["citizen"]
        for story in stories
        if story["expect"]["disposition"] == "succeeded" and not story.get("orders")
    ]
    if not good:
        raise DemoFailed(f"no scenario of {matter} ends well: add one to {folder / 'scenarios'}")
    return tuple(dict.fromkeys(good))


def pinyin_of(matter: str) -> str:
    """What to type to find it: the keyword it carries in letters."""
    keywords: list[str] = yaml.safe_load((_folder(matter) / "matter.yaml").read_text(encoding="utf-8"))["keywords"]
    return next((keyword for keyword in keywords if keyword.isascii() and keyword.islower()), "")


def _folder(matter: str) -> Path:
    folders = {folder.name: folder for folder in sorted(MATTERS.glob("*/*/")) if (folder / "matter.yaml").is_file()}
    if matter not in folders:
        raise DemoFailed(f"there is no matter {matter!r}; there are {', '.join(folders)}")
    return folders[matter]
