"""The cabinet around the screen: doors, lights, sensors, power (device-classes C.11)."""

from __future__ import annotations

from enum import StrEnum

from drivers.messages.common import Message


class Flash(StrEnum):
    OFF = "off"
    SLOW = "slow"
    MEDIUM = "medium"
    QUICK = "quick"
    CONTINUOUS = "continuous"


class CabinetEvent(Message):
    """Something changed: `part` is one of the status' parts (door_front, mains, proximity …), `value` its word now."""

    part: str
    value: str
    before: str = "unknown"


class Readings(Message):
    """What the sensors measure now; None where there is no such sensor."""

    temperature_c: float | None = None
    humidity_percent: float | None = None
    battery_percent: float | None = None
    runtime_minutes: float | None = None
    ambient_lux: float | None = None
