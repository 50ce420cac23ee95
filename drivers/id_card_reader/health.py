"""Whose faults a card reader's errors are (device-classes C.1)."""

from __future__ import annotations

from typing import ClassVar

from drivers import health
from drivers.errors import (
    CommandTimedOut,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    Unsupported,
)
from drivers.messages import DeviceState, FaultAction


class Health(health.Health):
    operator_mends: ClassVar = health.Health.operator_mends | {
        "command_refused", "library_missing", "library_unfit", "library_not_allowed",
    }  # fmt: skip

    def note(self, error: DeviceError | None) -> None:
        match error:
            case DeviceAbsent():
                self.bad(DeviceState.NO_DEVICE, error, FaultAction.CONFIGURATION)
            case DeviceOffline() | DeviceBusy():
                self.bad(DeviceState.OFFLINE, error, FaultAction.MAINTENANCE)
            case HardwareFault() | Unsupported():
                self.bad(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case None | MediaError() | CommandTimedOut():
                self.good()
            case _:
                pass
