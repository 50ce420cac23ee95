"""Whose faults a scanner's errors are (device-classes C.7)."""

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
    NeedsAttention,
)
from drivers.messages import DeviceState, FaultAction


class Health(health.Health):
    operator_mends: ClassVar = health.Health.operator_mends | {"not_grabbed"}

    def note(self, error: DeviceError | None) -> None:
        match error:
            case DeviceAbsent():
                self.bad(DeviceState.NO_DEVICE, error, FaultAction.CLEAR)
            case DeviceOffline() | DeviceBusy():
                self.bad(DeviceState.OFFLINE, error, FaultAction.CLEAR)
            case HardwareFault():
                self.bad(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case NeedsAttention():
                self.bad(DeviceState.USER_ERROR, error, FaultAction.CLEAR)
            case None | MediaError() | CommandTimedOut():
                self.good()
            case _:
                pass
