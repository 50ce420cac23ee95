"""A matter is found the way people ask for it."""

from __future__ import annotations

import pytest

from kiosk.ui.gallery.tiles import TILES
from kiosk.ui.pinyin import Pinyin
from kiosk.ui.view_models.search import Entry, find, prepare


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    reading = Pinyin().reading
    return [prepare(tile, reading) for tile in TILES]


@pytest.mark.parametrize(
    ("query", "matter"),
    [
        ("无房证明", "no_house"), ("房证", "no_house"), ("無房", "no_house"),
        ("wufangzhengming", "no_house"), ("wufang", "no_house"), ("wfzm", "no_house"), ("WFZM", "no_house"),
        ("fangzheng", "no_house"), ("怎么开无房证明", "no_house"), ("请问无房证明在哪里办？", "no_house"),
        ("孩子上学要房产证明", "no_house"), ("proof of no property", "no_house"), ("property", "no_house"),
        ("居住证到期了怎么办", "residence_permit"), ("jzz", "residence_permit"), ("juzuzheng", "residence_permit"),
        ("续签", "residence_permit"), ("residence permit", "residence_permit"), ("我的身份证丢了", "temporary_id"),
        ("shebao", "social_proof"), ("sebao", "social_proof"), ("打社保", "social_proof"), ("退休", "pension_check"),
        ("去外地看病", "medical_elsewhere"), ("违章", "driving_fine"), ("纳税", "tax_proof"),
        ("gongjijn", "fund_proof"), ("gonjijin", "fund_proof"), ("租房提取", "fund_rent"),
    ],
)  # fmt: skip
def test_people_find_what_they_ask_for(entries: list[Entry], query: str, matter: str) -> None:
    assert find(entries, query)[:1] == [matter], find(entries, query)


@pytest.mark.parametrize("query", ["", "   ", "？？", "qqqqqq", "飞机票", "xyz airplane", "[", "(", "\\", "的", "了吗"])
def test_what_is_not_here_is_not_found(entries: list[Entry], query: str) -> None:
    assert find(entries, query) == []


def test_without_a_dictionary_characters_still_find(entries: list[Entry]) -> None:
    blind = [prepare(tile, lambda text: [""] * len(text)) for tile in TILES]
    assert find(blind, "无房证明")[0] == "no_house"
    assert find(blind, "wfzm") == []
