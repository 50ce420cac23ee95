"""The conformance suite: what every driver must prove against its device, real or simulated.

A check is a coroutine that returns a remark, raises `Broken` with what is wrong, or `NotTried` with what it would need.
Checks of one protocol are marked with its class; a new protocol adds its suite
beside the others: every module of this package is one. What costs a hand is asked of a witness (drivers.bench.witness).
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from drivers.bench.witness import Witness
from drivers.errors import DeviceError, DeviceOffline, HardwareFault
from drivers.host import DeviceConfig, SupervisedDevice

FIRST = "drivers.bench.conformance.every"
LAST = ("drivers.bench.endurance", "drivers.bench.paper")
OPEN_SECONDS = 30.0


class Broken(Exception):
    """The driver does not keep the contract; the text says how, for its maker."""


class NotTried(Exception):
    """The check needs something that is not here."""


@dataclass(frozen=True)
class Finding:
    """One line of the verdict. `outcome` is kept, broken or not_tried."""

    check: str
    outcome: str
    remark: str
    seconds: float


@dataclass
class Bench:
    """The device under test. `device` stands between checks; a check that ends it starts it again."""

    config: DeviceConfig
    address_option: str | None
    may_print: bool
    device: SupervisedDevice
    witness: Witness | None = None
    start_seconds: float = 0.0

    @property
    def proxy(self) -> Any:
        return self.device.proxy

    @asynccontextmanager
    async def another(self, **options: Any) -> AsyncIterator[SupervisedDevice]:
        """The same driver with other options, in place of the device under test (a port has one owner)."""
        await self.device.close()
        config = self.config.model_copy(update={"options": {**self.config.options, **options}})
        other = SupervisedDevice(config)
        try:
            yield other
        finally:
            await other.close()
            self.device = SupervisedDevice(self.config)
            await self.device.open()


Check = Callable[[Bench], Awaitable[str]]


@dataclass(frozen=True)
class _Entry:
    sentence: str
    device_class: str | None
    run: Check


_CHECKS: list[_Entry] = []


def check(sentence: str, device_class: str | None = None) -> Callable[[Check], Check]:
    """Add a check: for every device, or for those of one class."""

    def add(function: Check) -> Check:
        _CHECKS.append(_Entry(sentence, device_class, function))
        return function

    return add


def checks_for(device_class: str) -> list[_Entry]:
    """The checks that concern a class, what is tried longest at the end. Each suite adds its own when imported."""
    names = sorted(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__))
    for name in (FIRST, *names, *LAST):
        importlib.import_module(name)
    return [entry for entry in _CHECKS if entry.device_class in (None, device_class)]


async def conformance(
    config: DeviceConfig,
    address_option: str | None,
    *,
    may_print: bool,
    on_check: Callable[[str], None],
    witness: Witness | None = None,
) -> list[Finding]:
    """Run every check that concerns this class. Raises `DeviceError` when the driver does not even stand."""
    bench = Bench(config, address_option, may_print, SupervisedDevice(config), witness)
    findings = []
    try:
        begun = time.monotonic()
        await _stand(bench.device)
        bench.start_seconds = time.monotonic() - begun
        for entry in checks_for(config.device_class):
            on_check(entry.sentence)
            findings.append(await _find(entry, bench))
    finally:
        await bench.device.close()
    return findings


NEVER_STOOD: Final = {
    "process_lost": "the driver ended its own process while it was constructed",
    "process_stopped": "the driver stopped its own process while it was constructed",
    "start_hung": "the driver does not come back from its construction: open the port at the first command",
}


async def _stand(device: SupervisedDevice) -> None:
    try:
        await device.open(timeout_seconds=OPEN_SECONDS)
    except DeviceOffline as error:
        if error.reason not in NEVER_STOOD:
            raise
        raise HardwareFault(f"{device.config.driver}: {NEVER_STOOD[error.reason]}", "driver_broken") from error


async def _find(entry: _Entry, bench: Bench) -> Finding:
    begun = time.monotonic()
    try:
        outcome, remark = "kept", await entry.run(bench)
    except Broken as error:
        outcome, remark = "broken", str(error)
    except NotTried as error:
        outcome, remark = "not_tried", str(error)
    except DeviceError as error:
        outcome, remark = "broken", f"{error.kind}/{error.reason}: {error}"
    except Exception as error:  # noqa: BLE001 - no driver keeps the others of its checks from being made
        outcome, remark = "broken", f"the check could not be made: {type(error).__name__} {error}"
    return Finding(entry.sentence, outcome, remark, round(time.monotonic() - begun, 3))


async def ends_within(work: Awaitable[Any], limit_seconds: float) -> tuple[Any, DeviceError | None, float]:
    """(result, device error, seconds). Raises `Broken` when the command outlives its limit by more than a second."""
    begun = time.monotonic()
    result, failure = None, None
    try:
        result = await work
    except DeviceError as error:
        failure = error
    taken = time.monotonic() - begun
    if taken > limit_seconds + 1.0:
        raise Broken(f"it took {taken:.1f} s with a limit of {limit_seconds:g} s")
    if failure is not None and failure.reason == "driver_broken":
        raise Broken(str(failure))
    return result, failure, taken


async def until(condition: Callable[[], bool], limit_seconds: float) -> float:
    """Seconds until it held. Raises `Broken` when it did not in time."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > limit_seconds:
            raise Broken(f"not within {limit_seconds:g} s")
        await asyncio.sleep(0.01)
    return time.monotonic() - begun
