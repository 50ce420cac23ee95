"""Lines break where a reader would break them; nothing of the words changes."""

from __future__ import annotations

import pytest

from kiosk.contracts.text import Language, LocalizedText, masked_name, plain
from kiosk.ui.view_models.snapshot import WORD_JOINER, sums_apart, typeset


def test_a_masked_name_stays_on_one_line() -> None:
    said = typeset(plain("请对照证件与本人（林*试），再确认"), Language.ZH_CN)
    assert WORD_JOINER.join("林*试") in said
    assert said.replace(WORD_JOINER, "") == "请对照证件与本人（林*试），再确认"


@pytest.mark.parametrize("paragraph", ["您可以不同意。不同意也能办：可以换一种方式，或请店员协助。"])
def test_no_paragraph_ends_in_a_character_alone(paragraph: str) -> None:
    said = typeset(plain(f"{paragraph}\n\n{paragraph}"), Language.ZH_TW)
    assert said.count(WORD_JOINER.join("员协助。")) == 2
    assert said.replace(WORD_JOINER, "") == f"{paragraph}\n\n{paragraph}"


@pytest.mark.parametrize("text", ["确认", "350*************17", "139****17", "流水号 XM0017-1902-0003"])
def test_short_words_and_numbers_are_left_as_they_are(text: str) -> None:
    assert typeset(plain(text), Language.ZH_CN) == text


def test_english_has_its_own_quotes() -> None:
    text = LocalizedText(zh_cn="印有“<<<”", zh_tw="印有「<<<」", en="the side with “<<<”")
    assert typeset(text, Language.EN) == 'the side with "<<<"'
    assert typeset(text, Language.ZH_CN) == "印有“<<<”"


@pytest.mark.parametrize(
    ("name", "masked"),
    [("林测试", "林**"), ("欧阳样例", "欧***"), ("SAMPLE-VANDENBERGHE, MARIA", "S***"), ("阿卜杜热合曼·样例", "阿***")],
)
def test_a_long_masked_name_does_not_say_how_long(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@pytest.mark.parametrize(
    ("said", "shown"),
    [("9999999.99", "9,999,999.99"), ("¥ 1000.00", "¥ 1,000.00"), ("应付 999.99 元", "应付 999.99 元"),
     ("58,312.76元", "58,312.76元"), ("XM0017.00", "XM0017.00"), ("13900000017", "13900000017"), ("1902.5", "1902.5"),
     ("1902.03.01-1912.03.01", "1902.03.01-1912.03.01"), ("共1234.50。", "共1,234.50。")],
)  # fmt: skip
def test_sums_have_their_thousands_apart_and_numbers_do_not(said: str, shown: str) -> None:
    assert sums_apart(said) == shown
