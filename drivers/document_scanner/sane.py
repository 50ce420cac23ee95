"""`document_scanner/sane`: every flatbed and feeder SANE has a driver for, and network scanners by their address.

One `scanimage` a command, killable; pictures stay in memory (device-classes C.6; spike-devices 4).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from drivers.document_scanner.escl_status import EsclStatus, ask
from drivers.document_scanner.page_finder import Image
from drivers.document_scanner.page_quality import cut_by_hand, is_blank, scanned
from drivers.document_scanner.pnm import picture
from drivers.document_scanner.sane_facts import ScannerFacts, facts_of
from drivers.document_scanner.sane_status import FAULTS, OF_THE_FEEDER, error_for
from drivers.document_scanner.scanimage import Scanimage, sweep
from drivers.document_scanner.zone.reader import read_zone_of_jpeg
from drivers.errors import CommandTimedOut, DeviceBusy, DeviceError, MediaError, Unsupported
from drivers.messages import (
    Capabilities,
    Corners,
    DeviceClass,
    DeviceState,
    DeviceStatus,
    Fault,
    FaultAction,
    MachineReadableZone,
    Message,
    Preview,
    ScannedPage,
    ScanOrder,
    ScanProgress,
    ScanSource,
)

OPEN_SECONDS = 4.0
LOOK_AGAIN_SECONDS = 10.0
WIPE_SECONDS = 2.0
ZONE_DPI = 200
PARTS = ("feeder", "media", "cover", "lamp")
_SETTING = re.compile(r"[a-z][a-z0-9-]{0,60}=[^\n\"]{1,100}")


class SaneScanner:
    """Implements `drivers.protocols.DocumentScanner`. Where the address is known, eSCL tells of feeder and cover."""

    class Options(Message):
        device: str = Field(description="a SANE name as `scanimage -L` says it, or http://host:port/eSCL")
        config_dir: str = Field(default="", description="SANE_CONFIG_DIR; empty: the system's own")
        settings: str = Field(default="", description="the device's own settings: NAME=VALUE; NAME=VALUE")
        dpi: int = Field(default=200, ge=75, le=600, description="of a single capture")
        silence_seconds: float = Field(default=30.0, gt=0, le=120, description="without a byte: the scanner is stuck")
        forget_seconds: float = Field(default=120.0, gt=0, description="after which an unseen jam is tried again")
        looks_for_originals: bool = Field(default=True, description="on the glass, coarsely, after a session")

        @field_validator("device")
        @classmethod
        def _is_a_name(cls, device: str) -> str:
            if not re.fullmatch(r"[!-~][ -~]{0,200}", device) or device.startswith("-") or '"' in device:
                raise ValueError("a SANE name or an http address, printable")
            return device

        @field_validator("settings")
        @classmethod
        def _are_settings(cls, settings: str) -> str:
            if not all(_SETTING.fullmatch(each.strip()) for each in settings.split(";") if each.strip()):
                raise ValueError("NAME=VALUE, several divided by semicolons")
            return settings

    def __init__(self, options: SaneScanner.Options) -> None:
        self._options = options
        self._address = options.device if urlsplit(options.device).scheme in ("http", "https") else ""
        self._scanimage = Scanimage(options.device, options.config_dir, options.silence_seconds)
        self._own = [f"--{each.strip()}" for each in options.settings.split(";") if each.strip()]
        self._facts: ScannerFacts | None = None
        self._fault: Fault | None = None
        self._noted_at = 0.0
        self._parts = dict.fromkeys(PARTS, "unknown")
        self._last: Image | None = None
        self._command: asyncio.Task[object] | None = None
        self._idle = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._glass_was_used = self._owes_a_look = False
        sweep()

    async def capabilities(self) -> Capabilities:
        """Features of a scanner that has not been reached yet are not declared."""
        with contextlib.suppress(DeviceError):
            await self._learnt()
        return Capabilities(
            device_class=DeviceClass.DOCUMENT_SCANNER, driver="document_scanner/sane", version="1",
            status_source="polled", poll_safe_in_motion=True, cancellable=frozenset({"capture", "scan"}),
            features=frozenset() if self._facts is None else self._facts.features | {"reads_zone"},
        )  # fmt: skip

    async def status(self) -> DeviceStatus:
        """A network scanner is asked over eSCL, another opened every ten seconds; one that works is left alone."""
        if self._command is not None:
            return self._status(DeviceState.BUSY)
        if self._address:
            self._hear(await ask(self._address))
            if self._facts is None and self._fault is None:
                self._look()
        elif time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
            self._look()
        if self._owes_a_look or (self._fault is not None and self._fault.code == "media_left_behind"):
            self._look()
        is_new = self._facts is None and self._fault is None
        return self._status(DeviceState.STARTING if is_new else DeviceState.ONLINE)

    def _status(self, otherwise: DeviceState) -> DeviceStatus:
        fault = self._fault
        parts = dict(self._parts)
        if self._facts is not None and self._facts.feeder is None and self._facts.both_sides is None:
            parts["feeder"] = "not_fitted"
        if fault is not None:
            parts |= FAULTS[fault.code].parts
        return DeviceStatus(
            device=otherwise if fault is None else FAULTS[fault.code].device,
            faults=() if fault is None else (fault,),
            parts=parts,
            simulated=self._options.device.startswith("test:")
            or urlsplit(self._address).hostname in ("127.0.0.1", "localhost", "::1"),
        )

    async def preview(self) -> AsyncGenerator[Preview, None]:
        """Raises `Unsupported`: a glass shows nothing before it is scanned."""
        raise Unsupported("this scanner shows no live picture: scan instead", "preview_not_fitted")
        yield  # pragma: no cover - makes this a generator

    async def capture(self, *, timeout_seconds: float = 20.0) -> ScannedPage:
        """One page from the glass, else from the feeder. Raises `MediaError` (`no_media`) for an empty one, and what
        `scan` raises."""
        return await self._captured(self._options.dpi, timeout_seconds)

    async def read_zone(self, *, timeout_seconds: float = 20.0) -> MachineReadableZone:
        """See `DocumentScanner.read_zone`: the page that `capture` takes, fine enough for small print."""
        deadline = time.monotonic() + timeout_seconds
        try:
            page = await self._captured(max(self._options.dpi, ZONE_DPI), timeout_seconds)
            async with asyncio.timeout(max(deadline - time.monotonic(), 0.0)):
                return await asyncio.to_thread(read_zone_of_jpeg, page.jpeg, deadline)
        except TimeoutError:
            raise CommandTimedOut("the zone was not read within the limit: lay the side with the zone up") from None
        finally:
            self._forget()

    async def _captured(self, dpi: int, timeout_seconds: float) -> ScannedPage:
        deadline = time.monotonic() + timeout_seconds
        facts = await self._learnt()
        source = ScanSource.FLATBED if facts.flatbed is not None else ScanSource.FEEDER
        order = ScanOrder(source=source, dpi=dpi, colour=facts.colour is not None, most_pages=1)
        async with aclosing(self.scan(order, timeout_seconds=deadline - time.monotonic())) as items:
            async for item in items:
                if isinstance(item, ScannedPage):
                    return item
        raise MediaError("no paper lies in the feeder: lay it in", "no_media")

    async def crop(self, corners: Corners, *, timeout_seconds: float = 10.0) -> ScannedPage:
        """The last page again, cut at these corners. Raises `MediaError`: `no_picture`, `corners_wrong`."""
        if self._last is None:
            raise MediaError("no page has been scanned: scan one first", "no_picture")
        return await asyncio.to_thread(lambda last: scanned(cut_by_hand(last, corners)), self._last)

    async def scan(
        self, order: ScanOrder, *, timeout_seconds: float = 120.0
    ) -> AsyncGenerator[ScanProgress | ScannedPage, None]:
        """See `DocumentScanner.scan`. Raises besides: `DeviceBusy`, `DeviceOffline` (`scanner_lost`,
        `scanner_stalled`), `HardwareFault` (`page_incomplete`, `no_memory`), `CommandTimedOut`."""
        deadline = time.monotonic() + timeout_seconds
        if self._command is not None:
            raise DeviceBusy("a scan is running", "scanner_busy")
        self._command = asyncio.current_task()
        self._idle.clear()
        try:
            await self._left_alone()
            settings = [*(await self._learnt()).settings(order), *self._own]
            await self._refuse_what_is_known(order)
            most = 1 if order.source is ScanSource.FLATBED else order.most_pages
            count = 0
            async with aclosing(self._scanimage.pages(settings, most, deadline - time.monotonic())) as pages:
                async for data in pages:
                    count += 1
                    page = await asyncio.to_thread(self._taken, data, order)
                    yield ScanProgress(page=count)
                    yield page
            await self._believed(order)
            if not count:
                raise MediaError("no paper lies in the feeder: lay it in", "no_media")
            self._mended()
        except DeviceError as error:
            self._note(error)
            raise
        finally:
            self._command = None
            self._idle.set()

    async def wipe(self) -> None:
        """Overwrites the last page, ends a scan that runs, and then looks whether an original was left."""
        if self._command is not None and self._command is not asyncio.current_task():
            self._command.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), WIPE_SECONDS)
        self._forget()
        self._parts["media"] = "unknown"
        self._owes_a_look = self._owes_a_look or (self._glass_was_used and self._options.looks_for_originals)
        self._glass_was_used = False
        if self._owes_a_look:
            self._look()

    async def close(self) -> None:
        await self._left_alone()
        self._forget()

    # --- pages --------------------------------------------------------------------------------------------------------

    def _taken(self, data: bytearray, order: ScanOrder) -> ScannedPage:
        try:
            image = picture(data)
        finally:
            data[:] = bytes(len(data))
        on_glass = order.source is ScanSource.FLATBED
        self._glass_was_used = self._glass_was_used or on_glass
        is_free = on_glass and is_blank(image)
        if on_glass:
            self._parts["media"] = "not_present" if is_free else "present"
        if is_free:
            image[:] = 0
            raise MediaError("nothing lies on the glass: lay the page on it, face down", "no_media")
        self._forget()
        self._last = image
        return scanned(image, colour=order.colour)

    def _forget(self) -> None:
        if self._last is not None:
            self._last[:] = 0
            self._last = None

    async def _learnt(self) -> ScannerFacts:
        if self._facts is None:
            try:
                self._facts = facts_of(await self._scanimage.all_options(OPEN_SECONDS))
            except DeviceError as error:
                self._note(error)
                raise
        return self._facts

    # --- what is wrong ------------------------------------------------------------------------------------------------

    async def _refuse_what_is_known(self, order: ScanOrder) -> None:
        """A network scanner says at once what sane-airscan would find out in ten seconds."""
        if not self._address:
            return
        said = await ask(self._address)
        self._hear(said)
        from_feeder = order.source is ScanSource.FEEDER
        error = error_for(said.fault)
        if error is not None and (from_feeder or said.fault not in OF_THE_FEEDER):
            raise error
        if from_feeder and said.feeder == "empty":
            raise MediaError("no paper lies in the feeder: lay it in", "no_media")

    async def _believed(self, order: ScanOrder) -> None:
        """sane-airscan calls a jam between two pages the end of the paper: the scanner itself is asked."""
        if self._address and order.source is ScanSource.FEEDER:
            said = await ask(self._address)
            error = error_for(said.fault) if said.fault in OF_THE_FEEDER else None
            if error is not None:
                self._hear(said)
                raise error

    def _hear(self, said: EsclStatus) -> None:
        self._parts |= {"feeder": said.feeder, "cover": said.cover}
        if said.fault:
            self._set(said.fault)
        elif self._fault is not None and self._fault.code != "media_left_behind":
            self._fault = None

    def _note(self, error: DeviceError) -> None:
        if error.reason in FAULTS:
            self._set(error.reason)
        elif isinstance(error, MediaError):
            self._mended()

    def _set(self, code: str) -> None:
        self._noted_at = time.monotonic()
        if self._fault is None or self._fault.code != code:
            self._fault = Fault(code=code, action=FAULTS[code].action, since=dt.datetime.now(dt.UTC))

    def _mended(self) -> None:
        self._fault = None

    # --- looking when nobody scans ------------------------------------------------------------------------------------

    def _look(self) -> None:
        pause = LOOK_AGAIN_SECONDS if (self._fault or self._facts) and not self._owes_a_look else 1.0
        if self._looking is None and time.monotonic() - self._looked_at > pause:
            self._looked_at = time.monotonic()
            self._looking = asyncio.get_running_loop().create_task(self._look_now())

    async def _look_now(self) -> None:
        try:
            if self._owes_a_look or (self._fault is not None and self._fault.code == "media_left_behind"):
                await self._look_at_the_glass()
            else:
                self._facts = facts_of(await self._scanimage.all_options(OPEN_SECONDS))
                self._opened()
        except DeviceError as error:
            self._note(error)
        finally:
            self._looking = None

    def _opened(self) -> None:
        """It opens. A jam or an open cover cannot be seen so: such a fault is forgotten after a while."""
        fault = self._fault
        if fault is not None and (
            fault.action is not FaultAction.CLEAR or time.monotonic() - self._noted_at > self._options.forget_seconds
        ):
            self._fault = None

    async def _look_at_the_glass(self) -> None:
        facts = await self._learnt()
        order = ScanOrder(source=ScanSource.FLATBED, dpi=max(facts.coarsest, 75), colour=facts.grey is None)
        async with aclosing(self._scanimage.pages([*facts.settings(order), *self._own], 1, 20.0)) as pages:
            async for data in pages:
                image = picture(data)
                data[:] = bytes(len(data))
                is_free = is_blank(image)
                image[:] = 0
                self._parts["media"] = "not_present" if is_free else "present"
                self._owes_a_look = False
                if is_free:
                    self._mended()
                else:
                    self._set("media_left_behind")

    async def _left_alone(self) -> None:
        """A look gives way to a command."""
        looking = self._looking
        if looking is not None:
            looking.cancel()
            await asyncio.wait([looking])
