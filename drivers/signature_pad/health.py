"""Whose faults a pad's errors are (device-classes C.8)."""

from __future__ import annotations

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
    @property
    def pad(self) -> str:
        """The part's word: ok, inoperative, unknown."""
        match self.state:
            case DeviceState.ONLINE:
                return "ok"
            case DeviceState.HARDWARE_ERROR:
                return "inoperative"
            case _:
                return "unknown"

    def note(self, error: DeviceError | None) -> None:
        match error:
            case DeviceAbsent():
                self.bad(DeviceState.NO_DEVICE, error, FaultAction.CLEAR)
            case DeviceOffline() | DeviceBusy():
                self.bad(DeviceState.OFFLINE, error, FaultAction.CLEAR)
            case HardwareFault():
                self.bad(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case None | MediaError() | CommandTimedOut() | NeedsAttention():
                self.good()
            case _:
                pass
