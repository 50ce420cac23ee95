"""What can go wrong at the hardware border, named by who must act.

DeviceError
  DeviceAbsent      not there: no node, no address, no library
  DeviceOffline     there, but not answering, or its process died
  DeviceBusy        held by another, or a command already runs
  NeedsAttention    a person can clear it: paper out, jam, cover open
  MediaError        the card or paper is unreadable, or was pulled early
  HardwareFault     the device says it is broken, or breaks its own protocol
  CommandTimedOut   nothing happened within the caller's limit (no card came, no face was seen)
  CommandCancelled  the caller took the command back
  Unsupported       the device has no such capability
  ConsentRequired   the command needs the citizen's consent, which was not handed over

An error that leaves the outcome of a physical act open (was the page printed?) is never an error here: such commands
return a result whose outcome is `uncertain`.
"""

from __future__ import annotations

from typing import ClassVar


class DeviceError(Exception):
    """A device could not do what was asked.

    `reason` is a stable word from the class's error codes (device-classes C.1 to C.11), for example `paper_out` or
    `read_failed`; screens and journals choose their sentence by it. The message is for staff.
    """

    kind: ClassVar[str] = "device_error"

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or self.kind


class DeviceAbsent(DeviceError):
    kind = "device_absent"


class DeviceOffline(DeviceError):
    kind = "device_offline"


class DeviceBusy(DeviceError):
    kind = "device_busy"


class NeedsAttention(DeviceError):
    kind = "needs_attention"


class MediaError(DeviceError):
    kind = "media_error"


class HardwareFault(DeviceError):
    kind = "hardware_fault"


class CommandTimedOut(DeviceError):
    kind = "timed_out"


class CommandCancelled(DeviceError):
    kind = "cancelled"


class Unsupported(DeviceError):
    kind = "unsupported"


class ConsentRequired(DeviceError):
    kind = "consent_required"


ERROR_KINDS: dict[str, type[DeviceError]] = {
    error.kind: error
    for error in (
        DeviceError, DeviceAbsent, DeviceOffline, DeviceBusy, NeedsAttention, MediaError, HardwareFault,
        CommandTimedOut, CommandCancelled, Unsupported, ConsentRequired,
    )
}  # fmt: skip
