"""Whose faults a fingerprint reader's errors are (device-classes C.9)."""

from __future__ import annotations

from typing import ClassVar

from drivers import health
from drivers.errors import (
    CommandCancelled,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    NeedsAttention,
)
from drivers.messages import DeviceState, FaultAction


class Health(health.Health):
    operator_mends: ClassVar = health.Health.operator_mends | {"wrong_password"}

    @property
    def sensor(self) -> str:
        match self.fault.code if self.fault else "":
            case "dirty":
                return "dirty"
            case "sensor_failed":
                return "inoperative"
        return "ok" if self.state is DeviceState.ONLINE else "unknown"

    def note(self, error: DeviceError | None) -> None:
        """A dirty sensor stays so until a finger was seen well."""
        match error:
            case DeviceAbsent():
                self.bad(DeviceState.NO_DEVICE, error, FaultAction.CONFIGURATION)
            case DeviceOffline() | DeviceBusy():
                self.bad(DeviceState.OFFLINE, error, FaultAction.MAINTENANCE)
            case HardwareFault():
                self.bad(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case NeedsAttention():
                self.bad(DeviceState.ONLINE, error, FaultAction.CLEAR)
            case CommandCancelled():
                pass
            case _ if self.fault is not None and self.fault.code == "dirty":
                self.state = DeviceState.ONLINE
            case _:
                self.good()
