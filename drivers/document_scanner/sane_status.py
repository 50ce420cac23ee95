"""Every SANE status by its right name: the error for the caller, the fault for staff (SANE standard 1.06, 4.2.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from drivers.errors import (
    CommandCancelled,
    DeviceAbsent,
    DeviceBusy,
    DeviceError,
    DeviceOffline,
    HardwareFault,
    MediaError,
    NeedsAttention,
    Unsupported,
)
from drivers.messages import DeviceState, FaultAction


class SaneStatus(IntEnum):
    GOOD = 0
    UNSUPPORTED = 1
    CANCELLED = 2
    DEVICE_BUSY = 3
    INVAL = 4
    EOF = 5
    JAMMED = 6
    NO_DOCS = 7
    COVER_OPEN = 8
    IO_ERROR = 9
    NO_MEM = 10
    ACCESS_DENIED = 11


WORDS = {
    "Operation not supported": SaneStatus.UNSUPPORTED,
    "Operation was canceled": SaneStatus.CANCELLED,
    "Operation was cancelled": SaneStatus.CANCELLED,
    "Device busy": SaneStatus.DEVICE_BUSY,
    "Invalid argument": SaneStatus.INVAL,
    "End of file reached": SaneStatus.EOF,
    "Document feeder jammed": SaneStatus.JAMMED,
    "Document feeder out of documents": SaneStatus.NO_DOCS,
    "Scanner cover is open": SaneStatus.COVER_OPEN,
    "Error during device I/O": SaneStatus.IO_ERROR,
    "Out of memory": SaneStatus.NO_MEM,
    "Access to resource has been denied": SaneStatus.ACCESS_DENIED,
}
"""sane_strstatus of sane-backends in the C locale."""

_OPEN = re.compile(r"^scanimage: open of device .{0,300} failed: (.{1,80})$", re.MULTILINE)
_SETTING = re.compile(r"^scanimage: (?:setting of option|unrecognized option|option .{1,80} requires)", re.MULTILINE)
_SCAN = re.compile(r"^scanimage: sane_(?:start|read|get_parameters): (.{1,80})$", re.MULTILINE)


@dataclass(frozen=True)
class FaultKind:
    """How a fault of this code shows in the status."""

    action: FaultAction
    device: DeviceState
    parts: tuple[tuple[str, str], ...] = ()


FAULTS = {
    "scanner_absent": FaultKind(FaultAction.MAINTENANCE, DeviceState.NO_DEVICE),
    "scanner_lost": FaultKind(FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "scanner_stopped": FaultKind(FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "scanner_stalled": FaultKind(FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "scanner_busy": FaultKind(FaultAction.WAIT, DeviceState.BUSY),
    "access_denied": FaultKind(FaultAction.CONFIGURATION, DeviceState.HARDWARE_ERROR),
    "no_memory": FaultKind(FaultAction.MAINTENANCE, DeviceState.HARDWARE_ERROR),
    "media_jammed": FaultKind(FaultAction.CLEAR, DeviceState.USER_ERROR, (("feeder", "jammed"), ("media", "jammed"))),
    "multiple_feed": FaultKind(FaultAction.CLEAR, DeviceState.USER_ERROR, (("feeder", "jammed"), ("media", "jammed"))),
    "cover_open": FaultKind(FaultAction.CLEAR, DeviceState.USER_ERROR, (("cover", "open"),)),
    "media_left_behind": FaultKind(FaultAction.CLEAR, DeviceState.USER_ERROR, (("media", "present"),)),
}
"""Codes of device-classes C.6 and of the link; an error whose reason stands here leaves this fault behind."""


def error_of(exit_code: int, said: str) -> DeviceError | None:
    """What scanimage's end means; None when it ended well. `said` is its standard error; nothing of it is passed on."""
    opening = _OPEN.search(said)
    if opening is not None:
        return _at_open(WORDS.get(opening[1], SaneStatus.INVAL))
    if _SETTING.search(said):
        return Unsupported("the scanner refuses a setting: look at `scanimage --all-options`", "setting_refused")
    reported = _SCAN.findall(said)
    if reported and exit_code != 0:
        return _in_scan(WORDS.get(reported[-1], SaneStatus.IO_ERROR))
    if exit_code == 0:
        return None
    known = exit_code in SaneStatus.__members__.values()
    return _in_scan(SaneStatus(exit_code) if known else SaneStatus.IO_ERROR)


def error_for(fault: str) -> DeviceError | None:
    """The error of a scan that a known fault would end; None when it would not."""
    kind, message = KNOWN_BEFORE.get(fault, (None, ""))
    return None if kind is None else kind(message, fault)


def _at_open(status: SaneStatus) -> DeviceError:
    match status:
        case SaneStatus.DEVICE_BUSY:
            return DeviceBusy("another program holds the scanner: end it", "scanner_busy")
        case SaneStatus.ACCESS_DENIED:
            return DeviceAbsent("this user may not use the scanner: add it to the group scanner", "access_denied")
        case SaneStatus.NO_MEM:
            return _in_scan(status)
        case _:
            return DeviceAbsent("the scanner is not there: check its cable, its power and its name", "scanner_absent")


def _in_scan(status: SaneStatus) -> DeviceError:
    kind, message, reason = IN_SCAN.get(status, IN_SCAN[SaneStatus.IO_ERROR])
    return kind(message, reason)


IN_SCAN: dict[SaneStatus, tuple[type[DeviceError], str, str]] = {
    SaneStatus.JAMMED: (
        NeedsAttention, "paper is jammed in the feeder: open it and take the paper out", "media_jammed",
    ),
    SaneStatus.COVER_OPEN: (NeedsAttention, "the scanner's cover is open: close it", "cover_open"),
    SaneStatus.NO_DOCS: (MediaError, "no paper lies in the feeder: lay it in", "no_media"),
    SaneStatus.DEVICE_BUSY: (DeviceBusy, "the scanner works for another: wait", "scanner_busy"),
    SaneStatus.CANCELLED: (CommandCancelled, "the scan was taken back", "cancelled"),
    SaneStatus.ACCESS_DENIED: (DeviceAbsent, "the scanner refuses this user: check its settings", "access_denied"),
    SaneStatus.NO_MEM: (HardwareFault, "no memory for a page: lower the resolution", "no_memory"),
    SaneStatus.UNSUPPORTED: (Unsupported, "the scanner cannot do this: choose other settings", "setting_refused"),
    SaneStatus.INVAL: (Unsupported, "the scanner cannot do this: choose other settings", "setting_refused"),
    SaneStatus.EOF: (HardwareFault, "the scanner ended a page before it began: scan it again", "page_incomplete"),
    SaneStatus.IO_ERROR: (
        DeviceOffline, "the scanner stopped answering in a scan: check its cable and power", "scanner_lost",
    ),
}  # fmt: skip

KNOWN_BEFORE: dict[str, tuple[type[DeviceError], str]] = {
    **{reason: (kind, message) for kind, message, reason in IN_SCAN.values() if reason in FAULTS},
    "multiple_feed": (MediaError, "the feeder took several pages at once: lay them in again"),
    "scanner_absent": (DeviceAbsent, "the scanner is not there: check its cable, its power and its address"),
    "scanner_stopped": (HardwareFault, "the scanner says it is broken: look at its display"),
    "scanner_stalled": (DeviceOffline, "the scanner does not answer: switch it off and on"),
}
OF_THE_FEEDER = frozenset({"media_jammed", "multiple_feed", "cover_open"})
"""They do not hinder the glass."""
