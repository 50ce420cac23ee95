"""A matter is found the way people ask for it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from fleet_server.matters.folder import load_file
from kiosk.flow.catalogue import tiles
from kiosk.ui.gallery.tiles import TILES
from kiosk.ui.view_models.search import Index, Reading
from kiosk.ui.writing.pinyin import Pinyin

MATTERS = Path(__file__).parents[4] / "assets" / "matters"
QUESTIONS = yaml.load(Path(__file__).with_name("questions.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
NEEDED_SHARE = 0.95
AMONG_THE_FIRST = 3
LEAST_QUESTIONS = 100


@pytest.fixture(scope="module")
def reading() -> Reading:
    return Pinyin().reading


@pytest.fixture(scope="module")
def index(reading: Reading) -> Index:
    return Index(TILES, reading)


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
def test_people_find_what_they_ask_for(index: Index, query: str, matter: str) -> None:
    assert index.find(query)[:1] == [matter], index.find(query)


@pytest.mark.parametrize("query", ["", "   ", "？？", "qqqqqq", "飞机票", "xyz airplane", "[", "(", "\\", "的", "了吗"])
def test_what_is_not_here_is_not_found(index: Index, query: str) -> None:
    assert index.find(query) == []


def test_without_a_dictionary_characters_still_find() -> None:
    blind = Index(TILES, lambda text: [""] * len(text))
    assert blind.find("无房证明")[0] == "no_house"
    assert blind.find("wfzm") == []


@pytest.fixture(scope="module")
def catalogue(reading: Reading) -> tuple[Index, set[str]]:
    """The matters of this installation, and which they are."""
    files = sorted(MATTERS.glob("*/*/matter.yaml"))
    matters = [load_file(file) for file in files]
    return Index(tiles(matters, {}, dt.time(12)), reading), {matter.id for matter in matters}


@pytest.mark.parametrize(
    ("query", "matter"),
    [("身份证掉了咋整", "identity_card_replacement"), ("身份证", "identity_card_renewal"),
     ("个税", "tax_payment_certificate"), ("12345", "complaint_12345")],
)  # fmt: skip
def test_a_word_is_not_cut_by_the_empty_characters_in_it(
    catalogue: tuple[Index, set[str]], query: str, matter: str
) -> None:
    assert matter in catalogue[0].find(query)[:AMONG_THE_FIRST]


def test_a_count_of_something_names_no_matter(catalogue: tuple[Index, set[str]]) -> None:
    for query in ("12分扣完了吗", "1个月", "3岁小孩挂号"):
        assert "complaint_12345" not in catalogue[0].find(query)[:1], query


@pytest.mark.parametrize("half", ["tuning", "test", "acceptance"])
def test_everyday_questions_lead_to_the_right_matter(catalogue: tuple[Index, set[str]], half: str) -> None:
    index, known = catalogue
    asked = [(question, matter) for matter, found in QUESTIONS[half].items() if matter in known for question in found]
    assert len(asked) >= LEAST_QUESTIONS
    missed = [question for question, matter in asked if matter not in index.find(question)[:AMONG_THE_FIRST]]
    assert 1 - len(missed) / len(asked) >= NEEDED_SHARE, missed if half == "tuning" else f"{len(missed)} missed"


def test_no_question_is_in_two_parts() -> None:
    halves = [{question for found in half.values() for question in found} for half in QUESTIONS.values()]
    assert sum(map(len, halves)) == len(set().union(*halves))
