"""The reader's state in the house's words (device-classes C.0, C.2)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction
from drivers.smart_card_reader.links.presence import Sight

ACTIONS: Final = {
    "no_service": FaultAction.CONFIGURATION,
    "bad_address": FaultAction.CONFIGURATION,
    "wrong_device": FaultAction.CONFIGURATION,
    "reader_busy": FaultAction.CONFIGURATION,
    "device_absent": FaultAction.CONFIGURATION,
    "unplugged": FaultAction.CLEAR,
    "service_lost": FaultAction.WAIT,
    "chip_silent": FaultAction.CLEAR,
}


class Health:
    """Remembers since when the present fault has been there. A citizen's doings are no faults."""

    def __init__(self) -> None:
        self._fault: Fault | None = None

    def status(self, sight: Sight, *, is_busy: bool, stuck: DeviceError | None, parts: dict[str, str]) -> DeviceStatus:
        problem = stuck or sight.problem
        if problem is None:
            self._fault = None
            state = DeviceState.BUSY if is_busy else DeviceState.ONLINE
            return DeviceStatus(device=state if sight.known else DeviceState.UNKNOWN, parts=parts)
        if self._fault is None or self._fault.code != problem.reason:
            self._fault = Fault(
                code=problem.reason,
                action=ACTIONS.get(problem.reason, FaultAction.MAINTENANCE),
                since=dt.datetime.now(dt.UTC),
                vendor_text=str(problem),
            )
        return DeviceStatus(device=_state(problem), faults=(self._fault,), parts=parts)


def _state(problem: DeviceError) -> DeviceState:
    match problem:
        case DeviceAbsent():
            return DeviceState.NO_DEVICE
        case DeviceOffline() | DeviceBusy():
            return DeviceState.OFFLINE
        case _:
            return DeviceState.HARDWARE_ERROR
