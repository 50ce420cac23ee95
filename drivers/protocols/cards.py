"""Readers and writers of cards (device-classes C.1, C.2; domain.md sections 1 and 3)."""

from __future__ import annotations

from typing import Protocol

from drivers.messages import (
    BankCard,
    ChipCard,
    IdCard,
    PinResult,
    RecordWrite,
    RewritableCard,
    RewriteJob,
    RewriteResult,
    SocialSecurityCard,
    WriteResult,
)
from drivers.protocols.common import Device


class IdCardReader(Device, Protocol):
    """Resident identity card reader (domain.md section 1; device-classes C.1)."""

    async def read(self, *, timeout_seconds: float = 15.0, want_photo: bool = True) -> IdCard:
        """Wait for a card and read it.

        Raises `CommandTimedOut` when none came, `MediaError` when it could not be read (reason `read_failed`,
        `moved_too_soon`, `sam_auth_failed`, `wrong_card_type` …), `HardwareFault` when the module refuses work.
        """
        ...

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        """Return when no card lies on the reader (three misses in a row)."""
        ...

    async def decode_photo(self, photo: bytes) -> bytes | None:
        """The portrait as a PNG, or None when no decoder for this form is configured (domain.md 1.8)."""
        ...


class SmartCardReader(Device, Protocol):
    """Social-security and other chip cards (device-classes C.2; domain.md 3.2)."""

    async def wait_card(self, *, timeout_seconds: float = 30.0) -> ChipCard:
        """Return when a chip answers. Raises `CommandTimedOut`, `MediaError` (`power_failed`, `protocol_error`)."""
        ...

    async def read_profile(self, *, timeout_seconds: float = 10.0) -> SocialSecurityCard:
        """EF05 and EF06 by the record plan of the card's own specification.

        Raises `MediaError` (`no_card`, `wrong_card_type`, `pin_needed`, `read_failed`, `removed`).
        """
        ...

    async def read_bank_card(self, *, timeout_seconds: float = 10.0) -> BankCard:
        """Number and expiry of the bank's application. Only after the citizen has agreed (domain.md 3.2).

        Raises `MediaError` (`no_card`, `no_bank_application`, `bank_application_blocked`, `read_failed`, `removed`).
        """
        ...

    async def verify_pin(self, pin: str, *, last_try: bool = False, timeout_seconds: float = 10.0) -> PinResult:
        """Six digits the citizen has just entered. Never tried with a default, never tried again by itself.

        Raises `ConsentRequired` (`pin_last_try`) without having tried when a wrong PIN would lock the card: only a
        citizen who has been told so, and wants it, is tried again, with `last_try`.
        """
        ...

    async def write_record(self, write: RecordWrite, *, timeout_seconds: float = 10.0) -> WriteResult:
        """Write one record and read it back. A card pulled in the write gives `uncertain`.

        Reasons of `failed`: `removed`, `other_card`, `precondition_failed`, `auth_needed`, `reconcile_first` …
        """
        ...

    async def find_write(self, write: RecordWrite, *, timeout_seconds: float = 10.0) -> WriteResult:
        """What became of an uncertain write, read from the same card laid in again; changes nothing.

        Another card leaves it `uncertain` (`other_card`). Raises `MediaError` when the card cannot be read.
        """
        ...

    async def transmit(self, apdu: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """One APDU and its whole answer with status word; 61xx and 6Cxx are followed. Never logged.

        Raises `Unsupported` for what would cost a try of the PIN or write behind `write_record`.
        """
        ...

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None:
        """Return when the card is gone (three misses in a row)."""
        ...


class CardRewriter(Device, Protocol):
    """Writes a permit's chip, reads it back, erases its print and prints it anew (domain.md 3.4).

    The chip is written once per job, whatever happens: a failure after the write ends as `print_pending`.
    """

    async def read_card(self, *, timeout_seconds: float = 30.0) -> RewritableCard:
        """Wait for a card and read its chip. Raises `CommandTimedOut`, `MediaError`."""
        ...

    async def rewrite(self, job: RewriteJob, *, timeout_seconds: float = 60.0) -> RewriteResult:
        """The whole saga: compare, write, read back, erase, print. The same job again continues where it ended."""
        ...

    async def find_rewrite(self, job: RewriteJob, *, timeout_seconds: float = 30.0) -> RewriteResult:
        """What became of a job, read from the card's chip. Changes nothing.

        `uncertain` remains only while the card itself cannot be asked (`no_card`, `wrong_card`, a unit out of order).
        """
        ...

    async def eject(self, *, timeout_seconds: float = 10.0) -> None:
        """Hand the card back. Raises `NeedsAttention` (`card_jammed`)."""
        ...

    async def retain(self, *, timeout_seconds: float = 10.0) -> None:
        """Take in a card nobody took, for staff to return. Raises `NeedsAttention` (`retain_bin_full`)."""
        ...

    async def wait_removal(self, *, timeout_seconds: float = 30.0) -> None: ...
