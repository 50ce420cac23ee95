"""Know who stands there, one way of several; one sign-in serves the whole visit.

| way | what is shown | assurance |
|---|---|---|
| `face` | identity card and face | card_person |
| `code` | identity card and a one-time code to the registered phone | card_person |
| `bank_card` | bank card with the identity card or its number, and the code to the bank's phone | card_person |
| `clerk` | identity card, and a clerk of the shop and a second person vouch (two-person control) | card_person |
| `app_code` | the code of the provincial app (闽政通), which has recognised its user | card_person |
| `social_card` | social-security card and its PIN | card_person |
| `travel_document` | the zone of a travel permit or passport, and then one of the first ways | card_person |

An identity card is a resident's, a residence permit of Hong Kong, Macao or Taiwan, or a foreigner's permanent one. Face
is never the only way, is asked for with a separate consent, and is not offered to children under fourteen (DESIGN 4;
domain.md 6.6).
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.errors import DeviceError
from drivers.messages import CardType, DeviceClass
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import Assurance
from kiosk.flow.screens import ChooseScreen, Chosen, Option
from kiosk.flow.session import StepFailed, SteppedBack
from kiosk.flow.sign_in import clerk, face
from kiosk.flow.sign_in.app_code import by_app_code
from kiosk.flow.sign_in.bank_card import by_bank_card
from kiosk.flow.sign_in.common import serves
from kiosk.flow.sign_in.identity_card import read_card
from kiosk.flow.sign_in.phone_code import by_code
from kiosk.flow.sign_in.social_card import by_social_card
from kiosk.flow.sign_in.travel_document import by_travel_document
from kiosk.flow.transaction import Transaction, option
from kiosk.flow.words import word

__all__ = ["sign_in"]

TRAVEL_DOCUMENTS = frozenset({CardType.TRAVEL_PERMIT, CardType.PASSPORT})
CONFIRMING = {"face": face.by_face, "code": by_code, "bank_card": by_bank_card, "clerk": clerk.by_clerk}
INSTEAD = {
    "app_code": by_app_code,
    "social_card": by_social_card,
    "travel_document": by_travel_document,
    "bank_card": by_bank_card,
}


async def sign_in(transaction: Transaction, needed: Assurance) -> None:
    """Return when this visit knows the citizen to the needed assurance. Raises StepFailed or SteppedBack."""
    identity = transaction.session.identity
    while identity.card is None:
        await _learn_who(transaction)
    while not identity.satisfies(needed):
        say = "choose_way_document" if identity.card.card_type in TRAVEL_DOCUMENTS else "choose_way"
        way = await _choose(transaction, "choose_way_title", say, _ways_to_confirm(transaction))
        try:
            await CONFIRMING[way](transaction)
        except SteppedBack:
            continue
    transaction.values.put_card(identity.card)


async def _learn_who(transaction: Transaction) -> None:
    """The identity card, or what takes its place; with no reader that works, at once what takes its place."""
    others = _ways_without_card(transaction, unable=await _unable(transaction))
    possible = any(way.enabled for way in others)
    if serves(transaction, DeviceClass.ID_CARD_READER) or not possible:
        if await read_card(transaction, others=possible):
            return
        try:
            way = await _choose(transaction, "without_card_title", "without_card_say", others)
        except SteppedBack:
            return
    else:
        way = await _choose(transaction, "without_card_title", "reader_down_say", others)
    try:
        await INSTEAD[way](transaction)
    except SteppedBack:
        return


def _ways_to_confirm(transaction: Transaction) -> tuple[Option, ...]:
    rules = transaction.equipment.sign_in
    options = []
    if rules.allow_face:
        reason = face.hindrance(transaction)
        options.append(option("face", "way_face", icon="face", enabled=not reason, detail=reason or "way_face_detail"))
    if rules.allow_code:
        options.append(option("code", "way_code", icon="phone", detail="way_code_detail"))
    options += [way for way in _ways_without_card(transaction) if way.id == "bank_card"]
    if rules.allow_clerk:
        reason = clerk.hindrance(transaction)
        detail = reason or "way_clerk_detail"
        options.append(option("clerk", "way_clerk", icon="person", enabled=not reason, detail=detail))
    return tuple(options)


async def _unable(transaction: Transaction) -> dict[str, str]:
    """Way → the word that says why this machine's device, fit as it is, cannot serve it."""
    scanner = transaction.equipment.devices.document_scanner
    if scanner is None or not serves(transaction, DeviceClass.DOCUMENT_SCANNER):
        return {}
    try:
        can = (await scanner.capabilities()).features
    except DeviceError:
        return {"travel_document": "way_device_down"}
    return {} if "reads_zone" in can else {"travel_document": "way_scanner_reads_no_zone"}


def _ways_without_card(transaction: Transaction, *, unable: Mapping[str, str] | None = None) -> tuple[Option, ...]:
    """Only what this machine has; greyed while its device does not serve, or cannot serve this way (`unable`)."""
    devices = transaction.equipment.devices
    for_bank_cards = devices.smart_card_reader if transaction.equipment.sign_in.allow_bank_card else None
    known = (
        ("app_code", "phone", devices.code_scanner, DeviceClass.CODE_SCANNER),
        ("social_card", "card", devices.smart_card_reader, DeviceClass.SMART_CARD_READER),
        ("travel_document", "travel", devices.document_scanner, DeviceClass.DOCUMENT_SCANNER),
        ("bank_card", "money", for_bank_cards, DeviceClass.SMART_CARD_READER),
    )
    options = []
    for way, icon, device, device_class in known:
        if device is not None:
            reason = (unable or {}).get(way, "" if serves(transaction, device_class) else "way_device_down")
            detail = reason or f"way_{way}_detail"
            options.append(option(way, f"way_{way}", icon=icon, enabled=not reason, detail=detail))
    return tuple(options)


async def _choose(transaction: Transaction, title: str, say: str, ways: tuple[Option, ...]) -> str:
    if not any(way.enabled for way in ways):
        raise StepFailed(FaultCode.DEVICE_DOWN, "no way to sign in serves now")
    screen = ChooseScreen(**transaction.frame(title=word(title), say=word(say)), options=ways)
    while True:
        answer = await transaction.session.ask(screen)
        if isinstance(answer, Chosen) and any(way.id == answer.option and way.enabled for way in ways):
            return answer.option
