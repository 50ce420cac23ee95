"""The remote helper from the citizen's side: asked for, heard, ended. What goes out is described in description.py."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from kiosk.contracts.assistance import (
    NOBODY_SECONDS,
    SILENT_SECONDS,
    AssistanceEnd,
    AssistanceReport,
    AssistanceRequest,
    AssistanceStanding,
    HelperMessage,
    ScreenDescription,
)
from kiosk.contracts.errors import Garbled, JournalFull, Unreachable
from kiosk.contracts.matter import Matter
from kiosk.flow.course.description import describe, places
from kiosk.flow.course.helper import Helper
from kiosk.flow.equipment import JournalInUse
from kiosk.flow.screens import StageKind, View
from kiosk.flow.words import word

WAITING_SECONDS, TALKING_SECONDS = 4.0, 2.0
"""Between two reports when neither the screen changes nor the centre hints."""
PRESENT = (StageKind.HOME, StageKind.SESSION)
CONSENT_VERSION = "2026-1"

Ending = Literal["citizen", "session", "nobody", "lost", "helper", "unreachable"]
log = logging.getLogger(__name__)


class AssistanceInUse(Protocol):
    """The part of `kiosk.machine.fleet.assistance.AssistanceLine` the flow uses."""

    async def ask(self, wanted: AssistanceRequest) -> str: ...

    async def report(self, id: str, now: AssistanceReport) -> AssistanceStanding | None: ...

    def end_soon(self, id: str, end: AssistanceEnd) -> None: ...


class Assistance:
    """One for a terminal. `tell` gets each new Helper, None when there is nothing more to show."""

    def __init__(
        self, line: AssistanceInUse, journal: JournalInUse, *, tell: Callable[[Helper | None], None],
        matter_of: Callable[[View], Matter | None],
    ) -> None:  # fmt: skip
        self._line = line
        self._journal = journal
        self._tell = tell
        self._matter_of = matter_of
        self._view: View | None = None
        self._description = ScreenDescription(screen=0, stage="")
        self._helper: Helper | None = None
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._ending: Ending = "lost"

    # --- from outside ---------------------------------------------------------------------------------------------

    def wanted(self, wanted: bool) -> None:
        """The citizen agrees to be helped from afar, or has had enough of it."""
        if not wanted:
            self._stop("citizen")
        elif not self._is_on and self._view is not None and self._view.stage in PRESENT:
            self._task = asyncio.create_task(self._help())

    def hear(self, view: View) -> None:
        """Each new View of the stage; the end of the visit ends the help."""
        self._view = view
        if view.stage not in PRESENT:
            self._stop("session")
            return
        if not self._is_on:
            return
        description = describe(view, self._matter_of(view))
        if description != self._description:
            moved = description.screen != self._description.screen
            self._description = description
            self._news.set()
            if moved and self._helper is not None and self._helper.point:
                self._show(replace(self._helper, message=None, point=""))

    def look_soon(self) -> None:
        """The centre hints that somebody took the call, wrote, pointed or ended it."""
        self._news.set()

    @property
    def _is_on(self) -> bool:
        return self._task is not None and not self._task.done()

    def _stop(self, ending: Ending) -> None:
        if self._task is not None and not self._task.done():
            self._ending = ending
            self._task.cancel()
        elif self._helper is not None:
            self._show(None)

    # --- one call ---------------------------------------------------------------------------------------------------

    async def _help(self) -> None:
        assert self._view is not None
        clock = asyncio.get_running_loop().time
        began_at, call = clock(), _Call()
        self._ending = "lost"
        self._description = describe(self._view, self._matter_of(self._view))
        self._note("consent_given", subject="remote_help", text_version=CONSENT_VERSION, consent_id="")
        self._note("assistance_asked", stage=self._view.stage)
        self._show(Helper(state="calling", note=word("helper_calling")))
        try:
            self._ending = await self._keep(call)
        except asyncio.CancelledError:
            log.info("the remote help ends: %s", self._ending)
        finally:
            self._task = None
            ending = self._ending
            if call.id and ending in ("citizen", "session", "nobody", "lost"):
                self._line.end_soon(call.id, AssistanceEnd.model_validate({"reason": ending}))
            seconds = round(clock() - began_at)
            self._note("assistance_ended", reason=ending, seconds=seconds, messages=call.heard)
            is_told = ending in ("nobody", "lost", "helper", "unreachable")
            self._show(Helper(state="ended", note=word(f"helper_ended_{ending}")) if is_told else None)

    async def _keep(self, call: _Call) -> Ending:
        clock = asyncio.get_running_loop().time
        try:
            call.id = await self._line.ask(AssistanceRequest.model_validate(self._said()))
        except (Unreachable, Garbled):
            return "unreachable"
        asked_at = answered_at = clock()
        is_taken = False
        while True:
            self._news.clear()
            try:
                standing = await self._line.report(
                    call.id, AssistanceReport.model_validate(self._said() | {"heard": call.heard})
                )
                answered_at = clock()
            except (Unreachable, Garbled):
                if clock() - answered_at > SILENT_SECONDS:
                    return "lost"
            else:
                if standing is None or standing.state == "ended":
                    return "helper" if is_taken else "nobody"
                if standing.state == "taken" and not is_taken:
                    is_taken = True
                    self._note("assistance_taken")
                    self._show(Helper(state="talking", note=word("helper_talking")))
                for message in standing.messages:
                    self._hear(call, message)
            if not is_taken and clock() - asked_at > NOBODY_SECONDS:
                return "nobody"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TALKING_SECONDS if is_taken else WAITING_SECONDS):
                    await self._news.wait()

    def _hear(self, call: _Call, message: HelperMessage) -> None:
        if message.number <= call.heard or self._helper is None:
            return
        call.heard = message.number
        assert self._view is not None
        here = places(self._view, self._matter_of(self._view)) if message.screen == self._description.screen else {}
        point = here.get(message.point, "") if message.point else self._helper.point
        self._note(
            "assistance_heard",
            ready=message.is_ready and message.text is not None,
            pointed=bool(message.point and point),
        )
        self._show(replace(self._helper, message=message.text or self._helper.message, point=point))

    def _said(self) -> dict[str, object]:
        assert self._view is not None
        return {"mode": self._view.mode, "language": self._view.language, "description": self._description}

    def _show(self, helper: Helper | None) -> None:
        self._helper = helper
        self._tell(helper)

    def _note(self, event: str, **data: Any) -> None:
        with contextlib.suppress(JournalFull):
            self._journal.append(event, **data)


@dataclass
class _Call:
    id: str = ""
    heard: int = 0
