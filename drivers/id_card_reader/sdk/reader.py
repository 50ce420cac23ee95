"""Resident identity card readers that come with a library instead of a protocol (domain.md 2.2, 2.3, 2.5)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field

from drivers.errors import (
    CommandCancelled,
    CommandTimedOut,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    MediaError,
    Unsupported,
)
from drivers.id_card_reader.health import Health
from drivers.id_card_reader.photo import open_photo_decoder
from drivers.id_card_reader.sdk.family import USB_PORTS, VendorReader
from drivers.id_card_reader.sdk.library import ADDRESS, SealedLibrary
from drivers.id_card_reader.sdk.reading import VendorModule, VendorReading
from drivers.id_card_reader.sdk.sdtapi import Sdtapi
from drivers.id_card_reader.sdk.termb import Termb
from drivers.id_card_reader.sdt.exchange import Watch
from drivers.id_card_reader.text_block import LAYOUTS
from drivers.messages import Capabilities, DeviceClass, DeviceState, DeviceStatus, IdCard, Message

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.4
HUNG_SECONDS: Final = 10.0
"""A status that takes longer is waited for, so that the host ends this process."""
OPENERS: Final = {"sdtapi": "SDT_OpenPort", "termb": "CVR_InitComm"}
FAMILIES: Final[dict[str, Callable[[SealedLibrary], VendorReader]]] = {"sdtapi": Sdtapi, "termb": Termb}

Result = TypeVar("Result")


class SdkReader:
    """Implements `drivers.protocols.IdCardReader`.

    One thread calls the library, one command at a time. A call that never returns is not given up: the command does not
    end, and the host kills this process, the only cure there is.
    """

    class Options(Message):
        library: str = Field(pattern=ADDRESS, description="the one file that may be loaded: PATH#sha256=HASH")
        companions: tuple[Annotated[str, Field(pattern=ADDRESS)], ...] = Field(
            default=(), description="libraries that one needs, in the same form, in the order to load them"
        )
        family: Literal["auto", "sdtapi", "termb"] = Field(default="auto", description="auto: by its functions")
        reader_port: str = Field(
            default="usb", pattern=r"^(usb|[0-9]{1,4})$", description="usb (1001 to 1016), or a number"
        )
        photo_decoder: str = Field(default="none", description="none, sample, or a name of yizhan.photo_decoders")
        poll_interval_seconds: float = Field(default=0.3, ge=0.1, le=5.0, description="between two searches")
        want_new_address: bool = Field(default=True, description="ask for the address noted after the card was issued")

    def __init__(self, options: SdkReader.Options) -> None:
        """Raises `DeviceAbsent` (`library_missing`), `Unsupported` (`library_not_allowed`, `library_unfit`).

        Nothing of the library runs yet.
        """
        self._options = options
        companions = tuple(SealedLibrary(address) for address in options.companions)
        sealed = SealedLibrary(options.library, companions)
        self._family = _family(sealed) if options.family == "auto" else options.family
        reader = FAMILIES[self._family](sealed)
        ports = (
            USB_PORTS if options.reader_port == "usb" else range(int(options.reader_port), int(options.reader_port) + 1)
        )
        self._module = VendorModule(reader, ports, options.poll_interval_seconds)
        self._features = reader.features
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sdk-reader")
        self._running: Watch | None = None
        self._probing: asyncio.Future[None] | None = None
        self._probing_since = 0.0
        self._is_closed = False
        self._health = Health()
        self._decoder_state, self._decoder = open_photo_decoder(options.photo_decoder)

    async def capabilities(self) -> Capabilities:
        features = {"photo", *(card_type.value for card_type in LAYOUTS), *self._features}
        if not self._options.want_new_address:
            features.discard("new_address")
        if self._decoder_state == "ok":
            features.add("portrait_decode")
        return Capabilities(
            device_class=DeviceClass.ID_CARD_READER,
            driver="id_card_reader/sdk",
            version=VERSION,
            model=self._family,
            serial=self._module.sam_id,
            status_source="polled",
            poll_safe_in_motion=False,
            cancellable=frozenset({"read", "wait_removal"}),
            features=frozenset(features),
        )

    async def status(self) -> DeviceStatus:
        if self._running is None and not self._is_closed:
            await self._probe()
        status = self._health.status(
            is_busy=self._running is not None,
            parts={
                "media": self._module.media,
                "sam": self._module.sam,
                "portrait_decoder": self._decoder_state,
                "removal_pending": "yes" if self._module.removal_pending else "no",
            },
        )
        is_loading = self._probing is not None and status.device is DeviceState.UNKNOWN
        return status.model_copy(update={"device": DeviceState.STARTING}) if is_loading else status

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        def work(watch: Watch) -> IdCard:
            return VendorReading(self._module, watch, want_new_address=self._options.want_new_address).run()

        card = await self._command(work, timeout_seconds)
        return card if want_photo else card.model_copy(update={"photo": None})

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        """With a library that has no `presence`, a card that was read counts as gone when it is found no more."""
        if not await self._command(self._module.wait_removal, timeout_seconds):
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
        await asyncio.get_running_loop().run_in_executor(self._worker, self._module.reader.wipe)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._running is not None:
            self._running.cancel()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._module.close)
        self._worker.shutdown(wait=False)

    async def _probe(self) -> None:
        """Ask the reader, but answer from memory while a slow library is still at it."""
        loop = asyncio.get_running_loop()
        if self._probing is None:
            self._probing_since = loop.time()
            self._probing = loop.run_in_executor(self._worker, self._noting, self._module.probe)
        probing = self._probing
        if loop.time() - self._probing_since > HUNG_SECONDS:
            await _to_the_end(probing)
        else:
            await asyncio.wait({probing}, timeout=STATUS_SECONDS)
        if probing.done():
            self._probing = None
            with contextlib.suppress(DeviceError):
                probing.result()

    async def _command(self, work: Callable[[Watch], Result], timeout_seconds: float) -> Result:
        if self._is_closed:
            raise DeviceOffline("the reader was closed")
        if self._running is not None:
            raise DeviceBusy("the reader is busy with another command")
        self._running = watch = Watch(timeout_seconds)
        calling = asyncio.get_running_loop().run_in_executor(self._worker, self._noting, lambda: work(watch))
        try:
            return await asyncio.shield(calling)
        except asyncio.CancelledError:
            watch.cancel()
            await _to_the_end(calling)
            calling.exception()
            raise
        finally:
            self._running = None

    def _noting(self, work: Callable[[], Result]) -> Result:
        """On the library's thread. After a failure of the reader the next command opens it anew."""
        try:
            result = work()
        except DeviceError as error:
            self._health.note(error)
            if not isinstance(error, MediaError | CommandTimedOut | CommandCancelled):
                self._module.close()
            raise
        self._health.note(None)
        return result


def _family(sealed: SealedLibrary) -> str:
    for name, opener in OPENERS.items():
        if sealed.has(opener):
            return name
    raise Unsupported(
        f"{sealed.path} is of no known family: it has none of {', '.join(OPENERS.values())}", "library_unfit"
    )


async def _to_the_end(calling: asyncio.Future[Result]) -> None:
    """Until the library's call returns, also when this is taken back: one that never does must be seen to hang."""
    try:
        await asyncio.wait({calling})
    except asyncio.CancelledError:
        await asyncio.wait({calling})
        raise
