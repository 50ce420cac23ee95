"""What crosses the hardware border: frozen values, no behaviour beyond masking.

Sources: device-classes C.0 to C.5 (CEN XFS4IoT words), domain.md section 1 for the identity card. Money is integer fen,
moments are timezone-aware UTC, lengths carry their unit in the name.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """A frozen value. Unknown keys are refused; strings are never kept in a parser's cache (they may be personal)."""

    model_config = ConfigDict(frozen=True, extra="forbid", cache_strings="none")


# --- classes, capabilities, status ---------------------------------------------------------------------------------


class DeviceClass(StrEnum):
    ID_CARD_READER = "id_card_reader"
    FACE_CAMERA = "face_camera"
    FACE_MATCHER = "face_matcher"
    RECEIPT_PRINTER = "receipt_printer"
    DOCUMENT_PRINTER = "document_printer"
    DOCUMENT_SCANNER = "document_scanner"


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

    @property
    def is_fit(self) -> bool:
        """True when the device can serve a citizen now."""
        return self.device in (DeviceState.ONLINE, DeviceState.BUSY)


# --- identity card (domain.md 1.7, DESIGN 2.5) ---------------------------------------------------------------------


class CardType(StrEnum):
    RESIDENT = "resident"
    HMT_RESIDENCE = "hmt_residence"  # J: Hong Kong, Macao and Taiwan residents
    FOREIGN_PERMANENT_2017 = "foreign_permanent_2017"  # I
    FOREIGN_PERMANENT_2023 = "foreign_permanent_2023"  # Y


class IdCard(Message):
    """What was read from an identity card. Absent items are None; `valid_until` None means 长期 (no end).

    `photo` holds the chip's 1,024 bytes as read (WLT, or a sample card's own form); it is None when not asked for.
    """

    card_type: CardType
    name: str | None = Field(default=None, repr=False)
    name_latin: str | None = Field(default=None, repr=False)
    sex: str | None = Field(default=None, description="GB/T 2261.1: 0, 1, 2 or 9", repr=False)
    nation_code: str | None = Field(default=None, repr=False)
    nation: str | None = Field(default=None, repr=False)
    birth_date: dt.date | None = Field(default=None, repr=False)
    address: str | None = Field(default=None, repr=False)
    id_number: str | None = Field(default=None, repr=False)
    issuer: str | None = Field(default=None, repr=False)
    valid_from: dt.date | None = Field(default=None, repr=False)
    valid_until: dt.date | None = Field(default=None, repr=False)
    permit_number: str | None = Field(default=None, repr=False)
    issue_count: str | None = Field(default=None, repr=False)
    country: str | None = Field(default=None, repr=False)
    sam_id: str | None = None
    new_address: str | None = Field(default=None, repr=False)
    photo: bytes | None = Field(default=None, repr=False)

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


# --- face (spike-face 4) -------------------------------------------------------------------------------------------


class FaceDecision(StrEnum):
    ACCEPT = "accept"
    RETRY = "retry"
    REJECT = "reject"
    STAFF = "staff"  # attempts exhausted, or the engine cannot decide: another way in


class FaceVerdict(Message):
    """The end of one face check. `reason` is a code of spike-face 4 (NO_MATCH, STEP_TIMEOUT …), empty on accept."""

    decision: FaceDecision
    reason: str = ""
    distance: float | None = Field(default=None, description="smaller is more alike; two decimals")
    accept_at: float
    retry_at: float
    engine: str
    model_sha256: str
    attempts: int
    milliseconds: dict[str, int] = Field(default={}, description="capture, detect, encode, decide, head_turn")


class FaceProgress(Message):
    """What the citizen should do now. `prompt` is a reason code or a prompt word (LOOK_STRAIGHT, TURN_LEFT …)."""

    phase: Literal["position", "neutral", "turn", "return", "decide"]
    prompt: str
    step: int = 0
    steps: int = 0


class Preview(Message):
    """A small mirror picture for the screen: width × height RGB888 rows without padding."""

    width: int
    height: int
    rgb: bytes = Field(repr=False)

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


# --- printing (device-classes C.4, C.5) ----------------------------------------------------------------------------


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"


class TextLine(Message):
    kind: Literal["text"] = "text"
    text: str = Field(repr=False)
    align: Align = Align.LEFT
    scale: Literal[1, 2] = 1
    bold: bool = False


class PairLine(Message):
    """A label at the left and its value at the right; wraps when both do not fit."""

    kind: Literal["pair"] = "pair"
    label: str
    value: str = Field(repr=False)


class RuleLine(Message):
    kind: Literal["rule"] = "rule"


class SpaceLine(Message):
    kind: Literal["space"] = "space"
    millimetres: int = 3


class QrLine(Message):
    kind: Literal["qr"] = "qr"
    content: str = Field(repr=False)
    caption: str = ""


Line = Annotated[TextLine | PairLine | RuleLine | SpaceLine | QrLine, Field(discriminator="kind")]


class PrintJob(Message):
    """A receipt, independent of the printer. `job_id` is the caller's, kept on disk: the same id never prints twice."""

    job_id: str
    lines: tuple[Line, ...]


class DocumentJob(Message):
    """A sealed PDF to print on A4. The driver refuses bytes whose SHA-256 is not the one stated."""

    job_id: str
    title: str = Field(default="document", description="shown in the printer's queue: never a personal value")
    pdf: bytes = Field(repr=False)
    sha256: str
    copies: int = 1
    two_sided: bool = False

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class PrintOutcome(StrEnum):
    PRINTED = "printed"  # the printer said so
    FAILED = "failed"  # nothing came out
    UNCERTAIN = "uncertain"  # it may have: reconcile with find_job, never repeat


class PrintResult(Message):
    job_id: str
    outcome: PrintOutcome
    reason: str = Field(default="", description="error code of the class when not printed, for example paper_out")
    pages_printed: int | None = None
    printer_job_id: str | None = Field(
        default=None, description="the printer's own number of the job, to ask for later"
    )


# --- documents before a camera (device-classes C.6) ----------------------------------------------------------------


class ScannedPage(Message):
    """One captured page. `jpeg` is personal: it lives in memory until handed on, and is never written in clear."""

    jpeg: bytes = Field(repr=False)
    width_px: int
    height_px: int
    sharpness: float
    sha256: str

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
