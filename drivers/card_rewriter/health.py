"""The unit's state in the house's words (device-classes C.0, C.2)."""

from __future__ import annotations

import datetime as dt
from typing import Final

from drivers.card_rewriter.commands import Result, UnitStatus, error_of
from drivers.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceOffline, HardwareFault
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

UNKNOWN_PARTS: Final = dict.fromkeys(("media", "chip_power", "head", "eraser", "retain_bin", "cover"), "unknown")
ACTIONS: Final = {
    "cover_open": FaultAction.CLEAR,
    "card_jammed": FaultAction.CLEAR,
    "retain_bin_full": FaultAction.CLEAR,
    "head_hot": FaultAction.WAIT,
    "unit_restarted": FaultAction.WAIT,
    "head_broken": FaultAction.MAINTENANCE,
    "eraser_broken": FaultAction.MAINTENANCE,
    "device_absent": FaultAction.CONFIGURATION,
    "permission_denied": FaultAction.CONFIGURATION,
    "not_a_serial_port": FaultAction.CONFIGURATION,
    "bad_address": FaultAction.CONFIGURATION,
    "port_busy": FaultAction.CONFIGURATION,
    "wrong_device": FaultAction.CONFIGURATION,
    "protocol_broken": FaultAction.CONFIGURATION,
    "unplugged": FaultAction.CLEAR,
}
BROKEN: Final = frozenset({"head_broken", "eraser_broken"})


class Health:
    """Remembers since when each fault has been there."""

    def __init__(self) -> None:
        self._since: dict[str, dt.datetime] = {}

    def status(self, unit: UnitStatus | None, problem: DeviceError | None, *, is_busy: bool) -> DeviceStatus:
        """`problem`: why the unit could not be asked; then nothing of it is known."""
        if problem is not None or unit is None:
            faults = self._faults([(problem.reason, str(problem))] if problem is not None else [])
            return DeviceStatus(device=_state(problem), faults=faults, parts=UNKNOWN_PARTS)
        codes = _codes(unit)
        state = DeviceState.BUSY if is_busy else DeviceState.ONLINE
        if any(code in BROKEN for code, _ in codes):
            state = DeviceState.HARDWARE_ERROR
        elif any(code != "retain_bin_full" for code, _ in codes):
            state = DeviceState.USER_ERROR
        parts = {
            "media": unit.media, "chip_power": unit.chip, "head": unit.head, "eraser": unit.eraser,
            "retain_bin": unit.retain_bin, "cover": unit.cover,
        }  # fmt: skip
        return DeviceStatus(device=state, faults=self._faults(codes), parts=parts)

    def _faults(self, codes: list[tuple[str, str]]) -> tuple[Fault, ...]:
        now = dt.datetime.now(dt.UTC)
        self._since = {code: self._since.get(code, now) for code, _ in codes}
        return tuple(
            Fault(
                code=code, action=ACTIONS.get(code, FaultAction.MAINTENANCE), since=self._since[code], vendor_text=text
            )
            for code, text in codes
        )


def _codes(unit: UnitStatus) -> list[tuple[str, str]]:
    found = (
        (unit.cover == "open", Result.COVER_OPEN),
        (unit.media == "jammed", Result.JAMMED),
        (unit.head == "inoperative", Result.HEAD_BROKEN),
        (unit.eraser == "inoperative", Result.ERASER_BROKEN),
        (unit.head == "hot", Result.HEAD_HOT),
        (unit.retain_bin == "full", Result.BIN_FULL),
    )
    errors = [error_of(result) for is_there, result in found if is_there]
    return [(error.reason, str(error)) for error in errors]


def _state(problem: DeviceError | None) -> DeviceState:
    match problem:
        case None:
            return DeviceState.UNKNOWN
        case DeviceAbsent():
            return DeviceState.NO_DEVICE
        case DeviceOffline() | DeviceBusy():
            return DeviceState.OFFLINE
        case HardwareFault():
            return DeviceState.HARDWARE_ERROR
        case _:
            return DeviceState.OFFLINE
