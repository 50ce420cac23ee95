"""What the last commands said about a payment terminal, as the house's words (device-classes C.0, C.10)."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Final

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, HardwareFault, Unsupported
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

PARTS: Final = ("terminal", "network", "acquirer", "pinpad", "cash_units", "unresolved")
OPERATOR_MENDS: Final = frozenset(
    {
        "wrong_device", "not_a_serial_port", "bad_address", "permission_denied", "port_busy", "not_authorised",
        "certificate_refused", "password_refused", "currency_refused", "ids_not_on_disk",
    }
)  # fmt: skip
MENDS_ITSELF: Final = frozenset({"network_down", "gateway_broken", "no_answer", "terminal_busy", "bank_unreachable"})


class Health:
    """Remembers the last fault and since when; a good answer clears it. A citizen's doings are no faults."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = DeviceState.UNKNOWN
        self._fault: Fault | None = None

    def note(self, error: DeviceError | None) -> None:
        """After every exchange: None when it succeeded. From any thread."""
        match error:
            case None:
                with self._lock:
                    self._state, self._fault = DeviceState.ONLINE, None
            case DeviceAbsent():
                self._set(DeviceState.NO_DEVICE, error)
            case DeviceOffline() | DeviceBusy():
                self._set(DeviceState.OFFLINE, error)
            case HardwareFault() | Unsupported():
                self._set(DeviceState.HARDWARE_ERROR, error)
            case _:
                pass

    def status(self, *, is_busy: bool, parts: dict[str, str], further: tuple[str, ...] = ()) -> DeviceStatus:
        """`further`: faults that do not keep the terminal from serving."""
        with self._lock:
            state, fault = self._state, self._fault
        if is_busy and state in (DeviceState.ONLINE, DeviceState.UNKNOWN):
            state = DeviceState.BUSY
        faults = (fault,) if fault else ()
        return DeviceStatus(device=state, faults=(*faults, *(_standing(code) for code in further)), parts=parts)

    def _set(self, state: DeviceState, error: DeviceError) -> None:
        with self._lock:
            self._state = state
            if self._fault is None or self._fault.code != error.reason:
                self._fault = Fault(
                    code=error.reason, action=who_acts(error.reason), since=_now(), vendor_text=str(error)
                )


def who_acts(reason: str) -> FaultAction:
    if reason in OPERATOR_MENDS or reason == "device_absent":
        return FaultAction.CONFIGURATION
    return FaultAction.WAIT if reason in MENDS_ITSELF else FaultAction.MAINTENANCE


def _standing(code: str) -> Fault:
    return Fault(code=code, action=who_acts(code), since=_now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
