"""The stand-in non-tax platform: one address, signed envelopes both ways (see the centre's own side)."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from fleet_server.payments.providers.protocol import fen_of, yuan_of
from fleet_server.payments.providers.signatures import is_signed, joined, signed
from fleet_server.sandbox.payments import daily_files
from fleet_server.sandbox.payments.clearing import ClearingHouse, Payment, Trade
from fleet_server.sandbox.payments.counter import Counter
from fleet_server.sandbox.payments.keys import NON_TAX_AGENCY, NON_TAX_APP, SOMEBODY_ELSE, Keys

STATE = {"waiting": "0", "paid": "1", "closed": "2", "paying": "3"}

Biz = dict[str, Any]


class NonTaxGate:
    def __init__(self, house: ClearingHouse, keys: Keys, counter: Counter) -> None:
        self.house, self.keys, self.counter = house, keys, counter

    def install(self, app: FastAPI) -> None:
        @app.post("/non_tax/gateway", response_model=None)
        async def gateway(request: Request) -> Response:
            envelope = json.loads(await request.body())
            return await self.counter.serve("non_tax", lambda behave: self._answer(envelope, behave))

    def notice(self, trade: Trade, payment: Payment, behave: str) -> tuple[dict[str, str], bytes]:
        told = self._paid(trade, payment)
        if behave == "other_merchant":
            told["agency_code"] = SOMEBODY_ELSE
        envelope = self._envelope("pay.notify", secrets.token_hex(16), told, is_forged=behave == "forged")
        return {"content-type": "application/json"}, json.dumps(envelope, ensure_ascii=False).encode()

    def _answer(self, envelope: dict[str, str], behave: str) -> Response:
        method, nonce = envelope.get("method", ""), envelope.get("nonce", "")
        is_ours = is_signed(self.keys.merchant_public, joined(envelope), envelope.get("sign", ""))
        if not is_ours or envelope.get("app_id") != NON_TAX_APP:
            told: Biz = {"code": "9001"}
        elif behave == "refuse":
            told = {"code": "3003" if method == "refund.apply" else "1004"}
        else:
            told = self._done(method, json.loads(envelope["biz"]))
        return JSONResponse(self._envelope(method, nonce, told, is_forged=behave == "bad_signature"))

    def _done(self, method: str, sent: Biz) -> Biz:  # noqa: PLR0911 (one line per method)
        match method:
            case "bill.query":
                return self._bill(sent)
            case "pay.create":
                return self._create(sent)
            case "pay.query":
                return self._query(sent)
            case "pay.close":
                trade = self.house.find("non_tax", sent["order_no"])
                if trade is None:
                    return {"code": "2001"}
                return {"code": "0000" if self.counter.close(trade) else "2002"}
            case "refund.apply":
                return self._refund(sent)
            case "file.check":
                return {"code": "0000", "content": daily_files.non_tax(self.house, sent["date"])}
            case _:
                return {"code": "9002"}

    def _bill(self, sent: Biz) -> Biz:
        known = self.house.bill_state(sent["payment_code"])
        if known is None:
            return {"code": "1001"}
        amount_fen, is_paid = known
        return {
            "code": "0000", "payment_code": sent["payment_code"], "agency_code": NON_TAX_AGENCY,
            "amount": yuan_of(amount_fen), "bill_state": "1" if is_paid else "0", "item": "非税收入",
        }  # fmt: skip

    def _create(self, sent: Biz) -> Biz:
        known = self.house.bill_state(sent["payment_code"])
        if known is None:
            return {"code": "1001"}
        amount_fen, is_paid = known
        if is_paid:
            return {"code": "1002"}
        if sent["amount"] != yuan_of(amount_fen):
            return {"code": "1003"}
        trade = self.house.create(
            "non_tax", sent["order_no"], amount_fen, "非税缴款", sent["notify_url"], bill=sent["payment_code"]
        )
        self.counter.shown(trade)
        return {"code": "0000", "order_no": trade.number, "qr": trade.qr}

    def _query(self, sent: Biz) -> Biz:
        if sent.get("serial_no"):
            trade, payment = self.house.by_reference("non_tax", sent["serial_no"]) or (None, None)
        else:
            trade = self.house.find("non_tax", sent.get("order_no", ""))
            payment = trade.payments[0] if trade and trade.payments else None
        if trade is None:
            return {"code": "2001"}
        if payment is not None:
            return {"code": "0000"} | self._paid(trade, payment)
        return {"code": "0000", "order_no": trade.number, "pay_state": STATE[trade.state]}

    def _refund(self, sent: Biz) -> Biz:
        found = self.house.by_reference("non_tax", sent["serial_no"])
        if found is None:
            return {"code": "2001"}
        made = self.house.give_back(*found, sent["refund_no"], fen_of(sent["amount"]))
        return {"code": "3002"} if made is None else {"code": "0000", "refund_state": "1", "refund_no": made.number}

    def _paid(self, trade: Trade, payment: Payment) -> Biz:
        return {
            "order_no": trade.number, "payment_code": trade.bill, "agency_code": NON_TAX_AGENCY, "pay_state": "1",
            "serial_no": payment.reference, "amount": yuan_of(payment.amount_fen), "currency": payment.currency,
            "pay_time": int(payment.paid_at.timestamp()),
        }  # fmt: skip

    def _envelope(self, method: str, nonce: str, biz: Biz, *, is_forged: bool) -> dict[str, str]:
        envelope = {
            "app_id": NON_TAX_APP, "method": method, "timestamp": str(int(time.time())), "nonce": nonce,
            "biz": json.dumps(biz, ensure_ascii=False),
        }  # fmt: skip
        return envelope | {"sign": signed(self.keys.signer(is_forged=is_forged), joined(envelope))}
