"""One run of one matter: its steps in order, from begun to ended."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, TypeVar

from drivers.errors import DeviceOffline
from drivers.messages import DeviceClass
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import CallServiceStep, Matter, StepOfMatter
from kiosk.contracts.value import LocalizedText
from kiosk.flow.screens import Mark, Mode, Option, Place, WorkingScreen
from kiosk.flow.session import CitizenLeft, Session, SteppedBack
from kiosk.flow.values import Values
from kiosk.flow.words import word

T = TypeVar("T")

DEVICE_RETURN_SECONDS = 12.0
"""How long a citizen is asked to wait for a device that restarts; it is back within three seconds as a rule."""


class Outcome(Enum):
    DONE = "done"
    BACK = "back"


class Transaction:
    """What a step may use: the session, the matter, its values, and helpers that every step shares."""

    def __init__(self, session: Session, matter: Matter) -> None:
        self.session = session
        self.equipment = session.equipment
        self.matter = matter
        self.number = ""
        self.step: StepOfMatter = matter.steps[0]
        self.has_effect = False
        """Something was submitted or printed: there is no way back behind it."""
        self.case_number = ""
        self.pending_requests: dict[str, str] = {}
        """Request ids by step whose outcome is uncertain: asked again under the same id."""
        self.undelivered: FaultCode | None = None
        """A result exists that the citizen does not hold on paper."""

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
        steps = [step for step in self.matter.steps if not _is_silent(step)]
        now = self.matter.steps.index(self.step)
        marks = []
        for step in steps:
            index = self.matter.steps.index(step)
            marks.append(Mark(title=step.title, state="done" if index < now else "now" if index == now else "next"))
        return tuple(marks)

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
        """Run device work; when the device's process dies, tell the citizen in one sentence, wait, and go on."""
        deadline = time.monotonic() + DEVICE_RETURN_SECONDS
        while True:
            try:
                return await work()
            except DeviceOffline:
                if time.monotonic() > deadline:
                    raise
                self.working("device_restarting")
                while (  # noqa: ASYNC110 (a process restarts: there is nothing here to wait on)
                    not self.equipment.devices.is_fit(device_class) and time.monotonic() < deadline
                ):
                    await asyncio.sleep(0.1)


def _id_field(event: str) -> str:
    return "request_id" if event.startswith("service") else "job_id"


def _is_silent(step: StepOfMatter) -> bool:
    return isinstance(step, CallServiceStep) and step.effect == "query"


async def run_transaction(transaction: Transaction, *, run_step: StepRunner, tell: FailureTeller) -> Disposition:
    """Walk the steps. Every way out is journalled with its disposition, and the result is returned."""
    session, matter = transaction.session, transaction.matter
    journal = session.equipment.journal
    transaction.number = transaction_number(session)
    begun = journal.append(
        "transaction_begun",
        transaction_number=transaction.number,
        matter=matter.id,
        version=matter.version,
        bundle=session.equipment.library.bundle_hash or "",
    )
    session.values.put(
        "transaction",
        {
            "number": transaction.number,
            "site": session.equipment.site,
            "terminal": session.equipment.terminal,
            "started_at": begun.occurred_at.astimezone().strftime("%Y-%m-%d %H:%M"),
        },
    )
    disposition, fault = Disposition.INTERRUPTED, ""
    try:
        disposition, fault = await _walk(transaction, run_step, tell)
    except CitizenLeft:
        disposition = Disposition.SUCCEEDED if _only_rating_left(transaction) else Disposition.CANCELLED
        raise
    finally:
        journal.append(
            "transaction_ended",
            transaction_number=transaction.number,
            disposition=disposition,
            fault=fault,
            holder=session.identity.masked_holder,
            case_number=transaction.case_number,
        )
    return disposition


async def _walk(transaction: Transaction, run_step: StepRunner, tell: FailureTeller) -> tuple[Disposition, str]:
    session, steps = transaction.session, transaction.matter.steps
    index = 0
    seen: list[int] = []
    while index < len(steps):
        transaction.step = steps[index]
        asked = session.questions_asked
        started = time.monotonic()
        try:
            outcome = await run_step(transaction)
        except SteppedBack:
            outcome = Outcome.BACK
        except (CitizenLeft, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 (every failure is told, and an unexpected one raised again there)
            goes_on = await tell(transaction, error)
            if goes_on is None:
                return _ending(transaction, error)
            outcome = Outcome.DONE if goes_on == "skip" else Outcome.BACK
            if goes_on == "retry":
                continue
        transaction.journal(
            "step_ended",
            step=transaction.step.id,
            kind=steps[index].kind,
            milliseconds=round((time.monotonic() - started) * 1000),
        )
        if outcome is Outcome.BACK:
            if not seen or transaction.has_effect:
                return Disposition.CANCELLED, ""
            index = seen.pop()
            continue
        if transaction.has_effect:
            seen.clear()
        elif session.questions_asked > asked:
            seen.append(index)
        index += 1
    fault = transaction.undelivered
    return (Disposition.SUCCEEDED, "") if fault is None else (Disposition.UNCERTAIN, fault.value)


def _ending(transaction: Transaction, error: Exception) -> tuple[Disposition, str]:
    fault = getattr(error, "fault", None) or getattr(error, "code", FaultCode.INTERNAL)
    fault = fault if isinstance(fault, FaultCode) else FaultCode.INTERNAL
    uncertain = fault in (FaultCode.PRINT_UNCERTAIN, FaultCode.CENTRE_UNREACHABLE) and transaction.has_effect
    return (Disposition.UNCERTAIN if uncertain else Disposition.FAILED), fault.value


def _only_rating_left(transaction: Transaction) -> bool:
    return transaction.step is transaction.matter.steps[-1] and getattr(transaction.step, "kind", "") == "rate"


def transaction_number(session: Session) -> str:
    """Spoken on the telephone, searched by staff: date, terminal, and six characters nobody confuses."""
    now = session.equipment.now()
    alphabet = "23456789ACDEFHJKLMNPQRTUVWXY"
    digits = uuid.uuid4().int
    tail = "".join(alphabet[(digits >> (5 * place)) % len(alphabet)] for place in range(6))
    return f"{now:%y%m%d}-{session.equipment.terminal[-4:].upper()}-{tail}"


StepRunner = Callable[[Transaction], Coroutine[Any, Any, Outcome]]
FailureTeller = Callable[[Transaction, Exception], Coroutine[Any, Any, str | None]]


def option(id: str, key: str, *, icon: str = "", enabled: bool = True, detail: str = "") -> Option:
    """An option with one of the flow's own words."""
    return Option(id=id, label=word(key), icon=icon, enabled=enabled, detail=word(detail) if detail else None)
