"""One run of one matter: its steps in order, from begun to ended."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, Literal, NamedTuple, TypeVar

from drivers.errors import DeviceError, DeviceOffline
from drivers.messages import DeviceClass, DeviceState, DeviceStatus, FaultAction
from drivers.protocols import Device
from kiosk.contracts.errors import FaultCode, KioskError
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import CallServiceStep, Matter, Part, Step, StepOfMatter, holds
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import Chosen, Mark, Mode, NoticeScreen, Option, Place, WorkingScreen
from kiosk.flow.session import OpenOrder, Paid, Session, StepFailed
from kiosk.flow.values import Values
from kiosk.flow.words import failure_words, fault_code_of, papers_words, sentence_of, word

T = TypeVar("T")
log = logging.getLogger(__name__)

DEVICE_RETURN_SECONDS = 12.0
"""How long a citizen is asked to wait for a device that restarts; it is back within three seconds as a rule."""
LOOK_SECONDS = 0.1


class Outcome(Enum):
    DONE = "done"
    BACK = "back"


ENDED_BADLY = frozenset({"refused", "failed", "skipped"})
"""Outcomes of a package's part behind which nothing more is done for it."""


class Objection(NamedTuple):
    """A value the citizen contested on this visit: its number, and the day by which it is answered."""

    label: LocalizedText
    number: str
    promised_on: str


class Transaction:
    """What a step may use: the session, the matter, its values, and helpers that every step shares."""

    def __init__(self, session: Session, matter: Matter) -> None:
        self.session = session
        self.equipment = session.equipment
        self.matter = matter
        self.number = ""
        self.position = 0
        self.has_effect = False
        """Something was submitted or printed: there is no way back behind it."""
        self.case_number = ""
        self.pending_requests: dict[str, str] = {}
        """Request ids by step whose outcome is uncertain: asked again under the same id."""
        self.pending_cards: dict[str, str] = {}
        """Job ids by step of card writes whose outcome is uncertain: asked after, never written again."""
        self.open_order: OpenOrder | None = None
        self.paid: Paid | None = None
        self.accepted_steps: set[str] = set()
        """Submits an authority took in to decide later."""
        self.objections: list[Objection] = []
        self.part_fault: FaultCode | None = None
        """Why the last part of a package that ended without a result did so."""
        self.fault: FaultCode | None = None
        """What stands explained on the screen, until the citizen tries again."""
        self.undelivered: FaultCode | None = None
        """A result exists that the citizen does not hold on paper."""
        self.on_paper: set[DeviceClass] = set()
        """The printers that gave the citizen something."""
        self.device: DeviceClass | None = None
        """The class of the device that was asked last: whose sentence a device's error has."""

    @property
    def step(self) -> Step:
        """The step that is being done."""
        return self.matter.steps[self.position]

    @property
    def values(self) -> Values:
        return self.session.values

    def say(self, step: StepOfMatter | None = None) -> LocalizedText:
        """The step's one sentence, in plainer words for elder mode."""
        step = step or self.step
        return step.say_elder if self.session.mode is Mode.ELDER and step.say_elder is not None else step.say

    def frame(self, *, place: Place = Place.SCREEN, **changes: Any) -> dict[str, Any]:
        """The members every screen of the present step shares."""
        members: dict[str, Any] = {
            "screen_id": self.session.next_screen_id(),
            "step_id": self.step.id,
            "title": self.step.title,
            "say": self.say(),
            "journey": self.journey(),
            "place": place,
            "can_go_back": not self.has_effect,
        }
        return members | changes

    def journey(self) -> tuple[Mark, ...]:
        """The steps a citizen notices; while a silent one runs, the next of them is already the present one.

        Steps of one title that follow each other are one place: what a package does at several departments.
        """
        steps = self.matter.steps
        noticed = [index for index, step in enumerate(steps) if not _is_silent(step) and self.is_wanted(step)]
        now = next((index for index in noticed if index >= self.position), len(steps) - 1)
        marks: list[Mark] = []
        for index in noticed:
            state: Literal["done", "now", "next"] = "done" if index < now else "now" if index == now else "next"
            if self.matter.parts and marks and marks[-1].title == steps[index].title:
                state = "now" if "now" in (state, marks[-1].state) or state != marks[-1].state else state
                marks[-1] = Mark(title=marks[-1].title, state=state)
            else:
                marks.append(Mark(title=steps[index].title, state=state))
        return tuple(marks)

    def is_wanted(self, step: StepOfMatter) -> bool:
        """Whether the step's condition holds for what is known by now, and in a package one of its parts needs it."""
        return self.serves(step.parts) and holds(step.when, self.values.get)

    def serves(self, parts: tuple[str, ...]) -> bool:
        """Whether one of these parts of a package goes on; what belongs to no part always serves."""
        return not parts or any(part.id in parts and self.goes_on(part) for part in self.matter.parts)

    def goes_on(self, part: Part) -> bool:
        """Whether a part is wanted, and neither it nor one it needs was refused, has failed or was given up."""
        outcomes = {self.values.get(f"part.{id}.outcome") for id in (part.id, *part.needs)}
        return outcomes.isdisjoint(ENDED_BADLY) and holds(part.when, self.values.get)

    @property
    def any_part_done(self) -> bool:
        outcomes = (self.values.get(f"part.{part.id}.outcome") for part in self.matter.parts)
        return any(outcome in ("done", "accepted") for outcome in outcomes)

    def journal(self, event: str, **data: Any) -> None:
        self.equipment.journal.append(event, transaction_number=self.number, **data)

    def begin_effect(self, event: str, **data: Any) -> str:
        """Write the intent; returns the effect's id, chosen here and kept on disk."""
        effect_id = uuid.uuid4().hex
        self.equipment.journal.begin_effect(
            effect_id, event, transaction_number=self.number, **{_id_field(event): effect_id}, **data
        )
        return effect_id

    def end_effect(self, effect_id: str, event: str, disposition: Disposition, **data: Any) -> None:
        """Write the outcome; an uncertain one stays open until it is settled."""
        self.equipment.journal.end_effect(
            effect_id,
            event,
            disposition=disposition,
            transaction_number=self.number,
            **{_id_field(event): effect_id},
            **data,
        )

    def settle_effect(self, effect_id: str, event: str, disposition: Disposition, **data: Any) -> None:
        """Write what became of an uncertain effect."""
        self.equipment.journal.settle_effect(
            effect_id,
            event,
            disposition=disposition,
            transaction_number=self.number,
            **{_id_field(event): effect_id},
            **data,
        )

    def working(self, sentence: str, *, progress: int | None = None) -> None:
        """Let the calm waiting screen stand with one of our sentences."""
        self.session.show(
            WorkingScreen(**self.frame(say=word(sentence), can_go_back=False, can_leave=False), progress=progress),
            busy=True,
        )

    async def with_device(self, device_class: DeviceClass, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run device work; when the device's process dies, tell the citizen in one sentence, wait, and do it again.

        The work shows its own screen, for it may begin more than once. A device that served for long before it was
        lost is waited for as if it were the first time; one that is lost again and again is not.
        """
        self.device = device_class
        deadline = 0.0
        while True:
            begun_at = time.monotonic()
            try:
                return await work()
            except DeviceOffline:
                now = time.monotonic()
                if not deadline or now - begun_at > DEVICE_RETURN_SECONDS:
                    deadline = now + DEVICE_RETURN_SECONDS
                if now >= deadline:
                    raise
                self.working("device_restarting")
                await asyncio.sleep(LOOK_SECONDS)
                while (  # noqa: ASYNC110 (a process restarts: there is nothing here to wait on)
                    not self.equipment.devices.is_fit(device_class) and time.monotonic() < deadline
                ):
                    await asyncio.sleep(LOOK_SECONDS)

    async def until_awake(self, device: Device) -> None:
        """Before an effect: wait out a restart that is under way, also of a process that nobody has missed yet."""
        deadline = time.monotonic() + DEVICE_RETURN_SECONDS
        is_told = False
        while _is_restarting(await device.status()) and time.monotonic() < deadline:
            if not is_told:
                self.working("device_restarting")
                is_told = True
            await asyncio.sleep(LOOK_SECONDS)


def _is_restarting(status: DeviceStatus) -> bool:
    mends_itself = any(fault.action is FaultAction.WAIT for fault in status.faults)
    return status.device is DeviceState.STARTING or (not status.is_fit and mends_itself)


def _id_field(event: str) -> str:
    names = {"service": "request_id", "payment": "order_id"}
    return names.get(event.split("_", 1)[0], "job_id")


def _is_silent(step: StepOfMatter) -> bool:
    return isinstance(step, CallServiceStep) and step.effect == "query"


def option(id: str, key: str, *, icon: str = "", enabled: bool = True, detail: str = "") -> Option:
    """An option with one of the flow's own words."""
    return Option(id=id, label=word(key), icon=icon, enabled=enabled, detail=word(detail) if detail else None)


async def tell_failure(transaction: Transaction, error: Exception) -> bool:
    """Explain and ask: True does the step again, False ends the matter. An unexpected error ends the session."""
    return await explain(transaction, error, option("home", "back_to_home")) == "retry"


async def explain(transaction: Transaction, error: Exception, onward: Option) -> str:
    """Say what failed; the answer is `retry`, or the id of `onward`, the way that leads on."""
    fault, told, can_retry = read_failure(transaction, error)
    transaction.fault = fault
    transaction.journal("citizen_told", fault=fault, step=transaction.step.id)
    log.warning("step %s failed with %s: %s", transaction.step.id, fault.value, type(error).__name__)
    words = failure_words(fault)
    retry: Option | None = option("retry", "try_again") if can_retry else None
    answer = await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(
                title=words.title,
                say=told or words.say,
                can_go_back=False,
                primary=retry or onward,
                alternatives=(onward,) if retry else (),
            ),
            tone="failure",
            papers=papers_words(fault, may_be_in=bool(transaction.pending_requests), has_effect=transaction.has_effect),
            money=_money(transaction, can_retry=can_retry) or words.money,
            what_to_do=words.what_to_do,
            fault=fault,
            transaction_number=transaction.number,
        )
    )
    if not isinstance(error, KioskError | DeviceError):
        raise error
    chosen = answer.option if isinstance(answer, Chosen) else ""
    again = chosen == "retry"
    transaction.fault = fault if not again and onward.id == "home" else None
    return chosen if again else onward.id


def _money(transaction: Transaction, *, can_retry: bool) -> LocalizedText | None:
    paid = transaction.paid
    return paid.told(is_open=bool(transaction.pending_requests), can_retry=can_retry) if paid else None


def read_failure(transaction: Transaction, error: Exception) -> tuple[FaultCode, LocalizedText | None, bool]:
    """The code, the sentence when the failure has its own, and whether it may be tried again."""
    match error:
        case StepFailed():
            return error.fault, error.told or sentence_of(transaction.device, error.__cause__), error.can_retry
        case KioskError():
            return error.code, getattr(error, "told", None), True
        case DeviceError():
            return fault_code_of(transaction.device), sentence_of(transaction.device, error), True
        case _:
            return FaultCode.INTERNAL, None, False
