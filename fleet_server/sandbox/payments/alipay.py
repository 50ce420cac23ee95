"""The stand-in Alipay gateway: one address, a form in, a signed node out, form notices."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import Response

from fleet_server.payments.providers.protocol import fen_of, yuan_of
from fleet_server.payments.providers.signatures import is_signed, joined, signed
from fleet_server.sandbox.payments import daily_files
from fleet_server.sandbox.payments.clearing import ClearingHouse, Payment, Trade
from fleet_server.sandbox.payments.counter import Counter, pay_scanned
from fleet_server.sandbox.payments.keys import ALIPAY_APP, ALIPAY_SELLER, SOMEBODY_ELSE, Keys
from kiosk.contracts.value import CITY_TIME

STATUS = {"waiting": "WAIT_BUYER_PAY", "paying": "WAIT_BUYER_PAY", "paid": "TRADE_SUCCESS", "closed": "TRADE_CLOSED"}
MOMENT = "%Y-%m-%d %H:%M:%S"

Said = dict[str, Any]


def said(code: str, sub_code: str = "", **more: Any) -> Said:
    words = {"10000": "Success", "10003": "order success pay inprocess"}.get(code, "Business Failed")
    return {"code": code, "msg": words} | ({"sub_code": sub_code, "sub_msg": "业务处理失败"} if sub_code else {}) | more


class AlipayGate:
    def __init__(self, house: ClearingHouse, keys: Keys, counter: Counter) -> None:
        self.house, self.keys, self.counter = house, keys, counter
        self.methods: dict[str, Callable[[Said, Said], Said]] = {
            "alipay.trade.precreate": self._precreate, "alipay.trade.pay": self._pay, "alipay.trade.query": self._query,
            "alipay.trade.close": self._close, "alipay.trade.refund": self._refund,
            "alipay.trade.fastpay.refund.query": self._refund_query,
            "alipay.data.dataservice.bill.downloadurl.query": self._bill,
        }  # fmt: skip

    def install(self, app: FastAPI) -> None:
        @app.post("/alipay/gateway.do", response_model=None)
        async def gateway(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            return await self.counter.serve("alipay", lambda behave: self._answer(form, request, behave))

        @app.get("/alipay/bill/{day}", response_model=None)
        def bill(day: str) -> Response:
            return Response(daily_files.alipay(self.house, day), media_type="application/zip")

    def notice(self, trade: Trade, payment: Payment, behave: str) -> tuple[dict[str, str], bytes]:
        form = {
            "notify_time": f"{self.house.clock().astimezone(CITY_TIME):{MOMENT}}", "notify_type": "trade_status_sync",
            "notify_id": secrets.token_hex(17), "app_id": SOMEBODY_ELSE if behave == "other_merchant" else ALIPAY_APP,
            "charset": "utf-8", "version": "1.0", "sign_type": "RSA2", "seller_id": ALIPAY_SELLER,
            "buyer_id": "2088102100000001", "trade_status": "TRADE_SUCCESS", "subject": trade.subject,
        } | self._paid(trade, payment)  # fmt: skip
        text = joined(form, without=("sign", "sign_type"))
        form["sign"] = signed(self.keys.signer(is_forged=behave == "forged"), text)
        return {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}, urlencode(form).encode()

    def _answer(self, form: dict[str, str], request: Request, behave: str) -> Response:
        method = form.get("method", "")
        node, answer = method.replace(".", "_") + "_response", said("20000", "isp.unknow-error")
        is_ours = is_signed(self.keys.merchant_public, joined(form), form.get("sign", ""))
        if not is_ours or form.get("app_id") != ALIPAY_APP or method not in self.methods:
            node, answer = "error_response", said("40002", "isv.invalid-signature")
        elif behave == "refuse":
            answer = said("40004", "ACQ.SYSTEM_ERROR" if "refund" not in method else "ACQ.SELLER_BALANCE_NOT_ENOUGH")
        else:
            content = json.loads(form["biz_content"]) | {"base": str(request.base_url).rstrip("/")}
            answer = self.methods[method](content, dict(form))
        raw = json.dumps(answer, ensure_ascii=False)
        signature = signed(self.keys.signer(is_forged=behave == "bad_signature"), raw)
        text = f'{{"{node}":{raw},"sign":"{signature}"}}'
        return Response(text, media_type="text/html;charset=utf-8")

    def _precreate(self, content: Said, form: Said) -> Said:
        trade = self._trade(content, form)
        if trade.payments:
            return said("40004", "ACQ.TRADE_HAS_SUCCESS")
        self.counter.shown(trade)
        return said("10000", out_trade_no=trade.number, qr_code=trade.qr)

    def _pay(self, content: Said, form: Said) -> Said:
        trade = self._trade(content, form)
        match pay_scanned(self.house, self.counter, trade, str(content.get("auth_code", "")), ("25", "26", "27", "28")):
            case "paid":
                return said("10000", **self._paid(trade, trade.payments[0]))
            case "paying":
                return said("10003", out_trade_no=trade.number)
            case "wrong_code":
                return said("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID")
            case _:
                return said("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH")

    def _query(self, content: Said, form: Said) -> Said:
        trade, payment = self._found(content)
        if trade is None or (trade.state == "waiting" and "trade_no" in content):
            return said("40004", "ACQ.TRADE_NOT_EXIST")
        stated = {"trade_no": "", "total_amount": yuan_of(trade.amount_fen), "out_trade_no": trade.number}
        if payment is not None:
            stated = self._paid(trade, payment)
            stated["send_pay_date"] = stated.pop("gmt_payment")
        return said("10000", trade_status=STATUS[trade.state], buyer_logon_id="159****5620", **stated)

    def _close(self, content: Said, form: Said) -> Said:
        trade, _ = self._found(content)
        if trade is None:
            return said("40004", "ACQ.TRADE_NOT_EXIST")
        if not self.counter.close(trade):
            return said("40004", "ACQ.TRADE_STATUS_ERROR")
        return said("10000", out_trade_no=trade.number)

    def _refund(self, content: Said, form: Said) -> Said:
        trade, payment = self._found(content)
        if trade is None or payment is None:
            return said("40004", "ACQ.TRADE_NOT_EXIST")
        number, before = content["out_request_no"], len(trade.refunds)
        made = self.house.give_back(trade, payment, number, fen_of(content["refund_amount"]))
        if made is None:
            return said("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
        is_new = "Y" if len(trade.refunds) > before else "N"
        return said("10000", trade_no=payment.reference, out_trade_no=trade.number, fund_change=is_new)

    def _refund_query(self, content: Said, form: Said) -> Said:
        trade, _ = self._found(content)
        made = trade.refunds.get(content["out_request_no"]) if trade else None
        if made is None:
            return said("10000")
        return said(
            "10000", out_request_no=made.number, refund_amount=yuan_of(made.amount_fen), refund_status="REFUND_SUCCESS"
        )

    def _bill(self, content: Said, form: Said) -> Said:
        return said("10000", bill_download_url=f"{content['base']}/alipay/bill/{content['bill_date']}")

    def _trade(self, content: Said, form: Said) -> Trade:
        amount_fen = fen_of(content["total_amount"])
        return self.house.create(
            "alipay", content["out_trade_no"], amount_fen, content["subject"], form.get("notify_url", "")
        )

    def _found(self, content: Said) -> tuple[Trade | None, Payment | None]:
        if content.get("trade_no"):
            return self.house.by_reference("alipay", content["trade_no"]) or (None, None)
        trade = self.house.find("alipay", content.get("out_trade_no", ""))
        return trade, trade.payments[0] if trade and trade.payments else None

    def _paid(self, trade: Trade, payment: Payment) -> dict[str, str]:
        stated = {
            "trade_no": payment.reference, "out_trade_no": trade.number, "total_amount": yuan_of(payment.amount_fen),
            "receipt_amount": yuan_of(payment.amount_fen),
            "gmt_payment": f"{payment.paid_at.astimezone(CITY_TIME):{MOMENT}}",
        }  # fmt: skip
        return stated | ({} if payment.currency == "CNY" else {"trans_currency": payment.currency})
