"""Sample screens with as much as can come: long names and titles, thirty rows, great sums; invented citizens."""
# ruff: noqa: E501 - three languages side by side; a Chinese character counts as two columns

from __future__ import annotations

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.text import FieldKind, plain
from kiosk.flow.screens import (
    ChooseScreen,
    FormItem,
    FormScreen,
    KnownItem,
    NoticeScreen,
    PayScreen,
    ReviewScreen,
    Screen,
)
from kiosk.ui.gallery.screens import journey
from kiosk.ui.gallery.tiles import option, text

LONG_TITLE = text(
    "公众聚集场所投入使用、营业消防安全告知承诺", "公眾聚集場所投入使用、營業消防安全告知承諾",
    "Deposit certificate for a provident fund loan in another city",
)  # fmt: skip
CITIZEN = "阿***"
_UYGHUR = "阿卜杜热合曼·样例·吐尔逊尼亚孜·麦麦提依明江·热合木图拉"
_LATIN = "SAMPLE-VANDENBERGHE DE LA FUENTE, MARIA ALEXANDRA CONSTANTINA"
_FIRM = text(
    "厦门样例海峡两岸经贸文化交流发展促进服务（集团）股份有限公司思明第一分公司",
    "廈門樣例海峽兩岸經貿文化交流發展促進服務（集團）股份有限公司思明第一分公司",
    "Xiamen Sample Cross-Strait Trade, Culture and Exchange Development Services (Group) Company Limited, First Branch in Siming",
)
_ROWS = (
    KnownItem(label=text("姓名", "姓名", "Name"), value=plain("阿***"), masked=True, clear_value=plain(_UYGHUR),
              origin=text("来自身份证", "來自身分證", "from your ID card")),
    KnownItem(label=text("配偶（外国人永久居留身份证上的姓名）", "配偶（外國人永久居留身分證上的姓名）", "Spouse, as on the foreign permanent resident's card"),
              value=plain(_LATIN), origin=text("来自不动产登记信息平台", "來自不動產登記資訊平台", "from the real-estate register")),
    KnownItem(label=text("工作单位", "工作單位", "Employer"), value=_FIRM),
    KnownItem(label=text("申报价格", "申報價格", "Declared price"), value=plain("¥ 9,999,999.99")),
)  # fmt: skip
_STATEMENT = text(
    "本人已看清以上内容，承诺真实有效。", "本人已看清以上內容，承諾真實有效。", "I have read all of this and declare it to be true.",
)  # fmt: skip

EXTREME_SCREENS: dict[str, Screen] = {
    "long_review": ReviewScreen(
        screen_id=90, step_id="review", journey=journey(3), can_go_back=True,
        title=text("请核对", "請核對", "Please check"),
        say=text("没有错就点下面的按钮；点小眼睛可看全部内容。", "沒有錯就點下面的按鈕；點小眼睛可看全部內容。", "If all is right, touch the button below. The eye shows hidden values."),
        items=_ROWS + tuple(
            KnownItem(label=text(f"第 {number} 处房产", f"第 {number} 處房產", f"Property {number}"),
                      value=text(f"厦门市思明区样例路 {number} 号 {number}01 室", f"廈門市思明區樣例路 {number} 號 {number}01 室",
                                 f"Flat {number}01, {number} Sample Road, Siming, Xiamen"))
            for number in range(1, 27)
        ),
        text=_STATEMENT,
        primary=option("confirm", "没有错，提交", "沒有錯，提交", "All correct, submit"),
        alternatives=(option("object", "信息有误，提出异议", "資訊有誤，提出異議", "Something is wrong: object"),),
    ),
    "long_form": FormScreen(
        screen_id=91, step_id="form", journey=journey(2), can_go_back=True,
        title=text("填写共有人", "填寫共有人", "The joint owner"), say=text("请照证件上的姓名填写。", "請照證件上的姓名填寫。", "As it stands on the document."),
        known=_ROWS[:2],
        items=(
            FormItem(id="name", label=text("共有人姓名", "共有人姓名", "Joint owner's name"), kind=FieldKind.TEXT, max_length=64, value=_UYGHUR),
            FormItem(id="firm", label=text("单位", "單位", "Firm"), kind=FieldKind.TEXT, max_length=120, value=_FIRM.zh_cn,
                     error=text("这家单位已经注销，不能再办；请核对名称，或到窗口办理。", "這家單位已經註銷，不能再辦；請核對名稱，或到櫃台辦理。",
                                "This firm is struck off the register; please check its name, or go to a counter.")),
        ),
        primary=option("confirm", "确认，下一步", "確認，下一步", "Confirm and continue"),
    ),
    "long_options": ChooseScreen(
        screen_id=92, step_id="choose", journey=journey(2), layout="list", can_go_back=True,
        title=text("请选择要办理的具体情形和对应的受理机构", "請選擇要辦理的具體情形和對應的受理機構", "Which case is yours, and which office shall take it up?"),
        say=text("选一个最接近的。", "選一個最接近的。", "Choose the closest."),
        options=tuple(
            option(f"case{number}", f"{number}. {LONG_TITLE.zh_cn}", f"{number}. {LONG_TITLE.zh_tw}", f"{number}. {LONG_TITLE.en}",
                   icon="document", detail=_FIRM, enabled=number != 2)
            for number in range(1, 13)
        ),
    ),
    "long_pay": PayScreen(
        screen_id=93, step_id="pay", journey=journey(3), title=text("请付款", "請付款", "Please pay"),
        say=text("请打开支付宝，扫屏幕上的码付款。", "請打開支付寶，掃螢幕上的碼付款。", "Open Alipay and scan the code on the screen."),
        amount="9999999.99", payee=_FIRM, subject=LONG_TITLE, channel=text("支付宝", "支付寶", "Alipay"), icon="scan",
        lines=tuple(
            KnownItem(label=text(f"第 {number} 宗地的土地出让价款", f"第 {number} 宗地的土地出讓價款", f"Land grant fee for parcel {number}"),
                      value=plain("¥ 1111111.11"))
            for number in range(1, 10)
        ),
        qr="https://qr.alipay.example/bax0371284kwaqbyzx8001c7", seconds_left=142, seconds_total=180,
        hint=text("网络不稳，正在确认付款；请不要重复付。", "網路不穩，正在確認付款；請不要重複付。", "The network is unsteady and we are still checking. Please do not pay again."),
        alternatives=(option("other", "换一种方式", "換一種方式", "Another way"),), can_go_back=True,
    ),
    "long_failure": NoticeScreen(
        screen_id=94, step_id="print", journey=journey(4), tone="failure", fault=FaultCode.PRINT_UNCERTAIN,
        title=text("证明可能没有打印出来，也没有盖上电子印章", "證明可能沒有列印出來，也沒有蓋上電子印章", "The page may not have been printed, and its seal is missing"),
        say=text("打印机中途没有回应，我们没有重复打印。", "印表機中途沒有回應，我們沒有重複列印。", "The printer stopped answering. We have not printed twice."),
        papers=text("您的身份证在读卡区，户口簿和出生医学证明在高拍仪下面，请一起收好", "您的身分證在讀卡區，戶口簿和出生醫學證明在高拍儀下面，請一起收好",
                    "Your ID card is on the reader; your household book and the birth certificate are under the camera. Please take them all"),
        money=text("已付的 9,999,999.99 元由厦门样例公司代收，办不成会在 7 个工作日内原路退回", "已付的 9,999,999.99 元由廈門樣例公司代收，辦不成會在 7 個工作日內原路退回",
                   "The 9,999,999.99 yuan you paid go back to you the same way within seven working days if this cannot be done"),
        what_to_do=text(
            "请看一眼出纸口；没有的话，凭流水号可免费重新打印，也可以到任何一台终端或政务服务中心窗口办理", "請看一眼出紙口；沒有的話，憑流水號可免費重新列印，也可以到任何一台終端或政務服務中心櫃台辦理",
            "Look into the tray. If it is empty, print again free of charge with the number below, at any terminal or at a counter"),
        primary=option("finish", "知道了", "知道了", "I see"), alternatives=(option("retry", "重新打印", "重新列印", "Print again"),),
        transaction_number="XM0017-1902-0003",
    ),
}  # fmt: skip
