"""What cabinets must keep: doors, lights, sensors, power (device-classes C.11). Lights blink; no door is opened."""

from __future__ import annotations

import asyncio

from drivers.bench.conformance import Bench, Broken, NotTried, check, ends_within
from drivers.errors import DeviceError, MediaError, Unsupported
from drivers.messages import CabinetEvent, DeviceClass, Flash, Readings

CABINET = DeviceClass.CABINET
FIRST_SECONDS = 5.0
QUIET_SECONDS = 1.0
COMMAND_SECONDS = 3.0
MEASURES = tuple(Readings.model_fields)
PLAUSIBLE = {
    "temperature_c": (-60.0, 120.0), "humidity_percent": (0.0, 100.0), "battery_percent": (0.0, 100.0),
    "runtime_minutes": (0.0, 100_000.0), "ambient_lux": (0.0, 200_000.0),
}  # fmt: skip


@check("whoever watches is told each part first, and then changes alone", CABINET)
async def first_state(bench: Bench) -> str:
    status = await bench.device.request("status")
    stream = bench.proxy.watch()
    try:
        told = await _events(stream, len(status.parts), FIRST_SECONDS)
        parts = [event.part for event in told]
        if sorted(parts) != sorted(status.parts):
            missing = set(status.parts) - set(parts)
            raise Broken(
                f"the first events are not one for each part of its status (missing: {', '.join(sorted(missing))})"
            )
        later = await _events(stream, len(parts) + 1, QUIET_SECONDS)
    finally:
        await stream.aclose()
    same = [event.part for event in later if event.value == event.before]
    if same:
        raise Broken(f"an event without a change: {', '.join(same)}")
    if len(later) > len(parts):
        raise Broken(f"{len(later)} events within {QUIET_SECONDS:g} s: it does not debounce")
    return f"{len(parts)} parts, {len(later)} changes while one looked on"


@check("watching goes on beside other commands, for more than one", CABINET)
async def beside(bench: Bench) -> str:
    first, second = bench.proxy.watch(), bench.proxy.watch()
    try:
        for stream in (first, second):
            if not await _events(stream, 1, FIRST_SECONDS):
                raise Broken("it does not tell the state of a part at once")
        _, failure, taken = await ends_within(bench.proxy.readings(), COMMAND_SECONDS)
        if failure is not None:
            raise failure
        _, failure, _ = await ends_within(bench.device.request("status"), 2.0)
        if failure is not None:
            raise failure
    finally:
        await first.aclose()
        await second.aclose()
    return f"measures came after {taken * 1000:.0f} ms"


@check("measures are plausible, and those it declares are there", CABINET)
async def readings(bench: Bench) -> str:
    said, failure, _ = await ends_within(bench.proxy.readings(), COMMAND_SECONDS)
    if failure is not None:
        raise failure
    features = (await bench.device.capabilities()).features
    for name in MEASURES:
        value = getattr(said, name)
        if name in features and value is None:
            raise Broken(f"it declares {name} and gives none")
        low, high = PLAUSIBLE[name]
        if value is not None and not low <= value <= high:
            raise Broken(f"{name} is {value:g}")
    given = {name: getattr(said, name) for name in MEASURES if getattr(said, name) is not None}
    return ", ".join(f"{name} {value:g}" for name, value in given.items()) or "none"


@check("lights it declares can be lit, others are plainly not there", CABINET)
async def lights(bench: Bench) -> str:
    _, failure, _ = await ends_within(bench.proxy.set_light("nowhere_at_all", Flash.SLOW), COMMAND_SECONDS)
    _must_be_not_fitted(failure, "a light nowhere")
    features = (await bench.device.capabilities()).features
    positions = sorted(word.removeprefix("light_") for word in features if word.startswith("light_"))
    if not positions:
        return "it has none"
    for position in positions:
        for flash in (Flash.MEDIUM, Flash.OFF):
            _, failure, _ = await ends_within(bench.proxy.set_light(position, flash), COMMAND_SECONDS)
            if failure is not None:
                raise Broken(f"light {position} does not obey: {failure}")
    return ", ".join(positions)


@check("no door opens for a token that is none", CABINET)
async def unlock(bench: Bench) -> str:
    capabilities = await bench.device.capabilities()
    doors = sorted(word.removeprefix("door_") for word in capabilities.features if word.startswith("door_"))
    for door in (*doors, "nowhere_at_all"):
        for token in ("", "open sesame", "v1." + door + ".9999999999." + "0" * 16 + "." + "A" * 86):
            _, failure, _ = await ends_within(bench.proxy.unlock(door, token), COMMAND_SECONDS)
            if failure is None:
                raise Broken(f"{door} was opened without leave")
            if not isinstance(failure, MediaError | Unsupported):
                raise failure
            if door == "nowhere_at_all":
                _must_be_not_fitted(failure, "a door nowhere")
            if isinstance(failure, MediaError) and "can_unlock" not in capabilities.features:
                raise Broken("it checks tokens and does not declare can_unlock")
    return ", ".join(doors) or "it has no doors"


@check("a fan that is not there is plainly not there", CABINET)
async def fan(bench: Bench) -> str:
    if "fan" in (await bench.device.capabilities()).features:
        raise NotTried("it has one: whether it turns, one hears")
    _, failure, _ = await ends_within(bench.proxy.set_fan(0), COMMAND_SECONDS)
    _must_be_not_fitted(failure, "a fan")
    return "not_fitted"


def _must_be_not_fitted(failure: DeviceError | None, what: str) -> None:
    if not isinstance(failure, Unsupported) or failure.reason != "not_fitted":
        raise Broken(f"{what} must be unsupported/not_fitted; it was {failure!r}")


async def _events(stream: object, count: int, seconds: float) -> list[CabinetEvent]:
    """Up to `count`, as far as they come in time. The stream goes on."""
    events: list[CabinetEvent] = []
    ends_at = asyncio.get_running_loop().time() + seconds
    while len(events) < count:
        left = ends_at - asyncio.get_running_loop().time()
        pending = asyncio.ensure_future(anext(stream))  # type: ignore[call-overload]
        done, _ = await asyncio.wait({pending}, timeout=max(left, 0))
        if not done:
            pending.cancel()
            await asyncio.wait({pending})
            break
        events.append(pending.result())
    return events
