"""Signatures and meanings of the three providers, over HTTP; WeChat Pay also against a second implementation."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import secrets
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from wechatpayv3 import WeChatPay as Oracle
from wechatpayv3 import WeChatPayType

from fleet_server.payments.providers.alipay import Alipay
from fleet_server.payments.providers.non_tax import NonTax
from fleet_server.payments.providers.protocol import (
    Asked,
    Giving,
    Provider,
    Refused,
    Unreachable,
    Untrusted,
    fen_of,
    yuan_of,
)
from fleet_server.payments.providers.wechat import WeChatPay
from fleet_server.sandbox.payments.alipay import AlipayGate
from fleet_server.sandbox.payments.bills import amount_of, payment_code
from fleet_server.sandbox.payments.counter import Counter
from fleet_server.sandbox.payments.non_tax import NonTaxGate
from fleet_server.sandbox.payments.wechat import WeChatGate
from kiosk.contracts.value import CITY_TIME
from tests.fleet_server.payments.conftest import Till

FEN = 2000
NOBODY = "http://127.0.0.1:9/nobody"
CODES = {"alipay": "281234567890123456", "wechat": "131234567890123456"}

T = TypeVar("T")


def done(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def provider_of(till: Till, channel: str) -> Alipay | WeChatPay | NonTax:
    accounts = till.accounts()
    match channel:
        case "alipay":
            return Alipay(accounts.alipay[0])
        case "wechat":
            return WeChatPay(accounts.wechat[0])
        case _:
            return NonTax(accounts.non_tax[0])


def asked(channel: str = "alipay", **changed: Any) -> Asked:
    return Asked(
        **{
            "number": secrets.token_hex(16), "amount_fen": FEN, "currency": "CNY", "subject": "工本费",
            "expires_at": dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5), "notify_url": NOBODY,
            "terminal": "bench-1", "bill": payment_code(FEN, 1) if channel == "non_tax" else "",
        } | changed
    )  # fmt: skip


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
def test_an_order_is_opened_paid_asked_for_and_given_back(till: Till, channel: str) -> None:
    provider = provider_of(till, channel)
    order = asked(channel)
    assert done(provider.query(order.number)).state == "unknown"
    qr = done(provider.open(order))
    assert done(provider.open(order)) == qr, "the same number is the same order"
    assert done(provider.query(order.number)).state == "waiting"
    till.pay(qr)
    standing = done(provider.query(order.number))
    assert standing.state == "paid"
    payment = standing.payment
    assert payment is not None
    assert (payment.amount_fen, payment.currency) == (FEN, "CNY")
    assert abs((payment.paid_at - dt.datetime.now(dt.UTC)).total_seconds()) < 5
    assert done(provider.query(order.number, payment.reference)) == standing
    assert done(provider.close(order.number)).state == "paid", "closing comes too late"
    giving = Giving("a" * 32, order.number, payment.reference, 500, FEN, "CNY", "退款")
    assert done(provider.refund(giving)).state == "succeeded"
    assert done(provider.refund(giving)).state == "succeeded", "asked twice, given once"
    assert till.house.left_of(till.trade(qr)) == FEN - 500
    with pytest.raises(Refused):
        done(provider.refund(Giving("b" * 32, order.number, payment.reference, FEN, FEN, "CNY", "more than is left")))
    today = dt.datetime.now(CITY_TIME).date()
    _, rows = done(provider.daily_file(today))
    assert [(row.number, row.reference, row.amount_fen, row.refund_number) for row in rows] == [
        (order.number, payment.reference, FEN, ""),
        (order.number, payment.reference, 500, "a" * 32),
    ]


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
def test_a_closed_order_cannot_be_paid(till: Till, channel: str) -> None:
    provider = provider_of(till, channel)
    order = asked(channel)
    assert done(provider.close(order.number)).state == "closed", "an order nobody knows counts as closed"
    done(provider.open(order))
    assert done(provider.close(order.number)).state == "closed"
    assert done(provider.query(order.number)).state == "closed"


@pytest.mark.parametrize("channel", ["alipay", "wechat"])
def test_a_scanned_code_is_charged_once(till: Till, channel: str) -> None:
    provider = provider_of(till, channel)
    order = asked(channel, payer_code=CODES[channel])
    first = done(provider.pay(order))
    assert first.state == "paid"
    assert done(provider.pay(order)) == first
    assert len(till.trade(order.number).payments) == 1
    wrong = done(provider.pay(asked(channel, payer_code="991234567890123456")))
    assert (wrong.state, wrong.reason) == ("refused", "payer_code_wrong")
    till.behave("refused", times=1)
    assert done(provider.pay(asked(channel, payer_code=CODES[channel]))).reason == "declined"
    till.behave("never", times=1)
    waiting = asked(channel, payer_code=CODES[channel])
    assert done(provider.pay(waiting)).state == "paying"
    assert done(provider.close(waiting.number, scanned=True)).state == "closed"


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
@pytest.mark.parametrize(("behave", "kind"), [("down", "down"), ("garbage", ""), ("bad_signature", "untrusted")])
def test_what_cannot_be_believed_is_not(till: Till, channel: str, behave: str, kind: str) -> None:
    provider = provider_of(till, channel)
    order = asked(channel)
    done(provider.open(order))
    till.behave(behave, times=1)
    with pytest.raises(Unreachable) as failed:
        done(provider.query(order.number))
    assert failed.value.kind in ((kind,) if kind else ("garbled", "untrusted"))
    assert done(provider.query(order.number)).state == "waiting"


def test_the_provider_refuses_another_key(till: Till) -> None:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for channel in ("alipay", "wechat", "non_tax"):
        provider = provider_of(till, channel)
        provider._key = stranger
        with pytest.raises((Refused, Unreachable)):
            done(provider.open(asked(channel)))
    assert not till.house.trades


def notice_of(till: Till, channel: str, behave: str = "paid") -> tuple[dict[str, str], bytes]:
    counter = Counter(till.house)
    gates = {"alipay": AlipayGate, "wechat": WeChatGate, "non_tax": NonTaxGate}
    trade = till.house.create(channel, "c" * 32, FEN, "工本费", NOBODY, bill=payment_code(FEN, 1))  # type: ignore[arg-type]
    payment = till.house.receive(trade, FEN)
    headers, body = gates[channel](till.house, till.keys, counter).notice(trade, payment, behave)
    return headers, body


@pytest.mark.parametrize("channel", ["alipay", "wechat", "non_tax"])
def test_a_notice_is_read_and_its_forgeries_are_not(till: Till, channel: str) -> None:
    provider: Provider = provider_of(till, channel)
    headers, body = notice_of(till, channel)
    notice = provider.read_notice(headers, body)
    assert notice is not None
    assert notice.payment is not None
    assert (notice.number, notice.payment.amount_fen) == ("c" * 32, FEN)
    for behave in ("forged", "other_merchant"):
        with pytest.raises(Untrusted):
            provider.read_notice(*notice_of(till, channel, behave))
    for place in range(0, len(body), max(1, len(body) // 97)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        with pytest.raises(Untrusted):
            provider.read_notice(headers, changed)
    for nonsense in (b"", b"{}", b"\xff\xfe", b"[]", b"a=b&sign=", b'{"biz":1}'):
        with pytest.raises(Untrusted):
            provider.read_notice(headers, nonsense)


def test_an_old_wechat_notice_is_not_believed(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    headers, body = notice_of(till, "wechat")
    moment = int(headers["wechatpay-timestamp"])
    monkeypatch.setattr("fleet_server.payments.providers.wechat.time.time", lambda: moment + 301)
    with pytest.raises(Untrusted, match="not of now"):
        provider_of(till, "wechat").read_notice(headers, body)


# --- a second implementation ------------------------------------------------------------------------------------------


def oracle(till: Till) -> Oracle:
    account = till.accounts().wechat[0]
    made = Oracle(
        wechatpay_type=WeChatPayType.NATIVE, mchid=account.merchant_id, appid=account.app_id,
        cert_serial_no=account.serial,
        private_key=account.private_key.get_secret_value(), apiv3_key=account.api_v3_key.get_secret_value(),
        notify_url=NOBODY, public_key=account.provider_key, public_key_id=account.provider_key_id,
    )  # fmt: skip
    made._core._gate_way = till.address
    return made


def test_the_stand_in_speaks_as_wechat_pay_does(till: Till) -> None:
    """wechatpayv3 signs its requests and verifies the stand-in's answers; ours sees the same order."""
    theirs, number = oracle(till), secrets.token_hex(16)
    status, said = theirs.pay(description="工本费", out_trade_no=number, amount={"total": FEN, "currency": "CNY"})
    assert status == 200
    assert done(provider_of(till, "wechat").query(number)).state == "waiting"
    till.pay(json.loads(said)["code_url"])
    status, said = theirs.query(out_trade_no=number)
    assert (status, json.loads(said)["trade_state"]) == (200, "SUCCESS")
    status, said = theirs.refund(
        out_refund_no="r" * 32, transaction_id=json.loads(said)["transaction_id"],
        amount={"refund": FEN, "total": FEN, "currency": "CNY"},
    )  # fmt: skip
    assert (status, json.loads(said)["status"]) == (200, "SUCCESS")
    till.behave("bad_signature", times=1)
    with pytest.raises(Exception, match="verify the signature"):
        theirs.query(out_trade_no=number)


def test_a_second_implementation_reads_the_same_notice(till: Till) -> None:
    headers, body = notice_of(till, "wechat")
    read = oracle(till).callback(headers, body)
    ours = provider_of(till, "wechat").read_notice(headers, body)
    assert ours is not None
    assert ours.payment is not None
    assert read["resource"]["transaction_id"] == ours.payment.reference
    assert read["resource"]["amount"]["total"] == ours.payment.amount_fen
    headers["wechatpay-nonce"] = "0" * 32
    assert oracle(till).callback(headers, body) is None
    with pytest.raises(Untrusted):
        provider_of(till, "wechat").read_notice(headers, body)


def test_alipay_texts_are_signed_as_its_documents_say(till: Till) -> None:
    """Written out once more by hand: sorted, empty values and `sign`, `sign_type` left out, joined by `&`."""
    _, body = notice_of(till, "alipay")
    form = dict(httpx.QueryParams(body.decode()))
    text = "&".join(f"{key}={form[key]}" for key in sorted(set(form) - {"sign", "sign_type"}) if form[key] != "")
    till.keys.provider.public_key().verify(
        base64.b64decode(form["sign"]), text.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def test_amounts_and_payment_codes() -> None:
    for fen in (1, 10, 99, 100, 2000, 123456789):
        assert fen_of(yuan_of(fen)) == fen
    assert (fen_of("20"), fen_of("20.5"), fen_of("-0.01")) == (2000, 2050, -1)
    for wrong in ("", "1.234", "1,000.00", "１.00", "1e3", "--1", "1.-1", "."):
        with pytest.raises(ValueError, match="amount"):
            fen_of(wrong)
    code = payment_code(20000, 7)
    assert amount_of(code) == 20000
    assert amount_of(code[:-1] + str((int(code[-1]) + 1) % 10)) is None
    assert amount_of("1" * 20) is None


def test_bills_that_do_not_fit_are_refused(till: Till) -> None:
    provider = provider_of(till, "non_tax")
    for bill, reason in ((payment_code(FEN + 1, 1), "amount_mismatch"), ("9" * 20, "bill_unknown")):
        with pytest.raises(Refused) as refused:
            done(provider.open(asked("non_tax", bill=bill)))
        assert refused.value.reason == reason
    first = asked("non_tax")
    till.pay(done(provider.open(first)))
    with pytest.raises(Refused) as refused:
        done(provider.open(asked("non_tax")))
    assert refused.value.reason == "bill_paid"
