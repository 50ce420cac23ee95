"""One terminal, put together: settings → journal → devices → library → link → flow → screen."""

from __future__ import annotations

import asyncio
import functools
import logging
import uuid
from contextlib import AsyncExitStack, suppress

from drivers.host import DeviceConfig
from drivers.messages import DeviceClass, DeviceStatus
from kiosk.contracts.errors import JournalFull, Unreachable
from kiosk.contracts.value import LocalizedText
from kiosk.flow.course.assistance import Assistance
from kiosk.flow.equipment import Equipment, SignInRules, TimeOuts
from kiosk.flow.recovery import OpenEnds, ask_after, report_open_ends
from kiosk.flow.screens import Hall, Mode, View
from kiosk.flow.stage import Stage
from kiosk.machine.devices import Acquaintances, Devices, Hatch
from kiosk.machine.documents import page_pngs
from kiosk.machine.fleet.assistance import AssistanceLine
from kiosk.machine.fleet.client import FleetClient
from kiosk.machine.fleet.confirmations import Confirmations
from kiosk.machine.fleet.enrolment import enrol
from kiosk.machine.fleet.handover import HandOver
from kiosk.machine.fleet.identity import Identity
from kiosk.machine.fleet_link import FleetLink, Situation
from kiosk.machine.journal import Journal
from kiosk.machine.library import Library
from kiosk.machine.memory import CleaningExecutor, settle, sweep
from kiosk.machine.money.door import PaymentDoor
from kiosk.machine.money.payments import Payments
from kiosk.machine.seals import verify_seal
from kiosk.machine.services import Services
from kiosk.machine.settings import MachineSettings
from kiosk.machine.speech import Speech, open_speech

log = logging.getLogger(__name__)

VERSION = "0.1.0"
PREVIEW_DPI = 110
WORKERS = 8
ENROLMENT_PAUSE_SECONDS = 5.0
ONLINE_WATCH_SECONDS = 0.5


class Terminal:
    """The parts of one running terminal. Made on the flow's loop by `start`, taken apart in reverse by `close`."""

    def __init__(self, settings: MachineSettings) -> None:
        self._settings = settings
        self._parts = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Hall:
        """Bring everything up and return what the screen talks to. Devices come up behind it, in their own time."""
        settings = self._settings
        asyncio.get_running_loop().set_default_executor(CleaningExecutor(WORKERS))
        identity = await self._identity(settings)
        enrolment = identity.enrolment
        assert enrolment is not None
        journal = Journal.open(settings.machine.data / "journal.sqlite", terminal=identity.terminal)
        self._parts.callback(journal.close)
        boot_id = uuid.uuid4().hex
        journal.append("machine_started", version=VERSION, boot_id=boot_id)
        ends = report_open_ends(journal)
        _warn_of(ends)
        client = FleetClient(settings.fleet.server, identity.key, identity.terminal, ca=settings.fleet.ca)
        self._parts.push_async_callback(client.close)
        devices = await self._devices(client, journal)
        library = Library.open(
            settings.machine.data / "library", enrolment=enrolment, journal=journal,
            devices=frozenset(DeviceClass(device.device_class) for device in settings.devices.values()),
            now=client.clock.now,
        )  # fmt: skip
        services, hand_over = Services(client), HandOver(client)
        self._parts.push_async_callback(hand_over.close)
        payments = Payments(client, journal, services, lambda: devices.payment_terminal)
        equipment = self._equipment(
            settings=settings, identity=identity, journal=journal, devices=devices, library=library, client=client,
            services=services, payments=payments, confirmations=Confirmations(client, lambda: link.online),
            hand_over=hand_over,
        )  # fmt: skip
        stage = Stage(equipment, language=settings.machine.language)
        link = FleetLink(
            client, identity, library, journal, heartbeat_seconds=settings.fleet.heartbeat_seconds,
            poll_seconds=settings.fleet.poll_seconds, version=VERSION, boot_id=boot_id,
            situation=functools.partial(_situation, stage, devices),
            on_hint=lambda look: looks[look]() if look in looks else None,
        )  # fmt: skip
        assistance = self._assistance(client, journal, stage, library)
        looks = {"handover": hand_over.look_soon, "assistance": assistance.look_soon}
        _connect(stage, library, link, devices, journal)
        stage.subscribe(_Narrator(open_speech()).hear, lambda _picture: None)
        stage.on_close = self._close
        for work in (
            stage.run(),
            link.run(),
            _open_devices(devices, journal, ends, payments),
            _tell_online(link, stage),
        ):
            self._tasks.append(asyncio.create_task(work))
        settle()
        return stage

    async def _devices(self, client: FleetClient, journal: Journal) -> Devices:
        """Not opened yet. Behind them the payment door, before them the maintainer's hatch."""
        door = PaymentDoor(client)
        self._parts.push_async_callback(door.close)
        configured = (
            DeviceConfig(name=name, driver=device.driver, options=self._settings.device_options(name))
            for name, device in self._settings.devices.items()
        )
        devices = Devices(await door.furnish(configured))
        self._parts.push_async_callback(devices.close)
        Acquaintances(devices, self._settings.machine.data, journal.append)
        hatch = Hatch(devices, self._settings.machine.data, journal.append)
        await hatch.open()
        self._parts.push_async_callback(hatch.close)
        return devices

    @staticmethod
    async def _identity(settings: MachineSettings) -> Identity:
        """The machine's name and trust; a fresh machine asks for them until the centre answers."""
        identity = Identity.open(settings.machine.data)
        while not identity.is_enrolled:
            try:
                await enrol(
                    identity, server=settings.fleet.server, code=settings.fleet.enrolment_code, ca=settings.fleet.ca
                )
            except Unreachable as error:
                log.warning("not enrolled yet: %s", error)
                await asyncio.sleep(ENROLMENT_PAUSE_SECONDS)
            else:
                with suppress(JournalFull):
                    journal = Journal.open(settings.machine.data / "journal.sqlite", terminal=identity.terminal)
                    journal.append("terminal_enrolled", terminal=identity.terminal, server=settings.fleet.server)
                    journal.close()
        return identity

    def _assistance(self, client: FleetClient, journal: Journal, stage: Stage, library: Library) -> Assistance:
        line = AssistanceLine(client)
        self._parts.push_async_callback(line.close)
        assistance = Assistance(
            line, journal, tell=stage.helper_changed,
            matter_of=lambda view: library.matter(view.matter) if view.matter else None,
        )  # fmt: skip
        stage.on_help = assistance.wanted
        stage.subscribe(assistance.hear, lambda _picture: None)
        return assistance

    @staticmethod
    def _equipment(
        *, settings: MachineSettings, identity: Identity, journal: Journal, devices: Devices, library: Library,
        client: FleetClient, services: Services, payments: Payments, confirmations: Confirmations,
        hand_over: HandOver,
    ) -> Equipment:  # fmt: skip
        enrolment = identity.enrolment
        assert enrolment is not None
        return Equipment(
            devices=devices,
            journal=journal,
            services=services,
            payments=payments,
            confirmations=confirmations,
            hand_over=hand_over,
            library=library,
            verify_seal=lambda pdf: verify_seal(pdf, enrolment.seal_authority, client.clock.now()).sha256,
            render_page=lambda pdf: page_pngs(pdf, PREVIEW_DPI)[0],
            sweep_memory=sweep,
            now=client.clock.now,
            terminal=identity.terminal,
            site=settings.machine.site or enrolment.site,
            sign_in=SignInRules(
                allow_face=settings.sign_in.allow_face,
                allow_code=settings.sign_in.allow_code,
                allow_clerk=settings.sign_in.allow_clerk,
                allow_bank_card=settings.sign_in.allow_bank_card,
                head_turn=settings.sign_in.head_turn,
            ),
            time_outs=TimeOuts(
                idle_seconds=settings.time_outs.idle_seconds, warn_seconds=settings.time_outs.warn_seconds
            ),
        )

    async def _close(self) -> None:
        """End every task, then every part, the newest first."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._parts.aclose()


def _warn_of(ends: OpenEnds) -> None:
    if ends.transactions or ends.pages or ends.requests:
        log.warning(
            "left open by the last stop: %d transactions, %d pages, %d requests",
            ends.transactions, len(ends.pages), len(ends.requests),
        )  # fmt: skip


def _connect(stage: Stage, library: Library, link: FleetLink, devices: Devices, journal: Journal) -> None:
    """Who tells whom. A new bundle is activated only when the stage says that nobody is served."""

    def activate_when_idle() -> None:
        if library.is_ready:
            library.activate()

    def device_changed(name: str, status: DeviceStatus) -> None:
        with suppress(JournalFull):
            journal.append(
                "device_changed", device=name, state=status.device, faults=",".join(f.code for f in status.faults)
            )
        stage.catalogue_changed()
        link.report_soon()

    stage.on_idle = activate_when_idle
    stage.on_session_ended = library.report_session
    library.on_change(stage.catalogue_changed)
    devices.on_change(device_changed)


class _Narrator:
    """Reads each new screen's one sentence, or a remote helper's, aloud in elder mode; a new one ends the last."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._said = ""
        self._helped: LocalizedText | None = None
        self._saying: asyncio.Task[None] | None = None

    def hear(self, view: View) -> None:
        screen, helper = view.screen, view.helper
        if view.mode is not Mode.ELDER:
            return
        sentence = None if helper is None else helper.message or helper.note
        if sentence == self._helped:
            sentence = None
        else:
            self._helped = sentence
        if sentence is None and screen is not None and screen.say.zh_cn != self._said:
            sentence, self._said = screen.say, screen.say.zh_cn
        if sentence is None:
            return
        if self._saying is not None:
            self._saying.cancel()
        self._saying = asyncio.create_task(
            self._speech.say(sentence.in_language(view.language), view.language, slow=True)
        )


def _situation(stage: Stage, devices: Devices) -> Situation:
    return Situation(stage=stage.view().stage, stage_reasons=stage.reason_codes, devices=devices.statuses())


async def _open_devices(devices: Devices, journal: Journal, ends: OpenEnds, payments: Payments) -> None:
    """Money is settled once the devices have said what became of pages and cards, and from then on always."""
    await devices.open()
    await ask_after(ends, journal, devices)
    await payments.run()


async def _tell_online(link: FleetLink, stage: Stage) -> None:
    told = None
    while True:
        if link.online != told:
            told = link.online
            stage.online_changed(told)
        await asyncio.sleep(ONLINE_WATCH_SECONDS)
