"""What the screen shows of the remote help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.contracts.value import LocalizedText


@dataclass(frozen=True, kw_only=True)
class Helper:
    """`point` names what to touch, as the page names it."""

    state: Literal["calling", "talking", "ended"]
    note: LocalizedText
    message: LocalizedText | None = None
    point: str = ""
