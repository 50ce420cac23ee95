"""Social-security and other chip cards in a PC/SC reader (domain.md section 3; device-classes C.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from pydantic import Field

from drivers.errors import DeviceBusy, DeviceError, DeviceOffline, MediaError, Unsupported
from drivers.messages import (
    BankCard,
    Capabilities,
    CardInterface,
    ChipCard,
    DeviceClass,
    DeviceStatus,
    Message,
    PinResult,
    RecordWrite,
    SocialSecurityCard,
    WriteResult,
)
from drivers.smart_card_reader import apdu as commands
from drivers.smart_card_reader.health import Health
from drivers.smart_card_reader.links.link import is_contactless, no_card, silent
from drivers.smart_card_reader.links.opening import APDU_SCHEME
from drivers.smart_card_reader.links.presence import LOOK_SECONDS, PEER_LOOK_SECONDS, Presence
from drivers.smart_card_reader.session import CardSession
from drivers.smart_card_reader.speaker import Speaker
from drivers.watch import Watch

VERSION: Final = "1.0"
FIRST_SIGHT_SECONDS: Final = 1.4
PIN_DIGITS: Final = 6
OVERRUN_SECONDS: Final = 0.6
"""A chip that is being spoken to may finish; a service that hangs is left to itself."""

Result = TypeVar("Result")


class PcscReader:
    """Keeps `drivers.protocols.SmartCardReader`.

    One thread watches the reader, another speaks to the card; status answers from memory. The chip stays powered from
    command to command, so that a PIN counts for what follows it; `wipe` and removal end that.
    """

    class Options(Message):
        reader: str = Field(
            default="", max_length=200, description="name of the reader or a part of it; empty: the first one there is"
        )

    def __init__(self, options: PcscReader.Options) -> None:
        is_peer = options.reader.startswith(APDU_SCHEME)
        self._presence = Presence(options.reader, PEER_LOOK_SECONDS if is_peer else LOOK_SECONDS)
        self._speaker = Speaker(options.reader)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="card-speaker")
        self._health = Health()
        self._running: Watch | None = None
        self._stuck: asyncio.Future[Any] | None = None
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        sight = self._presence.sight
        return Capabilities(
            device_class=DeviceClass.SMART_CARD_READER,
            driver="smart_card_reader/pcsc",
            version=VERSION,
            model=sight.look.reader or None,
            status_source="pushed",
            poll_safe_in_motion=True,
            cancellable=frozenset({"wait_card", "read_profile", "read_bank_card", "wait_removal"}),
            features=frozenset({"presence", "social_security_card", "bank_card", "pin", "record_write", "apdu"}),
        )

    async def status(self) -> DeviceStatus:
        sight = self._presence.sight
        if not sight.known and not self._is_closed:
            sight = await asyncio.to_thread(self._presence.first_sight, FIRST_SIGHT_SECONDS)
        media = "present" if sight.present else "not_present" if sight.known and not sight.problem else "unknown"
        return self._health.status(
            sight,
            is_busy=self._running is not None,
            stuck=self._stuck_error(),
            parts={
                "media": media,
                "chip_power": self._speaker.power if sight.problem is None else "unknown",
                "psam": "missing",
                "write_pending": "yes" if self._speaker.writer.has_open else "no",
            },
        )

    async def wait_card(self, *, timeout_seconds: float = 30.0) -> ChipCard:
        def work(watch: Watch) -> ChipCard:
            sight = self._presence.wait(present=True, watch=watch)
            atr = self._speaker.power_up(watch, sight.visits)
            interface = CardInterface.CONTACTLESS if is_contactless(atr) else CardInterface.CONTACT
            return ChipCard(interface=interface, atr=atr.hex().upper())

        return await self._command(work, timeout_seconds)

    async def read_profile(self, *, timeout_seconds: float = 10.0) -> SocialSecurityCard:
        return await self._command(lambda watch: self._session(watch).read_profile(), timeout_seconds)

    async def read_bank_card(self, *, timeout_seconds: float = 10.0) -> BankCard:
        return await self._command(lambda watch: self._session(watch).read_bank_card(), timeout_seconds)

    async def verify_pin(self, pin: str, *, last_try: bool = False, timeout_seconds: float = 10.0) -> PinResult:
        if len(pin) != PIN_DIGITS or not (pin.isascii() and pin.isdecimal()):
            raise MediaError(f"a PIN has {PIN_DIGITS} digits; nothing was tried", "pin_format")
        secret = bytes.fromhex(pin)

        def work(watch: Watch) -> PinResult:
            return self._session(watch).verify_pin(secret, last_try=last_try)

        return await self._command(work, timeout_seconds)

    async def write_record(self, write: RecordWrite, *, timeout_seconds: float = 10.0) -> WriteResult:
        def work(watch: Watch) -> WriteResult:
            return self._speaker.writer.write(self._session(watch), write)

        try:
            return await self._command(work, timeout_seconds)
        except _StillSpeaking as error:
            return WriteResult.uncertain({"write": write}, error.reason)

    async def find_write(self, write: RecordWrite, *, timeout_seconds: float = 10.0) -> WriteResult:
        def work(watch: Watch) -> WriteResult:
            return self._speaker.writer.find(self._session(watch), write)

        return await self._command(work, timeout_seconds)

    async def transmit(self, apdu: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        if not commands.is_command(apdu):
            raise MediaError("this is no short APDU (ISO 7816-4): nothing was sent", "invalid_data")
        if apdu[1] in commands.PIN_INSTRUCTIONS:
            raise Unsupported("a PIN goes through verify_pin, which guards its tries", "pin_guarded")
        if apdu[1] in commands.WRITING_INSTRUCTIONS:
            raise Unsupported("the card is written through write_record, which knows how it ended", "write_guarded")
        return await self._command(lambda watch: self._session(watch).transmit(apdu), timeout_seconds)

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        def work(watch: Watch) -> None:
            self._presence.wait(present=False, watch=watch)
            self._speaker.power_down()

        await self._command(work, timeout_seconds)

    async def wipe(self) -> None:
        """Also takes back a command that is running, and powers the chip down: its PIN is forgotten."""
        if self._is_closed:
            return
        if self._running is not None:
            self._running.cancel()
        if self._stuck_error() is None:
            await self._in_worker(self._speaker.wipe, OVERRUN_SECONDS)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._running is not None:
            self._running.cancel()
        if self._stuck_error() is None:
            await self._in_worker(self._speaker.close, OVERRUN_SECONDS)
        await asyncio.to_thread(self._presence.stop)
        self._worker.shutdown(wait=False)

    # --- one command at a time, on the speaking thread ----------------------------------------------------------------

    def _session(self, watch: Watch) -> CardSession:
        sight = self._presence.first_sight(watch.remaining_seconds)
        if sight.problem is not None:
            raise sight.problem
        if not sight.present:
            raise no_card()
        return self._speaker.session(watch, sight.visits)

    async def _command(self, work: Callable[[Watch], Result], timeout_seconds: float) -> Result:
        if self._is_closed:
            raise DeviceOffline("the card reader was closed")
        if self._running is not None:
            raise DeviceBusy("the card reader is busy with another command")
        stuck = self._stuck_error()
        if stuck is not None:
            raise stuck
        self._running = watch = Watch(timeout_seconds)
        try:
            return await self._in_worker(lambda: work(watch), timeout_seconds + OVERRUN_SECONDS)
        finally:
            watch.cancel()
            self._running = None

    async def _in_worker(self, work: Callable[[], Result], seconds: float) -> Result:
        future = asyncio.get_running_loop().run_in_executor(self._worker, work)
        future.add_done_callback(_heed)
        try:
            await asyncio.wait({future}, timeout=seconds)
        except asyncio.CancelledError:
            if self._running is not None:
                self._running.cancel()
            await asyncio.wait({future}, timeout=OVERRUN_SECONDS)
            raise
        if future.done():
            return future.result()
        self._stuck = future
        raise _StillSpeaking

    def _stuck_error(self) -> DeviceError | None:
        """While a call to the service does not return, nothing else can be said to the card."""
        if self._stuck is None or self._stuck.done():
            return None
        return DeviceOffline(str(silent()), silent().reason)


class _StillSpeaking(DeviceOffline):
    def __init__(self) -> None:
        super().__init__(str(silent()), silent().reason)


def _heed(future: asyncio.Future[Any]) -> None:
    """A result nobody waits for any more is no accident."""
    if not future.cancelled():
        future.exception()
