"""What the last commands said about the reader, as the house's words (device-classes C.0, C.1)."""

from __future__ import annotations

import datetime as dt

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
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

_OPERATOR_MENDS = frozenset(
    {
        "wrong_device",
        "not_a_serial_port",
        "bad_address",
        "permission_denied",
        "port_busy",
        "command_refused",
        "library_missing",
        "library_unfit",
        "library_not_allowed",
    }
)


class Health:
    """Remembers the last fault and since when; a good command clears it. A citizen's doings are no faults."""

    def __init__(self) -> None:
        self._state = DeviceState.UNKNOWN
        self._fault: Fault | None = None

    def note(self, error: DeviceError | None) -> None:
        """After every command: None when it succeeded. Called on the reader's own thread."""
        match error:
            case DeviceAbsent():
                self._set(DeviceState.NO_DEVICE, error, FaultAction.CONFIGURATION)
            case DeviceOffline() | DeviceBusy():
                self._set(DeviceState.OFFLINE, error, FaultAction.MAINTENANCE)
            case HardwareFault() | Unsupported():
                self._set(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case None | MediaError() | CommandTimedOut():
                self._state, self._fault = DeviceState.ONLINE, None
            case _:
                pass

    def status(self, *, is_busy: bool, parts: dict[str, str]) -> DeviceStatus:
        fault = self._fault
        state = self._state
        if is_busy and state in (DeviceState.ONLINE, DeviceState.UNKNOWN):
            state = DeviceState.BUSY
        return DeviceStatus(device=state, faults=(fault,) if fault else (), parts=parts)

    def _set(self, state: DeviceState, error: DeviceError, action: FaultAction) -> None:
        if error.reason in _OPERATOR_MENDS:
            action = FaultAction.CONFIGURATION
        self._state = state
        if self._fault is None or self._fault.code != error.reason:
            self._fault = Fault(
                code=error.reason, action=action, since=dt.datetime.now(tz=dt.UTC), vendor_text=str(error)
            )
