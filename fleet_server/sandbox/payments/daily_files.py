"""The daily file of each stand-in provider in that provider's own form. A day is a day of China's time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from fleet_server.payments.providers.protocol import yuan_of
from fleet_server.sandbox.payments.clearing import Channel, ClearingHouse, Payment, Refund, Trade
from fleet_server.sandbox.payments.keys import ALIPAY_SELLER, NON_TAX_AGENCY, WECHAT_APP, WECHAT_MERCHANT
from kiosk.contracts.value import CITY_TIME

ALIPAY_COLUMNS = (
    "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "对方账户", "订单金额（元）",
    "商家实收（元）", "退款批次号/请求号", "服务费（元）", "备注",
)  # fmt: skip
WECHAT_COLUMNS = (
    "交易时间", "公众账号ID", "商户号", "微信订单号", "商户订单号", "用户标识", "交易类型", "交易状态", "货币种类",
    "应结订单金额", "微信退款单号", "商户退款单号", "退款金额", "退款类型", "商品名称", "手续费", "订单金额",
    "申请退款金额",
)  # fmt: skip


def alipay(house: ClearingHouse, day: str) -> bytes:
    lines = ["#支付宝业务明细查询", f"#账号：[{ALIPAY_SELLER}0156]", f"#起始日期：[{day}]", ",".join(ALIPAY_COLUMNS)]
    for trade, payment, refund in _of(house, "alipay", day.replace("-", "")):
        moment = f"{(refund.at if refund else payment.paid_at).astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}"
        amount = f"-{yuan_of(refund.amount_fen)}" if refund else yuan_of(payment.amount_fen)
        row = (
            payment.reference, trade.number, "退款" if refund else "交易", trade.subject.replace(",", "，"), moment,
            moment, "*某(159***)", amount, amount, refund.number if refund else "", "0.00", "",
        )  # fmt: skip
        lines.append(",".join(f"{value}\t" for value in row))
    lines += ["#交易合计：", "#导出完成"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{ALIPAY_SELLER}0156_{day}_业务明细.csv", "\r\n".join(lines).encode("gb18030"))
        archive.writestr(f"{ALIPAY_SELLER}0156_{day}_业务明细(汇总).csv", "#汇总".encode("gb18030"))
    return packed.getvalue()


def wechat(house: ClearingHouse, day: str) -> str:
    lines = []
    for trade, payment, refund in _of(house, "wechat", day.replace("-", "")):
        moment = f"{(refund.at if refund else payment.paid_at).astimezone(CITY_TIME):%Y-%m-%d %H:%M:%S}"
        back = yuan_of(refund.amount_fen) if refund else "0.00"
        row = (
            moment, WECHAT_APP, WECHAT_MERCHANT, payment.reference, trade.number, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
            "NATIVE", "REFUND" if refund else "SUCCESS", payment.currency,
            "0.00" if refund else yuan_of(payment.amount_fen), refund.id if refund else "0",
            refund.number if refund else "0", back, "ORIGINAL" if refund else "", trade.subject.replace(",", "，"),
            "0.00000", "0.00" if refund else yuan_of(payment.amount_fen), back,
        )  # fmt: skip
        lines.append(",".join(f"`{value}" for value in row))
    sums = ["总交易单数,应结订单总金额", f"`{len(lines)},`0.00"]
    return "\r\n".join(["\ufeff" + ",".join(WECHAT_COLUMNS), *lines, *sums]) + "\r\n"


def non_tax(house: ClearingHouse, day: str) -> str:
    lines = []
    for trade, payment, refund in _of(house, "non_tax", day):
        kind, number = ("R", refund.number) if refund else ("P", "")
        amount = yuan_of(refund.amount_fen if refund else payment.amount_fen)
        lines.append(f"{kind}|{trade.number}|{payment.reference}|{number}|{amount}|{trade.bill}")
    return "\n".join([f"H|{NON_TAX_AGENCY}|{day}|{len(lines)}", *lines]) + "\n"


def _of(house: ClearingHouse, channel: Channel, day: str) -> Iterator[tuple[Trade, Payment, Refund | None]]:
    """Payments and refunds of the channel on this day (YYYYMMDD)."""
    with house.lock:
        for trade in list(house.trades.values()):
            if trade.channel != channel:
                continue
            by_reference = {payment.reference: payment for payment in trade.payments}
            for payment in trade.payments:
                if f"{payment.paid_at.astimezone(CITY_TIME):%Y%m%d}" == day:
                    yield trade, payment, None
            for refund in trade.refunds.values():
                if f"{refund.at.astimezone(CITY_TIME):%Y%m%d}" == day:
                    yield trade, by_reference[refund.reference], refund
