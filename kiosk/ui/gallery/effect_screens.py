"""Sample screens of signing and paying; invented citizens."""
# ruff: noqa: E501 - three languages side by side; a Chinese character counts as two columns

from __future__ import annotations

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.text import LocalizedText, plain
from kiosk.flow.screens import (
    ChooseScreen,
    InkLine,
    KnownItem,
    Mark,
    NoticeScreen,
    PayScreen,
    Place,
    Screen,
    SignScreen,
)
from kiosk.ui.gallery.tiles import option, text

_JOURNEY = (
    text("登录", "登入", "Sign in"), text("核对", "核對", "Check"), text("签名", "簽名", "Sign"), text("付款", "付款", "Pay"),
    text("写卡", "寫卡", "Write"), text("评价", "評價", "Rate"),
)  # fmt: skip


def _journey(now: int) -> tuple[Mark, ...]:
    return tuple(
        Mark(title=title, state="done" if index < now else "now" if index == now else "next")
        for index, title in enumerate(_JOURNEY)
    )


STATEMENT = text(
    "本人申请往来台湾通行证一次有效签注，承诺所填内容和提交的材料真实有效；如有虚假，愿意承担相应的法律责任。",
    "本人申請往來臺灣通行證一次有效簽注，承諾所填內容和送交的資料真實有效；如有虛假，願意承擔相應的法律責任。",
    "I apply for a single-journey endorsement of my permit and declare that everything I stated is true. I answer for anything false under the law.",
)
_VALUES = (
    KnownItem(label=text("申请人", "申請人", "Applicant"), value=plain("林*试"), masked=True, clear_value=plain("林测试")),
    KnownItem(label=text("签注种类", "簽注種類", "Endorsement"), value=text("个人旅游，三个月一次", "個人旅遊，三個月一次", "Tourism, once in three months")),
)  # fmt: skip
INK: tuple[InkLine, ...] = (
    tuple((40 + step * 2.0, 30 + (step % 7) * 2.5, 0.8) for step in range(28)),
    tuple((60 + step * 1.2, 55 - (step % 9) * 2.2, 0.6) for step in range(40)),
    tuple((112 + step * 1.0, 24 + step * 1.1, 0.9) for step in range(30)),
)
_SIGN_SAY = text(
    "请看清上面的内容，再在框里写您的名字。",
    "請看清上面的內容，再在框裡寫您的名字。",
    "Please read the text, then write your name in the box.",
)
_LINES = (
    KnownItem(label=text("签注费", "簽注費", "Endorsement"), value=plain("¥ 15.00")),
    KnownItem(label=text("制证费", "製證費", "Card"), value=plain("¥ 5.00")),
)
PAYEE = text("厦门市公安局出入境管理局", "廈門市公安局出入境管理局", "Xiamen Exit and Entry Administration")
_SUBJECT = text("往来台湾通行证签注", "往來臺灣通行證簽注", "Permit endorsement")


def _pay(screen_id: int, channel: LocalizedText, say: LocalizedText, *, qr: str = "", place: Place = Place.SCREEN,
         hint: LocalizedText | None = None, icon: str = "") -> PayScreen:  # fmt: skip
    return PayScreen(
        screen_id=screen_id, step_id="pay", journey=_journey(3), place=place, title=text("请付款", "請付款", "Please pay"),
        say=say, amount="20.00", payee=PAYEE, subject=_SUBJECT, lines=_LINES, channel=channel, icon=icon, qr=qr,
        seconds_left=142 if qr else 0, seconds_total=180 if qr else 0, hint=hint,
        alternatives=(option("other", "换一种方式", "換一種方式", "Another way"),), can_go_back=True,
    )  # fmt: skip


EFFECT_SCREENS: dict[str, Screen] = {
    "sign": SignScreen(
        screen_id=40, step_id="sign", journey=_journey(2), title=text("签名", "簽名", "Sign"), say=_SIGN_SAY, text=STATEMENT,
        items=_VALUES, field_mm=(200, 80), can_go_back=True,
        primary=option("confirm", "确认签名", "確認簽名", "Confirm signature", enabled=False),
        alternatives=(option("again", "重新写", "重新寫", "Write again", enabled=False),),
    ),
    "signed": SignScreen(
        screen_id=41, step_id="sign", journey=_journey(2), title=text("签名", "簽名", "Sign"), say=_SIGN_SAY, text=STATEMENT,
        items=_VALUES, field_mm=(200, 80), can_go_back=True, writes_here=False, ink=INK, place=Place.SIGNATURE_PAD,
        primary=option("confirm", "确认签名", "確認簽名", "Confirm signature"),
        alternatives=(option("again", "重新写", "重新寫", "Write again"),),
    ),
    "sign_again": SignScreen(
        screen_id=47, step_id="sign", journey=_journey(2), title=text("签名", "簽名", "Sign"), say=_SIGN_SAY, text=STATEMENT,
        items=_VALUES, field_mm=(200, 80), can_go_back=True,
        hint=text("签名太短，没有签上；请在框里写全名，再按确认。", "簽名太短，沒有簽上；請在框裡寫全名，再按確認。",
                  "The signature is too short and was not taken; write the full name in the box, then confirm."),
        primary=option("confirm", "确认签名", "確認簽名", "Confirm signature", enabled=False),
        alternatives=(option("again", "重新写", "重新寫", "Write again", enabled=False),),
    ),
    "pay_ways": ChooseScreen(
        screen_id=42, step_id="pay", journey=_journey(3), layout="list",
        title=text("应付 20.00 元", "應付 20.00 元", "To pay: 20.00 yuan"),
        say=text("收款单位：厦门市公安局出入境管理局。请选一种付款方式。", "收款單位：廈門市公安局出入境管理局。請選一種付款方式。",
                 "To the Xiamen Exit and Entry Administration. How would you like to pay?"),
        options=(
            option("alipay", "支付宝", "支付寶", "Alipay", icon="scan", detail=text("用手机扫屏幕上的码", "用手機掃螢幕上的碼", "Scan the code on the screen with your phone")),
            option("wechat", "微信支付", "微信支付", "WeChat Pay", icon="scan", detail=text("用手机扫屏幕上的码", "用手機掃螢幕上的碼", "Scan the code on the screen with your phone")),
            option("payer_code", "出示付款码", "出示付款碼", "My payment code", icon="phone", detail=text("把手机上的付款码对准扫码窗口", "把手機上的付款碼對準掃碼窗口", "Hold your phone to the scanner")),
            option("bank_card", "银行卡", "銀行卡", "Bank card", icon="card", detail=text("在刷卡机上插卡或挥卡", "在刷卡機上插卡或揮卡", "Insert or tap at the card terminal")),
        ),
        can_go_back=True,
    ),
    "pay": _pay(43, text("支付宝", "支付寶", "Alipay"),
                text("请打开支付宝，扫屏幕上的码付款。", "請打開支付寶，掃螢幕上的碼付款。", "Open Alipay and scan the code on the screen."),
                qr="https://qr.alipay.example/bax0371284kwaqbyzx8001c7", icon="scan"),
    "pay_slow": _pay(44, text("微信支付", "微信支付", "WeChat Pay"),
                     text("请打开微信，扫屏幕上的码付款。", "請打開微信，掃螢幕上的碼付款。", "Open WeChat and scan the code on the screen."),
                     qr="weixin://wxpay/bizpayurl?pr=p4lpSuKzz", icon="scan",
                     hint=text("网络不稳，正在确认付款；请不要重复付。", "網路不穩，正在確認付款；請不要重複付。",
                               "The network is unsteady and we are still checking. Please do not pay again.")),
    "pay_scan": _pay(45, text("付款码", "付款碼", "Payment code"),
                     text("请把手机上的付款码对准扫码窗口。", "請把手機上的付款碼對準掃碼窗口。", "Hold the code on your phone to the scanner."),
                     place=Place.CODE_SCANNER, icon="phone"),
    "pay_card": _pay(48, text("银行卡", "銀行卡", "Bank card"),
                     text("请在刷卡机上插卡或挥卡，按它的提示付款。", "請在刷卡機上插卡或揮卡，按它的提示付款。",
                          "Insert or tap your card at the card terminal and follow it."),
                     place=Place.PAYMENT_TERMINAL, icon="card"),
    "unpaid": NoticeScreen(
        screen_id=46, step_id="pay", journey=_journey(3), tone="attention", fault=FaultCode.PAYMENT_NOT_MADE,
        title=text("没有等到付款", "沒有等到付款", "No payment arrived"),
        say=text("时间到了，这笔订单已经关闭。", "時間到了，這筆訂單已經關閉。", "The time is up and the order is closed."),
        papers=text("办理没有完成，您填的内容还在。", "辦理沒有完成，您填的內容還在。", "Nothing was handed in; what you entered is kept."),
        money=text("没有收取任何费用；万一您刚刚付了，会自动原路退回。", "沒有收取任何費用；萬一您剛剛付了，會自動原路退回。",
                   "Nothing was charged. Should you have paid just now, it goes back by itself."),
        what_to_do=text("可以再付一次，或回首页。", "可以再付一次，或回首頁。", "Pay again, or return to the home page."),
        primary=option("retry", "再付一次", "再付一次", "Pay again"),
        alternatives=(option("home", "返回首页", "返回首頁", "Back to home"),), transaction_number="XM0017-1902-0003",
    ),
}  # fmt: skip
