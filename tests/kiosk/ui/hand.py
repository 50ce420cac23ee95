"""What tests of the window ask of it: stand on a page, what can be touched, what the flow was told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtTest import QTest

from kiosk.contracts.value import Language
from kiosk.flow.screens import Mode
from kiosk.ui.gallery.__main__ import Gallery


def stand(gallery: Gallery, name: str, mode: Mode = Mode.STANDARD) -> None:
    gallery.stand(name, mode, Language.ZH_CN)
    gallery.hall.asked.clear()


def names(gallery: Gallery) -> set[str]:
    return {each["name"] for each in gallery.finger.state()["touchables"]}


def answers(gallery: Gallery) -> list[Any]:
    return [argument for name, argument in gallery.hall.asked if name == "answer"]


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        QTest.qWait(2)
