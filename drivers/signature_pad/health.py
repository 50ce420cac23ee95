"""What the last commands said about a pad, as the house's words (device-classes C.0, C.8)."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Final

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
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

_OPERATOR_MENDS: Final = frozenset(
    {"wrong_device", "not_a_serial_port", "bad_address", "permission_denied", "port_busy"}
)


class Health:
    """Remembers the last fault and since when; a good command clears it. A citizen's doings are no faults."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = DeviceState.UNKNOWN
        self._fault: Fault | None = None

    @property
    def pad(self) -> str:
        """The part's word: ok, inoperative, unknown."""
        match self._state:
            case DeviceState.ONLINE:
                return "ok"
            case DeviceState.HARDWARE_ERROR:
                return "inoperative"
            case _:
                return "unknown"

    def note(self, error: DeviceError | None) -> None:
        """After every command and every look: None when it went well."""
        match error:
            case DeviceAbsent():
                self._set(DeviceState.NO_DEVICE, error, FaultAction.CLEAR)
            case DeviceOffline() | DeviceBusy():
                self._set(DeviceState.OFFLINE, error, FaultAction.CLEAR)
            case HardwareFault():
                self._set(DeviceState.HARDWARE_ERROR, error, FaultAction.MAINTENANCE)
            case None | MediaError() | CommandTimedOut() | NeedsAttention():
                with self._lock:
                    self._state, self._fault = DeviceState.ONLINE, None
            case _:
                pass

    def status(self, *, is_busy: bool, parts: dict[str, str]) -> DeviceStatus:
        with self._lock:
            state, fault = self._state, self._fault
        if is_busy and state in (DeviceState.ONLINE, DeviceState.UNKNOWN):
            state = DeviceState.BUSY
        return DeviceStatus(device=state, faults=(fault,) if fault else (), parts=parts)

    def _set(self, state: DeviceState, error: DeviceError, action: FaultAction) -> None:
        if error.reason in _OPERATOR_MENDS:
            action = FaultAction.CONFIGURATION
        with self._lock:
            self._state = state
            if self._fault is None or self._fault.code != error.reason:
                now = dt.datetime.now(tz=dt.UTC)
                self._fault = Fault(code=error.reason, action=action, since=now, vendor_text=str(error))
