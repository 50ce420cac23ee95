"""What the flow works with: the machine's parts, handed over by kiosk.__main__."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from drivers.messages import DeviceClass, Fault
from drivers.protocols import (
    CardRewriter,
    CodeScanner,
    DocumentPrinter,
    DocumentScanner,
    FaceCheck,
    IdCardReader,
    PaymentTerminal,
    ReceiptPrinter,
    SignaturePad,
    SmartCardReader,
)
from kiosk.contracts.confirmations import ClerkWord, Confirmation, ConfirmationRequest
from kiosk.contracts.events import Disposition, Recorded
from kiosk.contracts.fleet import ServiceAnswer
from kiosk.contracts.handover import FromPhone, Slip, SlipRequest, SlipStanding
from kiosk.contracts.listing import Listed
from kiosk.contracts.matter import Matter
from kiosk.machine.money.till import GivenBack, Standing, Till

__all__ = [
    "AuthorityServices", "ConfirmationsInUse", "DevicesInUse", "Equipment", "GivenBack", "HandOverInUse",
    "JournalInUse", "MatterLibrary", "Outages", "PaymentsInUse", "SignInRules", "Standing", "Till", "TimeOuts",
]  # fmt: skip


class DevicesInUse(Protocol):
    """The part of `kiosk.machine.devices.Devices` the flow uses."""

    @property
    def card_reader(self) -> IdCardReader | None: ...
    @property
    def face_check(self) -> FaceCheck | None: ...
    @property
    def receipt_printer(self) -> ReceiptPrinter | None: ...
    @property
    def document_printer(self) -> DocumentPrinter | None: ...
    @property
    def document_scanner(self) -> DocumentScanner | None: ...
    @property
    def signature_pad(self) -> SignaturePad | None: ...
    @property
    def payment_terminal(self) -> PaymentTerminal | None: ...
    @property
    def code_scanner(self) -> CodeScanner | None: ...
    @property
    def card_rewriter(self) -> CardRewriter | None: ...
    @property
    def smart_card_reader(self) -> SmartCardReader | None: ...

    def is_fit(self, device_class: DeviceClass) -> bool: ...

    def faults_of(self, device_class: DeviceClass) -> tuple[Fault, ...]: ...

    async def wipe(self) -> None: ...


class JournalInUse(Protocol):
    """The part of `kiosk.machine.journal.Journal` the flow uses."""

    def append(self, event: str, /, *, transaction_number: str | None = None, **data: Any) -> Recorded: ...

    def begin_effect(
        self, effect_id: str, event: str, /, *, transaction_number: str | None = None, **data: Any
    ) -> Recorded: ...

    def end_effect(
        self,
        effect_id: str,
        event: str,
        /,
        *,
        disposition: Disposition,
        transaction_number: str | None = None,
        **data: Any,
    ) -> Recorded: ...

    def settle_effect(
        self,
        effect_id: str,
        event: str,
        /,
        *,
        disposition: Disposition,
        transaction_number: str | None = None,
        **data: Any,
    ) -> Recorded: ...


class AuthorityServices(Protocol):
    """The part of `kiosk.machine.services.Services` the flow uses."""

    async def call(
        self,
        operation: str,
        payload: dict[str, Any],
        *,
        request_id: str,
        transaction_number: str | None = None,
        matter: str | None = None,
        purpose: str = "",
        timeout_seconds: float = 20.0,
    ) -> ServiceAnswer: ...

    async def document(self, document_id: str) -> bytes: ...


class PaymentsInUse(Protocol):
    """The part of `kiosk.machine.money.payments.Payments` the flow uses."""

    async def channels(self) -> frozenset[str]: ...

    def till(self, channel: str) -> Till: ...

    def settle_soon(self) -> None: ...


class HandOverInUse(Protocol):
    """The part of `kiosk.machine.fleet.handover.HandOver` the flow uses."""

    def was_hinted(self) -> bool: ...

    async def offer(self, wanted: SlipRequest) -> Slip: ...

    async def standing(self, slip: Slip) -> SlipStanding | None: ...

    async def take(self, slip: Slip, wanted: SlipRequest) -> FromPhone: ...

    def end_soon(self, slip: Slip) -> None: ...


class ConfirmationsInUse(Protocol):
    """`kiosk.machine.fleet.confirmations.Confirmations`: a clerk vouches, and a second person."""

    @property
    def is_online(self) -> bool: ...

    async def ask(self, confirmation_id: str, request: ConfirmationRequest) -> Confirmation: ...

    async def second(self, confirmation_id: str, word: ClerkWord) -> Confirmation: ...

    async def look(self, confirmation_id: str) -> Confirmation: ...

    async def withdraw(self, confirmation_id: str) -> Confirmation: ...


class MatterLibrary(Protocol):
    """The part of `kiosk.machine.library.Library` the flow uses: all as listed, one whole when it is opened."""

    @property
    def bundle_hash(self) -> str | None: ...

    def matters(self) -> Sequence[Listed]: ...

    def matter(self, matter_id: str) -> Matter | None: ...


class Outages:
    """What the last calls said of the authorities: those that did not answer, for a while. Nothing personal."""

    REMEMBERED = dt.timedelta(minutes=10)

    def __init__(self) -> None:
        self._failed: dict[str, dt.datetime] = {}

    def heard(self, operation: str, at: dt.datetime, *, answered: bool) -> None:
        """Whether an operation's authority answered at all, yes or no."""
        if answered:
            self._failed.pop(_authority(operation), None)
        else:
            self._failed[_authority(operation)] = at

    def is_quiet(self, operation: str, at: dt.datetime) -> bool:
        failed = self._failed.get(_authority(operation))
        return failed is not None and at - failed < self.REMEMBERED


def _authority(operation: str) -> str:
    """Operations are named by what keeps them: social_insurance.certificate, social_insurance.rights_record."""
    return operation.split(".", 1)[0]


@dataclass(frozen=True)
class SignInRules:
    """Which ways in this machine offers, and how its face check runs."""

    allow_face: bool = True
    allow_code: bool = True
    allow_clerk: bool = False
    allow_bank_card: bool = True
    head_turn: bool = True


@dataclass(frozen=True)
class TimeOuts:
    """Seconds; all are doubled in elder mode (DESIGN 3)."""

    idle_seconds: float = 60.0
    warn_seconds: float = 25.0
    card_seconds: float = 45.0


@dataclass(frozen=True)
class Equipment:
    """Everything the flow touches beyond itself."""

    devices: DevicesInUse
    journal: JournalInUse
    services: AuthorityServices
    library: MatterLibrary
    verify_seal: Callable[[bytes], str]
    """Returns the SHA-256 of a sealed PDF, or raises SealRejected."""
    render_page: Callable[[bytes], bytes]
    """First page of a PDF as PNG."""
    sweep_memory: Callable[[], None]
    now: Callable[[], dt.datetime]
    terminal: str
    site: str
    sign_in: SignInRules = SignInRules()
    time_outs: TimeOuts = TimeOuts()
    outages: Outages = field(default_factory=Outages)
    payments: PaymentsInUse | None = None
    """None: this machine takes no money."""
    confirmations: ConfirmationsInUse | None = None
    """None: no clerk vouches here."""
    hand_over: HandOverInUse | None = None
    """None: nothing is taken from citizens' phones here."""
