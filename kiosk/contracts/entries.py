"""What a citizen may write in a field of each kind, told in three languages when it is not that.

One set of rules for the screen, which checks while a value is written, and for the flow, which takes it. Stands on the
texts alone, because the screen is painted before the contracts are loaded.

  phone             mobile number, 11 digits (1, then 3 to 9)
  identity_number   GB 11643: 18 characters, check character by ISO 7064 MOD 11-2, a birth date that exists and is past
  credit_code       GB 32100-2015: 18 characters without I, O, S, V, Z, check character MOD 31-3
  plate             GA 36: province, letter, five characters; six for new-energy vehicles (D or F marks them)
  money             yuan with at most two decimals; kept as fen, digits only
  number            digits only
  date              a day that exists, written 2026-01-31
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from kiosk.contracts.text import FieldKind, LocalizedText

if TYPE_CHECKING:
    from collections.abc import Container

CITY_TIME = dt.timezone(dt.timedelta(hours=8), "UTC+8")
"""China keeps one time. What citizens read is in it, whatever the machine's own clock is set to."""
PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
PLATE_ENDINGS = "学警港澳挂"
CREDIT_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LARGEST_FEN = 99_999_999_999

_MOBILE = re.compile(r"1[3-9]\d{9}")
_PLATE = re.compile(
    rf"[{PLATE_PROVINCES}][{PLATE_LETTERS}]"
    rf"(?:[DF][A-HJ-NP-Z0-9]\d{{4}}|\d{{5}}[DF]|[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9{PLATE_ENDINGS}])"
)
_YUAN = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _text(zh_cn: str, zh_tw: str, en: str) -> LocalizedText:
    return LocalizedText(zh_cn=zh_cn, zh_tw=zh_tw, en=en)


MISSING = _text("请填写这一项", "請填寫這一項", "Please fill this in")
NOT_CHOSEN = _text("请选择一项", "請選擇一項", "Please choose one")
TOO_LONG = _text("最多 {count} 个字", "最多 {count} 個字", "At most {count} characters")
BAD_CHARACTERS = _text("有不能使用的字符", "有不能使用的字元", "It contains characters that cannot be used")
BAD_PHONE = _text("请输入 11 位手机号", "請輸入 11 位手機號碼", "Enter an 11-digit mobile number")
SHORT_IDENTITY = _text("身份证号是 18 位，请数一数", "身分證號是 18 位，請數一數", "An ID number has 18 characters")
BAD_IDENTITY = _text("身份证号不对，请核对", "身分證號不對，請核對", "That ID number is not right; please check")
SHORT_CREDIT = _text(
    "统一社会信用代码是 18 位，请数一数",
    "統一社會信用代碼是 18 位，請數一數",
    "A credit code has 18 characters",
)
BAD_CREDIT = _text(
    "统一社会信用代码不对，请核对", "統一社會信用代碼不對，請核對", "That credit code is not right; please check"
)
BAD_PLATE = _text(
    "车牌号不对，例如 闽D12345", "車牌號碼不對，例如 闽D12345", "Not a plate number; for example 闽D12345"
)
BAD_MONEY = _text("金额不对，例如 128.50", "金額不對，例如 128.50", "Not an amount; for example 128.50")
BAD_NUMBER = _text("只能填数字", "只能填數字", "Digits only, please")
BAD_DATE = _text("没有这一天，例如 2026-01-31", "沒有這一天，例如 2026-01-31", "No such day; for example 2026-01-31")


def entry_mistake(
    kind: FieldKind,
    value: str,
    *,
    today: dt.date,
    required: bool = True,
    longest: int = 60,
    choices: Container[str] = (),
) -> LocalizedText | None:
    """What is wrong with an entry as written on the screen, in words the citizen can act on; None when it is good."""
    if not value:
        return (NOT_CHOSEN if kind is FieldKind.CHOICE else MISSING) if required else None
    if kind is FieldKind.CHOICE:
        return None if value in choices else NOT_CHOSEN
    if len(value) > longest:
        return TOO_LONG.format(count=longest)
    return _mistake_of_kind(kind, value, today)


def _mistake_of_kind(kind: FieldKind, value: str, today: dt.date) -> LocalizedText | None:
    wrong: LocalizedText | None
    match kind:
        case FieldKind.PHONE:
            wrong = None if _MOBILE.fullmatch(value) else BAD_PHONE
        case FieldKind.IDENTITY_NUMBER:
            wrong = SHORT_IDENTITY if len(value) != 18 else BAD_IDENTITY
            wrong = None if is_identity_number(value.upper(), today) else wrong
        case FieldKind.CREDIT_CODE:
            wrong = SHORT_CREDIT if len(value) != 18 else BAD_CREDIT
            wrong = None if is_credit_code(value.upper()) else wrong
        case FieldKind.PLATE:
            wrong = None if is_plate(value.upper()) else BAD_PLATE
        case FieldKind.MONEY:
            wrong = None if fen_from_yuan(value) is not None else BAD_MONEY
        case FieldKind.NUMBER:
            wrong = None if value.isascii() and value.isdigit() else BAD_NUMBER
        case FieldKind.DATE:
            wrong = None if date_of(value) is not None else BAD_DATE
        case FieldKind.TEXT | FieldKind.CHOICE:
            wrong = None if value.isprintable() else BAD_CHARACTERS
    return wrong


def kept(kind: FieldKind, entry: str) -> str:
    """The value as it is kept and sent: money in fen, letters of numbers in capitals, no blanks at the ends."""
    entry = entry.strip()
    match kind:
        case FieldKind.MONEY:
            fen = fen_from_yuan(entry)
            return "" if fen is None else str(fen)
        case FieldKind.IDENTITY_NUMBER | FieldKind.CREDIT_CODE | FieldKind.PLATE:
            return entry.upper()
        case _:
            return entry


def written(kind: FieldKind, value: str) -> str:
    """The kept value as it is written on the screen: the reverse of `kept`."""
    return yuan_of(int(value)) if kind is FieldKind.MONEY and value.isascii() and value.isdigit() else value


def fen_from_yuan(yuan: str) -> int | None:
    """Yuan as written, in fen; None when it is no amount."""
    found = _YUAN.fullmatch(yuan)
    if found is None or not yuan.isascii():
        return None
    return int(found.group(1)) * 100 + int((found.group(2) or "").ljust(2, "0"))


def yuan_of(fen: int) -> str:
    """`"20.00"` of 2000 fen."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def money_text(fen: int) -> LocalizedText:
    """An amount as people say it: 20.00 元."""
    yuan = yuan_of(fen)
    return _text(f"{yuan} 元", f"{yuan} 元", f"CNY {yuan}")


def date_of(value: str) -> dt.date | None:
    """The day, or None when it is not written as 2026-01-31 or does not exist."""
    if not _DATE.fullmatch(value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def is_identity_number(number: str, today: dt.date) -> bool:
    """True when the check character (ISO 7064 MOD 11-2) holds and the birth date exists and is not to come."""
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(number[:17], _ID_WEIGHTS, strict=True)) % 11
    born = date_of(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    return _ID_CHECKS[rest] == number[17] and born is not None and born <= today


def is_credit_code(code: str) -> bool:
    """True for a unified social credit code whose check character (GB 32100: weights 3^i mod 31) holds."""
    if len(code) != 18 or any(each not in CREDIT_CODE_CHARACTERS for each in code):
        return False
    return code[17] == credit_code_check(code[:17])


def credit_code_check(body: str) -> str:
    """The 18th character of the 17 before it. Raises ValueError for a character that no code holds."""
    total = sum(CREDIT_CODE_CHARACTERS.index(each) * pow(3, place, 31) for place, each in enumerate(body))
    return CREDIT_CODE_CHARACTERS[(31 - total % 31) % 31]


def is_plate(plate: str) -> bool:
    """True for a civil plate of the mainland: seven characters, or eight for a new-energy vehicle."""
    return _PLATE.fullmatch(plate) is not None
