"""Words of a composed package: what its shared steps are called and say."""

from __future__ import annotations

from kiosk.contracts.standard_words import StepWords
from kiosk.contracts.text import LocalizedText


def _text(zh_cn: str, zh_tw: str, en: str) -> LocalizedText:
    return LocalizedText(zh_cn=zh_cn, zh_tw=zh_tw, en=en)


CONSENT_TEXT = _text(
    "“{title}”由下列部门一起为您办理，只把各自需要的信息交给各自的部门。您的信息只用于这一次办理，不在本机保存，"
    "办完即清除。您可以不同意，并改到人工窗口办理。",
    "「{title}」由下列部門一起為您辦理，只把各自需要的資料交給各自的部門。您的資料只用於這一次辦理，不在本機留存，"
    "辦完即清除。您可以不同意，並改至人工窗口辦理。",
    "“{title}” is handled by the departments below; each is given only what it needs. Your details serve this one "
    "request; nothing stays on this machine and everything is wiped when you finish. You may decline and go to a "
    "staffed counter instead.",
)
CONSENT_CLAUSE = _text(
    "· {department}，{matter}：{text}", "· {department}，{matter}：{text}", "· {department}, {matter}: {text}"
)
QUESTIONS = StepWords(
    _text("选择情形", "選擇情形", "Your case"),
    _text(
        "请回答几个问题，好知道要办哪些事。",
        "請回答幾個問題，好知道要辦哪些事。",
        "A few questions tell what is to be done.",
    ),
    _text("先问您几句，知道要办哪些事。", "先問您幾句，知道要辦哪些事。", "A few questions first."),
)
FORM = StepWords(
    _text("填写一次", "填寫一次", "Fill in once"),
    _text(
        "同样的内容只填一次，各部门共用。",
        "同樣的內容只填一次，各部門共用。",
        "You enter each thing once; all departments share it.",
    ),
    _text("填一次就行，各部门都用得上。", "填一次就行，各部門都用得上。", "Once is enough, for all of them."),
)
REVIEW = StepWords(
    _text("核对", "核對", "Review"),
    _text(
        "请核对要交给各部门的内容，没有问题就确认。",
        "請核對要交給各部門的內容，沒有問題就確認。",
        "Please check what goes to the departments. Confirm if it is right.",
    ),
    _text(
        "请看一看对不对，对了就点蓝色按钮。",
        "請看一看對不對，對了就點藍色按鈕。",
        "Is this right? Then touch the blue button.",
    ),
)
SIGN = StepWords(
    _text("签名", "簽名", "Sign"),
    _text(
        "请看一遍，再签一次名，各部门都认。",
        "請看一遍，再簽一次名，各部門都認。",
        "Please read it and sign once, for all departments.",
    ),
    _text("请签一次名。", "請簽一次名。", "Please sign once."),
)
SIGN_TEXT = _text(
    "本人申请办理“{title}”，并声明：", "本人申請辦理「{title}」，並聲明：", "I apply for “{title}” and declare:"
)
PAY = StepWords(
    _text("缴费", "繳費", "Pay"),
    _text(
        "各项费用一次缴清；哪一项没办成，哪一项的钱自动退回。",
        "各項費用一次繳清；哪一項沒辦成，哪一項的錢自動退回。",
        "Pay everything at once. What cannot be done is paid back by itself.",
    ),
    _text("一次付清。没办成的，钱会退给您。", "一次付清。沒辦成的，錢會退給您。", "Pay once. What fails is paid back."),
)
PAYEE = _text("政务服务统一收费", "政務服務統一收費", "Government services, common account")
SUBMIT_TITLE = _text("各部门办理", "各部門辦理", "Departments")
PRINT_TITLE = _text("打印证照", "列印證照", "Print")
MATERIAL_TITLE = _text("收取材料", "收取資料", "Documents")
RECEIPT_HEADING = _text("{title}办理凭条", "{title}辦理憑條", "Receipt · {title}")
RECEIPT_INDENT = _text("　", "　", "  ")
RECEIPT_NUMBER = _text("　办件编号", "　辦件編號", "  Case number")
RECEIPT_REASON = _text("　说明", "　說明", "  Note")
