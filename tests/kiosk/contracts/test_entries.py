"""What may be written in a field of each kind, and what is kept of it."""

from __future__ import annotations

import datetime as dt

import pytest

from kiosk.contracts import entries
from kiosk.contracts.entries import credit_code_check, entry_mistake, kept, written
from kiosk.contracts.questions import Computed, computed_value
from kiosk.contracts.text import FieldKind, LocalizedText

TODAY = dt.date(2026, 3, 6)
GOOD = [
    (FieldKind.PHONE, "13800000001"),
    (FieldKind.IDENTITY_NUMBER, "350203190102030017"),
    (FieldKind.CREDIT_CODE, "91350200M000100Y4" + credit_code_check("91350200M000100Y4")),
    (FieldKind.PLATE, "闽D12345"),
    (FieldKind.PLATE, "闽DD12345"),
    (FieldKind.PLATE, "闽D12345F"),
    (FieldKind.PLATE, "粤Z1234港"),
    (FieldKind.MONEY, "128.5"),
    (FieldKind.MONEY, "0"),
    (FieldKind.NUMBER, "007"),
    (FieldKind.DATE, "2024-02-29"),
    (FieldKind.TEXT, "厦门市样例路 1 号"),
]
BAD = [
    (FieldKind.PHONE, "12800000001", entries.BAD_PHONE),
    (FieldKind.PHONE, "1380000000", entries.BAD_PHONE),
    (FieldKind.IDENTITY_NUMBER, "350203190102030018", entries.BAD_IDENTITY),
    (FieldKind.IDENTITY_NUMBER, "350203190102030", entries.SHORT_IDENTITY),
    (FieldKind.CREDIT_CODE, "9135020", entries.SHORT_CREDIT),
    (FieldKind.CREDIT_CODE, "91350200M000100YI1", entries.BAD_CREDIT),
    (FieldKind.PLATE, "闽D1234", entries.BAD_PLATE),
    (FieldKind.PLATE, "闽DI2345", entries.BAD_PLATE),
    (FieldKind.PLATE, "閩D12345", entries.BAD_PLATE),
    (FieldKind.PLATE, "闽D1234567", entries.BAD_PLATE),
    (FieldKind.MONEY, "1.234", entries.BAD_MONEY),
    (FieldKind.MONEY, "-5", entries.BAD_MONEY),
    (FieldKind.MONEY, "٣", entries.BAD_MONEY),
    (FieldKind.NUMBER, "1.5", entries.BAD_NUMBER),
    (FieldKind.DATE, "2025-02-29", entries.BAD_DATE),
    (FieldKind.DATE, "20250228", entries.BAD_DATE),
    (FieldKind.TEXT, "a\u202eb", entries.BAD_CHARACTERS),
]


@pytest.mark.parametrize(("kind", "value"), GOOD, ids=[f"{kind}:{value}" for kind, value in GOOD])
def test_a_good_entry_is_taken(kind: FieldKind, value: str) -> None:
    assert entry_mistake(kind, value, today=TODAY) is None


@pytest.mark.parametrize(("kind", "value", "told"), BAD, ids=[f"{kind}:{value}" for kind, value, _ in BAD])
def test_a_bad_entry_is_told_in_three_languages(kind: FieldKind, value: str, told: LocalizedText) -> None:
    assert entry_mistake(kind, value, today=TODAY) == told


def test_a_wrong_character_anywhere_in_a_credit_code_is_found() -> None:
    """The check character's promise (GB 32100): no single wrong character passes."""
    good = "91350200M000100Y4" + credit_code_check("91350200M000100Y4")
    for place in range(17):
        for character in entries.CREDIT_CODE_CHARACTERS:
            changed = good[:place] + character + good[place + 1 :]
            assert entries.is_credit_code(changed) == (character == good[place])


def test_an_empty_entry_and_one_too_long() -> None:
    assert entry_mistake(FieldKind.TEXT, "", today=TODAY) == entries.MISSING
    assert entry_mistake(FieldKind.CHOICE, "", today=TODAY) == entries.NOT_CHOSEN
    assert entry_mistake(FieldKind.TEXT, "", today=TODAY, required=False) is None
    assert entry_mistake(FieldKind.CHOICE, "c", today=TODAY, choices=("a", "b")) == entries.NOT_CHOSEN
    told = entry_mistake(FieldKind.TEXT, "一二三", today=TODAY, longest=2)
    assert told is not None
    assert "2" in told.en


def test_what_is_kept_of_an_entry_and_how_it_is_written_again() -> None:
    assert kept(FieldKind.MONEY, " 128.5 ") == "12850"
    assert written(FieldKind.MONEY, "12850") == "128.50"
    assert kept(FieldKind.PLATE, "闽d12345") == "闽D12345"
    assert kept(FieldKind.IDENTITY_NUMBER, "35020319010203001x").endswith("X")
    assert kept(FieldKind.MONEY, "dear") == ""


VALUES = {
    "card.birth_date": "1901-03-07", "card.id_number": "350203190102030017", "answer.start": "2026-03-01",
    "answer.price": "1999", "answer.count": "3", "answer.rate": "0.085", "card.name": "林测试", "answer.bad": "viele",
}  # fmt: skip
COMPUTED = [
    ("age", ["card.birth_date"], FieldKind.TEXT, "124"),
    ("age", ["card.id_number"], FieldKind.TEXT, "125"),
    ("years_since", ["card.birth_date", "answer.start"], FieldKind.TEXT, "124"),
    ("days_between", ["answer.start", "today"], FieldKind.TEXT, "5"),
    ("sum", ["answer.price", "answer.count", "answer.nothing"], FieldKind.TEXT, "2002"),
    ("product", ["answer.price", "answer.count"], FieldKind.MONEY, "5997"),
    ("product", ["answer.price", "answer.rate"], FieldKind.MONEY, "170"),
    ("product", ["answer.price", "answer.rate"], FieldKind.TEXT, "169.915"),
    ("product", ["answer.price", "answer.nothing"], FieldKind.TEXT, None),
    ("sum", ["answer.price", "answer.bad"], FieldKind.TEXT, None),
    ("join", ["card.name", "（", "answer.count", "）"], FieldKind.TEXT, "林测试（3）"),
    ("yuan", ["answer.price"], FieldKind.TEXT, "19.99"),
    ("age", ["answer.bad"], FieldKind.TEXT, None),
]


@pytest.mark.parametrize(("how", "of", "kind", "wanted"), COMPUTED, ids=[f"{c[0]}:{c[1]}" for c in COMPUTED])
def test_values_are_computed(how: str, of: list[str], kind: FieldKind, wanted: str | None) -> None:
    rule = Computed.model_validate({"how": how, "of": of})
    assert computed_value(rule, kind, VALUES.get, TODAY) == wanted
