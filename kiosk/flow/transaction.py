"""One run of one matter: its steps in order, from begun to ended."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, TypeVar

from drivers.errors import DeviceError, DeviceOffline
from drivers.messages import DeviceClass, DeviceState, DeviceStatus, FaultAction
from drivers.protocols import Device
from kiosk.contracts.errors import FaultCode, KioskError
from kiosk.contracts.events import Disposition
from kiosk.contracts.matter import CallServiceStep, Matter, Part, Step, StepOfMatter, holds
from kiosk.contracts.value import CITY_TIME, LocalizedText
from kiosk.flow.screens import Chosen, Mark, Mode, NoticeScreen, Option, Place, WorkingScreen
from kiosk.flow.session import CitizenLeft, Session, StepFailed, SteppedBack
from kiosk.flow.values import Values
from kiosk.flow.words import failure_words, fault_code_of, sentence_of, word

T = TypeVar("T")
log = logging.getLogger(__name__)

DEVICE_RETURN_SECONDS = 12.0
"""How long a citizen is asked to wait for a device that restarts; it is back within three seconds as a rule."""
LOOK_SECONDS = 0.1


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
        self.position = 0
        self.has_effect = False
        """Something was submitted or printed: there is no way back behind it."""
        self.case_number = ""
        self.pending_requests: dict[str, str] = {}
        """Request ids by step whose outcome is uncertain: asked again under the same id."""
        self.fault: FaultCode | None = None
        """What stands explained on the screen, until the citizen tries again."""
        self.undelivered: FaultCode | None = None
        """A result exists that the citizen does not hold on paper."""
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
        """The steps a citizen notices; while a silent one runs, the next of them is already the present one."""
        steps = self.matter.steps
        noticed = [index for index, step in enumerate(steps) if not _is_silent(step) and self.is_wanted(step)]
        now = next((index for index in noticed if index >= self.position), len(steps) - 1)
        return tuple(
            Mark(title=steps[index].title, state="done" if index < now else "now" if index == now else "next")
            for index in noticed
        )

    def is_wanted(self, step: StepOfMatter) -> bool:
        """Whether the step's condition holds for what is known by now, and in a package one of its parts needs it."""
        return self.serves(step.parts) and holds(step.when, self.values.get)

    def serves(self, parts: tuple[str, ...]) -> bool:
        """Whether one of these parts of a package goes on; what belongs to no part always serves."""
        return not parts or any(part.id in parts and self.goes_on(part) for part in self.matter.parts)

    def goes_on(self, part: Part) -> bool:
        """Whether a part is wanted and has not been refused, has not failed and was not given up."""
        ended = self.values.get(f"part.{part.id}.outcome") in ("refused", "failed", "skipped")
        return not ended and holds(part.when, self.values.get)

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
    return "request_id" if event.startswith("service") else "job_id"


def _is_silent(step: StepOfMatter) -> bool:
    return isinstance(step, CallServiceStep) and step.effect == "query"


async def run_transaction(transaction: Transaction, *, run_step: StepRunner) -> Disposition:
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
            "started_at": begun.occurred_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M"),
        },
    )
    disposition, fault = Disposition.INTERRUPTED, ""
    try:
        disposition, fault = await _walk(transaction, run_step)
    except CitizenLeft:
        disposition, fault = _left(transaction)
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


async def _walk(transaction: Transaction, run_step: StepRunner) -> tuple[Disposition, str]:
    session, steps = transaction.session, transaction.matter.steps
    index = 0
    seen: list[int] = []
    while index < len(steps):
        transaction.position = index
        if not transaction.is_wanted(transaction.step):
            index += 1
            continue
        asked = session.questions_asked
        started = time.monotonic()
        try:
            outcome = await run_step(transaction)
        except SteppedBack:
            outcome = Outcome.BACK
        except (CitizenLeft, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 (every failure is told, and an unexpected one raised again there)
            if await tell_failure(transaction, error):
                continue
            return _ending(transaction, error)
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


def _left(transaction: Transaction) -> tuple[Disposition, str]:
    """The citizen went: before a failure that was told, before the result, or with everything but the rating done."""
    if transaction.fault is not None:
        return _disposition_of(transaction, transaction.fault), transaction.fault.value
    if transaction.undelivered is not None:
        return Disposition.UNCERTAIN, transaction.undelivered.value
    return (Disposition.SUCCEEDED if _only_rating_left(transaction) else Disposition.CANCELLED), ""


def _ending(transaction: Transaction, error: Exception) -> tuple[Disposition, str]:
    fault, _, _ = _read(transaction, error)
    return _disposition_of(transaction, fault), fault.value


def _disposition_of(transaction: Transaction, fault: FaultCode) -> Disposition:
    is_open = fault is FaultCode.PRINT_UNCERTAIN or bool(transaction.pending_requests)
    return Disposition.UNCERTAIN if is_open else Disposition.FAILED


def _only_rating_left(transaction: Transaction) -> bool:
    return transaction.step is transaction.matter.steps[-1] and getattr(transaction.step, "kind", "") == "rate"


def transaction_number(session: Session) -> str:
    """Spoken on the telephone, searched by staff: date, terminal, and six characters nobody confuses."""
    now = session.equipment.now().astimezone(CITY_TIME)
    terminal = "".join(letter for letter in session.equipment.terminal if letter.isalnum())[-4:].upper()
    alphabet = "23456789ACDEFHJKLMNPQRTUVWXY"
    digits = uuid.uuid4().int
    tail = "".join(alphabet[(digits >> (5 * place)) % len(alphabet)] for place in range(6))
    return f"{now:%y%m%d}-{terminal}-{tail}"


StepRunner = Callable[[Transaction], Coroutine[Any, Any, Outcome]]


def option(id: str, key: str, *, icon: str = "", enabled: bool = True, detail: str = "") -> Option:
    """An option with one of the flow's own words."""
    return Option(id=id, label=word(key), icon=icon, enabled=enabled, detail=word(detail) if detail else None)


async def tell_failure(transaction: Transaction, error: Exception) -> bool:
    """Explain and ask: True does the step again, False ends the matter. An unexpected error ends the session."""
    fault, told, can_retry = _read(transaction, error)
    transaction.fault = fault
    transaction.journal("citizen_told", fault=fault, step=transaction.step.id)
    log.warning("step %s failed with %s: %s", transaction.step.id, fault.value, type(error).__name__)
    words = failure_words(fault)
    retry: Option | None = option("retry", "try_again") if can_retry else None
    home = option("home", "back_to_home")
    answer = await transaction.session.ask(
        NoticeScreen(
            **transaction.frame(
                title=words.title,
                say=told or words.say,
                can_go_back=False,
                primary=retry or home,
                alternatives=(home,) if retry else (),
            ),
            tone="failure",
            papers=words.papers,
            money=words.money,
            what_to_do=words.what_to_do,
            fault=fault,
            transaction_number=transaction.number,
        )
    )
    if not isinstance(error, KioskError | DeviceError):
        raise error
    again = isinstance(answer, Chosen) and answer.option == "retry"
    transaction.fault = None if again else fault
    return again


def _read(transaction: Transaction, error: Exception) -> tuple[FaultCode, LocalizedText | None, bool]:
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


def thanks(transaction: Transaction) -> NoticeScreen:
    """The last screen of a matter that went well."""
    return NoticeScreen(
        **transaction.frame(
            title=word("done_title"),
            say=word("done_say"),
            journey=(),
            can_go_back=False,
            primary=option("finish", "finish"),
            alternatives=(option("another", "another_matter"),),
        ),
        tone="success",
        papers=word("done_papers"),
        transaction_number=transaction.number,
    )
