"""Alipay's open gateway: form parameters signed with RSA2, answers signed over their raw text, form notices.

Amounts are yuan with two decimals, moments are China's time.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fleet_server.payments.providers import daily_files
from fleet_server.payments.providers.accounts import AlipayAccount
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
from kiosk.contracts.value import CITY_TIME

DONE: Final = "10000"
WAITING: Final = "10003"
UNKNOWN: Final = "ACQ.TRADE_NOT_EXIST"
STANDINGS: Final[dict[str, StandingState]] = {
    "WAIT_BUYER_PAY": "waiting", "TRADE_SUCCESS": "paid", "TRADE_FINISHED": "paid", "TRADE_CLOSED": "closed",
}  # fmt: skip
REASONS: Final = {
    "ACQ.PAYMENT_AUTH_CODE_INVALID": "payer_code_wrong", "ACQ.BUYER_BALANCE_NOT_ENOUGH": "declined",
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": "declined", "ACQ.BUYER_SELLER_EQUAL": "declined",
}  # fmt: skip
NEVER: Final = ("ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_HAS_CLOSE", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "ACQ.INVALID_PARAMETER")
"""Refund refusals that stay refusals however often one asks."""


class Alipay(Merchant):
    """Implements `Provider`."""

    channel = "alipay"

    def __init__(self, account: AlipayAccount) -> None:
        super().__init__(account, "Alipay")
        self._own = account

    async def open(self, asked: Asked) -> str:
        said = await self._ask("alipay.trade.precreate", self._trade(asked), asked.notify_url)
        if said.get("code") != DONE:
            raise Refused(_reason(said), _code(said))
        qr = str(said.get("qr_code", ""))
        if not qr or said.get("out_trade_no") != asked.number:
            raise Unreachable("garbled", "Alipay gave no code for this order")
        return qr

    async def pay(self, asked: Asked) -> Standing:
        content = self._trade(asked) | {
            "scene": "bar_code", "auth_code": asked.payer_code, "product_code": "FACE_TO_FACE_PAYMENT"
        }  # fmt: skip
        said = await self._ask("alipay.trade.pay", content, asked.notify_url)
        match said.get("code"):
            case "10000":
                return Standing("paid", self._paid(said, asked.number))
            case "10003":
                return Standing("paying")
            case _ if _code(said) == "ACQ.TRADE_HAS_SUCCESS":
                return await self.query(asked.number)
            case _:
                return Standing("refused", reason=REASONS.get(_code(said), "declined"))

    async def query(self, number: str, reference: str = "") -> Standing:
        which = {"trade_no": reference} if reference else {"out_trade_no": number}
        said = await self._ask("alipay.trade.query", which)
        if _code(said) == UNKNOWN:
            return Standing("unknown")
        if said.get("code") != DONE:
            raise Unreachable("garbled", f"Alipay could not say how the order stands: {_code(said)}")
        state = STANDINGS.get(str(said.get("trade_status")))
        if state is None or said.get("out_trade_no") != number:
            raise Unreachable("garbled", "Alipay answered about something else")
        return Standing(state, self._paid(said, number) if state == "paid" else None)

    async def close(self, number: str, *, scanned: bool = False) -> Standing:
        said = await self._ask("alipay.trade.close", {"out_trade_no": number})
        if said.get("code") == DONE or _code(said) == UNKNOWN:
            return Standing("closed")
        return await self.query(number)

    async def refund(self, giving: Giving) -> Given:
        content = {
            "trade_no": giving.reference, "out_request_no": giving.number, "refund_amount": yuan_of(giving.amount_fen),
            "refund_reason": giving.reason, "refund_currency": giving.currency,
        }  # fmt: skip
        said = await self._ask("alipay.trade.refund", content)
        if said.get("code") != DONE:
            if _code(said) in NEVER:
                raise Refused("provider_refused", _code(said))
            return Given("pending", "provider_refused")
        if said.get("fund_change") == "Y":
            return Given("succeeded")
        found = await self._ask(
            "alipay.trade.fastpay.refund.query", {"trade_no": giving.reference, "out_request_no": giving.number}
        )
        is_done = found.get("code") == DONE and found.get("refund_status") == "REFUND_SUCCESS"
        return Given("succeeded" if is_done else "pending")

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        try:
            said = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        except ValueError as error:
            raise Untrusted("not a form") from error
        if not is_signed(self._theirs, joined(said, without=("sign", "sign_type")), said.get("sign", "")):
            raise Untrusted("the signature does not verify")
        if said.get("app_id") != self._own.app_id or said.get("seller_id") != self._own.seller_id:
            raise Untrusted("the notice is for another merchant")
        number = said.get("out_trade_no", "")
        if said.get("trade_status") not in ("TRADE_SUCCESS", "TRADE_FINISHED") or said.get("refund_fee"):
            return None
        try:
            return Notice(number, self._paid(said, number))
        except Unreachable as error:
            raise Untrusted("the notice lacks what a payment has") from error

    def thank(self) -> tuple[int, str, str]:
        return 200, "success", "text/plain"

    async def daily_file(self, day: dt.date) -> tuple[bytes, tuple[BillRow, ...]]:
        said = await self._ask(
            "alipay.data.dataservice.bill.downloadurl.query", {"bill_type": "trade", "bill_date": day.isoformat()}
        )
        if said.get("code") != DONE:
            raise Refused("not_ready", _code(said))
        reply = await self.line.call("GET", str(said.get("bill_download_url", "")))
        return reply.content, daily_files.read_alipay(reply.content)

    def _trade(self, asked: Asked) -> dict[str, Any]:
        return {
            "out_trade_no": asked.number, "total_amount": yuan_of(asked.amount_fen), "subject": asked.subject,
            "terminal_id": asked.terminal[:32], "seller_id": self._own.seller_id,
            "time_expire": f"{asked.expires_at.astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip

    def _paid(self, said: Mapping[str, Any], number: str) -> Paid:
        try:
            moment = said.get("gmt_payment") or said.get("send_pay_date") or ""
            return Paid(
                reference=str(said["trade_no"]), amount_fen=fen_of(str(said["total_amount"])),
                currency=str(said.get("trans_currency") or "CNY"), paid_at=_moment(str(moment)),
            )  # fmt: skip
        except (KeyError, ValueError) as error:
            raise Unreachable("garbled", f"Alipay's answer about {number} lacks what a payment has") from error

    async def _ask(self, method: str, content: Mapping[str, Any], notify_url: str = "") -> dict[str, Any]:
        parameters = {
            "app_id": self._own.app_id, "method": method, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2",
            "timestamp": f"{dt.datetime.now(CITY_TIME):%Y-%m-%d %H:%M:%S}", "version": "1.0", "notify_url": notify_url,
            "biz_content": json.dumps(content, ensure_ascii=False),
        }  # fmt: skip
        parameters = {key: value for key, value in parameters.items() if value}
        parameters["sign"] = signed(self._key, joined(parameters))
        headers = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
        reply = await self.line.call("POST", self._own.gateway, urlencode(parameters).encode(), headers)
        with self.line.judging():
            return self._believed(method, reply.content)

    def _believed(self, method: str, content: bytes) -> dict[str, Any]:
        """The signature is over the answer's node exactly as it was written."""
        node = method.replace(".", "_") + "_response"
        try:
            text = content.decode()
            whole = json.loads(text)
            name = node if node in whole else "error_response"
            raw = _raw_member(text, name)
            said = whole[name]
            signature = str(whole.get("sign", ""))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreachable("garbled", "Alipay's answer cannot be read") from error
        if not is_signed(self._theirs, raw, signature):
            raise Unreachable("untrusted", "the signature of Alipay's answer does not verify")
        if not isinstance(said, dict) or said.get("code") in ("20000", None):
            raise Unreachable("down", "Alipay is in trouble")
        return said


def _raw_member(text: str, name: str) -> str:
    start = text.index(f'"{name}"') + len(name) + 2
    start = text.index(":", start) + 1
    start += len(text[start:]) - len(text[start:].lstrip())
    _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start:end]


def _code(said: Mapping[str, Any]) -> str:
    return str(said.get("sub_code", ""))


def _reason(said: Mapping[str, Any]) -> str:
    return REASONS.get(_code(said), "provider_refused")


def _moment(text: str) -> dt.datetime:
    return dt.datetime.strptime(text[:19], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CITY_TIME)
