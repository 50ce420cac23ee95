"""What is known about a device, and who is told when it changes.

A status comes from the driver, or is inferred from the state of its process. A change is told once it has lasted:
a device that flickers tells one change, not twenty. Busy and online are no change: both serve. A device that was there
is gone when it was missed three times in a row (device-classes B.6); one that returns is there at once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable

from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

SETTLE_SECONDS = 0.25
TEXT_LENGTH = 300
MISSES = 3
ABSENT = frozenset({DeviceState.NO_DEVICE, DeviceState.OFFLINE, DeviceState.POWER_OFF})
STATUS_FAILED = "status_failed"


class StatusBoard:
    def __init__(self, name: str, on_change: Callable[[str, DeviceStatus], None] | None) -> None:
        self._name = name
        self._on_change = on_change
        self._status = DeviceStatus(device=DeviceState.UNKNOWN)
        self._since: dict[str, dt.datetime] = {}
        self._told: tuple[object, ...] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._misses = 0
        self._confirmed_at: float | None = None

    def status(self, *, busy: bool = False) -> DeviceStatus:
        if busy and self._status.device is DeviceState.ONLINE:
            return self._status.model_copy(update={"device": DeviceState.BUSY})
        return self._status

    def reason(self) -> str:
        return self._status.faults[0].code if self._status.faults else ""

    @property
    def in_doubt(self) -> bool:
        """The device was missed, and not yet often enough to be gone."""
        return self._misses > 0

    @property
    def age_ms(self) -> int | None:
        """Milliseconds since the device itself confirmed what is shown. None when it never did."""
        return None if self._confirmed_at is None else round((time.monotonic() - self._confirmed_at) * 1000)

    def starting(self) -> None:
        """The first start, or one that was asked for."""
        self._put(DeviceStatus(device=DeviceState.STARTING, parts=self._unknown_parts()))

    def down(self, state: DeviceState, code: str, action: FaultAction, text: str = "") -> None:
        """The process, not the device, is what is known: one fault says who must act."""
        self._put(self._down(state, code, action, text))

    def heard(self, status: DeviceStatus) -> None:
        """The driver said so."""
        if status.device in ABSENT and self._was_there():
            self._miss(status)
        else:
            self._confirm(status)

    def status_failed(self, text: str) -> None:
        """The driver stands, and its status did not come."""
        status = self._down(DeviceState.UNKNOWN, STATUS_FAILED, FaultAction.WAIT, text)
        if self._was_there():
            self._miss(status)
        else:
            self._put(status)

    def close(self) -> None:
        self._on_change = None
        if self._timer is not None:
            self._timer.cancel()

    def _was_there(self) -> bool:
        return self._status.device not in ABSENT and self._status.device not in (
            DeviceState.UNKNOWN,
            DeviceState.STARTING,
        )

    def _miss(self, status: DeviceStatus) -> None:
        self._misses += 1
        if self._misses >= MISSES:
            self._confirm(status)

    def _confirm(self, status: DeviceStatus) -> None:
        self._confirmed_at = time.monotonic()
        self._put(status)

    def _down(self, state: DeviceState, code: str, action: FaultAction, text: str) -> DeviceStatus:
        fault = Fault(code=code, action=action, since=_now(), vendor_text=text[:TEXT_LENGTH] or None)
        return DeviceStatus(
            device=state, faults=(fault,), parts=self._unknown_parts(), simulated=self._status.simulated
        )

    def _unknown_parts(self) -> dict[str, str]:
        return dict.fromkeys(self._status.parts, "unknown")

    def _put(self, status: DeviceStatus) -> None:
        """A fault keeps the moment it was first seen, however often it is reported."""
        self._misses = 0
        codes = {fault.code for fault in status.faults}
        self._since = {code: since for code, since in self._since.items() if code in codes}
        faults = tuple(
            fault.model_copy(update={"since": self._since.setdefault(fault.code, fault.since)})
            for fault in status.faults
        )
        self._status = status.model_copy(update={"faults": faults})
        if _signature(self._status) != self._told and self._on_change is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._tell)

    def _tell(self) -> None:
        self._timer = None
        signature = _signature(self._status)
        if signature != self._told and self._on_change is not None:
            self._told = signature
            self._on_change(self._name, self._status)


def _signature(status: DeviceStatus) -> tuple[object, ...]:
    device = DeviceState.ONLINE if status.device is DeviceState.BUSY else status.device
    faults = frozenset((fault.code, fault.action) for fault in status.faults)
    return device, faults, tuple(sorted(status.parts.items()))


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
