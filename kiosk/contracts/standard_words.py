"""Words a matter need not write: steps that read alike in every matter bring their own title and sentence."""

from __future__ import annotations

from typing import Any, NamedTuple

from kiosk.contracts.text import LocalizedText


class StepWords(NamedTuple):
    title: LocalizedText
    say: LocalizedText
    say_elder: LocalizedText


def _text(zh_cn: str, zh_tw: str, en: str) -> LocalizedText:
    return LocalizedText(zh_cn=zh_cn, zh_tw=zh_tw, en=en)


CONSENT_TITLE = _text("同意办理", "同意辦理", "Consent")
CONSENT_SAY = _text(
    "请先看一看：我们要用您的哪些信息，用来做什么。",
    "請先看一看：我們會用到您的哪些資料，用來做什麼。",
    "Please read which of your details are used, and what for.",
)
CONSENT_ELDER = _text(
    "要用您的信息来办事，请您先同意。",
    "要用您的資料來辦事，請您先同意。",
    "We need your details for this. Please agree first.",
)

IDENTIFY = StepWords(
    _text("确认身份", "確認身分", "Identify"),
    _text(
        "请把身份证放在感应区，不要移动。",
        "請將身分證放在感應區，不要移動。",
        "Lay your identity card on the reader and leave it there.",
    ),
    _text("请把身份证放到亮灯的地方。", "請把身分證放到亮燈的地方。", "Put your card where the light is."),
)

RECEIPT = StepWords(
    _text("打印凭条", "列印憑條", "Receipt"),
    _text(
        "请取走凭条，上面有查询用的流水号。",
        "請取走憑條，上面有查詢用的流水號。",
        "Take your receipt. It carries the number to quote if you ask about this case.",
    ),
    _text("小票请拿好。", "小票請拿好。", "Please keep the slip."),
)

RATE = StepWords(
    _text("评价", "評價", "Rate"),
    _text("请为这次服务打分，也可以跳过。", "請為這次服務評分，也可以略過。", "How was it? You may skip this."),
    _text("请给这次服务打个分，也可以跳过。", "請為這次服務打個分，也可以略過。", "How was it? You may skip this."),
)


def with_elder_words(data: Any, say_elder: LocalizedText) -> Any:
    """Raw step data, with the standard sentence for elder mode where the step leaves its sentence to the standard."""
    if isinstance(data, dict) and "say" not in data and "say_elder" not in data:
        return {**data, "say_elder": say_elder}
    return data
