"""Answers to screens that lead on: what a scenario answers where it says so, and something fitting elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import assert_never

from kiosk.contracts.matter import AskStep, Matter
from kiosk.contracts.value import CITY_TIME
from kiosk.flow.screens import (
    Answer,
    ChooseScreen,
    Chosen,
    FormFilled,
    FormItem,
    FormScreen,
    InstructScreen,
    Left,
    NoticeScreen,
    PayScreen,
    PreviewScreen,
    ReviewScreen,
    Screen,
    SignScreen,
    WorkingScreen,
    Wrote,
)

A_NAME = tuple((20.0 + 3 * at, 20.0 + 15 * (at % 2), 40 * at) for at in range(30))
ENTRIES = {
    "phone": "13000000001", "date": "2026-01-31", "identity_number": "350203190102030017", "plate": "闽D12345",
    "money": "20", "number": "1", "code": "000000",
}  # fmt: skip
PREFERRED = ("face", "5", "alipay", "wechat", "non_tax")


class Player:
    def __init__(self, matter: Matter, answers: Mapping[str, str]) -> None:
        self._answers = answers
        self._questions = {
            question.text: question for step in matter.steps if isinstance(step, AskStep) for question in step.questions
        }
        self._refused: set[str] = set()

    def answer_to(self, screen: Screen) -> Answer | None:
        """None while the machine works, or waits for a device or for money."""
        match screen:
            case WorkingScreen() | PayScreen():
                answer = None
            case InstructScreen():
                answer = _primary(screen) if screen.primary is not None else None
            case ChooseScreen():
                answer = self._choice(screen)
            case FormScreen():
                answer = self._form(screen)
            case SignScreen():
                written = screen.primary is not None and screen.primary.enabled
                answer = _primary(screen) if written else Wrote(screen_id=screen.screen_id, points=A_NAME)
            case NoticeScreen(tone="failure"):
                answer = Left()
            case ReviewScreen() | PreviewScreen() | NoticeScreen():
                answer = _primary(screen)
            case _:
                assert_never(screen)
        return answer

    def _choice(self, screen: ChooseScreen) -> Answer:
        offered = [option.id for option in screen.options if option.enabled]
        question = self._questions.get(screen.say)
        if question is not None:
            stops = {choice.id for choice in question.choices if choice.stop is not None}
            offered = [each for each in offered if each not in stops] or offered
        wanted = [self._answers.get(question.id, "") if question is not None else "", *PREFERRED]
        chosen = next((each for each in wanted if each in offered), offered[0] if offered else "")
        return Chosen(screen_id=screen.screen_id, option=chosen) if chosen else _primary(screen)

    def _form(self, screen: FormScreen) -> Answer:
        """A form that refuses what was made up ends the walk: a scenario must say the answer."""
        if any(item.error is not None for item in screen.items):
            return Left()
        return FormFilled(screen_id=screen.screen_id, values={item.id: self._entry(item) for item in screen.items})

    def _entry(self, item: FormItem) -> str:
        """The scenario's answer; where a made-up authority does not offer it, what is offered first."""
        wanted = self._answers.get(item.id)
        if item.choices:
            return wanted if wanted in {choice.id for choice in item.choices} and wanted else item.choices[0].id
        if wanted is not None:
            return wanted
        if item.kind == "date":
            return dt.datetime.now(CITY_TIME).date().isoformat()
        return ENTRIES.get(item.kind, "样例")[: item.max_length] if item.required else ""


def _primary(screen: Screen) -> Answer:
    return Chosen(screen_id=screen.screen_id, option=screen.primary.id) if screen.primary is not None else Left()
