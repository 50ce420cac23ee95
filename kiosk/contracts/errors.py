"""Errors of the programs, and the stable codes staff hear on the telephone.

KioskError
  BundleRejected    BadSignature · UnderSigned · Expired · OlderVersion · UnknownKind · Oversized · Malformed
  ServiceFailed     Unreachable · Refused · Garbled
  SealRejected      the document is not what an authority sealed
  JournalBroken     the record does not verify
  JournalFull       nothing may happen that cannot be recorded
  SettingsInvalid
  MatterInvalid     an author's mistake, with path, line and cure
"""

from __future__ import annotations

from enum import StrEnum


class FaultCode(StrEnum):
    """Every failure a citizen can meet. Printed on the screen and spoken on the telephone; never renumbered."""

    CARD_UNREADABLE = "A11"
    CARD_READER_DOWN = "A12"
    CARD_EXPIRED = "A13"
    CARD_NOT_ACCEPTED = "A14"
    FACE_NOT_MATCHED = "B21"
    CAMERA_DOWN = "B22"
    PHONE_CODE_WRONG = "B23"
    PHONE_UNKNOWN = "B24"
    CENTRE_UNREACHABLE = "C31"
    AUTHORITY_DOWN = "C32"
    AUTHORITY_REFUSED = "C33"
    AUTHORITY_GARBLED = "C34"
    SEAL_INVALID = "D41"
    PRINTER_DOWN = "D42"
    PRINT_FAILED = "D43"
    PRINT_UNCERTAIN = "D44"
    RECEIPT_FAILED = "D45"
    CAPTURE_FAILED = "D46"
    NOT_ELIGIBLE = "E51"
    MATERIAL_MISSING = "E52"
    MATTER_UNAVAILABLE = "E53"
    PAYMENT_NOT_MADE = "H81"
    PAYMENT_REFUSED = "H82"
    PAYMENT_UNAVAILABLE = "H83"
    PAYMENT_UNCERTAIN = "H84"
    PAYMENT_RETURNED = "H85"
    CARD_NOT_WRITTEN = "H86"
    CARD_UNCERTAIN = "H87"
    INTERRUPTED = "F61"
    DEVICE_DOWN = "F62"
    INTERNAL = "F69"


class KioskError(Exception):
    """Base of everything the programs raise on purpose."""

    code: FaultCode = FaultCode.INTERNAL


class BundleRejected(KioskError):
    """A bundle or desired state must not be installed. `reason` is a stable word shown on the dashboard."""

    reason = "rejected"


class BadSignature(BundleRejected):
    reason = "bad_signature"


class UnderSigned(BundleRejected):
    reason = "under_signed"


class Expired(BundleRejected):
    reason = "expired"


class OlderVersion(BundleRejected):
    reason = "older_version"


class UnknownKind(BundleRejected):
    reason = "unknown_kind"


class Oversized(BundleRejected):
    reason = "oversized"


class Malformed(BundleRejected):
    reason = "malformed"


class ServiceFailed(KioskError):
    """An authority's service could not be used. `authority` names it in words for staff."""

    code = FaultCode.AUTHORITY_DOWN

    def __init__(self, message: str, *, reason: str = "", authority: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.authority = authority


class Unreachable(ServiceFailed):
    """Not reached, or no answer in time. Whether it was done is unknown when the request had been sent."""

    code = FaultCode.CENTRE_UNREACHABLE


class AuthorityDown(ServiceFailed):
    """The centre answered: the authority behind it does not."""

    code = FaultCode.AUTHORITY_DOWN


class Refused(ServiceFailed):
    """The authority answered no, with its own reason."""

    code = FaultCode.AUTHORITY_REFUSED


class Garbled(ServiceFailed):
    """The authority answered something that does not fit its contract."""

    code = FaultCode.AUTHORITY_GARBLED


class SealRejected(KioskError):
    """The document's seal is missing, broken or unknown: it must not be printed."""

    code = FaultCode.SEAL_INVALID


class JournalBroken(KioskError):
    """The chain does not hold at `sequence`."""

    def __init__(self, message: str, sequence: int) -> None:
        super().__init__(message)
        self.sequence = sequence


class JournalFull(KioskError):
    """No space for the record: nothing may be done that cannot be recorded."""


class SettingsInvalid(KioskError):
    """A settings file is wrong; the message names the key and the cure."""


class MatterInvalid(KioskError):
    """A matter file is wrong: `faults` lists each mistake as (path, line, message with its cure)."""

    def __init__(self, file: str, faults: list[tuple[str, int, str]]) -> None:
        lines = "\n".join(
            f"  {file}:{line}: {path}: {message}".replace(": : ", ": ", 1) for path, line, message in faults
        )
        super().__init__(f"{file}: {len(faults)} mistake(s)\n{lines}")
        self.file = file
        self.faults = faults
