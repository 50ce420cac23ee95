"""What the last command said of a device, in the house's words (device-classes C.0): the ground of a class's health.

A class says in `note` which errors are faults of the device, and whose; a citizen's doings are none.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import ClassVar

from drivers.errors import DeviceError
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction


class Health:
    """Remembers the last fault and since when it has been there; a good command clears it. For any thread."""

    operator_mends: ClassVar[frozenset[str]] = frozenset(
        {"wrong_device", "not_a_serial_port", "bad_address", "permission_denied", "port_busy"}
    )
    """Reasons an operator mends by settings, whatever kind of error they come with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.state = DeviceState.UNKNOWN
        self.fault: Fault | None = None

    @property
    def is_good(self) -> bool:
        return self.state is DeviceState.ONLINE

    def note(self, error: DeviceError | None) -> None:
        """After every command and every look: None when it went well."""
        raise NotImplementedError

    def good(self) -> None:
        with self._lock:
            self.state, self.fault = DeviceState.ONLINE, None

    def bad(self, state: DeviceState, error: DeviceError, action: FaultAction) -> None:
        if error.reason in self.operator_mends:
            action = FaultAction.CONFIGURATION
        with self._lock:
            self.state = state
            if self.fault is None or self.fault.code != error.reason:
                now = dt.datetime.now(tz=dt.UTC)
                self.fault = Fault(code=error.reason, action=action, since=now, vendor_text=str(error))

    def status(self, *, is_busy: bool, parts: dict[str, str]) -> DeviceStatus:
        with self._lock:
            state, fault = self.state, self.fault
        if is_busy and state in (DeviceState.ONLINE, DeviceState.UNKNOWN):
            state = DeviceState.BUSY
        return DeviceStatus(device=state, faults=(fault,) if fault else (), parts=parts)
