"""What every device class shares: capabilities, status, faults, the end of a physical act (device-classes C.0)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """A frozen value. Unknown keys are refused; strings are never kept in a parser's cache (they may be personal)."""

    model_config = ConfigDict(frozen=True, extra="forbid", cache_strings="none", defer_build=True)


class DeviceClass(StrEnum):
    ID_CARD_READER = "id_card_reader"
    FACE_CAMERA = "face_camera"
    FACE_MATCHER = "face_matcher"
    RECEIPT_PRINTER = "receipt_printer"
    DOCUMENT_PRINTER = "document_printer"
    DOCUMENT_SCANNER = "document_scanner"
    SMART_CARD_READER = "smart_card_reader"
    CARD_REWRITER = "card_rewriter"
    CODE_SCANNER = "code_scanner"
    SIGNATURE_PAD = "signature_pad"
    FINGERPRINT_READER = "fingerprint_reader"
    PAYMENT_TERMINAL = "payment_terminal"
    CABINET = "cabinet"


class DeviceState(StrEnum):
    """Words of XFS4IoT. `unknown`: nobody has asked yet, or the device cannot tell."""

    ONLINE = "online"
    STARTING = "starting"
    BUSY = "busy"
    USER_ERROR = "user_error"
    HARDWARE_ERROR = "hardware_error"
    OFFLINE = "offline"
    POWER_OFF = "power_off"
    NO_DEVICE = "no_device"
    UNKNOWN = "unknown"


class FaultAction(StrEnum):
    """Who must act on a fault."""

    WAIT = "wait"  # nobody: it mends itself, a restart is under way
    CLEAR = "clear"  # a clerk: paper, jam, cover
    CONFIGURATION = "configuration"  # an operator: wrong port, wrong library
    MAINTENANCE = "maintenance"  # an engineer with a part


class Fault(Message):
    """One thing that is wrong now. A status always carries the whole current set."""

    code: str = Field(description="stable word of the class's error codes, for example paper_out")
    action: FaultAction
    since: dt.datetime
    vendor_code: str | None = None
    vendor_text: str | None = None


class SupplyLevel(StrEnum):
    FULL = "full"
    LOW = "low"
    OUT = "out"
    UNKNOWN = "unknown"


class Capabilities(Message):
    """What this device, with this driver, can truly do. A capability that is only stubbed must be declared absent."""

    device_class: DeviceClass
    driver: str = Field(description="CLASS/MODEL, for example id_card_reader/sdt")
    version: str
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    status_source: Literal["pushed", "polled", "inferred", "none"]
    poll_safe_in_motion: bool = Field(description="status may be asked while the device moves paper or reads a card")
    cancellable: frozenset[str] = frozenset()
    features: frozenset[str] = Field(default=frozenset(), description="class-specific words, for example new_address")


class DeviceStatus(Message):
    """State of one device, with the whole current set of faults and its class-specific parts.

    `parts` names sub-units and their state in the words of the class (device-classes C.1 to C.5), for example
    `{"paper": "low", "cover": "closed"}`; a part the device cannot report is `unknown`, never left out.
    """

    device: DeviceState
    faults: tuple[Fault, ...] = ()
    parts: dict[str, str] = {}
    simulated: bool = False
    claimed_by: str | None = Field(default=None, description="session that holds the device; set by the host")
    armed: bool = Field(default=False, description="a command waits for or takes the citizen's input")
    status_age_ms: int | None = Field(
        default=None, ge=0, description="since the device itself last confirmed it; None when it never did"
    )

    @property
    def is_fit(self) -> bool:
        """True when the device can serve a citizen now."""
        return self.device in (DeviceState.ONLINE, DeviceState.BUSY)


# --- physical acts -------------------------------------------------------------------------------------------------


class ActResult(Message):
    """How an act on paper, a card or money ended: done, failed, or open. An open one is asked after, never repeated.

    Every subclass can say "open" for itself: the host does so when the device's process is lost in the act.
    """

    @classmethod
    def uncertain(cls, arguments: Mapping[str, Any], reason: str) -> Self:
        """The honest end of a command with these arguments whose outcome nobody heard."""
        raise NotImplementedError(f"{cls.__name__} does not say how it is left open")
