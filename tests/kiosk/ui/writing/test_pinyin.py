"""Pinyin to characters and back."""

from __future__ import annotations

import time

import pytest

from kiosk.ui.writing.pinyin import Pinyin


@pytest.fixture(scope="module")
def pinyin() -> Pinyin:
    return Pinyin()


@pytest.mark.parametrize(
    ("letters", "text"),
    [
        ("xiamen", "厦门"), ("shenfenzheng", "身份证"), ("gongjijin", "公积金"), ("zhangwei", "张伟"),
        ("jumin", "居民"), ("simingqu", "思明区"), ("wufangzhengming", "无房证明"), ("XIAMEN", "厦门"),
    ],
)  # fmt: skip
def test_the_likeliest_word_comes_first(pinyin: Pinyin, letters: str, text: str) -> None:
    first = pinyin.candidates(letters)[0]
    assert (first.text, first.consumed) == (text, len(letters))


def test_an_apostrophe_parts_syllables(pinyin: Pinyin) -> None:
    assert pinyin.candidates("xian")[0].text == "先"
    assert pinyin.candidates("xi'an")[0].text == "西安"


def test_a_long_input_becomes_a_sentence_or_its_first_word(pinyin: Pinyin) -> None:
    found = pinyin.candidates("xiamenshisimingqu")
    assert found[0].text == "厦门市思明区"
    part = next(each for each in found if each.text == "厦门")
    assert part.consumed == len("xiamen")


def test_initials_find_words(pinyin: Pinyin) -> None:
    assert "厦门" in [each.text for each in pinyin.candidates("xm")]


@pytest.mark.parametrize("letters", ["", "'", "'''", "1234", "v", "z" * 99, "厦"])
def test_nonsense_is_answered_quickly_and_quietly(pinyin: Pinyin, letters: str) -> None:
    began = time.perf_counter()
    found = pinyin.candidates(letters)
    assert time.perf_counter() - began < 0.5
    assert all(0 < each.consumed <= len(letters) for each in found)


def test_reading_knows_which_way_a_character_is_read(pinyin: Pinyin) -> None:
    assert pinyin.reading("银行") == ["yin", "hang"]
    assert pinyin.reading("无房证明A1？") == ["wu", "fang", "zheng", "ming", "a", "1", ""]
