"""The non-tax revenue platform (财政非税): a bill is found by its payment code and paid by a QR of the platform's.

One address, one envelope both ways: app_id, method, timestamp (seconds), nonce, `biz` (JSON text), and `sign`, RSA2
over the sorted `key=value` text of the others. An answer repeats the nonce it answers. Amounts are yuan, two decimals.
The platform's own interface differs from province to province: what differs is in this file alone.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from fleet_server.payments.providers import daily_files
from fleet_server.payments.providers.accounts import NonTaxAccount
from fleet_server.payments.providers.protocol import (
    Asked,
    BillRow,
    Given,
    Giving,
    Notice,
    Paid,
    Refused,
    Standing,
    StandingState,
    Unreachable,
    Untrusted,
    fen_of,
    yuan_of,
)
from fleet_server.payments.providers.signatures import is_signed, joined, signed
from fleet_server.payments.providers.wire import Merchant

WINDOW_SECONDS: Final = 300
OK: Final = "0000"
STANDINGS: Final[dict[str, StandingState]] = {"0": "waiting", "1": "paid", "2": "closed", "3": "paying"}
REASONS: Final = {"1001": "bill_unknown", "1002": "bill_paid", "1003": "amount_mismatch", "1004": "bill_expired"}
UNKNOWN: Final = "2001"
NEVER: Final = ("2001", "3001", "3002")
"""Refund refusals that stay refusals however often one asks: no such payment, not paid, more than was paid."""


class NonTax(Merchant):
    """Implements `Provider`. A code scanned from the citizen cannot be charged here."""

    channel = "non_tax"

    def __init__(self, account: NonTaxAccount) -> None:
        super().__init__(account, "the non-tax platform")
        self._own = account

    async def open(self, asked: Asked) -> str:
        await self._bill_fits(asked)
        content = {
            "order_no": asked.number, "payment_code": asked.bill, "amount": yuan_of(asked.amount_fen),
            "expire_time": int(asked.expires_at.timestamp()), "notify_url": asked.notify_url,
        }  # fmt: skip
        said = await self._ask("pay.create", content)
        if said["code"] != OK:
            raise Refused(REASONS.get(said["code"], "provider_refused"), said["code"])
        if said.get("order_no") != asked.number or not said.get("qr"):
            raise Unreachable("garbled", "the non-tax platform gave no code for this order")
        return str(said["qr"])

    async def pay(self, asked: Asked) -> Standing:
        raise Refused("not_offered")

    async def query(self, number: str, reference: str = "") -> Standing:
        said = await self._ask("pay.query", {"serial_no": reference} if reference else {"order_no": number})
        if said["code"] == UNKNOWN:
            return Standing("unknown")
        state = STANDINGS.get(str(said.get("pay_state")))
        if said["code"] != OK or state is None or said.get("order_no") != number:
            raise Unreachable("garbled", "the non-tax platform answered about something else")
        return Standing(state, self._paid(said) if state == "paid" else None)

    async def close(self, number: str, *, scanned: bool = False) -> Standing:
        said = await self._ask("pay.close", {"order_no": number})
        return Standing("closed") if said["code"] in (OK, UNKNOWN) else await self.query(number)

    async def refund(self, giving: Giving) -> Given:
        content = {
            "refund_no": giving.number, "order_no": giving.order_number, "serial_no": giving.reference,
            "amount": yuan_of(giving.amount_fen), "reason": giving.reason,
        }  # fmt: skip
        said = await self._ask("refund.apply", content)
        if said["code"] in NEVER:
            raise Refused("provider_refused", said["code"])
        return Given("succeeded" if said["code"] == OK and said.get("refund_state") == "1" else "pending")

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        try:
            envelope = json.loads(body)
            biz = self._opened(envelope)
        except (ValueError, TypeError, AttributeError, Unreachable) as error:
            raise Untrusted("the signature does not verify") from error
        if envelope.get("app_id") != self._own.app_id or biz.get("agency_code") != self._own.agency:
            raise Untrusted("the notice is for another agency")
        if abs(int(envelope["timestamp"]) - time.time()) > WINDOW_SECONDS:
            raise Untrusted("the notice is not of now")
        if envelope.get("method") != "pay.notify" or str(biz.get("pay_state")) != "1":
            return None
        try:
            return Notice(str(biz["order_no"]), self._paid(biz))
        except (KeyError, Unreachable) as error:
            raise Untrusted("the notice lacks what a payment has") from error

    def thank(self) -> tuple[int, str, str]:
        return 200, '{"code":"0000"}', "application/json"

    async def daily_file(self, day: dt.date) -> tuple[bytes, tuple[BillRow, ...]]:
        said = await self._ask("file.check", {"date": f"{day:%Y%m%d}"})
        if said["code"] != OK:
            raise Refused("not_ready", said["code"])
        content = str(said.get("content", "")).encode()
        return content, daily_files.read_non_tax(content)

    async def _bill_fits(self, asked: Asked) -> None:
        """Raises `Refused` when the bill is not there, not open, somebody else's or of another amount."""
        bill = await self._ask("bill.query", {"payment_code": asked.bill})
        if bill["code"] != OK:
            raise Refused(REASONS.get(bill["code"], "provider_refused"), bill["code"])
        if bill.get("payment_code") != asked.bill or bill.get("agency_code") != self._own.agency:
            raise Refused("bill_unknown")
        if str(bill.get("bill_state")) == "1":
            raise Refused("bill_paid")
        if bill.get("amount") != yuan_of(asked.amount_fen):
            raise Refused("amount_mismatch")

    def _paid(self, said: Mapping[str, Any]) -> Paid:
        if said.get("agency_code") != self._own.agency:
            raise Unreachable("garbled", "the non-tax platform answered about another agency")
        try:
            return Paid(
                reference=str(said["serial_no"]), amount_fen=fen_of(str(said["amount"])),
                currency=str(said.get("currency", "CNY")),
                paid_at=dt.datetime.fromtimestamp(int(said["pay_time"]), dt.UTC),
            )  # fmt: skip
        except (KeyError, ValueError, TypeError) as error:
            raise Unreachable("garbled", "the non-tax platform's answer lacks what a payment has") from error

    async def _ask(self, method: str, content: dict[str, Any]) -> dict[str, Any]:
        nonce = secrets.token_hex(16)
        envelope = {
            "app_id": self._own.app_id, "method": method, "timestamp": str(int(time.time())), "nonce": nonce,
            "biz": json.dumps(content | {"agency_code": self._own.agency}, ensure_ascii=False),
        }  # fmt: skip
        envelope["sign"] = signed(self._key, joined(envelope))
        body = json.dumps(envelope, ensure_ascii=False).encode()
        reply = await self.line.call("POST", self._own.gateway, body, {"content-type": "application/json"})
        with self.line.judging():
            return self._believed(reply.content, nonce)

    def _believed(self, content: bytes, nonce: str) -> dict[str, Any]:
        try:
            answer = json.loads(content)
            said = self._opened(answer)
        except (ValueError, TypeError, AttributeError) as error:
            raise Unreachable("garbled", "the non-tax platform's answer cannot be read") from error
        if answer.get("nonce") != nonce or "code" not in said:
            raise Unreachable("untrusted", "the non-tax platform answered something else")
        return said | {"code": str(said["code"])}

    def _opened(self, envelope: Mapping[str, Any]) -> dict[str, Any]:
        stated = {key: value for key, value in envelope.items() if isinstance(value, str)}
        if not is_signed(self._theirs, joined(stated), stated.get("sign", "")):
            raise Unreachable("untrusted", "the signature of the non-tax platform does not verify")
        biz = json.loads(stated["biz"])
        if not isinstance(biz, dict) or not stated.get("timestamp", "").isdigit():
            raise Unreachable("garbled", "the non-tax platform's answer is no object")
        return biz
