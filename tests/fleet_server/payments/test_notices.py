"""Notices with a true signature that are not about our money, or not about this money: signed is not yet believed."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from sqlmodel import select

from fleet_server.payments.models import PaymentRefund
from fleet_server.payments.orders import number_of
from fleet_server.payments.providers.signatures import joined, lines, opened, sealed, signed
from fleet_server.sandbox.payments.bills import payment_code
from fleet_server.sandbox.payments.keys import WECHAT_API_V3_KEY, WECHAT_KEY_ID
from tests.fleet_server.payments.conftest import Cash

FEN = 2000
SOMEBODY = "9999999999999998"
NOT_OURS = [
    ("alipay", "app_id"), ("alipay", "seller_id"), ("alipay", "out_trade_no"), ("wechat", "appid"), ("wechat", "mchid"),
    ("wechat", "out_trade_no"), ("non_tax", "app_id"), ("non_tax", "agency_code"), ("non_tax", "order_no"),
]  # fmt: skip


def ordered(cash: Cash, channel: str) -> dict[str, Any]:
    return cash.order(channel=channel, **({"bill": payment_code(FEN, 1)} if channel == "non_tax" else {}))


def rewritten(cash: Cash, channel: str, body: bytes, field: str, value: str) -> tuple[dict[str, str], bytes]:
    """The provider's own notice with one field changed, signed (and encrypted) anew with the provider's own key."""
    key = cash.till.keys.provider
    if channel == "alipay":
        form = dict(parse_qsl(body.decode())) | {field: value}
        form["sign"] = signed(key, joined(form, without=("sign", "sign_type")))
        return {"content-type": "application/x-www-form-urlencoded"}, urlencode(form).encode()
    message = json.loads(body)
    if channel == "non_tax":
        told = {"app_id": message["app_id"], "biz": json.loads(message["biz"])}
        (told if field in told else told["biz"])[field] = value
        message |= {"app_id": told["app_id"], "biz": json.dumps(told["biz"])}
        message["sign"] = signed(key, joined(message))
        return {"content-type": "application/json"}, json.dumps(message).encode()
    sealed_part = message["resource"]
    told = json.loads(
        opened(WECHAT_API_V3_KEY, sealed_part["nonce"], sealed_part["ciphertext"], sealed_part["associated_data"])
    )
    return wechat_notice(cash, told | {field: value}, "TRANSACTION.SUCCESS")


def wechat_notice(cash: Cash, told: dict[str, Any], event: str) -> tuple[dict[str, str], bytes]:
    nonce, moment = secrets.token_hex(6), str(int(time.time()))
    resource = {
        "algorithm": "AEAD_AES_256_GCM", "associated_data": "x", "nonce": nonce,
        "ciphertext": sealed(WECHAT_API_V3_KEY, nonce, json.dumps(told), "x"),
    }  # fmt: skip
    text = json.dumps({"id": "1", "event_type": event, "resource": resource})
    return {
        "wechatpay-timestamp": moment, "wechatpay-nonce": nonce, "wechatpay-serial": WECHAT_KEY_ID,
        "wechatpay-signature": signed(cash.till.keys.provider, lines(moment, nonce, text)),
    }, text.encode()  # fmt: skip


def posted(cash: Cash, channel: str, headers: dict[str, str], body: bytes) -> int:
    url = f"{cash.client.base_url}/payments/notify/{channel}/sandbox".replace("//payments", "/payments")
    return httpx.post(url, content=body, headers=headers, trust_env=False).status_code


@pytest.mark.parametrize(("channel", "field"), NOT_OURS)
def test_a_true_signature_on_somebody_elses_money_pays_nothing(cash: Cash, channel: str, field: str) -> None:
    order = ordered(cash, channel)
    cash.till.pay(order["qr"], "forged")
    sent = cash.till.app.state.counter.sent[-1]
    for behave in ("", "down"):
        if behave:
            cash.till.behave(behave, channel=channel)
        status = posted(cash, channel, *rewritten(cash, channel, sent.body, field, SOMEBODY))
        assert status == (200 if field in ("out_trade_no", "order_no") else 401), "what is not ours is not answered for"
        assert cash.look()["state"] == "open"
    assert posted(cash, channel, *rewritten(cash, channel, sent.body, "unused", "")) == 200
    assert cash.look()["state"] == "paid", "the same notice with nothing changed but its signature is true"


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
@pytest.mark.parametrize(
    ("behave", "reason"), [("wrong_amount", "amount_mismatch"), ("wrong_currency", "currency_mismatch")]
)
def test_a_notice_believed_alone_is_held_against_the_order(cash: Cash, channel: str, behave: str, reason: str) -> None:
    """The provider cannot be asked: amount and currency still have to be the order's."""
    order = ordered(cash, channel)
    cash.till.behave("down", channel=channel)
    assert cash.till.pay(order["qr"], behave) == [200]
    assert (cash.look()["state"], cash.look()["reason"]) == ("refused", reason)
    assert cash.look()["refunded_fen"] > 0
    cash.till.house.behaviours.clear()
    cash.tend(seconds=3600)
    assert cash.till.left_fen() == 0


def test_a_refund_is_told_by_its_own_provider_alone(cash: Cash) -> None:
    order = ordered(cash, "alipay")
    cash.till.pay(order["qr"])
    cash.till.behave("down", channel="alipay")
    cash.post("/orders/order-0001/delivered", {"outcome": "not_delivered"})
    with cash.world.database.reading() as session:
        number = session.exec(select(PaymentRefund.number)).one()
    told = {
        "mchid": cash.till.accounts().wechat[0].merchant_id, "out_trade_no": "a" * 32, "out_refund_no": number,
        "refund_status": "SUCCESS",
    }  # fmt: skip
    assert posted(cash, "wechat", *wechat_notice(cash, told, "REFUND.SUCCESS")) == 200
    with cash.world.database.reading() as session:
        assert session.exec(select(PaymentRefund.state)).one() == "pending", "WeChat Pay does not speak for Alipay"


@pytest.mark.parametrize("channel", ["alipay", "wechat"])
def test_a_payment_of_one_order_pays_no_other(cash: Cash, channel: str) -> None:
    """The provider is asked and speaks of another order: that contradicts the notice, however well it is signed."""
    paid, other = cash.order(channel=channel), cash.order("order-0002", channel=channel)
    cash.till.pay(paid["qr"])
    sent = cash.till.app.state.counter.sent[-1]
    number = number_of(cash.peer.terminal, "order-0002")
    assert posted(cash, channel, *rewritten(cash, channel, sent.body, "out_trade_no", number)) == 401
    assert (cash.look()["state"], cash.look("order-0002")["state"]) == ("paid", "open")
    cash.till.pay(other["qr"])
    assert cash.look("order-0002")["state"] == "paid"
