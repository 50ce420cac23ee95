"""Scenarios are read against their matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.contracts.errors import FaultCode, MatterInvalid
from kiosk.contracts.matter_file import load_matter
from kiosk.contracts.scenario import load_scenario

FOLDER = Path(__file__).parents[3] / "assets" / "matters" / "natural_resources" / "no_house_certificate"
MATTER = load_matter((FOLDER / "matter.yaml").read_text(encoding="utf-8"), "matter.yaml")
GOOD = """\
title: Refused
citizen: huang
orders:
  - {authority: natural_resources, behave: slow, seconds: 3}
answers: {purpose: school}
expect: {disposition: failed, fault: E51, ended_at: certificate}
"""


def test_a_good_scenario() -> None:
    scenario = load_scenario(GOOD, "s.yaml", MATTER)
    assert scenario.expect.fault is FaultCode.NOT_ELIGIBLE
    assert scenario.orders[0].seconds == 3


@pytest.mark.parametrize(
    ("good", "bad", "path", "line", "word"),
    [
        ("purpose: school", "purpose: holiday", "answers.purpose", 5, "no choice"),
        ("purpose: school", "colour: red", "answers.colour", 5, "no field"),
        ("ended_at: certificate", "ended_at: moon", "expect.ended_at", 6, "no step"),
        ("behave: slow", "behave: nicely", "orders[0].behave", 4, "must be one of"),
        ("fault: E51", "fault: Z99", "expect.fault", 6, "must be one of"),
        ("title: Refused", "titel: Refused", "titel", 1, "did you mean 'title'"),
        ("answers:", "captures: [form]\nanswers:", "captures[0]", 5, "captures no material"),
    ],
)
def test_a_mistake_is_named_with_its_line(good: str, bad: str, path: str, line: int, word: str) -> None:
    with pytest.raises(MatterInvalid) as caught:
        load_scenario(GOOD.replace(good, bad), "s.yaml", MATTER)
    assert any(at == path and found == line and word in message for at, found, message in caught.value.faults)
