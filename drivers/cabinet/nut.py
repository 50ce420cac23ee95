"""The power of a cabinet: a UPS behind Network UPS Tools' upsd on this machine (device-classes C.11).

`ups.status` words (NUT developer guide, "New drivers", status data): OL on line, OB on battery, LB battery low, RB replace
battery, OVER overloaded, OFF, FSD forced shutdown, BYPASS, CHRG, DISCHRG.
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from drivers.cabinet.health import Health
from drivers.cabinet.nut_client import PORT, NutClient
from drivers.cabinet.watching import UNKNOWN, Watching
from drivers.errors import DeviceError, DeviceOffline, Unsupported
from drivers.messages import CabinetEvent, Capabilities, DeviceClass, DeviceStatus, Flash, Message, Readings

VERSION: Final = "1.0"
ASK_SECONDS: Final = 1.4
PARTS: Final = ("mains", "battery", "budget", "ups")


class NutOptions(Message):
    address: str = Field(description="nut://host[:3493]/UPS, UPS as in ups.conf")
    budget_minutes: float = Field(
        default=5.0, gt=0, le=240, description="what the terminal needs on battery to end safely; less is `short`"
    )
    poll_interval_seconds: float = Field(default=1.0, ge=0.05, le=30.0, description="between two looks while watched")

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        parts = urlsplit(address)
        name = parts.path.strip("/")
        if (
            parts.scheme != "nut"
            or not parts.hostname
            or not name
            or not name.isprintable()
            or " " in name
            or "/" in name
        ):
            raise ValueError("give nut://host[:port]/UPS")
        return address


class NutUps:
    """Implements `drivers.protocols.Cabinet`, of which a UPS has the power alone."""

    Options = NutOptions

    def __init__(self, options: NutOptions) -> None:
        self._options = options
        parts = urlsplit(options.address)
        self._client = NutClient(str(parts.hostname), parts.port or PORT, parts.path.strip("/"))
        self._watching = Watching(PARTS, self._see, options.poll_interval_seconds)
        self._health = Health()
        self._variables: dict[str, str] | None = None
        self._error: DeviceError | None = None
        self._closed = False

    async def capabilities(self) -> Capabilities:
        said = self._variables or {}
        return Capabilities(
            device_class=DeviceClass.CABINET,
            driver="cabinet/nut",
            version=VERSION,
            vendor=said.get("device.mfr") or None,
            model=said.get("device.model") or None,
            serial=said.get("device.serial") or None,
            firmware=said.get("ups.firmware") or None,
            status_source="polled",
            poll_safe_in_motion=True,
            cancellable=frozenset({"watch", "readings"}),
            features=frozenset({*PARTS, "battery_percent", "runtime_minutes"}),
        )

    async def status(self) -> DeviceStatus:
        with suppress(DeviceError):
            await self._ask()
        said = {} if self._error else self._variables or {}
        return self._health.status(parts_of(said, self._options.budget_minutes), self._error)

    async def set_light(self, position: str, flash: Flash, colour: str = "white") -> None:
        del flash, colour
        raise _not_fitted(f"light {position}")

    async def unlock(self, door: str, token: str) -> None:
        del token
        raise _not_fitted(f"lock {door}")

    async def set_fan(self, percent: int) -> None:
        del percent
        raise _not_fitted("fan")

    async def readings(self) -> Readings:
        said = await self._ask()
        runtime = _number(said, "battery.runtime")
        return Readings(
            battery_percent=_number(said, "battery.charge"),
            runtime_minutes=None if runtime is None else round(runtime / 60, 2),
            temperature_c=_number(said, "ups.temperature"),
        )

    async def watch(self) -> AsyncGenerator[CabinetEvent, None]:
        """Goes on while upsd is away: its parts are `unknown` until it is back."""
        stream = self._watching.watch()
        try:
            async for event in stream:
                yield event
        finally:
            await stream.aclose()

    async def wipe(self) -> None:
        """Nothing here is a citizen's."""

    async def close(self) -> None:
        self._closed = True
        self._watching.stop()
        self._client.close()

    async def _see(self) -> dict[str, str]:
        return parts_of(await self._ask(), self._options.budget_minutes)

    async def _ask(self) -> dict[str, str]:
        if self._closed:
            raise DeviceOffline("the UPS was closed")
        try:
            self._variables = said = await self._client.variables(ASK_SECONDS)
        except DeviceError as error:
            self._error = error
            raise
        self._error = None
        return said


def parts_of(variables: dict[str, str], budget_minutes: float) -> dict[str, str]:
    """What the UPS says, in the words of the class. A UPS that names no status is unknown in every part."""
    words = set(variables.get("ups.status", "").split()) - {"WAIT"}  # its driver has not looked yet
    mains = "lost" if "OB" in words else "ok" if "OL" in words else UNKNOWN
    battery = UNKNOWN if not words else "low" if words & {"LB", "FSD"} else "replace" if "RB" in words else "ok"
    runtime = _number(variables, "battery.runtime")
    budget = UNKNOWN
    if mains == "lost" and (battery == "low" or runtime is not None):
        budget = "short" if battery == "low" or (runtime or 0) < budget_minutes * 60 else "enough"
    elif runtime is not None and mains == "ok":
        budget = "enough"
    ups = UNKNOWN if not words else next(
        (word for code, word in (("OFF", "off"), ("OVER", "overload"), ("BYPASS", "bypass")) if code in words), "ok"
    )  # fmt: skip
    return {"mains": mains, "battery": battery, "budget": budget, "ups": ups}


def _number(variables: dict[str, str], name: str) -> float | None:
    try:
        number = float(variables[name])
    except (KeyError, ValueError):
        return None
    return number if math.isfinite(number) and number >= -100 else None


def _not_fitted(what: str) -> Unsupported:
    return Unsupported(f"a UPS has no {what}", "not_fitted")
