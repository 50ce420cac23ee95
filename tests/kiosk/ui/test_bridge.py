"""The door between the two threads, and the whole programme around it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject

from kiosk.contracts.value import Language
from kiosk.flow.screens import Hall, Left, Mode, StageKind, View
from kiosk.ui.app import run_ui
from kiosk.ui.bridge import Bridge
from kiosk.ui.settings import ScreenSettings
from tests.kiosk.ui.hand import until


class ThreadedHall:
    """Remembers on which thread it was called; publishes when told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, object, str]] = []
        self.closed = False
        self._on_view: Callable[[View], None] = lambda _: None

    def subscribe(self, on_view: Callable[[View], None], on_preview: Callable[[Any], None]) -> None:
        self._on_view = on_view
        on_view(View(stage=StageKind.ATTRACT))

    def _note(self, name: str, argument: object = None) -> None:
        self.asked.append((name, argument, threading.current_thread().name))

    def wake(self) -> None:
        self._note("wake")
        for left in range(200):
            self._on_view(View(stage=StageKind.HOME, site=str(left)))

    def start(self, matter: str) -> None:
        self._note("start", matter)
        raise RuntimeError("a call that fails")

    def answer(self, answer: object) -> None:
        self._note("answer", answer)

    def extend(self) -> None:
        self._note("extend")

    def set_mode(self, mode: Mode) -> None:
        self._note("mode", mode)

    def set_language(self, language: Language) -> None:
        self._note("language", language)

    def help(self, wanted: bool) -> None:
        self._note("help", wanted)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed = True


@pytest.fixture
def hall() -> ThreadedHall:
    return ThreadedHall()


@pytest.fixture
def seen() -> list[tuple[View, str]]:
    return []


@pytest.fixture
def bridge(application: QObject, hall: ThreadedHall, seen: list[tuple[View, str]]) -> Any:
    async def build() -> Hall:
        return hall

    bridge = Bridge(build)
    bridge.viewed.connect(lambda view: seen.append((view, threading.current_thread().name)))
    bridge.open()
    until(lambda: bool(seen))
    yield bridge
    bridge.shut()
    assert hall.closed


def test_calls_go_down_to_the_flows_thread_in_order(bridge: Bridge, hall: ThreadedHall) -> None:
    bridge.set_mode(Mode.ELDER)
    bridge.set_language(Language.EN)
    bridge.answer(Left())
    bridge.extend()
    until(lambda: len(hall.asked) == 4)
    assert [(name, thread) for name, _, thread in hall.asked] == [
        ("mode", "flow"), ("language", "flow"), ("answer", "flow"), ("extend", "flow"),
    ]  # fmt: skip


def test_views_come_up_on_the_qt_thread_and_only_the_newest_waits(
    bridge: Bridge, hall: ThreadedHall, seen: list[tuple[View, str]]
) -> None:
    bridge.wake()
    until(lambda: seen[-1][0].site == "199")
    assert {thread for _, thread in seen} == {"MainThread"}
    assert len(seen) < 150


def test_a_call_that_fails_is_logged_and_the_next_is_heard(
    bridge: Bridge, hall: ThreadedHall, caplog: pytest.LogCaptureFixture
) -> None:
    bridge.start("no_house")
    bridge.extend()
    until(lambda: len(hall.asked) == 2)
    until(lambda: "RuntimeError" in caplog.text)


def test_a_hall_that_cannot_be_built_is_told(application: QObject) -> None:
    async def build() -> Hall:
        raise RuntimeError("no machine")

    bridge, told = Bridge(build), []
    bridge.failed.connect(told.append)
    bridge.open()
    until(lambda: bool(told))
    bridge.extend()
    bridge.shut()
    assert told == ["RuntimeError: no machine"]


def test_a_building_hall_can_be_given_up(application: QObject) -> None:
    async def build() -> Hall:
        await asyncio.sleep(3600)
        raise AssertionError

    bridge = Bridge(build)
    bridge.open()
    until(lambda: bridge._loop is not None)
    bridge.shut()
    assert not bridge._thread.is_alive()


def test_a_remote_hand_outside_development_is_refused(tmp_path: Path) -> None:
    async def build() -> Hall:
        raise AssertionError

    with pytest.raises(ValueError, match="development"):
        run_ui(build, ScreenSettings(), remote_hand=tmp_path / "hand")


PROGRAM = """
import sys
from pathlib import Path
from kiosk.ui.app import run_ui
from kiosk.ui.settings import ScreenSettings
from kiosk.flow.screens import StageKind, View

class Hall:
    def subscribe(self, on_view, on_preview): on_view(View(stage=StageKind.ATTRACT))
    def wake(self): print("woken", flush=True)
    async def close(self): print("closed", flush=True)

async def build():
    if len(sys.argv) > 2: raise RuntimeError("no machine")
    return Hall()

sys.exit(run_ui(build, ScreenSettings(development=True), remote_hand=Path(sys.argv[1]),
                on_ready=lambda: print("ready", flush=True)))
"""


def run_program(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / "hand"), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip


def test_the_programme_becomes_ready_is_touched_and_ends_on_a_signal(tmp_path: Path) -> None:
    program = run_program(tmp_path)
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    with socket.socket(socket.AF_UNIX) as hand:
        hand.connect(str(tmp_path / "hand"))
        hand.sendall(b'{"do": "tap", "name": "attract"}\n')
        assert hand.recv(4096) == b'{"ok": true}\n'
    assert program.stdout.readline() == "woken\n"
    program.send_signal(signal.SIGTERM)
    out, errors = program.communicate(timeout=20)
    assert (program.returncode, out, errors) == (0, "closed\n", "")


def test_a_flow_that_fails_ends_the_programme_with_an_error(tmp_path: Path) -> None:
    program = run_program(tmp_path, "fail")
    _, errors = program.communicate(timeout=20)
    assert program.returncode == 1
    assert "no machine" in errors


def test_void_calls_of_qt_keep_the_reference_count_of_none() -> None:
    """PySide6 6.12 on Python 3.11 loses one reference to None at each call; thousands of calls end the programme."""
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(2000):
        thing.setObjectName("a")
    assert abs(sys.getrefcount(None) - before) <= 50
