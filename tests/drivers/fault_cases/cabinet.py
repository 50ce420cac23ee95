"""What befalls a cabinet and its power (device-classes C.11)."""

from __future__ import annotations

from functools import partial
from typing import Any

from drivers.messages import DeviceState, FaultAction, Flash
from tests.drivers.fault_cases.case import FaultCase


async def _light(cabinet: Any) -> object:
    return await cabinet.set_light("receipt", Flash.MEDIUM, "green")


async def _measure(cabinet: Any) -> object:
    await cabinet.readings()
    return None


async def _told(cabinet: Any, part: str, value: str) -> object:
    """Whoever watches is told."""
    stream = cabinet.watch()
    try:
        async for event in stream:
            if (event.part, event.value) == (part, value):
                return None
    finally:
        await stream.aclose()
    return "uncertain/never_told"


_door = partial(FaultCase, "cabinet/modbus_rtu", completion="done")
_lost = partial(FaultCase, "cabinet/modbus_rtu", deed=_light)
_broken = partial(_lost, device=DeviceState.HARDWARE_ERROR, action=FaultAction.CONFIGURATION)

MODBUS_CASES = (
    _door("noise", deed=_light),
    _door("corrupt_once", deed=_light),
    _door("truncated_once", deed=_light),
    _door("flicker_once", deed=_light, parts={"tamper": "ok"}),
    _door(
        "door_open", deed=partial(_told, part="door_front", value="open"), device=DeviceState.USER_ERROR,
        code="door_open", action=FaultAction.CLEAR, parts={"door_front": "open"},
    ),
    _door(
        "door_forced", deed=partial(_told, part="door_front", value="tampered"), device=DeviceState.HARDWARE_ERROR,
        code="door_forced", action=FaultAction.MAINTENANCE, parts={"door_front": "tampered"},
    ),
    _door(
        "tamper", deed=partial(_told, part="tamper", value="tampered"), device=DeviceState.HARDWARE_ERROR,
        code="tampered", action=FaultAction.MAINTENANCE, parts={"tamper": "tampered"},
    ),
    _door(
        "over_temperature", deed=partial(_told, part="temperature", value="high"), code="temperature_high",
        action=FaultAction.MAINTENANCE, parts={"temperature": "high"},
    ),
    _door(
        "freezing", deed=partial(_told, part="temperature", value="low"), code="temperature_low",
        action=FaultAction.WAIT, parts={"temperature": "low"},
    ),
    _lost(
        "silent", completion="device_offline/no_answer", device=DeviceState.OFFLINE, code="no_answer",
        action=FaultAction.MAINTENANCE, parts={"door_front": "unknown"},
    ),
    _lost(
        "unplugged", completion="device_absent/device_absent", device=DeviceState.NO_DEVICE, code="device_absent",
        action=FaultAction.CONFIGURATION, parts={"tamper": "unknown"},
    ),
    _lost(
        "exception_busy", completion="device_busy/controller_busy", device=DeviceState.OFFLINE, code="controller_busy",
        action=FaultAction.WAIT,
    ),
    _broken("exception_address", completion="hardware_fault/register_refused", code="register_refused"),
    _broken(
        "exception_failed", completion="hardware_fault/controller_failed", code="controller_failed",
        action=FaultAction.MAINTENANCE,
    ),
    _broken("another_controller", completion="hardware_fault/wrong_device", code="wrong_device", orders=("replug",)),
    _broken("wrong_device", completion="hardware_fault/wrong_device", code="wrong_device", orders=("replug",)),
    _broken("endless", completion="hardware_fault/wrong_device", code="wrong_device", orders=("replug",)),
)  # fmt: skip

_power = partial(FaultCase, "cabinet/nut", deed=_measure, completion="done", options={"poll_interval_seconds": 0.1})
_away = partial(
    FaultCase, "cabinet/nut", deed=_measure, device=DeviceState.OFFLINE, action=FaultAction.MAINTENANCE,
    parts={"mains": "unknown", "battery": "unknown"},
)  # fmt: skip
_stranger = partial(_away, device=DeviceState.HARDWARE_ERROR, action=FaultAction.CONFIGURATION)

NUT_CASES = (
    _power(
        "mains_cut", deed=partial(_told, part="mains", value="lost"), code="mains_lost", action=FaultAction.WAIT,
        parts={"mains": "lost", "budget": "enough"},
    ),
    _power(
        "battery_low", deed=partial(_told, part="budget", value="short"), device=DeviceState.POWER_OFF,
        code="battery_low", action=FaultAction.WAIT, parts={"mains": "lost", "battery": "low", "budget": "short"},
    ),
    _power("battery_worn", code="battery_worn", action=FaultAction.MAINTENANCE, parts={"battery": "replace"}),
    _power("overload", code="ups_overload", action=FaultAction.MAINTENANCE, parts={"ups": "overload"}),
    _power(
        "off", code="ups_off", device=DeviceState.HARDWARE_ERROR, action=FaultAction.MAINTENANCE, parts={"ups": "off"}
    ),
    _power("no_runtime", parts={"budget": "unknown"}),
    _away("stale", completion="device_offline/ups_stale", code="ups_stale"),
    _away("driver_gone", completion="device_offline/ups_stale", code="ups_stale"),
    _away("silent", completion="device_offline/no_answer", code="no_answer"),
    _away("unplugged", completion="device_offline/device_offline", code="device_offline"),
    _stranger("unknown_ups", completion="unsupported/ups_unknown", code="ups_unknown"),
    _stranger("access_denied", completion="unsupported/access_denied", code="access_denied"),
    _stranger("garbage", completion="hardware_fault/wrong_device", code="wrong_device"),
    _stranger("wrong_device", completion="hardware_fault/wrong_device", code="wrong_device"),
    _stranger("endless", completion="hardware_fault/wrong_device", code="wrong_device"),
)  # fmt: skip

CASES: tuple[FaultCase, ...] = (*MODBUS_CASES, *NUT_CASES)
