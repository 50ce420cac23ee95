"""What every way in shares: the visit learns who the citizen is, and authorities are asked in its name."""

from __future__ import annotations

import datetime as dt
import uuid

from drivers.messages import CardType, DeviceClass, IdCard
from kiosk.contracts.errors import FaultCode
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import CITY_TIME, is_identity_number
from kiosk.flow.session import StepFailed
from kiosk.flow.transaction import Transaction


def signed_in(transaction: Transaction, way: str, assurance: Assurance) -> None:
    identity = transaction.session.identity
    identity.way, identity.assurance = way, assurance
    transaction.journal("signed_in", way=way, assurance=assurance)


def today(transaction: Transaction) -> dt.date:
    return transaction.equipment.now().astimezone(CITY_TIME).date()


def serves(transaction: Transaction, device_class: DeviceClass) -> bool:
    return transaction.equipment.devices.is_fit(device_class)


async def call(transaction: Transaction, operation: str, payload: dict[str, object]) -> dict[str, object]:
    """The authority's answer. Raises `Refused` and what else `AuthorityServices.call` raises."""
    answer = await transaction.equipment.services.call(
        operation,
        payload,
        request_id=uuid.uuid4().hex,
        transaction_number=transaction.number,
        matter=transaction.matter.id,
        purpose="sign_in",
    )
    return answer.data


def person_named(said: dict[str, object], now: dt.date) -> IdCard:
    """Whom the platform named. Raises StepFailed when that is no person with a number that checks."""
    name, number = str(said.get("name") or ""), str(said.get("id_number") or "")
    if not name or not is_identity_number(number, now):
        raise StepFailed(FaultCode.AUTHORITY_GARBLED, "the identity platform named nobody")
    return IdCard(
        card_type=CardType.RESIDENT,
        name=name,
        id_number=number,
        sex="1" if int(number[16]) % 2 else "2",
        birth_date=dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14])),
        address=str(said["address"]) if said.get("address") else None,
    )
