"""From printer-state-reasons (RFC 8011 5.4.12, PWG 5100.9) to parts, faults and a device state (device-classes C.5).

Reasons are matched by their stem: printers disagree about the severity they append. It counts for an empty tray alone.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from drivers.document_printer.ipp_codec import Attributes, number_of, words_of
from drivers.messages import DeviceState, DeviceStatus, Fault, FaultAction

PARTS = ("paper", "toner", "media", "cover", "fuser", "output_bin", "spooler")
UNKNOWN_PARTS = dict.fromkeys(PARTS, "unknown")
STOPPED = 5
PROCESSING = 4
A4_NAMES = ("iso_a4", "iso-a4")
A4_FEED = {"21000", "29700"}
TRAY_WORDS = re.compile(r"(\w+)=([^;]*)")
SEVERITY = re.compile(r"-(report|warning|error)$")

CLEAR, PART, WAIT, SET = FaultAction.CLEAR, FaultAction.MAINTENANCE, FaultAction.WAIT, FaultAction.CONFIGURATION


@dataclass(frozen=True)
class Meaning:
    code: str
    action: FaultAction
    part: str = ""
    state: str = ""
    blocks: bool = True


PAPER_OUT = Meaning("paper_out", CLEAR, "paper", "out")
OFFLINE = Meaning("offline", CLEAR, "spooler", "unreachable")
WRONG_MEDIA = Meaning("wrong_media", CLEAR, "paper", "out")
COVER_OPEN = Meaning("cover_open", CLEAR, "cover", "open")
TONER_OUT = Meaning("toner_out", PART, "toner", "out")
TONER_LOW = Meaning("toner_low", PART, "toner", "low", blocks=False)
HARDWARE = Meaning("hardware_error", PART)
STALLED = Meaning("spooler_stalled", SET, "spooler", "stalled")

PAPER_LOW = Meaning("paper_low", CLEAR, "paper", "low", blocks=False)

MEANINGS: dict[str, Meaning] = {
    "media-jam": Meaning("media_jammed", CLEAR, "paper", "jammed"),
    "media-empty": PAPER_OUT,
    "media-needed": PAPER_OUT,
    "input-tray-missing": PAPER_OUT,
    "cover-open": COVER_OPEN,
    "door-open": COVER_OPEN,
    "interlock-open": COVER_OPEN,
    "toner-empty": TONER_OUT,
    "marker-supply-empty": TONER_OUT,
    "marker-waste-full": Meaning("waste_full", PART),
    "output-area-full": Meaning("output_bin_full", CLEAR, "output_bin", "full"),
    "output-tray-missing": Meaning("output_bin_full", CLEAR, "output_bin", "full"),
    "fuser-over-temp": Meaning("fuser_fault", PART, "fuser", "fault"),
    "fuser-under-temp": Meaning("fuser_warming", WAIT, "fuser", "warming", blocks=False),
    "opc-life-over": HARDWARE,
    "developer-empty": HARDWARE,
    "paused": STALLED,
    "moving-to-paused": STALLED,
    "stopping": STALLED,
    "shutdown": OFFLINE,
    "deactivated": OFFLINE,
    "offline": OFFLINE,
    "timed-out": OFFLINE,
    "media-low": PAPER_LOW,
    "toner-low": TONER_LOW,
    "marker-supply-low": TONER_LOW,
    "marker-waste-almost-full": Meaning("waste_nearly_full", PART, blocks=False),
    "output-area-almost-full": Meaning("output_bin_nearly_full", CLEAR, "output_bin", "high", blocks=False),
    "opc-near-eol": Meaning("drum_near_end", PART, blocks=False),
    "developer-low": Meaning("drum_near_end", PART, blocks=False),
}
"""In order of importance: the first blocking one is the reason a job is refused."""
ORDER = list(MEANINGS)
QUEUE_REASONS = frozenset({"paused", "moving-to-paused", "stopping", "shutdown", "deactivated"})
"""What a print queue says of itself and not of the printer behind it."""
HARMLESS = frozenset({"none", "connecting-to-device", "identify-printer-requested", "resuming", "starting", "other"})


@dataclass(frozen=True)
class PrinterHealth:
    state: DeviceState
    parts: dict[str, str]
    found: tuple[tuple[Meaning, str], ...]

    @property
    def obstacle(self) -> str:
        """The code that forbids printing now; empty when there is none."""
        return next((meaning.code for meaning, _ in self.found if meaning.blocks), "")


def read_health(attributes: Attributes) -> PrinterHealth:
    found: dict[str, tuple[Meaning, str]] = {}
    parts = dict.fromkeys(PARTS, "ok") | {"paper": "full", "toner": "full", "cover": "closed", "media": "unknown"}
    reasons = sorted(words_of(attributes, "printer-state-reasons"), key=_importance)
    for reason in reversed(reasons):
        meaning = _meaning(reason)
        if meaning is PAPER_OUT and _is_of_another_tray(reason, attributes):
            meaning = PAPER_LOW
        if meaning is not None:
            found.pop(meaning.code, None)
            found[meaning.code] = (meaning, reason)
            if meaning.part:
                parts[meaning.part] = meaning.state
    if _refuses(attributes):
        found.setdefault(OFFLINE.code, (OFFLINE, "not-accepting-jobs"))
    if _lacks_a4(attributes):
        found.setdefault(WRONG_MEDIA.code, (WRONG_MEDIA, ",".join(words_of(attributes, "media-ready"))))
        parts["paper"] = "out" if parts["paper"] in ("full", "low") else parts["paper"]
    ordered = tuple(reversed(found.values()))
    return PrinterHealth(_state(attributes, ordered), parts, ordered)


def _refuses(attributes: Attributes) -> bool:
    return any(value.content is False for value in attributes.get("printer-is-accepting-jobs", ()))


def _lacks_a4(attributes: Attributes) -> bool:
    """A printer that says what lies in its trays, and A4 is not there."""
    ready = words_of(attributes, "media-ready")
    return bool(ready) and not any(name.startswith(A4_NAMES) for name in ready)


def _is_of_another_tray(reason: str, attributes: Attributes) -> bool:
    """What a printer that goes on working only reports, while it says that a tray with A4 is not empty."""
    goes_on = reason.endswith("-report") and number_of(attributes, "printer-state") != STOPPED
    return goes_on and any(_holds_a4(value.content) for value in attributes.get("printer-input-tray", ()))


def _holds_a4(tray: object) -> bool:
    """Of `key=value;…` (PWG 5100.13, printer-input-tray): sizes in hundredths of a millimetre, -3 sheets are some."""
    if not isinstance(tray, bytes):
        return False
    said = dict(TRAY_WORDS.findall(tray.decode("ascii", "replace")))
    size = {said.get("mediafeed"), said.get("mediaxfeed")}
    return size == A4_FEED and said.get("level", "").lstrip("0") not in ("", "-1", "-2")


def _stem(reason: str) -> str:
    return SEVERITY.sub("", reason)


def _importance(reason: str) -> int:
    stem = _stem(reason)
    return ORDER.index(stem) if stem in MEANINGS else len(ORDER)


def _meaning(reason: str) -> Meaning | None:
    stem = _stem(reason)
    if stem in MEANINGS:
        return MEANINGS[stem]
    return HARDWARE if stem not in HARMLESS and reason.endswith("-error") else None


def _state(attributes: Attributes, found: tuple[tuple[Meaning, str], ...]) -> DeviceState:
    blocking = [meaning for meaning, _ in found if meaning.blocks]
    if any(meaning.code == "offline" for meaning in blocking):
        return DeviceState.OFFLINE
    if any(meaning.action is PART for meaning in blocking):
        return DeviceState.HARDWARE_ERROR
    state = number_of(attributes, "printer-state")
    if blocking or state == STOPPED:
        return DeviceState.USER_ERROR
    return DeviceState.BUSY if state == PROCESSING else DeviceState.ONLINE


class FaultBook:
    """Remembers since when each fault has been present."""

    def __init__(self) -> None:
        self._since: dict[str, dt.datetime] = {}

    def status(self, health: PrinterHealth) -> DeviceStatus:
        now = dt.datetime.now(dt.UTC)
        self._since = {meaning.code: self._since.get(meaning.code, now) for meaning, _ in health.found}
        faults = tuple(
            Fault(code=meaning.code, action=meaning.action, since=self._since[meaning.code], vendor_code=reason)
            for meaning, reason in health.found
        )
        return DeviceStatus(device=health.state, faults=faults, parts=health.parts)


DISCONNECTED = PrinterHealth(
    DeviceState.OFFLINE, {**UNKNOWN_PARTS, "spooler": "unreachable"}, ((Meaning("disconnected", CLEAR), ""),)
)
MISCONFIGURED = PrinterHealth(
    DeviceState.NO_DEVICE, {**UNKNOWN_PARTS, "spooler": "unreachable"}, ((Meaning("address_invalid", SET), ""),)
)
