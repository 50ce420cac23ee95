"""`python -m kiosk preview`: what a matter shows, in standard and elder mode, for the screen to draw."""

from __future__ import annotations

import asyncio
from pathlib import Path

import yaml

from kiosk.contracts.value import Language
from kiosk.demo.rehearsal import read_matter_json, rehearse
from kiosk.flow.screens import FormScreen, Mode, NoticeScreen, View


def rehearsed(matter_file: Path, scenario: Path | None, language: str) -> list[tuple[Mode, list[View]]]:
    """Every screen the citizen sees, for each mode; answers are those of the scenario where it has one."""
    answers = {}
    if scenario is not None:
        told = yaml.load(scenario.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        answers = {name: str(value) for name, value in (told.get("answers") or {}).items()}
    matter = read_matter_json(matter_file)
    return [(mode, asyncio.run(rehearse(matter, answers, mode, Language(language)))) for mode in Mode]


def stuck_at(views: list[View]) -> str:
    """Where a walk ended before its end, in words; empty for one that went through."""
    screen = views[-1].screen if views else None
    if isinstance(screen, NoticeScreen) and screen.tone == "failure":
        return f"the walk ended at step {screen.step_id}: {screen.say.in_language(Language.EN)}"
    if isinstance(screen, FormScreen):
        refused = next((item for item in screen.items if item.error is not None), None)
        said = f"{refused.id}: {refused.error.in_language(Language.EN)}" if refused and refused.error else "left"
        return f"the walk ended at step {screen.step_id}, {said}: say the answer in scenarios/happy.yaml"
    return ""
