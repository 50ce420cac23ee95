"""What the last commands said about the reader, as the house's words (device-classes C.0, C.9)."""

from __future__ import annotations

import datetime as dt

from drivers.errors import (
    CommandCancelled,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    NeedsAttention,
)
from drivers.messages import DeviceState, Fault, FaultAction

_OPERATOR_MENDS = frozenset(
    {"wrong_device", "wrong_password", "not_a_serial_port", "bad_address", "permission_denied", "port_busy"}
)


class Health:
    """Remembers the last fault and since when; a good command clears it. A citizen's doings are no faults."""

    def __init__(self) -> None:
        self.state = DeviceState.UNKNOWN
        self.fault: Fault | None = None

    @property
    def sensor(self) -> str:
        match self.fault.code if self.fault else "":
            case "dirty":
                return "dirty"
            case "sensor_failed":
                return "inoperative"
        return "ok" if self.state is DeviceState.ONLINE else "unknown"

    def note(self, error: DeviceError | None) -> None:
        """After every command: None when it succeeded. A dirty sensor stays so until a finger was seen well."""
        match error:
            case DeviceAbsent():
                self._set(DeviceState.NO_DEVICE, error, FaultAction.CONFIGURATION)
            case DeviceOffline() | DeviceBusy():
                self._set(DeviceState.OFFLINE, error, FaultAction.MAINTENANCE)
            case HardwareFault():
                self._set(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case NeedsAttention():
                self._set(DeviceState.ONLINE, error, FaultAction.CLEAR)
            case CommandCancelled():
                pass
            case _:
                self.state = DeviceState.ONLINE
                if self.fault is not None and self.fault.code != "dirty":
                    self.fault = None

    def note_good_finger(self) -> None:
        self.state, self.fault = DeviceState.ONLINE, None

    def _set(self, state: DeviceState, error: DeviceError, action: FaultAction) -> None:
        if error.reason in _OPERATOR_MENDS:
            action = FaultAction.CONFIGURATION
        self.state = state
        if self.fault is None or self.fault.code != error.reason:
            now = dt.datetime.now(tz=dt.UTC)
            self.fault = Fault(code=error.reason, action=action, since=now, vendor_text=str(error))
