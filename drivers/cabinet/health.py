"""From the parts of a cabinet to faults and a device state (device-classes C.0, C.11)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, HardwareFault, Unsupported
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

PART_FAULTS: Final = {
    "open": "door_open", "tampered": "tampered", "high": "temperature_high", "low": "temperature_low",
    "lost": "mains_lost", "stale": "ups_stale", "overload": "ups_overload", "replace": "battery_worn",
    "short": "battery_short",
}  # fmt: skip
"""A part's word → the fault it is. `battery low` is `battery_low`, not a temperature."""
SPECIAL: Final = {("battery", "low"): "battery_low", ("battery", "high"): "", ("ups", "off"): "ups_off"}
ACTIONS: Final = {
    "door_open": FaultAction.CLEAR, "mains_lost": FaultAction.WAIT, "battery_low": FaultAction.WAIT,
    "battery_short": FaultAction.WAIT, "temperature_low": FaultAction.WAIT, "no_answer": FaultAction.MAINTENANCE,
    "controller_busy": FaultAction.WAIT,
}  # fmt: skip
OPERATOR_MENDS: Final = frozenset(
    {"wrong_device", "not_a_serial_port", "bad_address", "permission_denied", "port_busy", "register_refused",
     "profile_wrong", "ups_unknown", "access_denied", "device_absent"}
)  # fmt: skip
NOT_FIT: Final = {
    "door_open": DeviceState.USER_ERROR, "tampered": DeviceState.HARDWARE_ERROR,
    "door_forced": DeviceState.HARDWARE_ERROR, "ups_off": DeviceState.HARDWARE_ERROR,
    "battery_low": DeviceState.POWER_OFF, "battery_short": DeviceState.POWER_OFF,
}  # fmt: skip
"""With these no citizen is served; with the others the terminal goes on and somebody is told."""


class Health:
    """Remembers since when each fault has been there. On one loop only."""

    def __init__(self) -> None:
        self._since: dict[str, dt.datetime] = {}

    def status(self, parts: Mapping[str, str], error: DeviceError | None, *, is_asked: bool = True) -> DeviceStatus:
        codes = [error.reason] if error else list(dict.fromkeys(filter(None, map(_fault_of, parts.items()))))
        now = dt.datetime.now(dt.UTC)
        self._since = {code: self._since.get(code, now) for code in codes}
        faults = tuple(
            Fault(
                code=code, action=who_acts(code), since=since,
                vendor_text=str(error) if error is not None and code == error.reason else None,
            )
            for code, since in self._since.items()
        )  # fmt: skip
        state = DeviceState.ONLINE if is_asked else DeviceState.UNKNOWN
        if error is not None:
            state = _state_of(error)
        else:
            states = [NOT_FIT[code] for code in codes if code in NOT_FIT]
            worst = DeviceState.HARDWARE_ERROR if DeviceState.HARDWARE_ERROR in states else None
            state = worst or (states[0] if states else state)
        return DeviceStatus(device=state, faults=faults, parts=dict(parts))


def who_acts(code: str) -> FaultAction:
    if code in OPERATOR_MENDS:
        return FaultAction.CONFIGURATION
    return ACTIONS.get(code, FaultAction.MAINTENANCE)


def _fault_of(part: tuple[str, str]) -> str:
    name, value = part
    if name.startswith("door_") and value == "tampered":
        return "door_forced"
    return SPECIAL.get(part, PART_FAULTS.get(value, ""))


def _state_of(error: DeviceError) -> DeviceState:
    match error:
        case DeviceAbsent():
            return DeviceState.NO_DEVICE
        case HardwareFault() | Unsupported():
            return DeviceState.HARDWARE_ERROR
        case DeviceBusy():
            return DeviceState.OFFLINE
        case _:
            return DeviceState.OFFLINE
