"""WeChat Pay API v3: JSON, every request and answer signed over its raw text, notices signed and encrypted.

Amounts are integer fen.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import operator
import secrets
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from fleet_server.payments.providers import daily_files
from fleet_server.payments.providers.accounts import WeChatAccount
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
)
from fleet_server.payments.providers.signatures import is_signed, lines, opened, signed
from fleet_server.payments.providers.wire import Merchant, Reply
from kiosk.contracts.value import CITY_TIME

SCHEME: Final = "WECHATPAY2-SHA256-RSA2048"
WINDOW_SECONDS: Final = 300
UNKNOWN: Final = ("ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS")
STANDINGS: Final[dict[str, StandingState]] = {
    "SUCCESS": "paid", "REFUND": "paid", "NOTPAY": "waiting", "CLOSED": "closed", "REVOKED": "closed",
    "USERPAYING": "paying", "PAYERROR": "refused",
}  # fmt: skip
GIVEN: Final = {"SUCCESS": "succeeded", "PROCESSING": "pending", "CLOSED": "failed", "ABNORMAL": "failed"}
NEVER: Final = ("RESOURCE_NOT_EXISTS", "PARAM_ERROR", "INVALID_REQUEST", "ORDER_NOT_EXIST")
"""Refund refusals that stay refusals however often one asks."""


class WeChatPay(Merchant):
    """Implements `Provider`."""

    channel = "wechat"

    def __init__(self, account: WeChatAccount) -> None:
        super().__init__(account, "WeChat Pay")
        self._own = account

    async def open(self, asked: Asked) -> str:
        until = asked.expires_at.astimezone(CITY_TIME).isoformat("T", "seconds")
        body = self._order(asked) | {"notify_url": asked.notify_url, "time_expire": until}
        status, said = await self._ask("POST", "/v3/pay/transactions/native", body)
        if status != 200:
            raise Refused("provider_refused", _code(said))
        if not said.get("code_url"):
            raise Unreachable("garbled", "WeChat Pay gave no code for this order")
        return str(said["code_url"])

    async def pay(self, asked: Asked) -> Standing:
        body = self._order(asked) | {
            "payer": {"auth_code": asked.payer_code}, "scene_info": {"store_info": {"out_id": asked.terminal[:32]}}
        }  # fmt: skip
        status, said = await self._ask("POST", "/v3/pay/transactions/codepay", body)
        if status == 200:
            return self._standing(said, asked.number)
        match _code(said):
            case "USERPAYING" | "USER_PAYING":
                return Standing("paying")
            case "ORDERPAID" | "OUT_TRADE_NO_USED":
                return await self.query(asked.number)
            case "AUTH_CODE_INVALID" | "AUTH_CODE_EXPIRED" | "AUTHCODEEXPIRE":
                return Standing("refused", reason="payer_code_wrong")
            case _:
                return Standing("refused", reason="declined")

    async def query(self, number: str, reference: str = "") -> Standing:
        which = f"id/{quote(reference, safe='')}" if reference else f"out-trade-no/{number}"
        status, said = await self._ask("GET", f"/v3/pay/transactions/{which}?mchid={self._own.merchant_id}")
        if status != 200:
            if _code(said) in UNKNOWN:
                return Standing("unknown")
            raise Unreachable("garbled", f"WeChat Pay could not say how the order stands: {_code(said)}")
        return self._standing(said, number)

    async def close(self, number: str, *, scanned: bool = False) -> Standing:
        """A scanned code is reversed: should it have been paid in that moment, the money goes back with it."""
        path = f"/v3/pay/transactions/out-trade-no/{number}/{'reverse' if scanned else 'close'}"
        body = {"mchid": self._own.merchant_id} | ({"appid": self._own.app_id} if scanned else {})
        status, said = await self._ask("POST", path, body)
        if status in (200, 204) or _code(said) in (*UNKNOWN, "ORDER_CLOSED"):
            return Standing("closed")
        return await self.query(number)

    async def refund(self, giving: Giving) -> Given:
        body = {
            "transaction_id": giving.reference, "out_refund_no": giving.number, "reason": giving.reason,
            "amount": {"refund": giving.amount_fen, "total": giving.total_fen, "currency": giving.currency},
        }  # fmt: skip
        status, said = await self._ask("POST", "/v3/refund/domestic/refunds", body)
        if status != 200:
            if _code(said) in NEVER:
                raise Refused("provider_refused", _code(said))
            return Given("pending", "provider_refused")
        if said.get("out_refund_no") != giving.number:
            raise Unreachable("garbled", "WeChat Pay answered about another refund")
        return _given(str(said.get("status")))

    def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        moment, signature = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-signature", "")
        try:
            text = lines(moment, headers.get("wechatpay-nonce", ""), body.decode())
        except UnicodeDecodeError as error:
            raise Untrusted("not text") from error
        is_ours = headers.get("wechatpay-serial") == self._own.provider_key_id
        if not is_ours or not is_signed(self._theirs, text, signature):
            raise Untrusted("the signature does not verify")
        if not moment.isdigit() or abs(int(moment) - time.time()) > WINDOW_SECONDS:
            raise Untrusted("the notice is not of now")
        try:
            kind, said = self._opened(body)
            return self._told(kind, said)
        except (ValueError, KeyError, TypeError, AttributeError, Unreachable) as error:
            raise Untrusted("the notice cannot be read") from error

    def thank(self) -> tuple[int, str, str]:
        return 200, '{"code":"SUCCESS"}', "application/json"

    async def daily_file(self, day: dt.date) -> tuple[bytes, tuple[BillRow, ...]]:
        status, said = await self._ask("GET", f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL")
        if status != 200:
            raise Refused("not_ready", _code(said))
        url = str(said.get("download_url", ""))
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        reply = await self.line.call("GET", url, headers=self._headers("GET", target, ""))
        digest = hashlib.sha1(reply.content, usedforsecurity=False).hexdigest()
        if reply.status != 200 or digest != said.get("hash_value"):
            raise Unreachable("untrusted", "the daily file is not the one WeChat Pay signed")
        return reply.content, daily_files.read_wechat(reply.content)

    def _order(self, asked: Asked) -> dict[str, Any]:
        return {
            "appid": self._own.app_id, "mchid": self._own.merchant_id, "description": asked.subject,
            "out_trade_no": asked.number, "amount": {"total": asked.amount_fen, "currency": asked.currency},
        }  # fmt: skip

    def _standing(self, said: Mapping[str, Any], number: str) -> Standing:
        state = STANDINGS.get(str(said.get("trade_state")))
        is_ours = (said.get("mchid"), said.get("appid")) == (self._own.merchant_id, self._own.app_id)
        if state is None or not is_ours or said.get("out_trade_no") != number:
            raise Unreachable("garbled", "WeChat Pay answered about something else")
        if state == "paid":
            return Standing(state, _paid(said))
        return Standing(state, reason="declined" if state == "refused" else "")

    def _opened(self, body: bytes) -> tuple[str, dict[str, Any]]:
        message = json.loads(body)
        resource = message["resource"]
        if resource["algorithm"] != "AEAD_AES_256_GCM":
            raise ValueError("algorithm")
        key = self._own.api_v3_key.get_secret_value()
        text = opened(key, resource["nonce"], resource["ciphertext"], resource.get("associated_data") or "")
        said = json.loads(text)
        return str(message["event_type"]), said

    def _told(self, kind: str, said: dict[str, Any]) -> Notice | None:
        if said.get("mchid") != self._own.merchant_id:
            raise Untrusted("the notice is for another merchant")
        if kind == "TRANSACTION.SUCCESS":
            if said.get("appid") != self._own.app_id:
                raise Untrusted("the notice is for another application")
            return Notice(str(said["out_trade_no"]), _paid(said)) if said["trade_state"] == "SUCCESS" else None
        if kind.startswith("REFUND."):
            given = _given(str(said["refund_status"]))
            return Notice(str(said["out_trade_no"]), refund_number=str(said["out_refund_no"]), given=given)
        return None

    async def _ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        text = "" if body is None else json.dumps(body, ensure_ascii=False)
        reply = await self.line.call(
            method, self._own.gateway.rstrip("/") + target, text.encode(), self._headers(method, target, text)
        )
        with self.line.judging():
            return reply.status, self._believed(reply)

    def _headers(self, method: str, target: str, text: str) -> dict[str, str]:
        moment, nonce = str(int(time.time())), secrets.token_hex(16)
        signature = signed(self._key, lines(method, target, moment, nonce, text))
        fields = {
            "mchid": self._own.merchant_id, "nonce_str": nonce, "signature": signature, "timestamp": moment,
            "serial_no": self._own.serial,
        }  # fmt: skip
        stated = ",".join(f'{name}="{value}"' for name, value in fields.items())
        return {
            "authorization": f"{SCHEME} {stated}", "accept": "application/json", "content-type": "application/json",
            "wechatpay-serial": self._own.provider_key_id,
        }  # fmt: skip

    def _believed(self, reply: Reply) -> dict[str, Any]:
        moment, nonce, signature, serial = (
            reply.headers.get(f"wechatpay-{name}", "") for name in ("timestamp", "nonce", "signature", "serial")
        )
        text = lines(moment, nonce, reply.content.decode("utf-8", "replace"))
        if serial != self._own.provider_key_id or not is_signed(self._theirs, text, signature):
            raise Unreachable("untrusted", "the signature of WeChat Pay's answer does not verify")
        if not moment.isdigit() or abs(int(moment) - time.time()) > WINDOW_SECONDS:
            raise Unreachable("untrusted", "WeChat Pay's answer is not of now")
        try:
            said = json.loads(reply.content or b"{}")
        except ValueError as error:
            raise Unreachable("garbled", "WeChat Pay's answer cannot be read") from error
        if not isinstance(said, dict):
            raise Unreachable("garbled", "WeChat Pay's answer is no object")
        return said


def _paid(said: Mapping[str, Any]) -> Paid:
    try:
        amount = said["amount"]
        paid_at = dt.datetime.fromisoformat(said["success_time"])
        return Paid(
            str(said["transaction_id"]), operator.index(amount["total"]), str(amount.get("currency", "CNY")), paid_at
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Unreachable("garbled", "WeChat Pay's answer lacks what a payment has") from error


def _given(status: str) -> Given:
    match GIVEN.get(status):
        case "succeeded":
            return Given("succeeded")
        case "failed":
            return Given("failed", f"provider_{status.lower()}")
        case _:
            return Given("pending")


def _code(said: Mapping[str, Any]) -> str:
    return str(said.get("code", ""))
