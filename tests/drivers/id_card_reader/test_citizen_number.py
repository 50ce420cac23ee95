"""Identity numbers against A.6 of domain.md."""

from __future__ import annotations

import datetime as dt

import pytest

from drivers.id_card_reader.citizen_number import check_character, parse_date, problem_of


@pytest.mark.parametrize(
    "number",
    [
        "350203190102030017",
        "350212190311300024",
        "830000190505050025",
        "350206190909090052",
        "810000190707070039",
        "35021119000228102X",
    ],
)
def test_valid_numbers(number: str) -> None:
    assert problem_of(number) == ""


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("350203190102030010", "check"),
        ("350203190102290011", "birth"),
        ("35021119000228102x", "check"),
        ("35020319010203001", "seventeen"),
        ("３５0203190102030017", "seventeen"),
        ("", "seventeen"),
    ],
)
def test_invalid_numbers_are_told_without_showing_them(number: str, word: str) -> None:
    problem = problem_of(number)
    assert word in problem
    assert not number or number not in problem


def test_a_birth_in_the_future_is_no_birth() -> None:
    body = f"350203{dt.datetime.now(tz=dt.UTC).year + 2}0101001"
    assert "birth" in problem_of(body + check_character(body))


def test_what_the_card_states_must_agree() -> None:
    number = "350203190102030017"
    assert problem_of(number, birth_date=dt.date(1901, 2, 3), sex="1") == ""
    assert problem_of(number, sex="9") == ""
    assert "sexes" in problem_of(number, sex="2")
    assert "birth dates" in problem_of(number, birth_date=dt.date(1901, 2, 4))


@pytest.mark.parametrize("text", ["", "2020", "20200230", "2020 101", "²0200101", "abcdefgh", "00000000"])
def test_no_date(text: str) -> None:
    assert parse_date(text) is None
