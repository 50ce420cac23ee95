"""Sample screens of questions, of entries with their own keyboards, of an objection and of a package's end."""
# ruff: noqa: E501 - three languages side by side; a Chinese character counts as two columns

from __future__ import annotations

from kiosk.contracts.text import FieldKind
from kiosk.flow.screens import (
    ChooseScreen,
    FormItem,
    FormScreen,
    InstructScreen,
    KnownItem,
    Mark,
    NoticeScreen,
    ReviewScreen,
    Screen,
)
from kiosk.ui.gallery.tiles import option, text

_JOURNEY = (
    text("选择情形", "選擇情形", "Your case"), text("确认身份", "確認身分", "Identify"), text("填写一次", "填寫一次", "Fill in once"),
    text("核对", "核對", "Review"), text("各部门办理", "各部門辦理", "Departments"), text("评价", "評價", "Rate"),
)  # fmt: skip


def _journey(now: int) -> tuple[Mark, ...]:
    return tuple(
        Mark(title=title, state="done" if index < now else "now" if index == now else "next")
        for index, title in enumerate(_JOURNEY)
    )


_PHONE_ASIDE = (
    option("again", "重新出码", "重新出碼", "New code"), option("other", "换一种办法", "換一種辦法", "Another way"),
)  # fmt: skip
_PHONE_HINT = text(
    "用微信、支付宝或相机扫都可以。照片、文字只用于这一次办理，这里取到后服务器即删。",
    "用微信、支付寶或相機掃都可以。照片、文字只用於這一次辦理，這裡取到後伺服器即刪。",
    "Any scanner will do. What you send serves this matter only; the server deletes it once it is here.",
)
_NEXT = option("confirm", "下一步", "下一步", "Next")

QUESTION_SCREENS: dict[str, Screen] = {
    "ask": ChooseScreen(
        screen_id=70, step_id="which", journey=_journey(0), layout="list", can_go_back=True,
        title=text("孩子的户口要落在谁那里？", "孩子的戶口要落在誰那裡？", "Whose household will the child join?"),
        say=text("孩子的户口要落在谁那里？", "孩子的戶口要落在誰那裡？", "Whose household will the child join?"),
        options=(
            option("mother", "妈妈的户口", "媽媽的戶口", "The mother's", picked=True,
                   detail=text("妈妈是厦门户籍", "媽媽是廈門戶籍", "she is registered in Xiamen")),
            option("father", "爸爸的户口", "爸爸的戶口", "The father's",
                   detail=text("爸爸是厦门户籍", "爸爸是廈門戶籍", "he is registered in Xiamen")),
            option("collective", "集体户", "集體戶", "A collective household"),
        ),
    ),
    "ask_needed": ReviewScreen(
        screen_id=71, step_id="which", journey=_journey(0), can_go_back=True,
        title=text("这件事需要", "這件事需要", "What this takes"),
        say=text("先看一遍，再开始办理。", "先看一遍，再開始辦理。", "Please read it once, then begin."),
        primary=option("begin", "开始办理", "開始辦理", "Begin"),
        items=(
            KnownItem(label=text("请先知道", "請先知道", "Please know first"),
                      value=text("税务局的系统最近没有回应，缴费那一项现在可能办不成", "稅務局的系統最近沒有回應，繳費那一項現在可能辦不成",
                                 "Taxation has not answered lately; paying may not work now")),
            KnownItem(label=text("请带上", "請帶上", "Bring"), value=text("身份证", "身分證", "Your identity card")),
            KnownItem(label=text("材料（证照库有的不用带）", "資料（證照庫有的不用帶）", "Document, unless the certificate library has it"),
                      value=text("出生医学证明", "出生醫學證明", "Medical birth certificate")),
            KnownItem(label=text("费用", "費用", "Fee"), value=text("免费", "免費", "Free of charge")),
            KnownItem(label=text("多久办好", "多久辦好", "How long it takes"), value=text("当场受理，一个工作日办结", "當場受理，一個工作日辦結", "Accepted at once, done in one working day")),
        ),
    ),
    "material_ways": ChooseScreen(
        screen_id=76, step_id="photo_page", journey=_journey(2), layout="list", can_go_back=True,
        title=text("照片和说明", "照片和說明", "Photos and words"), say=text("请选一种办法", "請選一種辦法", "How would you like to give it?"),
        options=(
            option("phone", "用自己的手机发", "用自己的手機傳", "Send it from your phone", icon="phone",
                   detail=text("扫屏幕上的码，在手机上发照片、写文字", "掃螢幕上的碼，在手機上傳照片、寫文字", "Scan a code; send photos and words from your phone")),
            option("camera", "放到高拍仪下拍", "放到高拍儀下拍", "Lay it under the camera here", icon="scan",
                   detail=text("纸张、照片，或手机屏幕都可以", "紙張、照片，或手機螢幕都可以", "Paper, a photo, or the screen of a phone")),
            option("without", "不加，继续办", "不加，繼續辦", "Carry on without it", icon="right",
                   detail=text("不影响办理", "不影響辦理", "The matter goes on all the same")),
        ),
    ),
    "phone_code": InstructScreen(
        screen_id=77, step_id="photo_page", journey=_journey(2), can_go_back=True, alternatives=_PHONE_ASIDE,
        title=text("照片和说明", "照片和說明", "Photos and words"),
        say=text("请用手机扫屏幕上的码，在手机上发送。", "請用手機掃螢幕上的碼，在手機上傳送。", "Scan the code with your phone and send from there."),
        hint=_PHONE_HINT, qr="https://phone.example.org/phone#3vQ8mA0hT1y7WcKp2ZrXdg", seconds_left=547, seconds_total=600,
    ),
    "phone_opened": InstructScreen(
        screen_id=78, step_id="photo_page", journey=_journey(2), can_go_back=True, alternatives=_PHONE_ASIDE,
        title=text("照片和说明", "照片和說明", "Photos and words"),
        say=text("手机已经连上，请在手机上点“发送”。", "手機已經連上，請在手機上點「傳送」。", "Your phone is connected. Press Send on it."),
        hint=_PHONE_HINT, qr="https://phone.example.org/phone#3vQ8mA0hT1y7WcKp2ZrXdg", seconds_left=431, seconds_total=600,
    ),
    "plate": FormScreen(
        screen_id=72, step_id="car", journey=_journey(2), can_go_back=True, primary=_NEXT,
        title=text("填写车辆", "填寫車輛", "Your vehicle"), say=text("请填写车牌号。", "請填寫車牌號碼。", "Enter the plate number."),
        items=(
            FormItem(id="plate", label=text("车牌号", "車牌號碼", "Plate"), kind=FieldKind.PLATE, max_length=8,
                     hint=text("例如 闽D12345", "例如 闽D12345", "for example 闽D12345")),
            FormItem(id="price", label=text("申报价格（元）", "申報價格（元）", "Declared price, CNY"), kind=FieldKind.MONEY, required=False),
        ),
    ),
    "credit_code": FormScreen(
        screen_id=73, step_id="firm", journey=_journey(2), can_go_back=True, primary=_NEXT,
        title=text("填写企业", "填寫企業", "The firm"),
        say=text("请填写营业执照上的统一社会信用代码。", "請填寫營業執照上的統一社會信用代碼。", "Enter the credit code on the business licence."),
        items=(
            FormItem(id="firm", label=text("统一社会信用代码", "統一社會信用代碼", "Credit code"), kind=FieldKind.CREDIT_CODE, max_length=18,
                     value="91350200M000100Y"),
        ),
    ),
    "objection_sent": NoticeScreen(
        screen_id=74, step_id="review", journey=_journey(3), tone="success",
        title=text("异议已经提交", "異議已經送出", "Your objection is in"),
        say=text("编号 YY-1902-0007，2026-03-12 前给您答复。", "編號 YY-1902-0007，2026-03-12 前給您答覆。",
                 "Number YY-1902-0007; you will have an answer by 2026-03-12."),
        what_to_do=text("编号也印在凭条上，可凭它查进度。", "編號也印在憑條上，可憑它查進度。", "The number is on your receipt too; you can ask how it stands."),
        primary=option("go_on", "继续办这件事", "繼續辦這件事", "Go on with this matter"),
        alternatives=(option("end", "先不办了", "先不辦了", "Stop here"),),
    ),
    "partly_done": NoticeScreen(
        screen_id=75, step_id="rate", journey=(), tone="attention",
        title=text("办成了一部分", "辦成了一部分", "Partly done"),
        say=text("办成 2 项，没办成 1 项；凭条上逐项写明了", "辦成 2 項，沒辦成 1 項；憑條上逐項寫明了", "2 done, 1 not done; your receipt lists each of them"),
        papers=text("文件在出纸口，凭条在出条口", "文件在出紙口，憑條在出條口", "Papers are in the tray, the receipt is in the slot"),
        what_to_do=text(
            "出生登记落户：办成\n医保参保：已受理，等结果\n社保卡申领：没有办成。部门的系统没有回应，这一项什么也没有提交，可以过些时候单独再办",
            "出生登記落戶：辦成\n醫保參保：已受理，等結果\n社保卡申領：沒有辦成。部門的系統沒有回應，這一項什麼也沒有送出，可以過些時候單獨再辦",
            "Household registration – done\nMedical insurance – accepted, result to follow\nSocial card – not done – The department did not answer. Nothing was handed in for this part; you can do it on its own later",
        ),
        primary=option("finish", "完成", "完成", "Finish"),
        alternatives=(option("another", "继续办其他事项", "繼續辦其他事項", "Do another matter"),),
        transaction_number="XM0017-1902-0009",
    ),
}  # fmt: skip
