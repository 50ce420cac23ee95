"""Ask the certificate library for a certificate of the signed-in citizen, once per transaction."""

from __future__ import annotations

import uuid
from typing import Any

from kiosk.contracts.value import Language
from kiosk.flow.transaction import Transaction


async def find_certificate(transaction: Transaction, type_: str, purpose: str) -> dict[str, Any] | None:
    """The certificate's fields and identifier, also put under `certificate.TYPE`; None when there is none."""
    values = transaction.values
    if values.get(f"certificate.{type_}.identifier"):
        return {"identifier": values.get(f"certificate.{type_}.identifier")}
    answer = await transaction.equipment.services.call(
        "certificates.query",
        {
            "id_number": values.get("card.id_number") or values.get("card.permit_number"),
            "name": values.get("card.name") or values.get("card.name_latin"),
            "type": type_,
            "purpose": purpose,
        },
        request_id=uuid.uuid4().hex,
        transaction_number=transaction.number,
        matter=transaction.matter.id,
        purpose=purpose,
    )
    if not answer.data.get("found"):
        return None
    found: dict[str, Any] = {"identifier": answer.data.get("identifier"), **dict(answer.data.get("fields") or {})}
    values.put(f"certificate.{type_}", found)
    return found


def purpose_of(transaction: Transaction) -> str:
    return transaction.matter.title.in_language(Language.ZH_CN)
