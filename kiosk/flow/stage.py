"""What the machine is doing now, and the one Hall the screen talks to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from drivers.errors import DeviceError
from drivers.messages import DeviceClass, Preview
from kiosk.contracts.errors import JournalFull
from kiosk.contracts.events import Disposition
from kiosk.contracts.value import CITY_TIME, Language
from kiosk.flow.catalogue import doors, favourites, out_of_service_reasons, tiles
from kiosk.flow.course.helper import Helper
from kiosk.flow.course.walk import run_transaction, thanks
from kiosk.flow.equipment import Equipment
from kiosk.flow.screens import (
    Answer,
    Chosen,
    InstructScreen,
    Left,
    Mode,
    Place,
    StageKind,
    TimeOutWarning,
    View,
)
from kiosk.flow.session import CitizenLeft, Session, SteppedBack
from kiosk.flow.steps import run_step
from kiosk.flow.transaction import Transaction
from kiosk.flow.words import word

log = logging.getLogger(__name__)

TICK_SECONDS = 0.25
DEVICE_PATIENCE_SECONDS = 8.0
"""A device that restarts greys no tile for this long."""
CARD_REMINDER_SECONDS = 20.0


def derive_stage(*, can_serve: bool, in_transaction: bool, visiting: bool) -> StageKind:
    """Derived, never set. A transaction under way ends by itself, with its own words, before the machine closes."""
    if in_transaction:
        return StageKind.SESSION
    if not can_serve:
        return StageKind.OUT_OF_SERVICE
    return StageKind.HOME if visiting else StageKind.ATTRACT


async def _nothing() -> None:
    """No one else to tell."""


class Stage:
    """Implements `kiosk.flow.screens.Hall`. Lives on one event loop; `run()` must be running."""

    def __init__(
        self, equipment: Equipment, *, language: Language = Language.ZH_CN, mode: Mode = Mode.STANDARD
    ) -> None:
        self._equipment = equipment
        self._first_language, self._first_mode = language, mode
        self._language, self._mode = language, mode
        self._session: Session | None = None
        self._visit: asyncio.Task[None] | None = None
        self._is_clearing = False
        """A visit has ended and is being wiped: nobody is served until that is done."""
        self._is_next_waiting = False
        self._is_closing = False
        self._wanted: asyncio.Queue[str] = asyncio.Queue()
        self._transaction: str | None = None
        self._ending = Disposition.CANCELLED
        self._warning: TimeOutWarning | None = None
        self._touched_at = 0.0
        self._unfit_since: dict[DeviceClass, float] = {}
        self._journal_full = False
        self._online = True
        self._on_view: list[Callable[[View], None]] = []
        self._on_preview: list[Callable[[Preview], None]] = []
        self.on_idle: Callable[[], None] = lambda: None
        """Called when no citizen is present: the moment to activate a new bundle."""
        self.on_close: Callable[[], Coroutine[Any, Any, None]] = _nothing
        """What else must be released when the hall closes."""
        self.on_session_ended: Callable[[bool], object] = lambda _ok: None
        """Called when a visit with a transaction ended; False when the program itself failed in it."""
        self.on_help: Callable[[bool], None] = lambda _wanted: None
        """Called when the citizen asks for a remote helper, or wants no more of it."""
        self._helper: Helper | None = None
        self._basis: tuple[object, ...] | None = None
        self._keeps_hours = False
        """Some matter is closed at some hour: the catalogue is looked at anew each minute."""
        self._refresh_catalogue()

    # --- what the screen asks ------------------------------------------------------------------------------------

    def subscribe(self, on_view: Callable[[View], None], on_preview: Callable[[Preview], None]) -> None:
        self._on_view.append(on_view)
        self._on_preview.append(on_preview)
        on_view(self.view())

    def wake(self) -> None:
        self._touch()
        if self._is_clearing:
            self._is_next_waiting = True
        elif self._session is None and not self._reasons:
            self._begin_visit()

    def start(self, matter: str) -> None:
        self._touch()
        if self._transaction is not None or self._reasons or self._is_clearing:
            return
        if self._session is None:
            self._begin_visit()
        if any(tile.matter == matter and tile.enabled for tile in self._tiles):
            self._wanted.put_nowait(matter)

    def answer(self, answer: Answer) -> None:
        self._touch()
        if self._session is None:
            return
        if isinstance(answer, Left) and self._transaction is None:
            self._end_visit(Disposition.CANCELLED)
            return
        self._session.answer(answer)

    def extend(self) -> None:
        self._touch()

    def set_mode(self, mode: Mode) -> None:
        self._touch()
        self._mode = mode
        if self._session is not None:
            self._session.mode = mode
        self._publish()

    def set_language(self, language: Language) -> None:
        self._touch()
        self._language = language
        if self._session is not None:
            self._session.language = language
        self._publish()

    def help(self, wanted: bool) -> None:
        self._touch()
        self.on_help(wanted)

    # --- what the machine tells ----------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Nobody is served, and nothing of the last citizen is left."""
        return self._session is None and not self._is_clearing

    @property
    def reason_codes(self) -> tuple[str, ...]:
        return tuple(reason.code for reason in self._reasons)

    def catalogue_changed(self) -> None:
        """A bundle was activated, or a device changed."""
        self._refresh_catalogue()
        self._publish()

    def online_changed(self, online: bool) -> None:
        self._online = online
        self._publish()

    def helper_changed(self, helper: Helper | None) -> None:
        self._touch()
        self._helper = helper
        self._publish()

    async def run(self) -> None:
        """Watch the clock: time-outs, devices that came back, the quiet moment between citizens."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._watch_time_out()
            if self.is_idle:
                self.on_idle()
            if self._refresh_catalogue():
                self._publish()

    async def close(self) -> None:
        """The machine stops: a visit under way ends as interrupted, and the journal says the end was in order."""
        self._is_closing = True
        visit = self._visit
        self._end_visit(Disposition.INTERRUPTED)
        if visit is not None:
            await asyncio.gather(visit, return_exceptions=True)
        with suppress(JournalFull):
            self._equipment.journal.append("machine_stopped")
        await self.on_close()

    # --- a visit -------------------------------------------------------------------------------------------------

    def _begin_visit(self) -> None:
        session = Session(
            self._equipment,
            mode=self._mode,
            language=self._language,
            publish=self._publish,
            on_preview=self._show_preview,
        )
        try:
            self._equipment.journal.append("session_begun", mode=self._mode, language=self._language)
        except JournalFull:
            self._journal_full = True
            self._refresh_catalogue()
            self._publish()
            return
        self._session = session
        self._ending = Disposition.CANCELLED
        while not self._wanted.empty():
            self._wanted.get_nowait()
        self._visit = asyncio.create_task(self._visit_of(session))
        self._publish()

    def _end_visit(self, disposition: Disposition) -> None:
        if self._visit is not None and not self._visit.done() and not self._is_clearing:
            self._ending = disposition
            self._visit.cancel()

    async def _visit_of(self, session: Session) -> None:
        failed = False
        try:
            while True:
                matter = self._equipment.library.matter(await self._wanted.get())
                if matter is not None and not await self._serve(session, matter.id):
                    self._ending = Disposition.SUCCEEDED
                    return
        except (CitizenLeft, asyncio.CancelledError):
            log.info("the visit ended: %s", self._ending)
        except JournalFull:
            self._journal_full = True
        except Exception:
            log.exception("the visit ended unexpectedly")
            self._ending = Disposition.INTERRUPTED
            failed = True
        finally:
            served = session.questions_asked > 0
            self._transaction = None
            await asyncio.shield(self._forget(session))
            if served:
                self.on_session_ended(not failed)
            self._welcome_next()

    def _welcome_next(self) -> None:
        """Whoever touched the screen while the last visit was being wiped has waited long enough."""
        waiting, self._is_next_waiting = self._is_next_waiting, False
        if waiting and self.is_idle and not self._is_closing and not self._reasons:
            self._begin_visit()

    async def _serve(self, session: Session, matter_id: str) -> bool:
        """One matter; True when the citizen wants another."""
        matter = self._equipment.library.matter(matter_id)
        if matter is None:
            return True
        self._transaction = matter_id
        transaction = Transaction(session, matter)
        disposition = await run_transaction(transaction, run_step=run_step)
        wants_more = True
        if disposition is Disposition.SUCCEEDED:
            try:
                answer = await session.ask(thanks(transaction))
                wants_more = isinstance(answer, Chosen) and answer.option == "another"
            except SteppedBack:
                wants_more = True
            if not wants_more:
                await self._remind_of_card(session)
        self._transaction = None
        session.values.wipe()
        session.screen = None
        session.busy = False
        self._publish()
        return wants_more

    async def _remind_of_card(self, session: Session) -> None:
        reader = self._equipment.devices.card_reader
        if reader is None or session.identity.card is None:
            return
        session.show(
            InstructScreen(
                screen_id=session.next_screen_id(),
                title=word("take_card_title"),
                say=word("take_card"),
                place=Place.CARD_READER,
                can_leave=False,
            ),
            busy=True,
        )
        with suppress(DeviceError):
            await reader.wait_removal(timeout_seconds=CARD_REMINDER_SECONDS)

    async def _forget(self, session: Session) -> None:
        """The citizen leaves nothing behind: session, devices, memory. Then the visit is journalled as ended."""
        self._is_clearing = True
        session.wipe()
        self._warning = None
        self._language, self._mode = self._first_language, self._first_mode
        self._session = None
        self._publish()
        try:
            await self._equipment.devices.wipe()
            self._equipment.sweep_memory()
            with suppress(JournalFull):
                self._equipment.journal.append("session_ended", disposition=self._ending)
        finally:
            self._visit = None
            self._is_clearing = False

    # --- time ----------------------------------------------------------------------------------------------------

    def _touch(self) -> None:
        self._touched_at = asyncio.get_running_loop().time()
        if self._warning is not None:
            self._warning = None
            self._publish()

    def _watch_time_out(self) -> None:
        session = self._session
        now = asyncio.get_running_loop().time()
        is_calling = self._helper is not None and self._helper.state == "calling"
        if session is None or session.busy or is_calling:
            self._touched_at = now
            return
        rules = self._equipment.time_outs
        factor = 2 if self._mode is Mode.ELDER else 1
        left = rules.idle_seconds * factor + rules.warn_seconds - (now - self._touched_at)
        if left <= 0:
            self._end_visit(Disposition.INTERRUPTED)
        elif left <= rules.warn_seconds:
            warning = TimeOutWarning(seconds_left=max(round(left), 1), seconds_total=round(rules.warn_seconds))
            if warning != self._warning:
                self._warning = warning
                self._publish()

    # --- what stands ---------------------------------------------------------------------------------------------

    def view(self) -> View:
        session = self._session
        stage = derive_stage(
            can_serve=not self._reasons, in_transaction=self._transaction is not None, visiting=session is not None
        )
        matter = self._equipment.library.matter(self._transaction) if self._transaction else None
        return View(
            stage=stage,
            mode=self._mode,
            language=self._language,
            tiles=self._tiles,
            doors=self._doors,
            favourites=self._favourites,
            screen=session.screen if session is not None and stage is StageKind.SESSION else None,
            matter=self._transaction or "",
            matter_title=matter.title if matter is not None else None,
            transaction_number=(session.values.get("transaction.number") or "") if session is not None else "",
            citizen=session.identity.masked if session is not None else "",
            warning=self._warning,
            reasons=self._reasons,
            site=self._equipment.site,
            terminal=self._equipment.terminal,
            online=self._online,
            helper=self._helper,
            catalogue=(self._equipment.library.bundle_hash or "")[:12],
        )

    def _refresh_catalogue(self) -> bool:
        """Derive tiles, doors and reasons anew when matters or the devices' fitness changed; True when they did."""
        devices = self._equipment.devices
        unfit = {device: devices.faults_of(device) for device in DeviceClass if not self._is_fit_for_long(device)}
        moment = self._equipment.now().astimezone(CITY_TIME).time()
        minute = (moment.hour, moment.minute) if self._keeps_hours else None
        basis = (self._equipment.library.bundle_hash, tuple(unfit.items()), self._journal_full, minute)
        if basis == self._basis:
            return False
        self._basis = basis
        matters = self._equipment.library.matters()
        self._keeps_hours = any(matter.closed_hours for matter in matters)
        self._tiles = tiles(matters, unfit, moment)
        self._doors = doors(matters)
        self._favourites = favourites(matters)
        self._reasons = out_of_service_reasons(self._tiles, self._journal_full)
        return True

    def _is_fit_for_long(self, device_class: DeviceClass) -> bool:
        if self._equipment.devices.is_fit(device_class):
            self._unfit_since.pop(device_class, None)
            return True
        now = asyncio.get_running_loop().time()
        return now - self._unfit_since.setdefault(device_class, now) < DEVICE_PATIENCE_SECONDS

    def _publish(self) -> None:
        view = self.view()
        for listener in self._on_view:
            listener(view)

    def _show_preview(self, preview: Preview) -> None:
        for listener in self._on_preview:
            listener(preview)
