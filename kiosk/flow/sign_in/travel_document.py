"""A travel permit of Hong Kong, Macao or Taiwan residents, or a foreign passport, by its machine-readable zone.

Anybody can print a zone: the identity platform must have the document on record with this number, birth date and
expiry, and even then the visit only knows who it claims to be. A code to the registered phone, or the face against the
platform's picture, does the rest. The scanner's picture does not leave the scanner's process.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import uuid

from drivers.errors import CommandTimedOut, DeviceError, MediaError
from drivers.messages import CardType, DeviceClass, IdCard, MachineReadableZone
from kiosk.contracts.errors import FaultCode, Refused
from kiosk.contracts.value import LocalizedText, masked_name, masked_number
from kiosk.flow.screens import Chosen, InstructScreen, Place, ReviewScreen
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in.common import call, today
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import fault_code_of, sentence_of, word

CONSENT_VERSION = "2026-01-01"
CHINA = "CHN"
PERMIT_CODES = frozenset({"CR", "CT"})
LONGEST_VALIDITY_YEARS = 50
"""A year that would be farther ahead is one of the last century."""
ASKED = {"document_code", "issuer", "number", "birth", "expiry"}
FINAL = frozenset({"document_lost", "document_expired"})


async def by_travel_document(transaction: Transaction) -> None:
    """Return with the card and the picture of whom the platform named, and no assurance. A zone that is not read, or
    not on record, is asked for again with the reason. Raises StepFailed or SteppedBack."""
    await _consent(transaction)
    hint = word("lay_document_hint")
    while True:
        zone_or_hint = await _zone(transaction, hint)
        if isinstance(zone_or_hint, LocalizedText):
            hint = zone_or_hint
            continue
        zone = zone_or_hint
        card_type = _fit(transaction, zone)
        transaction.working("checking_document")
        try:
            said = await call(transaction, "identity.travel_document", zone.model_dump(include=ASKED))
        except Refused as refusal:
            transaction.journal(
                "travel_document_checked", decision="refused", reason=refusal.reason, card_type=card_type
            )
            told = getattr(refusal, "told", None)
            if refusal.reason in FINAL:
                raise StepFailed(FaultCode.CARD_NOT_ACCEPTED, refusal.reason, told=told) from refusal
            hint = told or word("lay_document_again")
            continue
        return _known(transaction, _person(said, zone, card_type), said)


async def _consent(transaction: Transaction) -> None:
    answer = await transaction.session.ask(
        ReviewScreen(
            **transaction.frame(
                title=word("document_consent_title"),
                say=word("document_consent_say"),
                primary=option("agree", "agree"),
                alternatives=(option("decline", "document_decline"),),
            ),
            text=word("document_consent_text"),
        )
    )
    if not isinstance(answer, Chosen) or answer.option != "agree":
        transaction.journal("consent_declined", subject="travel_document", text_version=CONSENT_VERSION)
        raise SteppedBack
    transaction.journal(
        "consent_given", subject="travel_document", text_version=CONSENT_VERSION, consent_id=uuid.uuid4().hex
    )


async def _zone(transaction: Transaction, hint: LocalizedText) -> MachineReadableZone | LocalizedText:
    """What was read once the citizen said that it lies there; or why it was not."""
    frame = transaction.frame(
        title=word("way_travel_document"),
        say=word("lay_document"),
        place=Place.DOCUMENT_CAMERA,
        primary=option("read", "read_document"),
    )
    await transaction.session.ask(InstructScreen(**frame, hint=hint))
    try:
        return await transaction.with_device(DeviceClass.DOCUMENT_SCANNER, lambda: _read(transaction))
    except CommandTimedOut:
        return word("lay_document_again")
    except MediaError as error:
        transaction.journal("card_failed", reason=error.reason)
        return sentence_of(DeviceClass.DOCUMENT_SCANNER, error) or word("lay_document_again")
    except DeviceError as error:
        raise StepFailed(fault_code_of(DeviceClass.DOCUMENT_SCANNER), str(error)) from error


async def _read(transaction: Transaction) -> MachineReadableZone:
    scanner = transaction.equipment.devices.document_scanner
    if scanner is None:
        raise StepFailed(FaultCode.DEVICE_DOWN, "no document scanner is configured", can_retry=False)
    transaction.working("reading_document")
    return await scanner.read_zone()


def _fit(transaction: Transaction, zone: MachineReadableZone) -> CardType:
    """The kind of document. Raises StepFailed for another kind, and for one whose period of validity is over."""
    if zone.issuer == CHINA and zone.document_code in PERMIT_CODES:
        card_type = CardType.TRAVEL_PERMIT
    elif zone.issuer != CHINA and zone.document_code.startswith("P"):
        card_type = CardType.PASSPORT
    else:
        raise StepFailed(FaultCode.CARD_NOT_ACCEPTED, "another kind of document", told=word("document_other"))
    now = today(transaction)
    expiry = _expiry(zone.expiry, now)
    if expiry is None or expiry < now:
        raise StepFailed(FaultCode.CARD_EXPIRED, "the period of validity is over", told=word("document_expired"))
    return card_type


def _expiry(printed: str, now: dt.date) -> dt.date | None:
    """The last day, from YYMMDD; None when the calendar has no such day."""
    year = now.year - now.year % 100 + int(printed[:2])
    if year > now.year + LONGEST_VALIDITY_YEARS:
        year -= 100
    try:
        return dt.date(year, int(printed[2:4]), int(printed[4:]))
    except ValueError:
        return None


def _person(said: dict[str, object], zone: MachineReadableZone, card_type: CardType) -> IdCard:
    """Whom the platform named. Raises StepFailed when that is nobody, or somebody born on another day."""
    name, number = str(said.get("name") or ""), str(said.get("id_number") or "")
    try:
        birth = dt.date.fromisoformat(str(said.get("birth_date")))
    except ValueError:
        birth = None
    if not name or not number or birth is None or not _agrees(birth, zone.birth):
        raise StepFailed(FaultCode.AUTHORITY_GARBLED, "the identity platform named nobody, or somebody else")
    return IdCard(
        card_type=card_type,
        name=name,
        name_latin=f"{zone.surname}, {zone.given_names}".rstrip(", "),
        sex=str(said["sex"]) if said.get("sex") else None,
        birth_date=birth,
        address=str(said["address"]) if said.get("address") else None,
        id_number=number,
        permit_number=zone.number,
        country=zone.nationality or None,
    )


def _agrees(birth: dt.date, printed: str) -> bool:
    """Parts of the date that the document does not know are fillers."""
    return all(known in ("<", said) for known, said in zip(printed, birth.strftime("%y%m%d"), strict=True))


def _known(transaction: Transaction, card: IdCard, said: dict[str, object]) -> None:
    identity = transaction.session.identity
    identity.card = card
    try:
        identity.portrait_png = base64.b64decode(str(said.get("portrait") or ""), validate=True) or None
    except binascii.Error:
        identity.portrait_png = None
    transaction.journal(
        "travel_document_checked",
        decision="accepted",
        card_type=card.card_type,
        name=masked_name(card.name or ""),
        id_number=masked_number(card.permit_number or ""),
    )
