"""What every way in shares: the visit learns who the citizen is, and authorities are asked in its name."""

from __future__ import annotations

import datetime as dt
import uuid

from drivers.messages import DeviceClass
from kiosk.contracts.matter import Assurance
from kiosk.contracts.value import CITY_TIME
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
