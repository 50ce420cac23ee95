"""A citizen's presence at the machine: who stands there, what was collected, which screen stands, what was answered.

A Session holds one transaction at a time and ends once, for one reason; then everything in it is wiped.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from drivers.messages import IdCard, Preview
from kiosk.contracts.errors import FaultCode, KioskError
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import Language, LocalizedText, masked_name, masked_number
from kiosk.flow.equipment import Equipment
from kiosk.flow.screens import Answer, Chosen, FormFilled, Left, Mode, Screen, WentBack, Wrote
from kiosk.flow.values import Values
from kiosk.flow.words import word

T = TypeVar("T")


class CitizenLeft(Exception):
    """The citizen ended the visit."""


class SteppedBack(Exception):
    """The citizen wants the screen before."""


class StepFailed(KioskError):
    """A step cannot go on. `told` is an authority's own sentence, when it gave one."""

    def __init__(
        self, fault: FaultCode, detail: str = "", *, told: LocalizedText | None = None, can_retry: bool = True
    ) -> None:
        super().__init__(detail or fault.name)
        self.fault = fault
        self.told = told
        self.can_retry = can_retry


@dataclass
class OpenOrder:
    """An order of this visit nobody knows the end of yet."""

    order_id: str
    channel: str


@dataclass
class Paid:
    """Money that has arrived, and what becomes of it. `lines`: the bill's lines with the part each one pays for."""

    order_id: str
    step_id: str
    channel: str
    amount: str
    lines: dict[str, str]
    done: set[str] = field(default_factory=set)
    """Steps done since, by id."""
    delivered: bool = False
    returned: bool = False

    def told(self, *, is_open: bool, can_retry: bool) -> LocalizedText:
        """What a citizen who meets a failure is told of this money."""
        if self.delivered:
            key = "money_is_used"
        elif is_open:
            key = "money_is_safe"
        elif can_retry and not self.returned:
            key = "money_stands_try_again"
        else:
            key = "money_goes_back"
        return word(key).format(amount=self.amount)


class Identity:
    """Who was recognised on this visit, and how surely."""

    def __init__(self) -> None:
        self.card: IdCard | None = None
        self.portrait_png: bytes | None = None
        """What the authority has on record, where the card carries no picture."""
        self.assurance = Assurance.NONE
        self.way = ""

    @property
    def masked(self) -> str:
        return masked_name(self.card.name or self.card.name_latin or "") if self.card else ""

    @property
    def masked_holder(self) -> str:
        if self.card is None:
            return ""
        return f"{self.masked} {masked_number(self.card.id_number or self.card.permit_number or '')}".strip()

    def satisfies(self, needed: Assurance) -> bool:
        order = (Assurance.NONE, Assurance.CARD, Assurance.CARD_PERSON)
        return order.index(self.assurance) >= order.index(needed)

    def wipe(self) -> None:
        self.__init__()  # type: ignore[misc]


class Session:
    """One visit. The stage publishes what stands in `screen`; steps ask and are answered here."""

    def __init__(
        self,
        equipment: Equipment,
        *,
        mode: Mode,
        language: Language,
        publish: Callable[[], None],
        on_preview: Callable[[Preview], None],
    ) -> None:
        self.equipment = equipment
        self.mode = mode
        self.language = language
        self.identity = Identity()
        self.values = Values()
        self.screen: Screen | None = None
        self.busy = False
        """Something runs that the citizen waits for: the time-out rests."""
        self.questions_asked = 0
        self._publish = publish
        self.on_preview = on_preview
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._screen_ids = itertools.count(1)

    def next_screen_id(self) -> int:
        return next(self._screen_ids)

    def show(self, screen: Screen, *, busy: bool = False) -> None:
        """Let a screen stand. `busy` while the machine works and nothing is asked of the citizen."""
        self.screen = screen
        self.busy = busy
        self._publish()

    async def ask(self, screen: Screen) -> Chosen | FormFilled:
        """Let a screen stand and wait for its answer. Raises SteppedBack or CitizenLeft."""
        self.questions_asked += 1
        self.show(screen)
        return await self.answered()

    async def answered(self) -> Chosen | FormFilled:
        """The next answer to the screen that stands."""
        while True:
            answer = await self.heard()
            if not isinstance(answer, Wrote):
                return answer

    async def heard(self) -> Chosen | FormFilled | Wrote:
        """The next answer, strokes included, in the order they were given. Raises SteppedBack or CitizenLeft."""
        answer = await self._answers.get()
        match answer:
            case Left():
                raise CitizenLeft
            case WentBack():
                raise SteppedBack
            case Chosen() | FormFilled() | Wrote():
                return answer

    def answer(self, answer: Answer) -> None:
        """Take an answer; one to a screen that no longer stands is dropped."""
        if isinstance(answer, Left) or (self.screen is not None and answer.screen_id == self.screen.screen_id):
            self._answers.put_nowait(answer)

    async def unless_answered(self, work: Coroutine[Any, Any, T]) -> T | Chosen | FormFilled:
        """Run device work while the screen stands; an answer ends the work and is returned instead.

        When both come in the same moment, the citizen's word counts: a touch that was taken must not be lost.
        """
        job = asyncio.ensure_future(work)
        answering = asyncio.ensure_future(self.answered())
        try:
            await asyncio.wait({job, answering}, return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() else job.result()
        finally:
            for task in (job, answering):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    def wipe(self) -> None:
        """Forget the citizen. Idempotent."""
        self.screen = None
        self.identity.wipe()
        self.values.wipe()
        while not self._answers.empty():
            self._answers.get_nowait()
