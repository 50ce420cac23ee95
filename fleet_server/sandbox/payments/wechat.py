"""The stand-in WeChat Pay, API v3: signed JSON both ways, encrypted notices. Its addresses begin with /v3."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response

from fleet_server.payments.providers.signatures import is_signed, lines, sealed, signed
from fleet_server.sandbox.payments import daily_files
from fleet_server.sandbox.payments.clearing import ClearingHouse, Payment, Refund, Trade
from fleet_server.sandbox.payments.counter import Counter, pay_scanned
from fleet_server.sandbox.payments.keys import (
    SOMEBODY_ELSE,
    WECHAT_API_V3_KEY,
    WECHAT_APP,
    WECHAT_KEY_ID,
    WECHAT_MERCHANT,
    WECHAT_SERIAL,
    Keys,
)
from kiosk.contracts.value import CITY_TIME

SCHEME = "WECHATPAY2-SHA256-RSA2048"
STATUS = {"waiting": "NOTPAY", "paying": "USERPAYING", "paid": "SUCCESS", "closed": "CLOSED"}
_FIELD = re.compile(r'([a-z_]+)="([^"]*)"')

Answer = tuple[int, dict[str, Any] | None]


def error(status: int, code: str) -> Answer:
    return status, {"code": code, "message": "业务处理失败"}


class WeChatGate:
    def __init__(self, house: ClearingHouse, keys: Keys, counter: Counter) -> None:
        self.house, self.keys, self.counter = house, keys, counter

    def install(self, app: FastAPI) -> None:
        @app.api_route("/v3/{path:path}", methods=["GET", "POST"], response_model=None)
        async def gate(path: str, request: Request) -> Response:
            body = await request.body()
            return await self.counter.serve("wechat", lambda behave: self._serve(path, request, body, behave))

    def notice(self, trade: Trade, payment: Payment, behave: str) -> tuple[dict[str, str], bytes]:
        told = self._transaction(trade, payment)
        if behave == "other_merchant":
            told["mchid"] = SOMEBODY_ELSE
        nonce = secrets.token_hex(6)
        resource = {
            "algorithm": "AEAD_AES_256_GCM", "original_type": "transaction", "associated_data": "transaction",
            "nonce": nonce,
            "ciphertext": sealed(WECHAT_API_V3_KEY, nonce, json.dumps(told, ensure_ascii=False), "transaction"),
        }  # fmt: skip
        message = {
            "id": secrets.token_hex(18), "create_time": self._moment(), "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS", "summary": "支付成功", "resource": resource,
        }  # fmt: skip
        text = json.dumps(message, ensure_ascii=False)
        return self._signature(text, is_forged=behave == "forged") | {"content-type": "application/json"}, text.encode()

    def _serve(self, path: str, request: Request, body: bytes, behave: str) -> Response:
        if not self._is_ours(request, body):
            return self._signed(*error(401, "SIGN_ERROR"), behave)
        if path == "billdownload/file":
            return PlainTextResponse(daily_files.wechat(self.house, request.query_params["day"]))
        if behave == "refuse":
            return self._signed(*error(403, "NOT_ENOUGH" if "refund" in path else "RULE_LIMIT"), behave)
        sent = json.loads(body) if body else {}
        base = str(request.base_url).rstrip("/")
        return self._signed(*self._done(request.method, path, request, sent, base), behave)

    def _done(  # noqa: PLR0911 (one line per address)
        self, method: str, path: str, request: Request, sent: dict[str, Any], base: str
    ) -> Answer:
        match method, *path.split("/"):
            case "POST", "pay", "transactions", "native":
                return self._native(sent)
            case "POST", "pay", "transactions", "codepay":
                return self._code_pay(sent)
            case "GET", "pay", "transactions", "out-trade-no", number:
                return self._stated(self.house.find("wechat", number))
            case "GET", "pay", "transactions", "id", reference:
                trade, payment = self.house.by_reference("wechat", reference) or (None, None)
                return self._stated(trade, payment)
            case "POST", "pay", "transactions", "out-trade-no", number, "close" | "reverse":
                return self._close(number)
            case "POST", "refund", "domestic", "refunds":
                return self._refund(sent)
            case "GET", "refund", "domestic", "refunds", number:
                found = [trade for trade in self.house.trades.values() if number in trade.refunds]
                return (200, self._refunded(found[0], found[0].refunds[number])) if found else self._nothing()
            case "GET", "bill", "tradebill":
                return self._bill(request.query_params["bill_date"], base)
            case _:
                return error(404, "NOT_FOUND")

    def _native(self, sent: dict[str, Any]) -> Answer:
        trade = self._trade(sent)
        if trade is None:
            return error(400, "PARAM_ERROR")
        if trade.payments:
            return error(400, "ORDERPAID")
        if trade.state == "closed":
            return error(400, "ORDER_CLOSED")
        self.counter.shown(trade)
        return 200, {"code_url": trade.qr}

    def _code_pay(self, sent: dict[str, Any]) -> Answer:
        trade = self._trade(sent)
        if trade is None:
            return error(400, "PARAM_ERROR")
        starts = ("10", "11", "12", "13", "14", "15")
        match pay_scanned(self.house, self.counter, trade, str(sent["payer"]["auth_code"]), starts):
            case "paid":
                return self._stated(trade)
            case "paying":
                return error(400, "USERPAYING")
            case "wrong_code":
                return error(400, "AUTH_CODE_INVALID")
            case "declined":
                return error(403, "NOTENOUGH")

    def _close(self, number: str) -> Answer:
        trade = self.house.find("wechat", number)
        if trade is None:
            return self._nothing()
        return (204, None) if self.counter.close(trade) else error(400, "ORDERPAID")

    def _refund(self, sent: dict[str, Any]) -> Answer:
        found = self.house.by_reference("wechat", sent["transaction_id"])
        if found is None:
            return self._nothing()
        trade, payment = found
        amount = sent["amount"]
        if amount["total"] != payment.amount_fen:
            return error(400, "PARAM_ERROR")
        made = self.house.give_back(trade, payment, sent["out_refund_no"], amount["refund"])
        return error(400, "INVALID_REQUEST") if made is None else (200, self._refunded(trade, made))

    def _bill(self, day: str, base: str) -> Answer:
        digest = hashlib.sha1(daily_files.wechat(self.house, day).encode(), usedforsecurity=False).hexdigest()
        url = f"{base}/v3/billdownload/file?day={day}&token={secrets.token_hex(8)}"
        return 200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url}

    def _trade(self, sent: dict[str, Any]) -> Trade | None:
        if (sent.get("appid"), sent.get("mchid")) != (WECHAT_APP, WECHAT_MERCHANT):
            return None
        total, number = sent["amount"]["total"], sent["out_trade_no"]
        return self.house.create("wechat", number, total, sent["description"], sent.get("notify_url", ""))

    def _stated(self, trade: Trade | None, payment: Payment | None = None) -> Answer:
        if trade is None:
            return self._nothing()
        if payment is None and trade.payments:
            payment = trade.payments[0]
        if payment is not None:
            return 200, self._transaction(trade, payment)
        bare = {"out_trade_no": trade.number, "appid": WECHAT_APP, "mchid": WECHAT_MERCHANT}
        return 200, bare | {"trade_state": STATUS[trade.state], "amount": {"total": trade.amount_fen}}

    def _nothing(self) -> Answer:
        return error(404, "ORDER_NOT_EXIST")

    def _transaction(self, trade: Trade, payment: Payment) -> dict[str, Any]:
        is_refunded = any(refund.reference == payment.reference for refund in trade.refunds.values())
        return {
            "appid": WECHAT_APP, "mchid": WECHAT_MERCHANT, "out_trade_no": trade.number, "trade_type": "NATIVE",
            "transaction_id": payment.reference, "trade_state": "REFUND" if is_refunded else "SUCCESS",
            "bank_type": "OTHERS", "success_time": payment.paid_at.astimezone(CITY_TIME).isoformat("T", "seconds"),
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "amount": {
                "total": payment.amount_fen, "payer_total": payment.amount_fen, "currency": payment.currency,
                "payer_currency": payment.currency,
            },
        }  # fmt: skip

    def _refunded(self, trade: Trade, made: Refund) -> dict[str, Any]:
        return {
            "refund_id": made.id, "out_refund_no": made.number, "transaction_id": made.reference,
            "out_trade_no": trade.number, "status": "SUCCESS", "create_time": self._moment(),
            "amount": {"refund": made.amount_fen, "total": trade.amount_fen, "currency": "CNY"},
        }  # fmt: skip

    def _moment(self) -> str:
        return self.house.clock().astimezone(CITY_TIME).isoformat("T", "seconds")

    def _is_ours(self, request: Request, body: bytes) -> bool:
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        stated = dict(_FIELD.findall(rest))
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        text = lines(request.method, target, stated.get("timestamp", ""), stated.get("nonce_str", ""), body.decode())
        who = (stated.get("mchid"), stated.get("serial_no"))
        is_known = scheme == SCHEME and who == (WECHAT_MERCHANT, WECHAT_SERIAL)
        return is_known and is_signed(self.keys.merchant_public, text, stated.get("signature", ""))

    def _signature(self, text: str, *, is_forged: bool) -> dict[str, str]:
        moment, nonce = str(int(time.time())), secrets.token_hex(16)
        return {
            "wechatpay-timestamp": moment, "wechatpay-nonce": nonce, "wechatpay-serial": WECHAT_KEY_ID,
            "wechatpay-signature": signed(self.keys.signer(is_forged=is_forged), lines(moment, nonce, text)),
            "wechatpay-signature-type": SCHEME,
        }  # fmt: skip

    def _signed(self, status: int, answer: dict[str, Any] | None, behave: str) -> Response:
        text = "" if answer is None else json.dumps(answer, ensure_ascii=False)
        headers = self._signature(text, is_forged=behave == "bad_signature")
        return Response(text, status, headers=headers, media_type="application/json")
