"""A cabinet whose doors, lights and sensors hang on one controller that speaks Modbus RTU (device-classes C.11).

What is where stands in a profile. One thread speaks on the line; looks for watchers and commands take turns there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from pydantic import Field

from drivers.cabinet.health import Health
from drivers.cabinet.modbus_line import ModbusLine
from drivers.cabinet.profile import load_profile
from drivers.cabinet.reading import Look, Reader
from drivers.cabinet.unlock_token import TokenCheck
from drivers.cabinet.watching import UNKNOWN, Watching
from drivers.errors import DeviceError, DeviceOffline, MediaError, Unsupported
from drivers.messages import CabinetEvent, Capabilities, DeviceClass, DeviceStatus, Flash, Message, Readings
from drivers.serial_line import Parity, open_line

VERSION: Final = "1.0"
STATUS_SECONDS: Final = 1.5
FRESH_SECONDS: Final = 0.1

Result = TypeVar("Result")


class ModbusRtuOptions(Message):
    port: str = Field(min_length=1, description="serial device, pseudo-terminal, or socket://host:port")
    profile: str = Field(default="", description="YAML or JSON file: what is where; without one the reference cabinet")
    baud_rate: int = Field(default=19200, ge=1200, le=921600)
    parity: Parity = "none"
    stop_bits: int = Field(default=1, ge=1, le=2)
    answer_seconds: float = Field(default=0.3, ge=0.05, le=2.0, description="how long the controller may take")
    poll_interval_seconds: float = Field(default=0.25, ge=0.02, le=10.0, description="between two looks while watched")
    unlock_public_key: str = Field(default="", description="Ed25519, 64 hexadecimal digits; without it no door opens")
    terminal: str = Field(default="", max_length=64, description="the name unlock tokens are made out to")


class ModbusCabinet:
    """Implements `drivers.protocols.Cabinet`."""

    Options = ModbusRtuOptions

    def __init__(self, options: ModbusRtuOptions) -> None:
        """Raises `Unsupported` (`profile_wrong`, `configuration_wrong`)."""
        self._options = options
        self._profile = load_profile(options.profile)
        self._reader = Reader(self._profile)
        self._tokens = TokenCheck(options.unlock_public_key, options.terminal) if options.unlock_public_key else None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cabinet")
        self._line: ModbusLine | None = None
        self._watching = Watching(self._reader.part_names, self._see, options.poll_interval_seconds)
        self._health = Health()
        self._looking: asyncio.Future[Look] | None = None
        self._last: Look | None = None
        self._looked_at = float("-inf")
        self._error: DeviceError | None = None
        self._closed = False

    async def capabilities(self) -> Capabilities:
        profile = self._profile
        features = {f"light_{name}" for name in profile.lights} | {f"door_{name}" for name in profile.doors}
        features |= {name for name in self._reader.part_names if not name.startswith(("light_", "door_"))}
        features |= {name for name in ("temperature_c", "humidity_percent", "ambient_lux") if name in profile.words}
        if profile.lights:
            features |= {f"colour_{name}" for name in profile.colours}
        if self._tokens is not None and any(door.unlock for door in profile.doors.values()):
            features.add("can_unlock")
        return Capabilities(
            device_class=DeviceClass.CABINET,
            driver="cabinet/modbus_rtu",
            version=VERSION,
            model=profile.name,
            status_source="polled",
            poll_safe_in_motion=True,
            cancellable=frozenset({"watch"}),
            features=frozenset(features),
        )

    async def status(self) -> DeviceStatus:
        if not self._closed:
            with suppress(DeviceError, TimeoutError):
                await asyncio.wait_for(self._look(), STATUS_SECONDS)
        parts = self._last.parts if self._last and not self._error else dict.fromkeys(self._reader.part_names, UNKNOWN)
        return self._health.status(parts, self._error, is_asked=self._last is not None)

    async def set_light(self, position: str, flash: Flash, colour: str = "white") -> None:
        light = self._profile.lights.get(position)
        if light is None:
            raise _not_fitted(f"light {position}")
        code = self._profile.colours.get(colour)
        if code is None or (light.colour is None and colour != "white"):
            raise _not_fitted(f"{colour} light")
        flash_code = self._profile.flash_codes[flash]

        def work(line: ModbusLine) -> None:
            if light.colour is not None:
                line.write_word(light.colour.address, code)
            line.write_word(light.flash.address, flash_code)

        await self._on_line(work)

    async def unlock(self, door: str, token: str) -> None:
        fitted = self._profile.doors.get(door)
        if fitted is None or fitted.unlock is None or self._tokens is None:
            raise _not_fitted(f"lock {door}")
        address = fitted.unlock.address
        self._tokens.accept(token, door, time.time())
        await self._on_line(lambda line: line.write_bit(address))

    async def set_fan(self, percent: int) -> None:
        fan = self._profile.fan
        if fan is None:
            raise _not_fitted("fan")
        if not 0 <= percent <= 100:
            raise MediaError("a fan runs from 0 to 100 percent", "value_out_of_range")
        await self._on_line(lambda line: line.write_word(fan.address, round(percent / fan.scale)))

    async def readings(self) -> Readings:
        return (await self._look()).readings

    async def watch(self) -> AsyncGenerator[CabinetEvent, None]:
        """Goes on while the controller is away: its parts are `unknown` until it is back."""
        stream = self._watching.watch()
        try:
            async for event in stream:
                yield event
        finally:
            await stream.aclose()

    async def wipe(self) -> None:
        """Nothing here is a citizen's; lights are put out by whoever lit them."""

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._watching.stop()
        await asyncio.get_running_loop().run_in_executor(self._worker, self._hang_up)
        self._worker.shutdown(wait=False)

    async def _see(self) -> dict[str, str]:
        return (await self._look()).parts

    async def _look(self) -> Look:
        """One look at a time, whoever asks; one that is quite fresh serves again."""
        if self._looking is None or self._looking.done():
            if self._last and not self._error and time.monotonic() < self._looked_at + FRESH_SECONDS:
                return self._last
            self._looking = asyncio.ensure_future(self._on_line(self._reader.look))
            self._looking.add_done_callback(_heard)
        self._last = look = await asyncio.shield(self._looking)
        self._looked_at = time.monotonic()
        return look

    async def _on_line(self, work: Callable[[ModbusLine], Result]) -> Result:
        if self._closed:
            raise DeviceOffline("the cabinet was closed")
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._worker, self._guarded, work)
        except DeviceError as error:
            self._error = error
            raise
        self._error = None
        return result

    def _guarded(self, work: Callable[[ModbusLine], Result]) -> Result:
        """On the line's thread. A line that turns out dead is opened anew, once: the cable may be back in its place."""
        was_open = self._line is not None
        try:
            return self._once(work)
        except DeviceOffline as error:
            if not was_open or error.reason != "unplugged":
                raise
        return self._once(work)

    def _once(self, work: Callable[[ModbusLine], Result]) -> Result:
        """After an error the port is opened anew, and looked at anew: another device may be there by then."""
        options = self._options
        try:
            if self._line is None:
                opened = open_line(
                    options.port, device="cabinet controller", baud_rate=options.baud_rate, parity=options.parity,
                    stop_bits=options.stop_bits,
                )  # fmt: skip
                self._line = ModbusLine(opened, self._profile.unit, options.answer_seconds)
                self._reader.check_signature(self._line)
            return work(self._line)
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def _heard(look: asyncio.Future[Look]) -> None:
    if not look.cancelled():
        look.exception()


def _not_fitted(what: str) -> Unsupported:
    return Unsupported(f"this cabinet has no {what}", "not_fitted")
