"""Sample screens: every kind, in the order a visit goes; invented citizens."""
# ruff: noqa: E501 - three languages side by side; a Chinese character counts as two columns

from __future__ import annotations

from kiosk.contracts.errors import FaultCode
from kiosk.contracts.text import FieldKind, plain
from kiosk.flow.screens import (
    ChooseScreen,
    FormItem,
    FormScreen,
    InstructScreen,
    KnownItem,
    Mark,
    NoticeScreen,
    Place,
    PreviewScreen,
    ReviewScreen,
    Screen,
    WorkingScreen,
)
from kiosk.ui.gallery.tiles import option, text

_JOURNEY = (
    text("登录", "登入", "Sign in"), text("授权", "授權", "Consent"), text("填写信息", "填寫資料", "Your details"),
    text("核对", "核對", "Check"), text("打印证明", "列印證明", "Print"), text("评价", "評價", "Rate"),
)  # fmt: skip


def journey(now: int) -> tuple[Mark, ...]:
    return tuple(
        Mark(title=title, state="done" if index < now else "now" if index == now else "next")
        for index, title in enumerate(_JOURNEY)
    )


KNOWN = (
    KnownItem(label=text("姓名", "姓名", "Name"), value=plain("林*试"), masked=True, clear_value=plain("林测试"),
              origin=text("来自身份证", "來自身分證", "from your ID card")),
    KnownItem(label=text("公民身份号码", "公民身分號碼", "ID number"), value=plain("350*************17"), masked=True,
              clear_value=plain("350203190102030017"), origin=text("来自身份证", "來自身分證", "from your ID card")),
    KnownItem(label=text("居住地址", "居住地址", "Address"), value=plain("厦门市思明区******"), masked=True,
              clear_value=plain("福建省厦门市思明区样例路1号101室"),
              origin=text("来自居住证", "來自居住證", "from your residence permit")),
    KnownItem(label=text("查询用途", "查詢用途", "Purpose"), value=text("子女入学", "子女入學", "School enrolment")),
)  # fmt: skip

_NEXT = option("next", "确认，下一步", "確認，下一步", "Confirm and continue")

SCREENS: dict[str, Screen] = {
    "card": InstructScreen(
        screen_id=1, step_id="sign_in", journey=journey(0), place=Place.CARD_READER,
        title=text("请放上身份证", "請放上身分證", "Lay your ID card down"),
        say=text("把身份证平放在屏幕下方发光的读卡区，不要拿开。", "把身分證平放在螢幕下方發光的讀卡區，不要拿開。",
                 "Lay your ID card flat on the lit reader below the screen and leave it there."),
        hint=text("没有带身份证？可点“帮助”找店员。", "沒有帶身分證？可點「說明」找店員。", "No card with you? Touch Help."),
        alternatives=(
            option("without_card", "没带身份证，用别的方式", "沒帶身分證，用別的方式", "No card with me: another way"),
        ),
        can_go_back=True,
    ),
    "without_card": ChooseScreen(
        screen_id=21, step_id="sign_in", journey=journey(0),
        title=text("换一种方式登录", "換一種方式登入", "Sign in another way"),
        say=text("没带身份证也可以办，请选一种方式", "沒帶身分證也可以辦，請選一種方式", "You can sign in without the card. Choose a way."),
        options=(
            option("app_code", "闽政通亮码", "閩政通亮碼", "Code of the Minzhengtong app", icon="phone",
                   detail=text("打开闽政通，把身份码对准扫码窗口", "打開閩政通，把身分碼對準掃碼窗口",
                               "Open the app and show its code to the scanner")),
            option("social_card", "社保卡和密码", "社保卡和密碼", "Social-security card and PIN", icon="card",
                   detail=text("插入社保卡，输入 6 位密码", "插入社保卡，輸入 6 位密碼",
                               "Insert the card and enter its six-digit PIN")),
        ),
        can_go_back=True,
    ),
    "pin": FormScreen(
        screen_id=22, step_id="sign_in", journey=journey(0),
        title=text("社保卡和密码", "社保卡和密碼", "Social-security card and PIN"),
        say=text("林*试，请输入 6 位社保卡密码", "林*試，請輸入 6 位社保卡密碼", "林*试, please enter the card's six-digit PIN."),
        items=(
            FormItem(id="pin", label=text("社保卡密码", "社保卡密碼", "Card PIN"), kind="pin", value="246810", max_length=6,
                     error=text("密码不对，还可以输 2 次", "密碼不對，還可以輸入 2 次", "That PIN is not right. Tries left: 2.")),
        ),
        primary=option("confirm", "确定", "確定", "Confirm"),
        can_go_back=True,
    ),
    "sign_in": ChooseScreen(
        screen_id=2, step_id="sign_in", journey=journey(0),
        title=text("选一种方式确认是您本人", "選一種方式確認是您本人", "How shall we confirm it is you?"),
        say=text("两种方式一样有效，选您方便的。", "兩種方式一樣有效，選您方便的。", "Both ways are equally good."),
        options=(
            option("face", "刷脸", "刷臉", "Face", icon="face",
                   detail=text("看一眼摄像头，约 3 秒", "看一眼攝影機，約 3 秒", "Look at the camera, 3 seconds")),
            option("code", "手机验证码", "手機驗證碼", "Code by phone", icon="phone",
                   detail=text("发到您登记的手机", "發到您登記的手機", "Sent to your registered phone")),
        ),
        can_go_back=True,
    ),
    "consent": ReviewScreen(
        screen_id=3, step_id="sign_in", journey=journey(1),
        title=text("使用人脸信息，需要您同意", "使用人臉資訊，需要您同意", "May we use your face?"),
        say=text("请看一看，同意后再继续。", "請看一看，同意後再繼續。", "Please read this; go on if you agree."),
        text=text(
            "我们只用摄像头拍到的画面，与您身份证里的照片比对一次，确认是您本人。\n\n"
            "画面只在本机内存中处理，离开时立即清除，不保存、不上传、不作他用。\n\n"
            "您可以不同意。不同意也能办：可以改用手机验证码，或请店员协助。",
            "我們只用攝影機拍到的畫面，與您身分證裡的照片比對一次，確認是您本人。\n\n"
            "畫面只在本機記憶體中處理，離開時立即清除，不保存、不上傳、不作他用。\n\n"
            "您可以不同意。不同意也能辦：可以改用手機驗證碼，或請店員協助。",
            "We compare the camera's picture once with the photo in your ID card, to be sure it is you.\n\n"
            "The picture stays in this machine's memory, is erased when you leave, and is never stored or sent.\n\n"
            "You may say no. A code by phone or the clerk's help works just as well.",
        ),
        primary=option("agree", "我同意", "我同意", "I agree"),
        alternatives=(option("other", "换手机验证码", "換手機驗證碼", "Use a code by phone", icon="phone"),),
        can_go_back=True,
    ),
    "face": InstructScreen(
        screen_id=4, step_id="sign_in", journey=journey(0), place=Place.FACE_CAMERA, shows_camera=True, progress=40,
        direction="left",
        title=text("请慢慢向左转头", "請慢慢向左轉頭", "Turn your head slowly to the left"),
        say=text("看着屏幕上方的摄像头，然后慢慢转。", "看著螢幕上方的攝影機，然後慢慢轉。",
                 "Look at the camera above the screen, then turn."),
        hint=text("让脸在圆框里", "讓臉在圓框裡", "Keep your face inside the oval"),
        alternatives=(option("code", "换手机验证码", "換手機驗證碼", "Use a code by phone", icon="phone"),),
        can_go_back=True,
    ),
    "code": FormScreen(
        screen_id=5, step_id="sign_in", journey=journey(0),
        title=text("输入手机验证码", "輸入手機驗證碼", "Enter the code"),
        say=text("六位数字已发到 139****17，两分钟内有效。", "六位數字已發到 139****17，兩分鐘內有效。",
                 "Six digits were sent to 139****17, valid for two minutes."),
        items=(FormItem(id="code", label=text("验证码", "驗證碼", "Code"), kind="code", max_length=6),),
        primary=option("next", "确定", "確定", "Confirm"),
        alternatives=(option("again", "重新发送", "重新發送", "Send again"),),
        can_go_back=True,
    ),
    "choose": ChooseScreen(
        screen_id=6, step_id="purpose", journey=journey(2), layout="list",
        title=text("这份证明拿去做什么？", "這份證明拿去做什麼？", "What do you need it for?"),
        say=text("选一个最接近的。", "選一個最接近的。", "Choose the closest."),
        options=(
            option("school", "子女入学", "子女入學", "A child's school place", icon="school"),
            option("loan", "办理贷款", "辦理貸款", "A loan", icon="money"),
            option("rent", "申请公租房", "申請公租房", "Public rental housing", icon="house",
                   detail=text("含廉租房、人才房", "含廉租房、人才房", "including talent housing")),
            option("other", "其他用途", "其他用途", "Something else", icon="document"),
            option("abroad", "出国（本机暂不能办）", "出國（本機暫不能辦）", "Abroad (not on this machine)", icon="travel",
                   enabled=False, detail=text("请到服务中心窗口", "請到服務中心窗口", "Please go to the service centre")),
        ),
        can_go_back=True,
    ),
    "several": ChooseScreen(
        screen_id=7, step_id="family", journey=journey(2),
        title=text("还要查哪些家人？", "還要查哪些家人？", "Who else shall be covered?"),
        say=text("可以选几个，也可以不选。", "可以選幾個，也可以不選。", "Choose any number, or none."),
        options=(),
        several=(
            option("spouse", "配偶", "配偶", "Spouse", icon="rings"),
            option("child", "未成年子女", "未成年子女", "Children under 18", icon="baby"),
            option("parents", "父母", "父母", "Parents", icon="family"),
        ),
        primary=_NEXT, can_go_back=True,
    ),
    "form": FormScreen(
        screen_id=8, step_id="details", journey=journey(2),
        title=text("还差这几项", "還差這幾項", "A few more details"),
        say=text("点方框就能填写，能查到的都不用您填。", "點方框就能填寫，能查到的都不用您填。",
                 "Touch a box to fill it in. We ask only what we cannot look up."),
        known=KNOWN[:3],
        items=(
            FormItem(id="reason", label=text("居住事由", "居住事由", "Reason for staying"), kind=FieldKind.CHOICE, choices=(
                option("work", "务工", "務工", "Work"), option("study", "就学", "就學", "Study"),
                option("family", "投靠亲属", "投靠親屬", "Family"),
            )),
            FormItem(id="employer", label=text("工作单位", "工作單位", "Employer"), kind=FieldKind.TEXT,
                     hint=text("例如：厦门样例有限公司", "例如：廈門樣例有限公司", "For example: Sample Ltd, Xiamen")),
            FormItem(id="phone", label=text("联系电话", "聯絡電話", "Phone"), kind=FieldKind.PHONE, value="13900000017"),
            FormItem(id="since", label=text("入住日期", "入住日期", "Living here since"), kind=FieldKind.DATE, required=False,
                     hint=text("年月日，共八位数字", "年月日，共八位數字", "Year, month, day: eight digits")),
        ),
        primary=_NEXT, can_go_back=True,
    ),
    "identity": FormScreen(
        screen_id=9, step_id="agent", journey=journey(2),
        title=text("输入孩子的身份证号", "輸入孩子的身分證號", "Your child's ID number"),
        say=text("十八位，最后一位可能是 X。", "十八位，最後一位可能是 X。", "Eighteen characters; the last may be X."),
        items=(FormItem(
            id="child", label=text("公民身份号码", "公民身分號碼", "ID number"), kind=FieldKind.IDENTITY_NUMBER,
            value="35020319090102001", max_length=18,
            error=text("号码不完整，请再核对一下", "號碼不完整，請再核對一下", "The number is not complete; please check it"),
        ),),
        primary=_NEXT, can_go_back=True,
    ),
    "review": ReviewScreen(
        screen_id=10, step_id="review", journey=journey(3), items=KNOWN,
        title=text("请核对", "請核對", "Please check"),
        say=text("没有错就点下面的按钮；点小眼睛可看全部内容。", "沒有錯就點下面的按鈕；點小眼睛可看全部內容。",
                 "If all is right, touch the button below. The eye shows hidden values."),
        primary=option("submit", "没有错，提交", "沒有錯，提交", "All correct, submit"), can_go_back=True,
    ),
    "preview": PreviewScreen(
        screen_id=11, step_id="print", journey=journey(4), page_png=b"",
        title=text("这是您的证明", "這是您的證明", "Your certificate"),
        say=text("电子印章已验证有效，点下面的按钮打印。", "電子印章已驗證有效，點下面的按鈕列印。",
                 "Its electronic seal is valid. Touch the button below to print."),
        caption=text("共 1 页，A4 纸", "共 1 頁，A4 紙", "One page, A4"),
        primary=option("print", "打印", "列印", "Print", icon="print"), can_go_back=False,
    ),
    "printing": WorkingScreen(
        screen_id=12, step_id="print", journey=journey(4), place=Place.DOCUMENT_TRAY, progress=60, can_leave=False,
        title=text("正在打印", "正在列印", "Printing"),
        say=text("纸会从下面的出纸口出来。", "紙會從下面的出紙口出來。", "The page comes out at the tray below."),
        detail=text("大约还要 10 秒", "大約還要 10 秒", "About 10 seconds"),
    ),
    "working": WorkingScreen(
        screen_id=13, step_id="query", journey=journey(3),
        title=text("正在查询", "正在查詢", "Looking it up"),
        say=text("正在向不动产登记中心查询，请稍等。", "正在向不動產登記中心查詢，請稍等。",
                 "We are asking the property registry. One moment, please."),
        detail=text("一般不超过 10 秒，您不用做什么", "一般不超過 10 秒，您不用做什麼", "Usually under 10 seconds; nothing to do"),
    ),
    "done": NoticeScreen(
        screen_id=14, step_id="done", journey=journey(5), tone="success", place=Place.DOCUMENT_TRAY,
        title=text("办好了", "辦好了", "Done"),
        say=text("请取走证明、回执和身份证。", "請取走證明、回執和身分證。", "Please take your certificate, receipt and ID card."),
        papers=text("证明 1 张在出纸口，身份证还在读卡区", "證明 1 張在出紙口，身分證還在讀卡區",
                    "One page in the tray; your card is still on the reader"),
        primary=option("finish", "完成并退出", "完成並離開", "Finish"),
        alternatives=(option("another", "再办一件", "再辦一件", "Another matter"),),
        transaction_number="XM0017-1902-0003",
    ),
    "failure": NoticeScreen(
        screen_id=15, step_id="print", journey=journey(4), tone="failure", fault=FaultCode.PRINT_UNCERTAIN,
        title=text("证明可能没有打印出来", "證明可能沒有列印出來", "The page may not have been printed"),
        say=text("打印机中途没有回应，我们没有重复打印。", "印表機中途沒有回應，我們沒有重複列印。",
                 "The printer stopped answering. We have not printed twice."),
        papers=text("您的身份证在读卡区，请收好", "您的身分證在讀卡區，請收好", "Your ID card is on the reader; please take it"),
        money=text("没有收取任何费用", "沒有收取任何費用", "Nothing was charged"),
        what_to_do=text("请看一眼出纸口；没有的话，凭流水号可免费重新打印", "請看一眼出紙口；沒有的話，憑流水號可免費重新列印",
                        "Look into the tray. If it is empty, print again free of charge with the number below"),
        primary=option("finish", "知道了", "知道了", "I see"), transaction_number="XM0017-1902-0003",
    ),
    "attention": NoticeScreen(
        screen_id=16, step_id="details", journey=journey(2), tone="attention",
        title=text("现在办不了这件事", "現在辦不了這件事", "This cannot be done right now"),
        say=text("税务局的系统没有回应。", "稅務局的系統沒有回應。", "The tax office's system does not answer."),
        what_to_do=text("您填的内容没有提交，请半小时后再试", "您填的內容沒有提交，請半小時後再試",
                        "Nothing was submitted. Please try again in half an hour"),
        fault=FaultCode.AUTHORITY_DOWN,
        primary=option("finish", "知道了", "知道了", "I see"),
        alternatives=(option("retry", "再试一次", "再試一次", "Try again"),),
    ),
    "rate": ChooseScreen(
        screen_id=17, step_id="rate", journey=journey(5), layout="grades",
        title=text("这次办事，您满意吗？", "這次辦事，您滿意嗎？", "How was it?"),
        say=text("选一个，或直接跳过。", "選一個，或直接跳過。", "Choose one, or skip."),
        options=(
            option("5", "非常满意", "非常滿意", "Very satisfied", icon="grade_5"),
            option("4", "满意", "滿意", "Satisfied", icon="grade_4"),
            option("3", "基本满意", "基本滿意", "Fairly satisfied", icon="grade_3"),
            option("2", "不满意", "不滿意", "Dissatisfied", icon="grade_2"),
            option("1", "非常不满意", "非常不滿意", "Very dissatisfied", icon="grade_1"),
        ),
        alternatives=(option("skip", "跳过", "跳過", "Skip"),),
    ),
}  # fmt: skip
