"""Resident identity card readers with a SAM module, on a serial line or USB (domain.md section 1, 2.1; C.1)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pydantic import Field

from drivers.errors import CommandTimedOut, DeviceBusy, DeviceError, DeviceOffline
from drivers.id_card_reader.health import Health
from drivers.id_card_reader.photo import open_photo_decoder
from drivers.id_card_reader.sdt.exchange import Exchange, Watch
from drivers.id_card_reader.sdt.frames import Framing
from drivers.id_card_reader.sdt.module import Module
from drivers.id_card_reader.sdt.reading import Reading
from drivers.id_card_reader.text_block import LAYOUTS
from drivers.messages import Capabilities, DeviceClass, DeviceStatus, IdCard, Message

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.4
"""A status is asked for often, and by callers that wait little."""

Result = TypeVar("Result")


class SdtReader:
    """Implements `drivers.protocols.IdCardReader`.

    One thread speaks on the line; one command runs at a time, status answers from memory meanwhile. A reader that was
    unplugged is opened again by the next command. No card is remembered: its values live in what `read` returns.
    """

    class Options(Message):
        port: str = Field(min_length=1, description="serial device, pseudo-terminal, socket://host:port, usb://VID:PID")
        baud_rate: int = Field(default=115200, ge=9600, le=921600)
        usb_framing: Framing = Field(default="bulk", description="how a reader on USB wraps its frames")
        photo_decoder: str = Field(default="none", description="none, sample, or a name of yizhan.photo_decoders")
        poll_interval_seconds: float = Field(default=0.3, ge=0.1, le=5.0, description="between two finds")
        want_new_address: bool = Field(default=True, description="ask for the address noted after the card was issued")
        presence_probe: bool = Field(
            default=True,
            description="while a card that was read is yet to be taken, ask it for its new address to see it is there",
        )

    def __init__(self, options: SdtReader.Options) -> None:
        self._options = options
        exchange = Exchange(options.port, options.baud_rate, options.usb_framing)
        self._module = Module(
            exchange,
            options.port,
            poll_interval_seconds=options.poll_interval_seconds,
            presence_probe=options.presence_probe,
        )
        self._exchange = exchange
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sdt-reader")
        self._running: Watch | None = None
        self._is_closed = False
        self._health = Health()
        self._decoder_state, self._decoder = open_photo_decoder(options.photo_decoder)

    async def capabilities(self) -> Capabilities:
        features = {"photo", "presence", *(card_type.value for card_type in LAYOUTS)}
        if self._module.sam_id is not None:
            features.add("sam_id")
        if self._options.want_new_address:
            features.add("new_address")
        if self._decoder_state == "ok":
            features.add("portrait_decode")
        return Capabilities(
            device_class=DeviceClass.ID_CARD_READER,
            driver="id_card_reader/sdt",
            version=VERSION,
            serial=self._module.sam_id,
            status_source="polled",
            poll_safe_in_motion=False,
            cancellable=frozenset({"read", "wait_removal"}),
            features=frozenset(features),
        )

    async def status(self) -> DeviceStatus:
        if self._running is None and not self._is_closed:
            with contextlib.suppress(DeviceError):
                await self._on_line(self._module.probe, Watch(STATUS_SECONDS))
        return self._health.status(
            is_busy=self._running is not None,
            parts={
                "media": self._module.media,
                "sam": self._module.sam,
                "portrait_decoder": self._decoder_state,
                "removal_pending": "yes" if self._module.removal_pending else "no",
            },
        )

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        def work(watch: Watch) -> IdCard:
            return Reading(self._module, watch, want_new_address=self._options.want_new_address).run()

        card = await self._command(work, timeout_seconds)
        return card if want_photo else card.model_copy(update={"photo": None})

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        def work(watch: Watch) -> bool:
            self._module.open(watch)
            return self._module.wait_removal(watch)

        if not await self._command(work, timeout_seconds):
            raise CommandTimedOut("the card still lies on the reader", "card_left")

    async def decode_photo(self, photo: bytes) -> bytes | None:
        if self._decoder is None:
            return None
        try:
            return await asyncio.to_thread(self._decoder.decode, photo)
        except Exception:  # noqa: BLE001 - a vendor's library may raise anything, and a portrait is never essential
            self._decoder_state = "inoperable"
            return None

    async def wipe(self) -> None:
        """Also takes back a command that is running: its card belongs to the session that ends."""
        if self._is_closed:
            return
        if self._running is not None:
            self._running.cancel()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._exchange.wipe)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._running is not None:
            self._running.cancel()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._module.close)
        self._worker.shutdown(wait=False)

    async def _command(self, work: Callable[[Watch], Result], timeout_seconds: float) -> Result:
        if self._is_closed:
            raise DeviceOffline("the reader was closed")
        if self._running is not None:
            raise DeviceBusy("the reader is busy with another command")
        self._running = watch = Watch(timeout_seconds)
        try:
            return await self._on_line(work, watch)
        finally:
            self._running = None

    async def _on_line(self, work: Callable[[Watch], Result], watch: Watch) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, self._noting, work, watch)
        except asyncio.CancelledError:
            watch.cancel()
            raise

    def _noting(self, work: Callable[[Watch], Result], watch: Watch) -> Result:
        try:
            result = work(watch)
        except DeviceError as error:
            self._health.note(error)
            raise
        self._health.note(None)
        return result
