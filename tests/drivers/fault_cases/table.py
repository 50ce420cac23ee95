"""The fault matrix as a table for people, made from the cases that prove it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from drivers.messages import FaultAction
from kiosk.contracts.fault_words import fault_words
from tests.drivers.fault_cases.case import FaultCase

README = Path(__file__).parents[3] / "drivers" / "README.md"
BEGIN = "<!-- fault matrix: begin, made by python -m tests.drivers.fault_cases -->"
END = "<!-- fault matrix: end -->"
WHO = {
    FaultAction.WAIT: "nobody", FaultAction.CLEAR: "clerk", FaultAction.CONFIGURATION: "operator",
    FaultAction.MAINTENANCE: "engineer",
}  # fmt: skip


def written(cases: Iterable[FaultCase]) -> str:
    lines = ["| device | misfortune | the command ends | the device then | who acts | the citizen reads |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for driver, group in groupby(cases, key=lambda case: case.driver):
        for number, case in enumerate(group):
            lines.append(_row(case, f"`{driver}`" if number == 0 else ""))
    return "\n".join(lines)


def in_readme(text: str) -> str:
    """What stands between the marks now."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def replaced(text: str, table: str) -> str:
    """The page with the table between its marks. Raises `ValueError` without them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{README.name} has lost its marks: write {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _row(case: FaultCase, driver: str) -> str:
    parts = ", ".join(f"{part} {state}" for part, state in case.parts.items())
    state = " · ".join(filter(None, (str(case.device), f"**{case.code}**" if case.code else "", parts)))
    words = fault_words(case.device_class, case.sentence) if case.sentence else None
    moment = " (during)" if case.during else ""
    told = words.citizen.en if words else ""
    who = WHO[case.action] if case.action else ""
    return f"| {driver} | {case.fault}{moment} | {case.completion} | {state} | {who} | {told} |"
