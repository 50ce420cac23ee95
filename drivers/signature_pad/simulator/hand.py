"""The peer of `signature_pad/touchscreen`: there is no wire, so it is the hand that writes on the screen.

Orders: `place NAME` takes an invented signature, `write` answers its strokes as JSON (what a screen would hand in),
`fault NAME` begins a misfortune, `clear` ends all of them.
"""

from __future__ import annotations

import json
from typing import ClassVar

from drivers.messages import Stroke
from drivers.signature_pad.simulator.strokes import mishandled, signature_of


class HandSimulator:
    """Implements `drivers.protocols.Simulator`. `latest` is the hand that was made last: tests ask it for strokes."""

    faults = frozenset({"empty", "too_short", "outside_box", "document_changed", "undecided"})
    latest: ClassVar[HandSimulator | None] = None

    def __init__(self, *, signature: str = "lin") -> None:
        self._strokes = signature_of(signature)
        self._active: set[str] = set()
        HandSimulator.latest = self

    @property
    def shows_another_document(self) -> bool:
        return "document_changed" in self._active

    @property
    def never_confirms(self) -> bool:
        return "undecided" in self._active

    def strokes(self) -> tuple[Stroke, ...]:
        """What this hand writes now."""
        strokes = self._strokes
        for fault in sorted(self._active):
            strokes = mishandled(strokes, fault) if strokes else strokes
        return strokes

    async def start(self) -> str:
        return "touchscreen"

    async def order(self, verb: str, argument: str = "") -> str:
        match verb:
            case "place":
                self._strokes = signature_of(argument)
            case "write":
                return json.dumps([stroke.model_dump(mode="json") for stroke in self.strokes()])
            case "fault":
                if argument not in self.faults:
                    raise ValueError(f"no fault is called {argument!r}: choose one of {', '.join(sorted(self.faults))}")
                self._active.add(argument)
            case "clear":
                self._active.clear()
            case _:
                raise ValueError(f"no order is called {verb!r}: place, write, fault, clear")
        return "ok"

    async def stop(self) -> None:
        """Nothing stays."""
