"""Closed sets are closed: every step is handled, every screen drawn, every event used, documented and paired."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from kiosk.contracts.events import EVENTS
from kiosk.contracts.matter import STEP_KINDS, Step
from kiosk.flow.screens import Screen

ROOT = Path(__file__).parents[2]


def test_step_kinds_are_the_union_and_each_has_its_file() -> None:
    union = get_args(get_args(Step)[0])
    assert [model.model_fields["kind"].default for model in union] == list(STEP_KINDS)
    missing = [kind for kind in STEP_KINDS if not [*(ROOT / "kiosk" / "flow" / "steps").rglob(f"{kind}.py")]]
    assert not missing, f"write kiosk/flow/steps/…/<kind>.py for {missing}"


def test_every_screen_kind_is_drawn() -> None:
    names = [model.__name__ for model in get_args(Screen)]
    assert len(names) == 9
    missing = [
        name for name in names if not (ROOT / "kiosk" / "ui" / "qml" / "Kiosk" / "Screens" / f"{name}.qml").is_file()
    ]
    assert not missing, f"draw {missing}"


def test_begun_events_have_their_end_and_ended_their_beginning() -> None:
    begun = {event.pair for event in EVENTS.values() if event.kind == "begun"}
    ended = {event.pair for event in EVENTS.values() if event.kind == "ended"}
    assert begun
    assert begun == ended
    for event in EVENTS.values():
        if event.kind == "ended":
            assert "disposition" in {field.name for field in event.fields}, f"{event.id} does not say how it ended"
        assert event.sentence.endswith("."), f"{event.id} needs a sentence for the auditor"


def test_every_event_is_written_somewhere() -> None:
    code = "\n".join(file.read_text() for file in (ROOT / "kiosk").rglob("*.py") if file.name != "events.py")
    unused = [event for event in EVENTS if not re.search(rf'"{event}"', code)]
    assert not unused, f"nobody writes {unused}: write them or take them out of the catalogue"
