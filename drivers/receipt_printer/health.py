"""From status bytes (DLE EOT 1 to 4, ASB, DLE EOT 20) to parts, faults and a device state (device-classes C.4)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

PARTS = ("paper", "cover", "cutter", "head", "media")
PRESENTED = "presented"
UNKNOWN_PARTS = dict.fromkeys(PARTS, "unknown")

ACTIONS: dict[str, FaultAction] = {
    "wrong_device": FaultAction.CONFIGURATION,
    "permission_denied": FaultAction.CONFIGURATION,
    "device_busy": FaultAction.CONFIGURATION,
    "disconnected": FaultAction.CLEAR,
    "cover_open": FaultAction.CLEAR,
    "paper_out": FaultAction.CLEAR,
    "cutter_jammed": FaultAction.CLEAR,
    "unfinished_job": FaultAction.CLEAR,
    "head_hot": FaultAction.WAIT,
    "hardware_error": FaultAction.MAINTENANCE,
    "offline": FaultAction.CLEAR,
    "paper_jammed": FaultAction.CLEAR,
    "not_taken": FaultAction.CLEAR,
    "paper_low": FaultAction.CLEAR,
}
"""In order of importance: the first one present is the reason a job is refused. `paper_low` alone refuses nothing."""

HARMLESS = frozenset({"paper_low"})
UNHEARD = frozenset({"disconnected", "offline", "device_busy"})
BROKEN = frozenset({"hardware_error", "cutter_jammed", "wrong_device"})


@dataclass(frozen=True)
class Health:
    """What the printer said. `faults` are codes of `ACTIONS`, most important first."""

    parts: dict[str, str]
    faults: tuple[str, ...]
    vendor_code: str

    @property
    def obstacle(self) -> str:
        """The code that forbids printing now; empty when there is none."""
        return next((code for code in self.faults if code not in HARMLESS), "")


def read_health(printer: int, offline: int, error: int, paper: int) -> Health:
    """Interpret the answers to DLE EOT 1, 2, 3 and 4."""
    found = {
        "cover_open": bool(offline & 0x04),
        "paper_out": bool(offline & 0x20 or paper & 0x60),
        "cutter_jammed": bool(error & 0x08),
        "head_hot": bool(error & 0x40),
        "hardware_error": bool(error & 0x20),
        "paper_low": bool(paper & 0x0C) and not paper & 0x60,
    }
    explained = any(there for code, there in found.items() if code not in HARMLESS)
    found["offline"] = bool(printer & 0x08) and not explained
    parts = {
        "paper": "out" if found["paper_out"] else "low" if found["paper_low"] else "full",
        "cover": "open" if found["cover_open"] else "closed",
        "cutter": "jammed" if found["cutter_jammed"] else "ok",
        "head": "hot" if found["head_hot"] else "inoperative" if found["hardware_error"] else "ok",
        "media": "unknown",  # no sensor at the mouth: this command set cannot tell whether the slip was taken
    }
    codes = tuple(code for code in ACTIONS if found.get(code))
    return Health(parts, codes, bytes((printer, offline, error, paper)).hex())


BLIND = Health(UNKNOWN_PARTS, (), "")
"""A printer that says nothing of itself: its port could be opened, and that is all that is known."""


def read_automatic(data: bytes) -> Health:
    """Interpret the four bytes of automatic status back (GS a): the same facts at other bits."""
    printer, error, paper, _ = data
    ended, near = bool(paper & 0x0C), bool(paper & 0x03)
    return read_health(
        printer & 0x08,
        (0x04 if printer & 0x20 else 0) | (0x20 if ended else 0),
        error & 0x68,
        (0x60 if ended else 0) | (0x0C if near else 0),
    )


def read_mouth(health: Health, answer: bytes | None) -> Health:
    """Add what DLE EOT 20 says of the presenter (`10 0F`, paper, user, recoverable, unrecoverable); None: no answer."""
    if answer is None:
        return health
    jammed = bool(answer[4] & 0x40)
    media = "jammed" if jammed else PRESENTED if answer[2] & 0x20 else "not_present"
    faults = (*health.faults, *(["paper_jammed"] if jammed else []))
    return replace(health, parts=health.parts | {"media": media}, faults=faults)


class FaultBook:
    """Remembers since when each fault has been present."""

    def __init__(self) -> None:
        self._since: dict[str, dt.datetime] = {}

    def faults(self, codes: tuple[str, ...], vendor_code: str | None = None) -> tuple[Fault, ...]:
        now = dt.datetime.now(dt.UTC)
        self._since = {code: self._since.get(code, now) for code in codes}
        return tuple(
            Fault(code=code, action=ACTIONS[code], since=since, vendor_code=vendor_code)
            for code, since in self._since.items()
        )


def status_of(
    codes: tuple[str, ...], faults: tuple[Fault, ...], parts: dict[str, str], *, busy: bool, absent: bool
) -> DeviceStatus:
    serious = [code for code in codes if code not in HARMLESS]
    if absent:
        state = DeviceState.NO_DEVICE
    elif UNHEARD & set(serious):
        state = DeviceState.OFFLINE
    elif BROKEN & set(serious):
        state = DeviceState.HARDWARE_ERROR
    elif serious:
        state = DeviceState.USER_ERROR
    else:
        state = DeviceState.BUSY if busy else DeviceState.ONLINE
    return DeviceStatus(device=state, faults=faults, parts=parts)
